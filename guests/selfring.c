// rings, listens, waits
/* Rings a doorbell that interrupts this guest itself, then waits until its own handler has seen it. The number that the
 * handler reads is stored here: the host takes no part. */
#include "guest.h"

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst) {
        do {
            ANNOUNCE(BW_CONTROL);
            ring(bus_and_width, true);
        } while (MORE(burst));
        while (IRQ_SEEN != (u32)rung)
            idle();
    }
}
