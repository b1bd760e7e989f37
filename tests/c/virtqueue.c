/* The device's side of a virtqueue against four drivers: one that is honest, one that is honest and on a CPU of its own,
 * one that breaks each rule in turn, one that writes anything anywhere while the device reads it. */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "check.h"
#include "core.h"

#define MEMORY 0x10000 /* not a byte more, so that the address sanitizer sees who goes beyond */
#define SIZE 8u
#define DATA 0x4000
#define BUFFERS 60000
#define ROUNDS 20000
#define PATIENCE_MS 20000

static const struct bw_vring flags = {SIZE, 0, 0x1000, 0x2000, 0x3000}, event_idx = {SIZE, 1, 0x1000, 0x2000, 0x3000};
static char *memory;

static uint16_t *at16(uint64_t address)
{
    return (uint16_t *)(memory + address);
}

static uint64_t *at64(uint64_t address)
{
    return (uint64_t *)(memory + address);
}

static uint16_t load(uint64_t address)
{
    return __atomic_load_n(at16(address), __ATOMIC_ACQUIRE);
}

/* And a full barrier behind it. */
static void store(uint64_t address, uint16_t value)
{
    __atomic_exchange_n(at16(address), value, __ATOMIC_SEQ_CST);
}

#define AVAILABLE_FLAGS 0x2000
#define AVAILABLE_INDEX 0x2002
#define USED_EVENT (0x2004 + 2 * SIZE)
#define USED_FLAGS 0x3000
#define USED_INDEX 0x3002
#define AVAIL_EVENT (0x3004 + 8 * SIZE)

static void describe(uint16_t index, uint64_t address, uint32_t length, uint16_t descriptor_flags, uint16_t next)
{
    struct vring_desc descriptor = {address, length, descriptor_flags, next};
    memcpy(memory + 0x1000 + 16 * index, &descriptor, sizeof descriptor);
}

static void make_available(uint16_t index, uint16_t head)
{
    __atomic_store_n(at16(0x2004 + 2 * (index % SIZE)), head, __ATOMIC_RELAXED);
    store(AVAILABLE_INDEX, (uint16_t)(index + 1));
}

static struct bw_virtqueue *fresh(const struct bw_vring *vring)
{
    memset(memory, 0, MEMORY);
    return bw_virtqueue_new(memory, MEMORY, vring, NULL);
}

/* Chains of two: the number of the request, room for the answer. */
static void describe_all(void)
{
    for (uint16_t i = 0; i < SIZE; i += 2) {
        describe(i, DATA + 16u * i, 8, VRING_DESC_F_NEXT, (uint16_t)(i + 1));
        describe((uint16_t)(i + 1), DATA + 16u * i + 8, 8, VRING_DESC_F_WRITE, 0);
    }
}

/* -- an honest driver ---------------------------------------------------------------------------------------------------- */

static void serving(void)
{
    struct bw_virtqueue *queue = fresh(&flags);
    describe_all();
    CHECK_EQUAL(bw_virtqueue_serve(queue), 0);
    for (uint16_t n = 0; n < 3 * SIZE; n++) {
        uint16_t head = (uint16_t)(2 * (n % (SIZE / 2)));
        *at64(DATA + 16u * head) = n;
        make_available(n, head);
        CHECK_EQUAL(bw_virtqueue_serve(queue), 1);
        CHECK_EQUAL(bw_virtqueue_serve(queue), 0);
        CHECK_EQUAL(*at64(DATA + 16u * head + 8), ~(uint64_t)n);
        CHECK_EQUAL(load(USED_INDEX), n + 1);
    }
    CHECK_EQUAL(bw_virtqueue_available(queue), 3 * SIZE);
    CHECK_EQUAL(bw_virtqueue_used(queue), 3 * SIZE);
    CHECK_EQUAL(bw_virtqueue_fault(queue), 0);
    bw_virtqueue_free(queue);
}

/* Room is shorter than the request: the answer ends where the room does, and the used entry says so. */
static void short_room(void)
{
    struct bw_virtqueue *queue = fresh(&flags);
    describe(0, DATA, 8, VRING_DESC_F_NEXT, 1);
    describe(1, DATA + 8, 3, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2);
    describe(2, DATA + 16, 2, VRING_DESC_F_WRITE, 0);
    make_available(0, 0);
    CHECK_EQUAL(bw_virtqueue_serve(queue), 1);
    CHECK_EQUAL(*at64(DATA + 8), 0xffffff);
    CHECK_EQUAL(*at64(DATA + 16), 0xffff);
    CHECK_EQUAL(*(uint32_t *)(memory + 0x3008), 5);
    bw_virtqueue_free(queue);
}

