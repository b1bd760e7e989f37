/* The I/O thread, "the host side": what a vhost worker or a QEMU iothread is. It sleeps in read() of the doorbell's
 * eventfd, or in poll() where there is more to wait for, and signals interrupts, by irqfd or by ioctl, as answers or at a
 * pace.
 *
 * Orders. The thread takes new orders only at the top of its loop and acknowledges them there, so a command that has
 * returned is in force: no signal takes the old path afterwards. Waking it is free of races, as immediate_exit is for
 * KVM_RUN: the commander first raises `ordered`, then sets O_NONBLOCK on the eventfd, then signals the thread. A read()
 * under way ends by the signal, a read() about to begin ends by O_NONBLOCK; either way the thread sees `ordered` next. A
 * poll() ends by the eventfd `command`, which is read whenever poll() says so: it is written after `ordered` is raised.
 *
 * Announcing. Before an interrupt is signalled its number is stored in guest memory (BW_CTL_IRQ), as a virtio device
 * stores its used index: the handler tells by it which interrupts it has seen, merged ones included. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"
#include "ring.h"
#include "thread.h"

struct bw_iothread {
    struct bw_wiring wiring;
    struct bw_ring *ring;
    int command; /* eventfd: ends a poll() */
    pthread_t thread;
    _Atomic int32_t thread_id; /* the kernel's number of it; 0: it has not run yet */
    int joined;
    struct bw_uring *uring;         /* NULL: none */
    struct bw_virtqueue *virtqueue; /* the same */
    int doorbells[BW_QUEUES_MAX], irqfds[BW_QUEUES_MAX];
    uint32_t queues, irqfd_count;
    int resamplefd; /* -1: edges */
    struct bw_orders mailbox; /* commander writes while ordered == taken */
    _Atomic uint64_t ordered, taken;
    _Atomic int stop, failure;
    _Atomic uint64_t reads, received, signalled, refused;
    /* the thread's own */
    struct bw_orders orders;
    uint64_t next_tick, singles, paced, answered, received_of[BW_QUEUES_MAX];
    uint64_t owed; /* interrupts that wait for the line to be low */
    int asserted;  /* the line was raised, and nobody has seen it yet */
};

struct bw_iothread *bw_iothread_new(const struct bw_wiring *wiring, struct bw_ring *ring, int *error)
{
    struct bw_iothread *self = calloc(1, sizeof *self);
    int command = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!self || command < 0) {
        *error = self ? -errno : -ENOMEM;
        if (command >= 0)
            close(command);
        free(self);
        return NULL;
    }
    self->wiring = *wiring;
    self->ring = ring;
    self->command = command;
    self->joined = 1;
    self->resamplefd = -1;
    self->doorbells[0] = wiring->doorbell;
    self->queues = wiring->doorbell >= 0;
    self->irqfds[0] = wiring->irqfd;
    self->irqfd_count = 1;
    return self;
}

int bw_iothread_set_queues(struct bw_iothread *self, const int *doorbells, uint32_t count)
{
    if (!count || count > BW_QUEUES_MAX)
        return -EINVAL;
    memcpy(self->doorbells, doorbells, count * sizeof *doorbells);
    self->queues = count;
    return 0;
}

int bw_iothread_set_irqfds(struct bw_iothread *self, const int *irqfds, uint32_t count)
{
    if (!count || count > BW_QUEUES_MAX)
        return -EINVAL;
    memcpy(self->irqfds, irqfds, count * sizeof *irqfds);
    self->irqfd_count = count;
    return 0;
}

void bw_iothread_set_level(struct bw_iothread *self, int resamplefd)
{
    self->resamplefd = resamplefd;
}

void bw_iothread_set_uring(struct bw_iothread *self, struct bw_uring *uring)
{
    self->uring = uring;
}

void bw_iothread_set_virtqueue(struct bw_iothread *self, struct bw_virtqueue *virtqueue)
{
    self->virtqueue = virtqueue;
}

static void set_nonblocking(int fd, int on)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

static int has_orders(const struct bw_iothread *self)
{
    return atomic_load_explicit(&self->stop, memory_order_acquire) ||
           atomic_load_explicit(&self->ordered, memory_order_acquire) !=
               atomic_load_explicit(&self->taken, memory_order_relaxed);
}

/* -- signalling ----------------------------------------------------------------------------------------------------- */

