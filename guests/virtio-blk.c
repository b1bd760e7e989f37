// rings, listens, waits
/* The disk of a VMM that tells its device of the virtqueue itself, as ours does. */
#include "blk.h"
