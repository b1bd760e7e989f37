// rings, listens, waits
/* The socket on the PCI bus of a VMM that knows nothing of us, and which nobody of us can wake. */
#define PCI
#define NOBODY_NUDGES
#include "vsock.h"
