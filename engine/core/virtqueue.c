/* The device's side of a split virtqueue (virtio 1.2, 2.7), whose driver is a guest that is not trusted.
 *
 * The device answers each request by its complement: it reads the bytes of the readable descriptors and writes them
 * inverted into the writable ones, which the driver can check.
 *
 * Memory model, the spec's 2.7.13 and 2.7.14 in C11's words:
 * - The available index is loaded with acquire, so that the entries and descriptors below it are the driver's last word;
 *   the used index is stored with release, behind the entry and the answer.
 * - Who goes to sleep stores its wish to be woken, then looks again, with a full barrier in between; who has news stores
 *   them, then reads the other's wish, again with a full barrier in between. So at least one of the two sees the other.
 *
 * Trust: every index and address is copied out of the guest's memory once, checked, and only then used. The first one
 * that cannot be is a fault; the queue is broken from then on and serves nothing, as a device that needs a reset. */
#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "abi.h"
#include "ring.h"

struct bw_virtqueue {
    char *memory;
    uint64_t memory_size;
    struct bw_vring vring;
    uint64_t work;        /* TSC cycles on each buffer */
    struct bw_ring *ring; /* NULL: no events */
    uint16_t seen;        /* the driver's index as the device has seen it */
    uint16_t next;        /* of the buffer to take next */
    uint16_t used, told;  /* the device's index; and as it was at the last decision on an interrupt */
    _Atomic uint64_t available_count, used_count;
    _Atomic int fault;
};

struct bw_virtqueue *bw_virtqueue_new(void *memory, uint64_t memory_size, const struct bw_vring *vring,
                                      struct bw_ring *ring)
{
    struct bw_virtqueue *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct bw_virtqueue){.memory = memory, .memory_size = memory_size, .vring = *vring, .ring = ring};
    return self;
}

void bw_virtqueue_free(struct bw_virtqueue *self)
{
    free(self);
}

void bw_virtqueue_set_work(struct bw_virtqueue *self, uint64_t cycles)
{
    self->work = cycles;
}

/* -- the guest's memory: every access is one that the guest may race with ---------------------------------------------- */

static uint16_t load16(const struct bw_virtqueue *self, uint64_t address, int order)
{
    return __atomic_load_n((uint16_t *)(self->memory + address), order);
}

static void store16(const struct bw_virtqueue *self, uint64_t address, uint16_t value, int order)
{
    __atomic_store_n((uint16_t *)(self->memory + address), value, order);
}

static uint8_t *byte(const struct bw_virtqueue *self, uint64_t address)
{
    return (uint8_t *)(self->memory + address);
}

#define FLAGS(ring) ((ring) + 0)
#define INDEX(ring) ((ring) + 2)
#define ENTRIES(ring) ((ring) + 4)

static uint64_t used_event(const struct bw_virtqueue *self) /* behind the available ring; the driver's */
{
    return ENTRIES(self->vring.available) + 2 * self->vring.size;
}

static uint64_t avail_event(const struct bw_virtqueue *self) /* behind the used ring; the device's */
{
    return ENTRIES(self->vring.used) + 8 * self->vring.size;
}

/* -- descriptors -------------------------------------------------------------------------------------------------------- */

static struct vring_desc load_descriptor(const struct bw_virtqueue *self, uint16_t index)
{
    union {
        uint64_t words[2];
        struct vring_desc descriptor;
    } copy;
    uint64_t *words = (uint64_t *)(self->memory + self->vring.descriptors) + 2 * index;
    copy.words[0] = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
    copy.words[1] = __atomic_load_n(&words[1], __ATOMIC_RELAXED);
    return copy.descriptor;
}

/* A request as far as it has been read and answered. */
struct request {
    uint8_t bytes[BW_REQUEST_MAX];
    uint32_t length, written;
    int answering; /* a writable descriptor was met */
};

static int check(const struct bw_virtqueue *self, const struct vring_desc *descriptor, const struct request *request)
{
    if (descriptor->flags & VRING_DESC_F_INDIRECT)
        return BW_VIRTQUEUE_INDIRECT;
    if (descriptor->len > self->memory_size || descriptor->addr > self->memory_size - descriptor->len)
        return BW_VIRTQUEUE_ADDRESS;
    if (descriptor->flags & VRING_DESC_F_WRITE)
        return 0;
    if (request->answering)
        return BW_VIRTQUEUE_ORDER;
    return descriptor->len > BW_REQUEST_MAX - request->length ? BW_VIRTQUEUE_LENGTH : 0;
}

static void transfer(const struct bw_virtqueue *self, const struct vring_desc *descriptor, struct request *request)
{
    if (!(descriptor->flags & VRING_DESC_F_WRITE)) {
        for (uint32_t i = 0; i < descriptor->len; i++)
            request->bytes[request->length++] = __atomic_load_n(byte(self, descriptor->addr + i), __ATOMIC_RELAXED);
        return;
    }
    request->answering = 1;
    for (uint32_t i = 0; i < descriptor->len && request->written < request->length; i++) {
        uint8_t answer = (uint8_t)~request->bytes[request->written++];
        __atomic_store_n(byte(self, descriptor->addr + i), answer, __ATOMIC_RELAXED);
    }
}

