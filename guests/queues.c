// rings
/* Rings at the pace and waits for no answer, as doorbell.c; but each time with the next value, or at the next address: as
 * a driver kicks one queue after the other. The host sets both up once, so this guest may keep them where they stand. */
#include "guest.h"

#define NEXT(type, offset) (*(volatile type *)(BW_CONTROL + (offset)))

static u32 queue, place;
static u64 first_address;

static void choose_next(void)
{
    if (++queue >= CONTROL(u32, BW_CTL_QUEUES))
        queue = 0;
    if (++place >= CONTROL(u32, BW_CTL_ADDRESSES))
        place = 0;
    if (CONTROL(u32, BW_CTL_QUEUES) > 1)
        NEXT(u64, BW_CTL_VALUE) = queue;
    NEXT(u64, BW_CTL_ADDRESS) = first_address + place * BW_ADDRESS_STRIDE;
}

MAIN_LOOP ring_in_turn(u32 bus_and_width)
{
    first_address = CONTROL(u64, BW_CTL_ADDRESS);
    for (;;) {
        u32 burst = turn();
        if (!burst) {
            idle();
            continue;
        }
        do {
            ring(bus_and_width, false);
            choose_next();
        } while (--burst && may_ring());
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_in_turn)
}
