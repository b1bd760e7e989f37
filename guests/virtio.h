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
