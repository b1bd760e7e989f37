// rings, listens, waits
/* The sending half of a virtio network driver (virtio 1.2, 5.1.6.2). One frame is under way at a time, and each is one
 * doorbell and one interrupt: the number of the doorbell is announced to this guest's own handler, as nobody on the other
 * side knows of numbers. The frame carries it too, so that whoever gets frames can tell which they are. */
#include "guest.h"
#include "virtio.h"

#define FRAME (BW_VIRTQUEUE_BUFFERS + BW_NET_HEADER_SIZE)
#define WORDS ((BW_FRAME_SIZE - BW_FRAME_PAYLOAD) / 8)

/* To all, from an address of our own choice; the header of virtio before it stays 0: nothing is asked of the device. */
static void set_up(void)
{
    static const uint8_t header[BW_FRAME_PAYLOAD] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 'b', 'e', 'l', 'l', 1, BW_FRAME_TYPE >> 8, BW_FRAME_TYPE & 0xff,
    };
    for (u32 i = 0; i < BW_FRAME_PAYLOAD; i++)
        ((volatile uint8_t *)FRAME)[i] = header[i];
    descriptors[0].address = BW_VIRTQUEUE_BUFFERS;
    descriptors[0].length = BW_NET_HEADER_SIZE + BW_FRAME_SIZE;
}

static void fill(u64 number)
{
    u64 address = FRAME + BW_FRAME_PAYLOAD, count = WORDS;
    asm volatile("rep stosq" : "+D"(address), "+c"(count) : "a"(number) : "memory");
}

/* Entry 0 of the available ring stands for all: each one names descriptor 0. */
MAIN_LOOP(bus_and_width)
{
    set_up();
    EACH_TURN(burst)
        do {
            fill(rung + 1);
            ANNOUNCE(BW_CONTROL);
            available->index = (u16)(rung + 1);
            ring(bus_and_width, true);
            do
                idle();
            while (irq_seen != rung || used->index != (u16)rung);
        } while (MORE(burst));
}
