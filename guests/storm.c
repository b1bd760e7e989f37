// rings, listens, waits
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

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst) {
        poke_at_nothing();
        do
            ring(bus_and_width, true);
        while (MORE(burst));
        wait_for_answer();
    }
}
