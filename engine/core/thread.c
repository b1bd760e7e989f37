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
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        pthread_setname_np(*thread, name);
    return -error;
}

int bw_thread_join(pthread_t thread, uint32_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return -pthread_timedjoin_np(thread, NULL, &until);
}
