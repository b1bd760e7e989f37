#define _GNU_SOURCE
#include "thread.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

static void on_kick(int signal)
{
    (void)signal;
}

/* Without SA_RESTART, so that a blocking read() returns EINTR. */
static void install_kick(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_kick;
    sigaction(BW_KICK_SIGNAL, &action, NULL);
}

int bw_thread_start(pthread_t *thread, void *(*body)(void *), void *argument, int cpu, const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_kick);
    sigset_t all_but_kick, before;
    sigfillset(&all_but_kick);
    sigdelset(&all_but_kick, BW_KICK_SIGNAL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(cpu, &cpus);
        pthread_attr_setaffinity_np(&attributes, sizeof cpus, &cpus);
    }
    pthread_sigmask(SIG_SETMASK, &all_but_kick, &before); /* the new thread inherits it */
    int error = pthread_create(thread, &attributes, body, argument);
    if (error && error != EAGAIN && cpu >= 0) /* pinning helps and is no need: a sandbox may forbid it */
        error = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        pthread_setname_np(*thread, name);
    return -error;
}

static uint64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* By looks in turn: pthread_timedjoin_np() goes by the wall clock, which may be set, and no sanitizer knows of
 * pthread_clockjoin_np(). */
int bw_thread_join(pthread_t thread, uint32_t milliseconds)
{
    struct timespec pause = {.tv_nsec = 100000};
    uint64_t until = milliseconds_now() + milliseconds;
    int error = pthread_tryjoin_np(thread, NULL);
    for (; error == EBUSY && milliseconds_now() < until; error = pthread_tryjoin_np(thread, NULL))
        nanosleep(&pause, NULL);
    return error == EBUSY ? -ETIMEDOUT : -error;
}
