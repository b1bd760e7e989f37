// rings, listens
/* Rings the doorbell at the pace for a guest in another VM. Before each one it stores its number in that guest's control
 * page, which it sees at BW_PEER_CONTROL, as two guests with ivshmem share a page: the handler there reads it. The host
 * takes no part. */
#include "guest.h"

#define ANNOUNCED (*(volatile u64 *)(BW_PEER_CONTROL + BW_CTL_IRQ))

MAIN_LOOP ring_the_neighbour(u32 bus_and_width)
{
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        do {
            ANNOUNCED = rung + 1;
            ring(bus_and_width, false);
        } while (--burst && may_ring());
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_the_neighbour)
}
