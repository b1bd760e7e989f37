/* The driver of a virtio block device (virtio 1.2, 5.2): writes a sector, reads it back, compares, goes on to the next one.
 * The pattern is the number of the write. One request is under way at a time, and each is one doorbell and one interrupt:
 * the number of the doorbell is announced to this guest's own handler, as nobody on the other side knows of numbers.
 * Included by the programs, before which PCI says that they find the device themselves. */
#include "guest.h"
#include "virtio.h"
#ifdef PCI
#define DOORBELL_QUEUE 0
#include "virtio-pci.h"
#endif

#define READ_SECTOR 0  /* VIRTIO_BLK_T_IN */
#define WRITE_SECTOR 1 /* VIRTIO_BLK_T_OUT */
#define WORDS (BW_SECTOR_SIZE / 8)

struct header {
    u32 type, reserved;
    u64 sector;
};

#define HEADER ((volatile struct header *)BW_VIRTQUEUE_BUFFERS)
#define STATUS_BYTE (BW_VIRTQUEUE_BUFFERS + sizeof(struct header))
#define status (*(volatile uint8_t *)STATUS_BYTE)
#define DATA_OUT (BW_VIRTQUEUE_BUFFERS + 0x200)
#define DATA_IN (BW_VIRTQUEUE_BUFFERS + 0x400)

static u64 sector; /* of the newest write */

static bool is_filled(u64 address, u64 word)
{
    u64 count = WORDS;
    bool same;
    asm volatile("repe scasq" : "+D"(address), "+c"(count), "=@cce"(same) : "a"(word) : "memory");
    return same;
}

/* Header, data, status: always the same three descriptors. */
static void set_up(void)
{
    descriptors[0].address = BW_VIRTQUEUE_BUFFERS;
    descriptors[0].length = sizeof(struct header);
    descriptors[0].flags = NEXT;
    descriptors[0].next = 1;
    descriptors[1].length = BW_SECTOR_SIZE;
    descriptors[1].next = 2;
    descriptors[2].address = STATUS_BYTE;
    descriptors[2].length = 1;
    descriptors[2].flags = WRITABLE;
}

static void prepare(u32 type)
{
    HEADER->type = type;
    HEADER->sector = sector;
    status = 0xff;
    descriptors[1].address = type == WRITE_SECTOR ? DATA_OUT : DATA_IN;
    descriptors[1].flags = type == WRITE_SECTOR ? NEXT : NEXT | WRITABLE;
}

static void finish(bool good, volatile u64 *counter)
{
    if (good)
        ++*counter;
    else
        ++STATUS(u64, BW_ST_SECTORS_WRONG);
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
            bool reads = rung & 1;
            if (reads) {
                fill_words(DATA_IN, WORDS, 0);
                prepare(READ_SECTOR);
            } else {
                sector = (rung >> 1) % BW_SECTORS;
                fill_words(DATA_OUT, WORDS, (rung >> 1) + 1);
                prepare(WRITE_SECTOR);
            }
            SEND(bus_and_width);
            if (reads)
                finish(!status && is_filled(DATA_IN, rung >> 1), &STATUS(u64, BW_ST_SECTORS_COMPARED));
            else
                finish(!status, &STATUS(u64, BW_ST_SECTORS_WRITTEN));
        } while (MORE(burst));
}
