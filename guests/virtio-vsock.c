// rings, listens, waits
/* The socket of a VMM that tells its device of the virtqueues itself, as ours does. */
#include "vsock.h"
