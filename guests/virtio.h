/* A driver's view of the split virtqueue that it shares with its device (virtio 1.2, 2.7), as abi.h places it. Included by
 * the drivers, after guest.h. */
typedef uint16_t u16;

#define NEXT 1     /* VIRTQ_DESC_F_NEXT */
#define WRITABLE 2 /* VIRTQ_DESC_F_WRITE: by the device */

struct descriptor {
    u64 address;
    u32 length;
    u16 flags, next;
};
struct available {
    u16 flags, index, entries[BW_VIRTQUEUE_SIZE], used_event;
};
struct used {
    u16 flags, index;
    struct {
        u32 id, length;
    } entries[BW_VIRTQUEUE_SIZE];
    u16 avail_event;
};

#define descriptors ((volatile struct descriptor *)BW_VIRTQUEUE_DESCRIPTORS)
#define available ((volatile struct available *)BW_VIRTQUEUE_AVAILABLE)
#define used ((const volatile struct used *)BW_VIRTQUEUE_USED)

/* What a driver sends: the same word, again and again. */
static inline void fill_words(u64 address, u64 count, u64 word)
{
    asm volatile("rep stosq" : "+D"(address), "+c"(count) : "a"(word) : "memory");
}

/* A device may interrupt once to be sure when it is started, which answers nothing. Our own VMM takes such a signal before
 * there is an irqfd. */
#ifdef PCI
#define DROP_UNLESS(answered) (kept_stamp = (answered) ? kept_stamp : 0)
#else
#define DROP_UNLESS(answered) ((void)0)
#endif

/* Rings for what `available` holds from now on, and waits until it was used and the interrupt has come. Entry 0 of the
 * available ring stands for all: each one names descriptor 0. The number of the doorbell is announced to this guest's own
 * handler, as nobody on the other side knows of numbers. */
#define SEND(bus_and_width)                                                                                            \
    do {                                                                                                               \
        ANNOUNCE(BW_CONTROL);                                                                                          \
        available->index = (u16)(rung + 1);                                                                            \
        ring(bus_and_width, true);                                                                                     \
        do {                                                                                                           \
            idle();                                                                                                    \
            DROP_UNLESS(used->index == (u16)rung);                                                                     \
        } while (IRQ_SEEN != (u32)rung || used->index != (u16)rung);                                                  \
    } while (0)
