// rings, listens, waits
// variants: bare=-DBARE
/* Rings the doorbell at the pace, then waits until the host has answered by an interrupt. */
#include "guest.h"

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst) {
        do
            ring(bus_and_width, true);
        while (MORE(burst));
        wait_for_answer();
    }
}