static void announce(struct bw_iothread *self, uint64_t irq)
{
    char *control = (char *)self->wiring.memory + BW_CONTROL;
    __atomic_store_n((uint64_t *)(control + BW_CTL_ANSWERED), self->answered, __ATOMIC_RELEASE);
    __atomic_store_n((uint64_t *)(control + BW_CTL_IRQ), irq, __ATOMIC_RELEASE);
}

/* An edge; of a level only the beginning: whoever serves the guest's acknowledgement lowers it. */
static int pulse(const struct bw_iothread *self)
{
    int taken = bw_irq_line(self->wiring.vm, self->wiring.gsi, 1);
    if (taken < 0 || self->resamplefd >= 0)
        return taken;
    int low = bw_irq_line(self->wiring.vm, self->wiring.gsi, 0);
    return low < 0 ? low : taken;
}

static int send(const struct bw_iothread *self)
{
    static const uint64_t one = 1;
    switch (self->orders.path) {
    case BW_PATH_IRQFD:
        return write(self->irqfds[self->signalled % self->irqfd_count], &one, sizeof one) == sizeof one ? 1 : -errno;
    case BW_PATH_IRQ_LINE:
        return pulse(self);
    case BW_PATH_URING:
        return bw_uring_read(self->uring, self->signalled);
    default:
        return bw_signal_msi(self->wiring.vm, self->wiring.msi_address, 0, self->wiring.msi_data);
    }
}

static void emit_signal(const struct bw_iothread *self, uint64_t irq, uint64_t doorbell)
{
    static const uint16_t kinds[] = {[BW_PATH_IRQFD] = BW_IRQFD,
                                     [BW_PATH_IRQ_LINE] = BW_IRQ_IOCTL,
                                     [BW_PATH_SIGNAL_MSI] = BW_IRQ_IOCTL,
                                     [BW_PATH_URING] = BW_SUBMIT};
    uint16_t kind = kinds[self->orders.path];
    uint32_t id = kind == BW_IRQ_IOCTL ? self->orders.path - BW_PATH_IRQ_LINE : self->wiring.gsi;
    bw_emit(self->ring, bw_tsc(), kind, BW_LANE_IO_THREAD, id, irq, doorbell);
}

/* One interrupt that answers doorbells up to `doorbell` (0: none). */
static void signal_interrupt(struct bw_iothread *self, uint64_t doorbell)
{
    uint64_t irq = atomic_load_explicit(&self->signalled, memory_order_relaxed) + 1;
    atomic_store_explicit(&self->signalled, irq, memory_order_release); /* first: no handler has seen more than this */
    emit_signal(self, irq, doorbell); /* before it is announced: no guest has seen it at an earlier time */
    announce(self, irq);
    int result;
    do
        result = send(self);
    while (result == -EINTR); /* orders have come just then; whoever watches the calls may let a signal in where no call sleeps */
    if (result < 0)
        atomic_store(&self->failure, -result);
    if (result < 0)
        atomic_fetch_add(&self->refused, 1);
}

/* The same for a device with a line: it raises it once, and again when the guest has seen that and there is more. */
static void request_interrupt(struct bw_iothread *self, uint64_t doorbell)
{
    self->owed++;
    if (self->asserted)
        return;
    self->owed--;
    self->asserted = self->resamplefd >= 0;
    signal_interrupt(self, doorbell);
}

static void read_resamplefd(struct bw_iothread *self)
{
    uint64_t count;
    ssize_t size = read(self->resamplefd, &count, sizeof count);
    uint64_t tsc = bw_tsc();
    if (size != sizeof count)
        return;
    bw_emit(self->ring, tsc, BW_RESAMPLE, BW_LANE_IO_THREAD, self->wiring.gsi,
            atomic_load_explicit(&self->signalled, memory_order_relaxed), count);
    self->asserted = 0;
    if (self->owed) {
        self->owed--;
        request_interrupt(self, 0);
    }
}

/* -- receiving ------------------------------------------------------------------------------------------------------ */

static void receive(struct bw_iothread *self, uint32_t queue, uint64_t tsc, uint64_t count)
{
    uint64_t received = atomic_load_explicit(&self->received, memory_order_relaxed) + count;
    atomic_store_explicit(&self->received, received, memory_order_release);
    atomic_fetch_add_explicit(&self->reads, 1, memory_order_release);
    self->received_of[queue] += count;
    bw_emit(self->ring, tsc, BW_DOORBELL, BW_LANE_IO_THREAD, queue, self->received_of[queue], count);
    if (self->orders.signal == BW_SIGNAL_ANSWER) {
        self->answered = received;
        request_interrupt(self, received);
    }
}

