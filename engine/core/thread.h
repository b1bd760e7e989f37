/* Threads that do not wait for Python: start with signals blocked, pinned if asked, joined with a limit.
 * The kick signal is the only one that they take: it interrupts a blocking call, its handler does nothing. */
#pragma once
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#define BW_KICK_SIGNAL SIGUSR2

int bw_thread_start(pthread_t *thread, void *(*body)(void *), void *argument, int cpu, const char *name);
int bw_thread_join(pthread_t thread, uint32_t milliseconds); /* 0 or -ETIMEDOUT */
