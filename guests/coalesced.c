// rings
/* Rings at the pace, and after each burst reads the doorbell's address once, as a driver reads a status register when it
 * has written all it has to say: a read leaves to user space at once, whatever becomes of the writes. */
#include "guest.h"

static inline void read_back(bool pio)
{
    u64 address = CONTROL(u64, BW_CTL_ADDRESS);
    u32 status;
    if (pio)
        asm volatile("inl %%dx, %%eax" : "=a"(status) : "d"((u32)address) : "memory");
    else
        asm volatile("movl (%1), %0" : "=r"(status) : "r"(address) : "memory");
}

MAIN_LOOP ring_and_read(u32 bus_and_width)
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
        read_back(bus_and_width < 0x10);
    }
}

void guest_main(void);
void guest_main(void)
{
    WITH_BUS_AND_WIDTH(ring_and_read)
}
