// rings, listens
// variants: bare=-DBARE
/* Rings the doorbell at the pace, then waits until the host has answered by an interrupt. */
#include "guest.h"

MAIN_LOOP ring_and_wait(u32 bus_and_width)
{
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        do
            ring(bus_and_width, true);
        while (--burst && may_ring());
        wait_for_answer();
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_and_wait)
}
