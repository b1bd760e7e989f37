// rings, listens
/* Rings the doorbell at the pace for a guest in another VM. Before each one it stores its number in that guest's control
 * page, which it sees at BW_PEER_CONTROL, as two guests with ivshmem share a page: the handler there reads it. The host
 * takes no part. */
#include "guest.h"

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst)
        do {
            ANNOUNCE(BW_PEER_CONTROL);
            ring(bus_and_width, false);
        } while (MORE(burst));
}
