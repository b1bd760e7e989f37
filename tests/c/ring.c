/* One thread pushes, one drains, as fast as they can through a ring that is much too small. What comes out is in order
 * and whole; what does not come out is counted. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "check.h"
#include "core.h"

#define EVENTS 200000
#define CAPACITY 64
#define MOST 48 /* not a divisor of the capacity: drains wrap around the ring's end */

struct run {
    struct bw_ring *ring;
    int retry; /* the producer tries again until the event is in */
    uint64_t refused;
    _Atomic int finished;
};

static struct bw_event event_of(uint64_t n)
{
    return (struct bw_event){3 * n, BW_WAIT, BW_LANE_IO_THREAD, 7, (uint32_t)n, n, ~n};
}

static void *produce(void *argument)
{
    struct run *run = argument;
    for (uint64_t n = 1; n <= EVENTS; n++) {
        struct bw_event event = event_of(n);
        while (!bw_ring_push(run->ring, &event)) {
            run->refused++;
            if (!run->retry)
                break;
            sched_yield();
        }
    }
    atomic_store(&run->finished, 1);
    return NULL;
}

static void check_event(const struct bw_event *event, uint64_t previous)
{
    struct bw_event whole = event_of(event->seq);
    CHECK_EQUAL(event->seq > previous, 1);
    CHECK_EQUAL(event->tsc, whole.tsc);
    CHECK_EQUAL(event->kind, whole.kind);
    CHECK_EQUAL(event->lane, whole.lane);
    CHECK_EQUAL(event->vm, whole.vm);
    CHECK_EQUAL(event->id, whole.id);
    CHECK_EQUAL(event->arg, whole.arg);
}

/* -> events received */
static uint64_t consume(struct run *run)
{
    struct bw_event batch[MOST];
    uint64_t received = 0, last = 0;
    for (;;) {
        int finished = atomic_load(&run->finished);
        uint32_t count = bw_ring_drain(run->ring, batch, MOST);
        for (uint32_t i = 0; i < count; last = batch[i++].seq)
            check_event(&batch[i], last);
        received += count;
        if (!count && finished)
            return received;
        if (!count)
            sched_yield();
    }
}

static void run(int retry)
{
    struct run run = {.ring = bw_ring_new(CAPACITY), .retry = retry};
    pthread_t producer;
    pthread_create(&producer, NULL, produce, &run);
    uint64_t received = consume(&run);
    pthread_join(producer, NULL);
    CHECK_EQUAL(received, bw_ring_pushed(run.ring));
    CHECK_EQUAL(bw_ring_dropped(run.ring), run.refused);
    CHECK_EQUAL(received, retry ? EVENTS : EVENTS - run.refused);
    printf("%s: %llu received, %llu refused\n", retry ? "patient" : "hasty", (unsigned long long)received,
           (unsigned long long)run.refused);
    bw_ring_free(run.ring);
}

/* Without a consumer: what fits stays as it was, what does not is dropped. */
static void overfill(void)
{
    struct bw_ring *ring = bw_ring_new(CAPACITY);
    struct bw_event out[2 * CAPACITY];
    for (uint64_t n = 1; n <= CAPACITY + 5; n++) {
        struct bw_event event = event_of(n);
        CHECK_EQUAL(bw_ring_push(ring, &event), n <= CAPACITY);
    }
    CHECK_EQUAL(bw_ring_dropped(ring), 5);
    CHECK_EQUAL(bw_ring_drain(ring, out, 2 * CAPACITY), CAPACITY);
    for (uint64_t n = 1; n <= CAPACITY; n++)
        CHECK_EQUAL(out[n - 1].seq, n);
    CHECK_EQUAL(bw_ring_drain(ring, out, 2 * CAPACITY), 0);
    bw_ring_free(ring);
}

int main(void)
{
    CHECK_EQUAL((uintptr_t)bw_ring_new(0), 0);
    CHECK_EQUAL((uintptr_t)bw_ring_new(63), 0);
    overfill();
    run(0);
    run(1);
    return failures != 0;
}
