// rings, listens
/* Rings a doorbell that interrupts this guest itself, then waits until its own handler has seen it. The number that the
 * handler reads is stored here: the host takes no part. */
#include "guest.h"

#define ANNOUNCED (*(volatile u64 *)(BW_CONTROL + BW_CTL_IRQ))

MAIN_LOOP ring_and_hear(u32 bus_and_width)
{
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        do {
            ANNOUNCED = rung + 1;
            ring(bus_and_width, true);
        } while (--burst && may_ring());
        while (irq_seen != rung)
            idle();
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_and_hear)
}
