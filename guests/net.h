/* The sending half of a virtio network driver (virtio 1.2, 5.1.6.2). One frame is under way at a time, and each is one
 * doorbell and one interrupt. The frame carries the doorbell's number, so that whoever gets frames can tell which they are.
 * Included by the programs, before which PCI says that they find the device themselves. */
#include "guest.h"
#include "virtio.h"
#ifdef PCI
#define DOORBELL_QUEUE 1 /* transmitq1; the device may have it alone */
#include "virtio-pci.h"
#endif

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

MAIN_LOOP(bus_and_width)
{
    set_up();
#ifdef PCI
    find_device();
    hand_over_doorbell_queue();
    begin();
#endif
    EACH_TURN(burst)
        do {
            fill_words(FRAME + BW_FRAME_PAYLOAD, WORDS, rung + 1);
            SEND(bus_and_width);
        } while (MORE(burst));
}