static void serve_some(struct bw_virtqueue *queue, uint16_t from, uint16_t count)
{
    for (uint16_t n = from; n < from + count; n++) {
        make_available(n, 0);
        CHECK_EQUAL(bw_virtqueue_serve(queue), 1);
    }
}

static void suppressing_by_flags(void)
{
    struct bw_virtqueue *queue = fresh(&flags);
    describe_all();
    bw_virtqueue_stop_kicks(queue);
    CHECK_EQUAL(load(USED_FLAGS), VRING_USED_F_NO_NOTIFY);
    serve_some(queue, 0, 1);
    CHECK_EQUAL(bw_virtqueue_wants_interrupt(queue), 1);
    store(AVAILABLE_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
    serve_some(queue, 1, 1);
    CHECK_EQUAL(bw_virtqueue_wants_interrupt(queue), 0);
    CHECK_EQUAL(bw_virtqueue_ask_for_kick(queue), 0);
    CHECK_EQUAL(load(USED_FLAGS), 0);
    make_available(2, 0);
    CHECK_EQUAL(bw_virtqueue_ask_for_kick(queue), 1);
    bw_virtqueue_free(queue);
}

static void suppressing_by_event_idx(void)
{
    struct bw_virtqueue *queue = fresh(&event_idx);
    describe_all();
    store(USED_EVENT, 2); /* the third buffer shall interrupt */
    for (uint16_t n = 0; n < 5; n++) {
        serve_some(queue, n, 1);
        CHECK_EQUAL(bw_virtqueue_wants_interrupt(queue), n == 2);
    }
    store(USED_EVENT, 6);
    serve_some(queue, 5, 3); /* passes it in one step */
    CHECK_EQUAL(bw_virtqueue_wants_interrupt(queue), 1);
    bw_virtqueue_stop_kicks(queue);
    CHECK_EQUAL(load(USED_FLAGS), 0);
    CHECK_EQUAL(bw_virtqueue_ask_for_kick(queue), 0);
    CHECK_EQUAL(load(AVAIL_EVENT), 8);
    bw_virtqueue_free(queue);
}

/* -- an honest driver on a CPU of its own: nobody sleeps through the other's news ------------------------------------------ */

struct pair {
    const struct bw_vring *vring;
    struct bw_virtqueue *queue;
    int kick, call;
    uint64_t kicks, calls;
    _Atomic int lost, finished;
};

static void signal_eventfd(int fd)
{
    const uint64_t one = 1;
    CHECK_EQUAL(write(fd, &one, sizeof one), sizeof one);
}

static void wait_for(struct pair *pair, int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    uint64_t count;
    if (poll(&waiting, 1, PATIENCE_MS) != 1 || read(fd, &count, sizeof count) != sizeof count)
        atomic_store(&pair->lost, 1);
}

static void *device(void *argument)
{
    struct pair *pair = argument;
    while (!atomic_load(&pair->finished) && !atomic_load(&pair->lost)) {
        do {
            bw_virtqueue_stop_kicks(pair->queue);
            while (bw_virtqueue_serve(pair->queue))
                if (bw_virtqueue_wants_interrupt(pair->queue)) {
                    pair->calls++;
                    signal_eventfd(pair->call);
                }
        } while (bw_virtqueue_ask_for_kick(pair->queue));
        wait_for(pair, pair->kick);
    }
    return NULL;
}

static int is_kick_wanted(const struct pair *pair, uint16_t added)
{
    return pair->vring->event_idx ? load(AVAIL_EVENT) == (uint16_t)(added - 1) : !load(USED_FLAGS);
}

/* Asks to be interrupted. -> whether there is nothing to take */
static int may_sleep(const struct pair *pair, uint16_t taken)
{
    if (pair->vring->event_idx)
        store(USED_EVENT, taken);
    else
        store(AVAILABLE_FLAGS, 0);
    return load(USED_INDEX) == taken;
}

static void take(uint16_t number)
{
    uint32_t head = __atomic_load_n((uint32_t *)(memory + 0x3004 + 8 * (number % SIZE)), __ATOMIC_RELAXED);
    CHECK_EQUAL(head, 2 * (number % (SIZE / 2)));
    CHECK_EQUAL(__atomic_load_n((uint8_t *)memory + DATA + 16 * head + 8, __ATOMIC_RELAXED), (uint8_t)~number);
}

static void drive(struct pair *pair)
{
    uint16_t added = 0, taken = 0;
    for (uint32_t total = 0; total < BUFFERS && !atomic_load(&pair->lost);) {
        for (; (uint16_t)(added - taken) < SIZE / 2 && total < BUFFERS; total++) {
            uint16_t head = (uint16_t)(2 * (added % (SIZE / 2)));
            __atomic_store_n((uint8_t *)memory + DATA + 16 * head, (uint8_t)added, __ATOMIC_RELAXED);
            make_available(added++, head);
            if (is_kick_wanted(pair, added)) {
                pair->kicks++;
                signal_eventfd(pair->kick);
            }
        }
        store(AVAILABLE_FLAGS, !pair->vring->event_idx);
        do
            while (load(USED_INDEX) != taken)
                take(taken++);
        while (!may_sleep(pair, taken));
        if (added != taken)
            wait_for(pair, pair->call);
    }
}

static void side_by_side(const struct bw_vring *vring)
{
    struct pair pair = {.vring = vring, .queue = fresh(vring), .kick = eventfd(0, 0), .call = eventfd(0, 0)};
    describe_all();
    pthread_t thread;
    pthread_create(&thread, NULL, device, &pair);
    drive(&pair);
    atomic_store(&pair.finished, 1);
    signal_eventfd(pair.kick);
    pthread_join(thread, NULL);
    CHECK_EQUAL(atomic_load(&pair.lost), 0);
    CHECK_EQUAL(bw_virtqueue_used(pair.queue) >= BUFFERS - SIZE / 2, 1);
    CHECK_EQUAL(pair.kicks > 0 && pair.kicks <= BUFFERS, 1);
    printf("%s: %d buffers, %llu kicks, %llu interrupts\n", vring->event_idx ? "event-idx" : "flags", BUFFERS,
           (unsigned long long)pair.kicks, (unsigned long long)pair.calls);
    close(pair.kick);
    close(pair.call);
    bw_virtqueue_free(pair.queue);
}

/* -- a driver that breaks the rules ------------------------------------------------------------------------------------------ */

static void broken_by(int fault, uint16_t available_index, uint16_t head)
{
    struct bw_virtqueue *queue = bw_virtqueue_new(memory, MEMORY, &flags, NULL);
    store(0x2004, head);
    store(AVAILABLE_INDEX, available_index);
    CHECK_EQUAL(bw_virtqueue_serve(queue), 0);
    CHECK_EQUAL(bw_virtqueue_fault(queue), fault);
    CHECK_EQUAL(bw_virtqueue_used(queue), 0);
    CHECK_EQUAL(bw_virtqueue_ask_for_kick(queue), 0);
    store(AVAILABLE_INDEX, 1); /* too late: it serves nothing any more */
    store(0x2004, 0);
    CHECK_EQUAL(bw_virtqueue_serve(queue), 0);
    bw_virtqueue_free(queue);
    memset(memory, 0, MEMORY);
}

static void breaking_each_rule(void)
{
    memset(memory, 0, MEMORY);
    broken_by(BW_VIRTQUEUE_INDEX, SIZE + 1, 0);
    broken_by(BW_VIRTQUEUE_INDEX, 0xffff, 0);
    broken_by(BW_VIRTQUEUE_HEAD, 1, SIZE);
    broken_by(BW_VIRTQUEUE_HEAD, 1, 0xffff);
    describe(0, DATA, 8, VRING_DESC_F_NEXT, SIZE);
    broken_by(BW_VIRTQUEUE_NEXT, 1, 0);
    describe(0, DATA, 8, VRING_DESC_F_NEXT, 0);
    broken_by(BW_VIRTQUEUE_LOOP, 1, 0);
    const uint64_t outside[] = {MEMORY - 7, MEMORY, 1ull << 63, ~0ull, ~0ull - 7};
    for (int i = 0; i < 5; i++) {
        describe(0, outside[i], 8, 0, 0);
        broken_by(BW_VIRTQUEUE_ADDRESS, 1, 0);
        describe(0, outside[i], 8, VRING_DESC_F_WRITE, 0);
        broken_by(BW_VIRTQUEUE_ADDRESS, 1, 0);
    }
    describe(0, 0, ~0u, VRING_DESC_F_WRITE, 0);
    broken_by(BW_VIRTQUEUE_ADDRESS, 1, 0);
    describe(0, DATA, 8, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
    describe(1, DATA, 8, 0, 0);
    broken_by(BW_VIRTQUEUE_ORDER, 1, 0);
    describe(0, 0, 4096, VRING_DESC_F_NEXT, 1);
    describe(1, 0, 1, 0, 0);
    broken_by(BW_VIRTQUEUE_LENGTH, 1, 0);
    describe(0, DATA, 8, VRING_DESC_F_INDIRECT, 0);
    broken_by(BW_VIRTQUEUE_INDIRECT, 1, 0);
}

static void running_backwards(void)
{
    struct bw_virtqueue *queue = fresh(&flags);
    describe_all();
    make_available(0, 0);
    make_available(1, 0);
    CHECK_EQUAL(bw_virtqueue_serve(queue), 1);
    store(AVAILABLE_INDEX, 1);
    CHECK_EQUAL(bw_virtqueue_serve(queue), 0);
    CHECK_EQUAL(bw_virtqueue_fault(queue), BW_VIRTQUEUE_INDEX);
    bw_virtqueue_free(queue);
}

/* -- a driver that writes anything while the device reads it -------------------------------------------------------------- */

static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* What is plausible most of the time, so that the device goes on. */
static void scribble_descriptor(uint64_t *state)
{
    uint64_t word = dice(state) % (2 * SIZE), wild = dice(state) % 64 == 0;
    uint64_t shape = dice(state) % 512 | (dice(state) % 4) << 32 | (dice(state) % SIZE) << 48;
    uint64_t value = wild ? dice(state) : word % 2 ? shape : dice(state) % (MEMORY - 256);
    __atomic_store_n(at64(0x1000 + 8 * word), value, __ATOMIC_RELAXED);
}

static void *scribble(void *finished)
{
    uint64_t state = 88172645463325252;
    while (!atomic_load((_Atomic int *)finished)) {
        uint64_t where = dice(&state) % 3;
        if (where == 0)
            scribble_descriptor(&state);
        else if (where == 1)
            store(0x2004 + dice(&state) % (SIZE + 1) * 2, (uint16_t)(dice(&state) % (SIZE + dice(&state) % 2)));
        else
            __atomic_fetch_add(at16(AVAILABLE_INDEX), (uint16_t)(dice(&state) % 2), __ATOMIC_RELAXED);
    }
    return NULL;
}

static void scribbling(void)
{
    memset(memory, 0, MEMORY);
    _Atomic int finished = 0;
    pthread_t driver;
    pthread_create(&driver, NULL, scribble, &finished);
    uint64_t served = 0, faults[BW_VIRTQUEUE_INDIRECT + 1] = {0};
    /* On a busy machine the driver may not have had its turn yet: until it was seen to do good and evil. */
    int rounds = 0;
    for (; rounds < ROUNDS || (rounds < 1000 * ROUNDS && !(served && faults[BW_VIRTQUEUE_ADDRESS])); rounds++) {
        if (!served)
            sched_yield();
        store(AVAILABLE_INDEX, 0);
        struct bw_virtqueue *queue = bw_virtqueue_new(memory, MEMORY, rounds % 2 ? &flags : &event_idx, NULL);
        for (int step = 0; step < 200 && !bw_virtqueue_fault(queue); step++) {
            bw_virtqueue_serve(queue);
            bw_virtqueue_wants_interrupt(queue);
            bw_virtqueue_ask_for_kick(queue);
        }
        CHECK_EQUAL(bw_virtqueue_used(queue) <= bw_virtqueue_available(queue), 1);
        served += bw_virtqueue_used(queue);
        faults[bw_virtqueue_fault(queue)]++;
        bw_virtqueue_free(queue);
    }
    atomic_store(&finished, 1);
    pthread_join(driver, NULL);
    CHECK_EQUAL(served > 0, 1);
    CHECK_EQUAL(faults[BW_VIRTQUEUE_ADDRESS] > 0, 1);
    printf("scribbling: %llu served as plausible in %d rounds\n", (unsigned long long)served, rounds);
}

int main(void)
{
    memory = calloc(1, MEMORY);
    serving();
    short_room();
    suppressing_by_flags();
    suppressing_by_event_idx();
    side_by_side(&flags);
    side_by_side(&event_idx);
    breaking_each_rule();
    running_backwards();
    scribbling();
    free(memory);
    return failures != 0;
}
