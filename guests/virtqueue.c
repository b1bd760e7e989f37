// rings, listens
/* The driver of a split virtqueue (virtio 1.2, 2.7). Each buffer is a number that the device has to answer by its
 * complement. The driver kicks after each buffer, unless the device has said that it need not; it takes buffers back when
 * an interrupt has told it to.
 *
 * Suppression goes both ways. Without event-idx each side has a flag: the device's says that it is awake, so that a kick
 * is of no use; the driver's, that it is taking buffers back already. With event-idx each side stores up to where it wants
 * to hear nothing.
 *
 * Barriers: x86 keeps stores in order, so what must not be reordered are a store and a later load of the other side's
 * word. A locked instruction does it; KVM's emulator knows no MFENCE. */
#include "guest.h"
#include "virtio.h"

#define CHAINS (BW_VIRTQUEUE_SIZE / 2) /* a readable and a writable descriptor each */
#define MASK (BW_VIRTQUEUE_SIZE - 1)

struct buffer {
    u64 request, answer;
};

#define buffers ((volatile struct buffer *)BW_VIRTQUEUE_BUFFERS)

static u64 added, taken, wrong;
static u64 numbers[CHAINS]; /* of the buffer that each chain is on its way with; 0: it is at home */
static u32 home[CHAINS], at_home;
static u16 last_used;
static u64 irq_heard;
static bool event_idx;

static inline void barrier(void)
{
    asm volatile("lock; orl $0, (%%rsp)" : : : "memory", "cc");
}

static void set_up(void)
{
    event_idx = CONTROL(u32, BW_CTL_EVENT_IDX);
    for (u32 i = 0; i < CHAINS; i++) {
        u64 buffer = BW_VIRTQUEUE_BUFFERS + i * BW_VIRTQUEUE_BUFFER_SIZE;
        descriptors[2 * i].address = buffer;
        descriptors[2 * i].length = sizeof(u64);
        descriptors[2 * i].flags = NEXT;
        descriptors[2 * i].next = (u16)(2 * i + 1);
        descriptors[2 * i + 1].address = buffer + sizeof(u64);
        descriptors[2 * i + 1].length = sizeof(u64);
        descriptors[2 * i + 1].flags = WRITABLE;
        home[at_home++] = i;
    }
}

static void add_buffer(void)
{
    u32 chain = home[--at_home];
    numbers[chain] = ++added;
    buffers[chain].request = added;
    available->entries[(added - 1) & MASK] = (u16)(2 * chain);
    available->index = (u16)added; /* publishes it */
    STATUS(u64, BW_ST_BUFFERS_ADDED) = added;
}

/* Whether the device asked to hear of the newest buffer. */
static bool is_kick_wanted(void)
{
    barrier();
    if (event_idx)
        return used->avail_event == (u16)(added - 1);
    return !used->flags;
}

static void take_buffer(void)
{
    u32 id = used->entries[last_used++ & MASK].id, chain = id / 2;
    taken++;
    if (id % 2 || chain >= CHAINS || !numbers[chain] || buffers[chain].answer != ~numbers[chain]) {
        STATUS(u64, BW_ST_BUFFERS_WRONG) = ++wrong;
        return;
    }
    numbers[chain] = 0;
    home[at_home++] = chain;
}

/* Takes all that the device has used, and asks to be interrupted for the next. */
static void take_buffers(void)
{
    do {
        if (!event_idx)
            available->flags = 1;
        while (last_used != used->index)
            take_buffer();
        if (event_idx)
            available->used_event = last_used;
        else
            available->flags = 0;
        barrier();
    } while (last_used != used->index);
    STATUS(u64, BW_ST_BUFFERS_TAKEN) = taken;
}

static void listen(void)
{
    if (irq_above == irq_heard)
        return;
    irq_heard = irq_above;
    take_buffers();
}

/* The queue is full. Going on with the first buffer that comes back would keep it so, and the device awake for good. */
static void wait_for_all(void)
{
    do {
        idle();
        mark_turn();
        listen();
    } while (at_home < CHAINS);
}

MAIN_LOOP(bus_and_width)
{
    set_up();
    for (;;) { /* not EACH_TURN: an interrupt alone is reason enough to take buffers back */
        u32 burst = turn();
        if (!burst) {
            idle();
            mark_turn();
        }
        for (; burst && may_ring(); burst--) {
            if (!at_home)
                wait_for_all();
            add_buffer();
            if (is_kick_wanted())
                ring(bus_and_width, true);
        }
        listen();
    }
}
