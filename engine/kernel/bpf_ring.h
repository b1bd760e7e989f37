/* The reading end of a BPF ring buffer (Linux: kernel/bpf/ringbuf.c), one record at a time and no more than there is room
 * for: what is not taken stays, and what finds the ring full is counted where it happens. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct bpf_ring {
    volatile uint64_t *consumed;       /* ours to write */
    const volatile uint64_t *produced; /* the kernel's */
    const char *data;
    uint64_t size;
};

int bpf_ring_open(struct bpf_ring *ring, int fd, uint64_t size, struct failure *why);
uint64_t bpf_ring_produced(const struct bpf_ring *ring);
/* The oldest record, if it is complete; NULL: there is none, or it is still being written. */
const void *bpf_ring_oldest(const struct bpf_ring *ring);
void bpf_ring_pass(struct bpf_ring *ring); /* it was taken */
uint64_t bpf_ring_consumed(const struct bpf_ring *ring);
