// rings
/* Rings the doorbell at the pace and waits for no answer. Shows what one doorbell costs the guest, and how doorbells
 * that are rung faster than the host reads add up in the eventfd. */
#include "guest.h"

MAIN_LOOP ring_at_pace(u32 bus_and_width)
{
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        do
            ring(bus_and_width, false);
        while (--burst && may_ring());
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_at_pace)
}
