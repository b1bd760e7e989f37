/* The round trip without any instrumentation: what the rest of the engine is compared with.
 *
 * Whoever starts the loop sleeps in one poll() until it is over. To look again and again, as bw_thread_join() does, would be
 * a part of what is measured: a timer that is due keeps the loop's processor from stopping its tick when it idles, and a
 * doorbell then wakes the thread some microseconds sooner. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "abi.h"
#include "core.h"
#include "thread.h"

#define TIMEOUT_MS 60000

struct bare {
    int doorbell, irqfd, over;
    char *memory;
    uint64_t rounds, *tsc;
    int64_t result;
};

/* -> rounds done, or -errno */
static int64_t answer_all(const struct bare *bare)
{
    uint64_t *answered = (uint64_t *)(bare->memory + BW_CONTROL + BW_CTL_ANSWERED);
    uint64_t *irq = (uint64_t *)(bare->memory + BW_CONTROL + BW_CTL_IRQ);
    uint64_t received = *answered, one = 1, count;
    for (uint64_t round = 0; round < bare->rounds; round++) {
        if (read(bare->doorbell, &count, sizeof count) != sizeof count)
            return -errno;
        bare->tsc[round] = bw_tsc();
        received += count;
        __atomic_store_n(answered, received, __ATOMIC_RELEASE); /* what the guest's loop waits for */
        __atomic_store_n(irq, *irq + 1, __ATOMIC_RELEASE);
        if (write(bare->irqfd, &one, sizeof one) != sizeof one)
            return -errno;
    }
    return (int64_t)bare->rounds;
}

static void *body(void *argument)
{
    static const uint64_t one = 1;
    struct bare *bare = argument;
    bare->result = answer_all(bare);
    (void)!write(bare->over, &one, sizeof one);
    return NULL;
}

/* Joins the thread once it says that it is over. If that lasts too long, or a signal comes first, its read() is ended: it uses
 * our stack. */
static int64_t join(const struct bare *bare, pthread_t thread)
{
    struct pollfd over = {.fd = bare->over, .events = POLLIN};
    int ready = poll(&over, 1, TIMEOUT_MS), result = ready < 0 ? -errno : -ETIMEDOUT;
    if (ready <= 0) {
        fcntl(bare->doorbell, F_SETFL, fcntl(bare->doorbell, F_GETFL) | O_NONBLOCK);
        pthread_kill(thread, BW_KICK_SIGNAL);
    }
    pthread_join(thread, NULL);
    return ready > 0 ? bare->result : result;
}

int64_t bw_bare_loop(int doorbell, int irqfd, void *memory, uint64_t rounds, uint64_t *tsc, int cpu)
{
    struct bare bare = {doorbell, irqfd, eventfd(0, EFD_CLOEXEC), memory, rounds, tsc, 0};
    if (bare.over < 0)
        return -errno;
    pthread_t thread;
    int64_t result = bw_thread_start(&thread, body, &bare, cpu, "bare");
    if (result == 0)
        result = join(&bare, thread);
    close(bare.over);
    return result;
}
