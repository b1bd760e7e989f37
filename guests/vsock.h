/* A virtio socket's driver (virtio 1.2, 5.10): somebody on the host connects to this guest, which answers and then sends, one
 * packet at a time. Each is one doorbell and one interrupt: the first is the answer, all others carry BW_VSOCK_PAYLOAD bytes,
 * the packet's number again and again.
 *
 * What comes from the host, the connection and how much it has room for, is looked at before each packet: the queue that it
 * comes by asks for no interrupts. Included by the programs, before which PCI says that they find the device themselves. */
#include "guest.h"
#include "virtio.h"
#ifdef PCI
#define DOORBELL_QUEUE 1
#include "virtio-pci.h"
#endif

#define STREAM 1 /* VIRTIO_VSOCK_TYPE_STREAM */
#define REQUEST 1
#define RESPONSE 2
#define RW 5
#define HOST 2 /* VMADDR_CID_HOST */

#define NO_INTERRUPT 1 /* VIRTQ_AVAIL_F_NO_INTERRUPT */
#define BUFFER_SIZE 256
#define OWN_ROOM 0x10000 /* bytes that this guest says it has room for; nobody sends it any */

struct packet {
    u64 from, to;
    u32 from_port, to_port, length;
    u16 type, what;
    u32 flags, room, taken;
} __attribute__((packed));

#define SENT ((volatile struct packet *)BW_VIRTQUEUE_BUFFERS)
#define come_descriptors ((__typeof__(descriptors))BW_RECEIVING_DESCRIPTORS)
#define come_available ((__typeof__(available))BW_RECEIVING_AVAILABLE)
#define come_used ((__typeof__(used))BW_RECEIVING_USED)
#define COME(number) ((const volatile struct packet *)(u64)(BW_RECEIVING_BUFFERS + BUFFER_SIZE * (number)))

static u16 looked_at;         /* packets of the host's */
static bool asked;            /* for a connection */
static u32 room, taken, sent; /* bytes: the host has room for, has taken, was sent; each goes around */

static void set_up(void)
{
    for (u32 i = 0; i < BW_VIRTQUEUE_SIZE; i++) {
        come_descriptors[i].address = BW_RECEIVING_BUFFERS + BUFFER_SIZE * i;
        come_descriptors[i].length = BUFFER_SIZE;
        come_descriptors[i].flags = WRITABLE;
        come_available->entries[i] = (u16)i;
    }
    come_available->flags = NO_INTERRUPT;
    come_available->index = BW_VIRTQUEUE_SIZE;
    SENT->from = CONTROL(u64, BW_CTL_CID);
    SENT->to = HOST;
    SENT->from_port = BW_VSOCK_PORT;
    SENT->type = STREAM;
    SENT->room = OWN_ROOM;
    descriptors[0].address = BW_VIRTQUEUE_BUFFERS;
}

/* Looks at what has come, and gives the buffers back: entry n of the available ring names buffer n, for good. */
static void look(void)
{
    for (; looked_at != come_used->index; looked_at++) {
        const volatile struct packet *packet = COME(come_used->entries[looked_at % BW_VIRTQUEUE_SIZE].id);
        if (packet->what == REQUEST) {
            SENT->to_port = packet->from_port;
            asked = true;
        }
        room = packet->room;
        taken = packet->taken;
        come_available->entries[come_available->index % BW_VIRTQUEUE_SIZE] =
            (u16)come_used->entries[looked_at % BW_VIRTQUEUE_SIZE].id;
        come_available->index++;
    }
}

static bool may_send(void)
{
    look();
    return asked && room - (sent - taken) >= BW_VSOCK_PAYLOAD;
}

/* Nobody wakes this guest when the host has taken something. */
static void wait_for_room(void)
{
    while (!may_send()) {
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + CONTROL(u64, BW_CTL_LOOK));
        idle();
    }
}

static void fill(u64 number)
{
    SENT->what = number == 1 ? RESPONSE : RW;
    SENT->length = number == 1 ? 0 : BW_VSOCK_PAYLOAD;
    descriptors[0].length = sizeof(struct packet) + SENT->length;
    sent += SENT->length;
    fill_words(BW_VIRTQUEUE_BUFFERS + sizeof(struct packet), BW_VSOCK_PAYLOAD / 8, number);
}

MAIN_LOOP(bus_and_width)
{
    set_up();
#ifdef PCI
    find_device();
    hand_over_queue(0, NO_VECTOR, BW_RECEIVING_DESCRIPTORS, BW_RECEIVING_AVAILABLE, BW_RECEIVING_USED);
    hand_over_doorbell_queue();
    begin();
#endif
    EACH_TURN(burst)
        do {
            wait_for_room();
            fill(rung + 1);
            mark_turn();
            SEND(bus_and_width);
        } while (MORE(burst));
}
