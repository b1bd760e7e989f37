/* The round trip without any instrumentation: what the rest of the engine is compared with. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "abi.h"
#include "core.h"
#include "thread.h"

#define TIMEOUT_MS 60000

struct bare {
    int doorbell, irqfd;
    char *memory;
    uint64_t rounds, *tsc;
    int64_t result;
};

static void *body(void *argument)
{
    struct bare *bare = argument;
    uint64_t *answered = (uint64_t *)(bare->memory + BW_CONTROL + BW_CTL_ANSWERED);
    uint64_t *irq = (uint64_t *)(bare->memory + BW_CONTROL + BW_CTL_IRQ);
    uint64_t received = *answered, one = 1, count;
    for (uint64_t round = 0; round < bare->rounds; round++) {
        if (read(bare->doorbell, &count, sizeof count) != sizeof count) {
            bare->result = -errno;
            return NULL;
        }
        bare->tsc[round] = bw_tsc();
        received += count;
        __atomic_store_n(answered, received, __ATOMIC_RELEASE); /* what the guest's loop waits for */
        __atomic_store_n(irq, *irq + 1, __ATOMIC_RELEASE);
        if (write(bare->irqfd, &one, sizeof one) != sizeof one) {
            bare->result = -errno;
            return NULL;
        }
    }
    bare->result = (int64_t)bare->rounds;
    return NULL;
}

int64_t bw_bare_loop(int doorbell, int irqfd, void *memory, uint64_t rounds, uint64_t *tsc, int cpu)
{
    struct bare bare = {doorbell, irqfd, memory, rounds, tsc, 0};
    pthread_t thread;
    int result = bw_thread_start(&thread, body, &bare, cpu, "bare");
    if (result < 0)
        return result;
    result = bw_thread_join(thread, TIMEOUT_MS);
    if (result < 0) { /* end its read() and wait: it uses our stack */
        fcntl(doorbell, F_SETFL, fcntl(doorbell, F_GETFL) | O_NONBLOCK);
        pthread_kill(thread, BW_KICK_SIGNAL);
        pthread_join(thread, NULL);
        return result;
    }
    return bare.result;
}
