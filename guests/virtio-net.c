// rings, listens, waits
/* The network card of a VMM that tells its device of the virtqueue itself, as ours does. */
#include "net.h"
