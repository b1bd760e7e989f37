// rings
/* Rings the doorbell at the pace as doorbell.c, until BW_CTL_CRASH tells it to break: it then meets an exception with no
 * interrupt table to look it up in, so neither its handler nor that of the double fault can be found. */
#include "guest.h"

static void __attribute__((noreturn)) triple_fault(void)
{
    struct {
        uint16_t limit;
        u64 base;
    } __attribute__((packed)) none = {0, 0};
    asm volatile("lidt %0; ud2" : : "m"(none));
    __builtin_unreachable();
}

MAIN_LOOP ring_until_it_breaks(u32 bus_and_width)
{
    for (;;) {
        if (CONTROL(u32, BW_CTL_CRASH))
            triple_fault();
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
    WITH_BUS_AND_WIDTH(ring_until_it_breaks)
}