/* Reads and answers the chain of descriptors from `index`. -> 0 or BW_VIRTQUEUE_* */
static int walk(const struct bw_virtqueue *self, uint16_t index, struct request *request)
{
    for (uint32_t steps = 0; steps < self->vring.size; steps++) {
        if (index >= self->vring.size)
            return steps ? BW_VIRTQUEUE_NEXT : BW_VIRTQUEUE_HEAD;
        struct vring_desc descriptor = load_descriptor(self, index);
        int fault = check(self, &descriptor, request);
        if (fault)
            return fault;
        transfer(self, &descriptor, request);
        if (!(descriptor.flags & VRING_DESC_F_NEXT))
            return 0;
        index = descriptor.next;
    }
    return BW_VIRTQUEUE_LOOP;
}

/* -- buffers -------------------------------------------------------------------------------------------------------------- */

static void emit(const struct bw_virtqueue *self, uint32_t id, uint64_t seq, uint64_t arg)
{
    if (self->ring)
        bw_emit(self->ring, bw_tsc(), BW_BUFFERS, BW_LANE_IO_THREAD, id, seq, arg);
}

/* Sees how far the driver is. -> buffers to take, or 0 */
static uint16_t look(struct bw_virtqueue *self)
{
    uint16_t index = load16(self, INDEX(self->vring.available), __ATOMIC_ACQUIRE);
    uint16_t news = (uint16_t)(index - self->seen), waiting = (uint16_t)(index - self->next);
    if (waiting > self->vring.size || waiting < (uint16_t)(self->seen - self->next)) { /* too far, or backwards */
        atomic_store(&self->fault, BW_VIRTQUEUE_INDEX);
        return 0;
    }
    if (news) {
        self->seen = index;
        emit(self, BW_BUFFERS_ADDED, atomic_fetch_add(&self->available_count, news) + news, news);
    }
    return waiting;
}

static void push_used(struct bw_virtqueue *self, uint16_t head, uint32_t written)
{
    uint64_t entry = (uint64_t)written << 32 | head;
    uint64_t address = ENTRIES(self->vring.used) + 8 * (self->used % self->vring.size);
    __atomic_store_n((uint32_t *)(self->memory + address), (uint32_t)entry, __ATOMIC_RELAXED);
    __atomic_store_n((uint32_t *)(self->memory + address + 4), (uint32_t)(entry >> 32), __ATOMIC_RELAXED);
    uint64_t count = atomic_load_explicit(&self->used_count, memory_order_relaxed) + 1;
    emit(self, BW_BUFFERS_USED, count, 1); /* before the driver can see it */
    atomic_store_explicit(&self->used_count, count, memory_order_release);
    store16(self, INDEX(self->vring.used), ++self->used, __ATOMIC_RELEASE);
}

/* What makes a device slower than its driver: without it each buffer may find the device asleep. */
static void work(const struct bw_virtqueue *self)
{
    for (uint64_t begin = bw_tsc(); bw_tsc() - begin < self->work;)
        __builtin_ia32_pause();
}

int bw_virtqueue_serve(struct bw_virtqueue *self)
{
    if (atomic_load_explicit(&self->fault, memory_order_relaxed) || !look(self))
        return 0;
    uint64_t entry = ENTRIES(self->vring.available) + 2 * (self->next % self->vring.size);
    uint16_t head = load16(self, entry, __ATOMIC_RELAXED);
    struct request request;
    request.length = request.written = 0;
    request.answering = 0;
    int fault = walk(self, head, &request);
    if (fault) {
        atomic_store(&self->fault, fault);
        return 0;
    }
    self->next++;
    work(self);
    push_used(self, head, request.written);
    return 1;
}

/* -- suppression (2.7.7, 2.7.10): a wish to be woken, with or without VIRTIO_F_EVENT_IDX --------------------------------- */

int bw_virtqueue_wants_interrupt(struct bw_virtqueue *self)
{
    atomic_thread_fence(memory_order_seq_cst);
    uint16_t before = self->told;
    self->told = self->used;
    if (self->vring.event_idx)
        return vring_need_event(load16(self, used_event(self), __ATOMIC_RELAXED), self->used, before);
    return !(load16(self, FLAGS(self->vring.available), __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT);
}

/* With event-idx the wish is an index that the driver has passed already, so there is nothing to take back. */
void bw_virtqueue_stop_kicks(struct bw_virtqueue *self)
{
    if (!self->vring.event_idx)
        store16(self, FLAGS(self->vring.used), VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

int bw_virtqueue_ask_for_kick(struct bw_virtqueue *self)
{
    if (self->vring.event_idx)
        store16(self, avail_event(self), self->next, __ATOMIC_RELAXED);
    else
        store16(self, FLAGS(self->vring.used), 0, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_seq_cst);
    return !atomic_load_explicit(&self->fault, memory_order_relaxed) && look(self);
}

uint64_t bw_virtqueue_available(const struct bw_virtqueue *self)
{
    return atomic_load(&self->available_count);
}

uint64_t bw_virtqueue_used(const struct bw_virtqueue *self)
{
    return atomic_load(&self->used_count);
}

int bw_virtqueue_fault(const struct bw_virtqueue *self)
{
    return atomic_load(&self->fault);
}
