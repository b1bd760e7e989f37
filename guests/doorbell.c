// rings
/* Rings the doorbell at the pace and waits for no answer. Shows what one doorbell costs the guest, and how doorbells
 * that are rung faster than the host reads add up in the eventfd. */
#include "guest.h"

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst)
        do
            ring(bus_and_width, false);
        while (MORE(burst));
}
