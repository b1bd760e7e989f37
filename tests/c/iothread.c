/* The I/O thread without a guest: plain eventfds stand for what KVM would signal and be signalled by. Each queue is counted
 * for itself and nothing of it is lost; a line is not raised again before somebody has said that it was seen. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "check.h"
#include "core.h"

#define QUEUES 3
#define RINGS 20000
#define REQUESTS 2000
#define CAPACITY (1 << 17)
#define PATIENCE_MS 20000

static char *memory;
static struct bw_event events[CAPACITY];

static void ring(int eventfd)
{
    static const uint64_t one = 1;
    CHECK_EQUAL(write(eventfd, &one, sizeof one), sizeof one);
}

static struct bw_iothread *new_iothread(struct bw_ring *events_of, int doorbell, int irqfd)
{
    struct bw_wiring wiring = {
        .vm = -1, .doorbell = doorbell, .irqfd = irqfd, .gsi = 5, .memory = memory, .hz = 1000000000};
    int error = 0;
    struct bw_iothread *thread = bw_iothread_new(&wiring, events_of, &error);
    CHECK_EQUAL(error, 0);
    return thread;
}

static void wait_until(const struct bw_iothread *thread, uint64_t (*number)(const struct bw_iothread *), uint64_t wanted)
{
    for (int ms = 0; number(thread) < wanted && ms < PATIENCE_MS; ms++)
        usleep(1000);
    CHECK_EQUAL(number(thread), wanted);
}

/* -- queues ------------------------------------------------------------------------------------------------------------ */

static void *ring_all(void *eventfds)
{
    for (int n = 0; n < RINGS; n++)
        ring(((int *)eventfds)[n % QUEUES]);
    return NULL;
}

static void queues(void)
{
    struct bw_ring *ring_of_events = bw_ring_new(CAPACITY);
    int doorbells[QUEUES];
    for (int queue = 0; queue < QUEUES; queue++)
        doorbells[queue] = bw_eventfd_new(0, 0);
    struct bw_iothread *thread = new_iothread(ring_of_events, doorbells[0], -1);
    struct bw_orders orders = {.signal = BW_SIGNAL_NEVER, .running = 1};
    CHECK_EQUAL(bw_iothread_set_queues(thread, doorbells, BW_QUEUES_MAX + 1) < 0, 1);
    CHECK_EQUAL(bw_iothread_set_queues(thread, doorbells, QUEUES), 0);
    CHECK_EQUAL(bw_iothread_start(thread, &orders, -1), 0);
    pthread_t guest;
    pthread_create(&guest, NULL, ring_all, doorbells);
    CHECK_EQUAL(bw_iothread_command(thread, &orders, PATIENCE_MS), 0); /* in the middle of it */
    pthread_join(guest, NULL);
    wait_until(thread, bw_iothread_received, RINGS);
    CHECK_EQUAL(bw_iothread_stop(thread, PATIENCE_MS), 0);

    uint64_t received[QUEUES] = {0};
    uint32_t count = bw_ring_drain(ring_of_events, events, CAPACITY);
    for (uint32_t i = 0; i < count; i++)
        if (events[i].kind == BW_DOORBELL) {
            received[events[i].id] += events[i].arg;
            CHECK_EQUAL(events[i].seq, received[events[i].id]);
        }
    for (int queue = 0; queue < QUEUES; queue++) {
        CHECK_EQUAL(received[queue], (uint64_t)(RINGS + QUEUES - 1 - queue) / QUEUES);
        close(doorbells[queue]);
    }
    CHECK_EQUAL(bw_iothread_failure(thread), 0);
    bw_iothread_free(thread);
    bw_ring_free(ring_of_events);
}

/* -- a line ------------------------------------------------------------------------------------------------------------ */

struct line {
    int irqfd, resamplefd;
};

/* What KVM and the guest do: see the line, end the interrupt, say so. */
static void *resample(void *argument)
{
    struct line *line = argument;
    for (uint64_t n = 0, count; n < REQUESTS; n++) {
        CHECK_EQUAL(read(line->irqfd, &count, sizeof count), sizeof count);
        CHECK_EQUAL(count, 1); /* raised once, and not again before this was said: */
        ring(line->resamplefd);
    }
    return NULL;
}

