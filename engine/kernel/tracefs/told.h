/* Whose each record is, and what is told of it: what events.bpf.c decides in the kernel, decided here.
 *
 * Whose is it? What happens in a thread of a process that is asked for; a wake-up, a switch to such a thread; and work
 * of an irqfd that such a thread has queued, in the worker that does it.
 *
 * Records come in the order of their time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record.h"

#define MOST_THREADS (1 << 22) /* PID_MAX_LIMIT of the kernel: no thread has a higher number */

/* A thread of a process that is asked for. watched: for itself; later: so are the threads that it will begin. */
void told_thread(uint32_t number, bool watched, bool later);
bool told_is_ours(uint32_t number);

/* Whether a record is told; then it is as record.h has it. begun: the beginning of the system call that it is the first
 * to show as one that signals, kind 0 if there is none; to be told as well. */
bool told_record(struct bw_kernel_record *record, struct bw_kernel_record *begun);

/* Whether a record is work of ours, whose GSI the kernel tells of only while it is done: `kvm_set_irq`. */
bool told_is_work(const struct bw_kernel_record *record);
