#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf_ring.h"

#define HEADER 8 /* bytes before each record: its length and two bits, then where it is */

int bpf_ring_open(struct bpf_ring *ring, int fd, uint64_t size, struct failure *why)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    /* The data is there twice in a row, so that no record is cut in two. */
    char *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
    if (consumer == MAP_FAILED || producer == MAP_FAILED)
        return fail(why, "refused", errno, "mmap");
    *ring = (struct bpf_ring){consumer, (const uint64_t *)producer, producer + page, size};
    return 0;
}

uint64_t bpf_ring_produced(const struct bpf_ring *ring)
{
    return __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE);
}

uint64_t bpf_ring_consumed(const struct bpf_ring *ring)
{
    return __atomic_load_n(ring->consumed, __ATOMIC_RELAXED);
}

static uint32_t header_of(const struct bpf_ring *ring)
{
    uint64_t at = bpf_ring_consumed(ring) & (ring->size - 1);
    return __atomic_load_n((const uint32_t *)(ring->data + at), __ATOMIC_ACQUIRE);
}

const void *bpf_ring_oldest(const struct bpf_ring *ring)
{
    uint64_t at = bpf_ring_consumed(ring);
    if (at == bpf_ring_produced(ring) || header_of(ring) & BPF_RINGBUF_BUSY_BIT)
        return NULL;
    return ring->data + (at & (ring->size - 1)) + HEADER;
}

void bpf_ring_pass(struct bpf_ring *ring)
{
    uint32_t length = header_of(ring) & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    uint64_t next = bpf_ring_consumed(ring) + ((length + HEADER + 7) & ~7u);
    __atomic_store_n(ring->consumed, next, __ATOMIC_RELEASE);
}
