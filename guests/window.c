// rings, listens, waits
/* Rings the doorbell at the pace, and once the host has answered keeps interrupts off for BW_CTL_HOLD longer: the answer
 * waits at the local APIC until this guest lets it in. */
#include "guest.h"

#define NOT_ANSWERED 100000 /* looks: then the host has other things to do, and the answer finds a guest that halts */

static u64 window_stamp = BW_WINDOW_STAMPS;

/* An interrupt was announced that no handler has seen. Interrupts are off: only idle() lets them in. */
static bool asked(void)
{
    return CONTROL(u32, BW_CTL_IRQ) != IRQ_SEEN;
}

static void stamp_window(void)
{
    *(volatile u64 *)(window_stamp + 8) = CONTROL(u64, BW_CTL_IRQ);
    *(volatile u64 *)window_stamp = rdtsc();
    window_stamp = (window_stamp + BW_WINDOW_STAMP_SIZE) & ~(u64)BW_WINDOW_STAMP_WRAP;
    STATUS(u64, BW_ST_WINDOWS)++;
}

static void hold(void)
{
    u64 until = rdtsc() + CONTROL(u64, BW_CTL_HOLD);
    while (rdtsc() < until)
        asm volatile("pause");
    stamp_window();
}

static void hold_and_wait(void)
{
    for (u32 looks = 0; looks < NOT_ANSWERED && !asked(); looks++)
        asm volatile("pause");
    if (asked())
        hold();
    wait_for_answer();
}

MAIN_LOOP(bus_and_width)
{
    EACH_TURN(burst) {
        do
            ring(bus_and_width, true);
        while (MORE(burst));
        hold_and_wait();
    }
}