static void emit_wait(struct bw_iothread *self)
{
    bw_emit(self->ring, bw_tsc(), BW_WAIT, BW_LANE_IO_THREAD, 0,
            atomic_load_explicit(&self->received, memory_order_relaxed),
            atomic_load_explicit(&self->signalled, memory_order_relaxed));
}

/* Reads a doorbell: blocks, unless orders have come. */
static void read_doorbell(struct bw_iothread *self, uint32_t queue)
{
    uint64_t count;
    ssize_t size = read(self->doorbells[queue], &count, sizeof count);
    uint64_t tsc = bw_tsc();
    if (size == sizeof count)
        receive(self, queue, tsc, count);
    else if (errno == EAGAIN)
        set_nonblocking(self->doorbells[queue], 0);
    else if (errno != EINTR) {
        atomic_store(&self->failure, errno);
        atomic_store(&self->stop, 1);
    }
}

/* -- pace ----------------------------------------------------------------------------------------------------------- */

static int is_paced(const struct bw_iothread *self)
{
    return self->orders.signal == BW_SIGNAL_PACED && self->orders.running && self->paced < self->orders.limit &&
           self->orders.period != BW_PERIOD_BY_HAND;
}

/* A burst ends early if orders have come. */
static void signal_burst(struct bw_iothread *self)
{
    for (uint32_t i = 0; i < self->orders.burst && self->paced < self->orders.limit && !has_orders(self); i++, self->paced++)
        request_interrupt(self, 0);
}

/* Signals if it is time. -> TSC cycles until it is, or -1: no pace drives this thread, or the line is not yet free. */
static int64_t keep_pace(struct bw_iothread *self)
{
    if (!is_paced(self) || self->asserted)
        return -1;
    uint64_t now = bw_tsc(), period = self->orders.period;
    if (self->next_tick > now + period)
        self->next_tick = now + period;
    if (now < self->next_tick)
        return (int64_t)(self->next_tick - now);
    signal_burst(self);
    self->next_tick += period;
    if (self->next_tick + 16 * period < now) /* far behind: do not make up for it */
        self->next_tick = now + period;
    return 0;
}

/* Sleeps for `cycles` (-1: no limit), until doorbells, a resample or orders come. */
static void poll_doorbells(struct bw_iothread *self, int64_t cycles)
{
    struct pollfd fds[2 + BW_QUEUES_MAX] = {{.fd = self->command, .events = POLLIN},
                                            {.fd = self->resamplefd, .events = POLLIN}};
    for (uint32_t queue = 0; queue < self->queues; queue++)
        fds[2 + queue] = (struct pollfd){.fd = self->doorbells[queue], .events = POLLIN};
    uint64_t ns = cycles < 0 ? 0 : (uint64_t)((double)cycles * 1e9 / (double)self->wiring.hz);
    struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    int ready = ppoll(fds, 2 + self->queues, cycles < 0 ? NULL : &timeout, NULL);
    if (ready > 0 && fds[0].revents & POLLIN) /* not where orders are taken: they may be taken before this word comes */
        (void)!read(self->command, &ns, sizeof ns);
    if (ready > 0 && fds[1].revents & POLLIN)
        read_resamplefd(self);
    for (uint32_t queue = 0; ready > 0 && queue < self->queues; queue++)
        if (fds[2 + queue].revents & POLLIN)
            read_doorbell(self, queue);
}

/* -- a virtqueue -------------------------------------------------------------------------------------------------------- */

/* Serves all buffers that there are, and asks for a kick. -> 0: orders have come meanwhile, do not sleep yet */
static int serve_virtqueue(struct bw_iothread *self)
{
    do {
        bw_virtqueue_stop_kicks(self->virtqueue);
        while (bw_virtqueue_serve(self->virtqueue)) {
            if (bw_virtqueue_wants_interrupt(self->virtqueue))
                signal_interrupt(self, 0);
            if (has_orders(self))
                return 0;
        }
    } while (bw_virtqueue_ask_for_kick(self->virtqueue));
    return 1;
}

/* -- the loop ------------------------------------------------------------------------------------------------------- */