static void level(void)
{
    struct bw_ring *ring_of_events = bw_ring_new(CAPACITY);
    struct line line = {bw_eventfd_new(0, 0), bw_eventfd_new(0, 0)};
    struct bw_iothread *thread = new_iothread(ring_of_events, -1, line.irqfd);
    struct bw_orders orders = {.path = BW_PATH_IRQFD,
                               .signal = BW_SIGNAL_PACED,
                               .period = BW_PERIOD_FLAT_OUT,
                               .burst = 7, /* more than the line takes at once */
                               .running = 1,
                               .limit = REQUESTS};
    bw_iothread_set_level(thread, line.resamplefd);
    pthread_t guest;
    pthread_create(&guest, NULL, resample, &line);
    CHECK_EQUAL(bw_iothread_start(thread, &orders, -1), 0);
    pthread_join(guest, NULL);
    wait_until(thread, bw_iothread_signalled, REQUESTS);
    CHECK_EQUAL(bw_iothread_stop(thread, PATIENCE_MS), 0);

    uint16_t last = BW_RESAMPLE;
    uint32_t count = bw_ring_drain(ring_of_events, events, CAPACITY);
    for (uint32_t i = 0; i < count; i++)
        if (events[i].kind == BW_IRQFD || events[i].kind == BW_RESAMPLE) {
            CHECK_EQUAL(events[i].kind != last, 1);
            last = events[i].kind;
        }
    CHECK_EQUAL(bw_iothread_failure(thread), 0);
    bw_iothread_free(thread);
    bw_ring_free(ring_of_events);
    close(line.irqfd);
    close(line.resamplefd);
}

/* -- orders ------------------------------------------------------------------------------------------------------------ */

#define CHANGES 2000
#define IDLE_WAITS 16 /* an order may wake the thread a few times: by its word, by the signal, by what it asks for */

/* Times that the thread went to sleep since the last look. */
static uint32_t waits(struct bw_ring *ring_of_events)
{
    uint32_t count = bw_ring_drain(ring_of_events, events, CAPACITY), found = 0;
    for (uint32_t i = 0; i < count; i++)
        found += events[i].kind == BW_WAIT;
    return found;
}

/* A thread that is awake takes an order before the commander's word that wakes it has come. That word must not keep it
 * awake afterwards, when there is nothing to do. */
static void sleeps_after_orders(void)
{
    struct bw_ring *ring_of_events = bw_ring_new(CAPACITY);
    int irqfd = bw_eventfd_new(0, 0);
    struct bw_iothread *thread = new_iothread(ring_of_events, -1, irqfd);
    struct bw_orders busy = {.path = BW_PATH_IRQFD,
                             .signal = BW_SIGNAL_PACED,
                             .period = BW_PERIOD_FLAT_OUT,
                             .burst = 1,
                             .running = 1,
                             .limit = UINT64_MAX};
    struct bw_orders idle = busy;
    idle.period = BW_PERIOD_BY_HAND;
    CHECK_EQUAL(bw_iothread_start(thread, &idle, -1), 0);
    uint32_t most = 0;
    for (int n = 0; n < CHANGES && most <= IDLE_WAITS; n++) {
        CHECK_EQUAL(bw_iothread_command(thread, &busy, PATIENCE_MS), 0);
        CHECK_EQUAL(bw_iothread_command(thread, &idle, PATIENCE_MS), 0);
        waits(ring_of_events);
        usleep(200);
        uint32_t found = waits(ring_of_events);
        most = found > most ? found : most;
    }
    CHECK_EQUAL(most <= IDLE_WAITS, 1);
    CHECK_EQUAL(bw_iothread_stop(thread, PATIENCE_MS), 0);
    bw_iothread_free(thread);
    bw_ring_free(ring_of_events);
    close(irqfd);
}

int main(void)
{
    memory = calloc(1, BW_MEMORY_SIZE);
    queues();
    level();
    sleeps_after_orders();
    free(memory);
    return failures != 0;
}
