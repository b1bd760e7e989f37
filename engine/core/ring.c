/* A single-producer single-consumer ring of events.
 *
 * head counts the events pushed, tail those drained; both only grow, so head - tail is the fill. The producer's release
 * of head makes the slot's content visible before the slot counts; the consumer's release of tail says that the slot
 * was copied before it may be written again. Each side keeps a copy of the other's counter and looks at the real one
 * only when the copy says full (or empty): the cache line then travels once a batch, not once an event. */
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "ring.h"

#define CACHE_LINE 64

struct bw_ring {
    _Alignas(CACHE_LINE) _Atomic uint64_t head; /* producer writes */
    uint64_t tail_seen;                         /* producer only */
    _Atomic uint64_t dropped;                   /* producer writes */
    _Alignas(CACHE_LINE) _Atomic uint64_t tail; /* consumer writes */
    _Alignas(CACHE_LINE) uint64_t mask;
    struct bw_event *slots;
};

_Static_assert(sizeof(struct bw_event) == 32, "an event is 32 bytes");

uint64_t bw_tsc(void)
{
    return __rdtsc();
}

struct bw_ring *bw_ring_new(uint32_t capacity)
{
    if (!capacity || capacity & (capacity - 1))
        return NULL;
    struct bw_ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->mask = capacity - 1;
    ring->slots = calloc(capacity, sizeof *ring->slots);
    if (!ring->slots) {
        free(ring);
        return NULL;
    }
    return ring;
}

void bw_ring_free(struct bw_ring *ring)
{
    if (ring)
        free(ring->slots);
    free(ring);
}

int bw_ring_push(struct bw_ring *ring, const struct bw_event *event)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - ring->tail_seen > ring->mask) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head - ring->tail_seen > ring->mask) {
            uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
            atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_release);
            return 0;
        }
    }
    ring->slots[head & ring->mask] = *event;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 1;
}

uint32_t bw_ring_drain(struct bw_ring *ring, struct bw_event *out, uint32_t most)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t fill = atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
    uint32_t count = fill < most ? (uint32_t)fill : most;
    uint64_t first = tail & ring->mask, until_end = ring->mask + 1 - first;
    uint32_t before_wrap = count < until_end ? count : (uint32_t)until_end;
    memcpy(out, ring->slots + first, before_wrap * sizeof *out);
    memcpy(out + before_wrap, ring->slots, (count - before_wrap) * sizeof *out);
    atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
    return count;
}

uint64_t bw_ring_pushed(const struct bw_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire);
}

uint64_t bw_ring_dropped(const struct bw_ring *ring)
{
    return atomic_load_explicit(&ring->dropped, memory_order_acquire);
}