static void take_orders(struct bw_iothread *self)
{
    uint64_t ordered = atomic_load_explicit(&self->ordered, memory_order_acquire);
    if (ordered == atomic_load_explicit(&self->taken, memory_order_relaxed))
        return;
    self->orders = self->mailbox;
    atomic_store_explicit(&self->taken, ordered, memory_order_release);
}

static void signal_singles(struct bw_iothread *self)
{
    for (; self->singles < self->orders.singles; self->singles++)
        request_interrupt(self, 0);
}

/* Whether there is one thing to wait for, so that read() is enough. */
static int has_one_source(const struct bw_iothread *self)
{
    return self->orders.signal != BW_SIGNAL_PACED && self->queues == 1 && self->resamplefd < 0;
}

static void *iothread_body(void *argument)
{
    struct bw_iothread *self = argument;
    prctl(PR_SET_TIMERSLACK, 1UL);
    atomic_store(&self->thread_id, gettid());
    self->next_tick = bw_tsc();
    while (!atomic_load_explicit(&self->stop, memory_order_acquire)) {
        take_orders(self);
        signal_singles(self);
        if (self->orders.signal == BW_SIGNAL_DEVICE && !serve_virtqueue(self))
            continue;
        if (has_one_source(self)) {
            emit_wait(self);
            read_doorbell(self, 0);
            continue;
        }
        int64_t cycles = keep_pace(self);
        if (cycles == 0)
            continue;
        emit_wait(self);
        poll_doorbells(self, cycles);
    }
    return NULL;
}

int bw_iothread_start(struct bw_iothread *self, const struct bw_orders *orders, int cpu)
{
    self->orders = self->mailbox = *orders;
    int result = bw_thread_start(&self->thread, iothread_body, self, cpu, "io-thread");
    if (result == 0)
        self->joined = 0;
    return result;
}

static void wake(struct bw_iothread *self)
{
    static const uint64_t one = 1;
    if (self->wiring.doorbell >= 0)
        set_nonblocking(self->wiring.doorbell, 1);
    (void)!write(self->command, &one, sizeof one);
    pthread_kill(self->thread, BW_KICK_SIGNAL);
}

/* Until the thread has taken all orders. */
static int wait_until_taken(struct bw_iothread *self, uint32_t milliseconds)
{
    uint64_t ordered = atomic_load(&self->ordered);
    struct timespec pause = {.tv_nsec = 50000};
    for (uint64_t waited = 0; atomic_load_explicit(&self->taken, memory_order_acquire) != ordered; waited += 50) {
        if (waited > (uint64_t)milliseconds * 1000 || atomic_load(&self->stop))
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
    return 0;
}

int bw_iothread_command(struct bw_iothread *self, const struct bw_orders *orders, uint32_t milliseconds)
{
    if (self->joined) {
        self->orders = self->mailbox = *orders;
        return 0;
    }
    int result = wait_until_taken(self, milliseconds); /* orders that came too late for their commander are still read */
    if (result)
        return result;
    self->mailbox = *orders;
    atomic_fetch_add_explicit(&self->ordered, 1, memory_order_release);
    wake(self);
    return wait_until_taken(self, milliseconds);
}

int bw_iothread_stop(struct bw_iothread *self, uint32_t milliseconds)
{
    if (self->joined)
        return 0;
    atomic_store_explicit(&self->stop, 1, memory_order_release);
    wake(self);
    int result = bw_thread_join(self->thread, milliseconds);
    if (result == 0)
        self->joined = 1;
    return result;
}

int bw_iothread_thread_id(const struct bw_iothread *self)
{
    return atomic_load(&self->thread_id);
}

uint64_t bw_iothread_reads(const struct bw_iothread *self)
{
    return atomic_load(&self->reads);
}

uint64_t bw_iothread_received(const struct bw_iothread *self)
{
    return atomic_load(&self->received);
}

uint64_t bw_iothread_signalled(const struct bw_iothread *self)
{
    return atomic_load(&self->signalled);
}

const uint64_t *bw_iothread_announced(const struct bw_iothread *self)
{
    return (const uint64_t *)&self->signalled;
}

uint64_t bw_iothread_refused(const struct bw_iothread *self)
{
    return atomic_load(&self->refused);
}

int bw_iothread_failure(const struct bw_iothread *self)
{
    return atomic_load(&self->failure);
}

int bw_iothread_free(struct bw_iothread *self)
{
    if (!self->joined)
        return -EBUSY;
    close(self->command);
    free(self);
    return 0;
}
