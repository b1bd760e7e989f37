/* A thread that pushes events at a rate, to measure how fast a ring can be drained. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "ring.h"
#include "thread.h"

struct bw_synthetic {
    pthread_t thread;
    struct bw_ring *ring;
    uint64_t count, per_second;
    _Atomic int running, stop;
};

#define BATCH 256 /* events between two looks at the clock */

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *body(void *argument)
{
    struct bw_synthetic *self = argument;
    int64_t start = monotonic_ns();
    for (uint64_t n = 0; n < self->count && !atomic_load(&self->stop); n++) {
        while (n % BATCH == 0 && (uint64_t)(monotonic_ns() - start) * self->per_second / 1000000000 < n)
            _mm_pause();
        bw_emit(self->ring, __rdtsc(), BW_WAIT, BW_LANE_IO_THREAD, 0, n + 1, 0);
    }
    atomic_store(&self->running, 0);
    return NULL;
}

struct bw_synthetic *bw_synthetic_start(struct bw_ring *ring, uint64_t count, uint64_t per_second)
{
    struct bw_synthetic *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->ring = ring;
    self->count = count;
    self->per_second = per_second;
    self->running = 1;
    if (bw_thread_start(&self->thread, body, self, -1, "synthetic")) {
        free(self);
        return NULL;
    }
    return self;
}

int bw_synthetic_running(const struct bw_synthetic *self)
{
    return atomic_load(&self->running);
}

void bw_synthetic_free(struct bw_synthetic *self)
{
    atomic_store(&self->stop, 1);
    pthread_join(self->thread, NULL);
    free(self);
}
