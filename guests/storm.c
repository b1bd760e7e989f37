// rings, listens
/* A round trip as roundtrip.c, but before each turn the guest pokes at an address where nothing is, as a driver does whose
 * device was unplugged: BW_CTL_STORM writes, and as many reads. */
#include "guest.h"

static void poke_at_nothing(void)
{
    volatile u32 *nothing = (volatile u32 *)BW_STORM_ADDRESS;
    for (u32 left = CONTROL(u32, BW_CTL_STORM); left; left--) {
        *nothing = BW_STORM_VALUE;
        (void)*nothing;
    }
}

MAIN_LOOP ring_in_the_storm(u32 bus_and_width)
{
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        poke_at_nothing();
        do
            ring(bus_and_width, true);
        while (--burst && may_ring());
        wait_for_answer();
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_in_the_storm)
}
