#include "told.h"

#include <linux/sched.h>
#include <stddef.h>

#include "formats.h"

#define MOST_WORKS 1024
#define CALL_WRITE 1
#define CALL_IOCTL 16
#define CALL_WRITEV 20
#define CALL_IO_URING_ENTER 426
#define KVM_RUN 0xae80

enum { OURS = 1, WATCHED = 2, LATER = 4 };

static struct thread {
    uint64_t entered; /* TSC, of the system call that it is in; 0: none that can signal */
    uint64_t work;    /* that it does; 0 */
    uint16_t call;    /* its number */
    uint8_t signals;  /* it has signalled an interrupt */
    uint8_t is;
} threads[MOST_THREADS]; /* of which the kernel gives memory to those that are used */

static uint64_t works[MOST_WORKS]; /* of ours; the oldest makes room for the newest */
static unsigned work_count;

static struct thread *thread_of(uint64_t number)
{
    static struct thread nobody;
    if (number < MOST_THREADS)
        return &threads[number];
    nobody = (struct thread){0};
    return &nobody;
}

void told_thread(uint32_t number, bool watched, bool later)
{
    thread_of(number)->is |= (uint8_t)(OURS | (watched ? WATCHED : 0) | (later ? LATER : 0));
}

bool told_is_ours(uint32_t number)
{
    return thread_of(number)->is & OURS;
}

static bool is_our_work(uint64_t work)
{
    unsigned known = work_count < MOST_WORKS ? work_count : MOST_WORKS;
    for (unsigned at = 0; at < known; at++)
        if (works[at] == work)
            return true;
    return false;
}

bool told_is_work(const struct bw_kernel_record *record)
{
    if (record->kind == BW_K_WORK_QUEUED)
        return told_is_ours(record->thread) || is_our_work(record->a);
    return record->kind == BW_K_WORK_STARTED && is_our_work(record->a);
}

/* The system call that its thread is in has signalled: its beginning is told, once. */
static void note_signal(const struct bw_kernel_record *record, struct bw_kernel_record *begun)
{
    struct thread *thread = thread_of(record->thread);
    if (!thread->entered || thread->signals)
        return;
    thread->signals = 1;
    *begun = (struct bw_kernel_record){.time = thread->entered, .kind = BW_K_WRITE, .cpu = record->cpu};
    begun->thread = record->thread;
    begun->a = thread->call;
}

/* Of KVM_RUN it is not of interest: it is left and entered for other reasons. */
static bool can_signal(uint64_t number, uint64_t second)
{
    if (number == CALL_IOCTL)
        return (uint32_t)second != KVM_RUN;
    return number == CALL_WRITE || number == CALL_WRITEV || number == CALL_IO_URING_ENTER;
}

/* What is for this program alone. */
static void note(const struct bw_kernel_record *record, struct thread *thread)
{
    struct thread *other = thread_of(record->a);
    if (record->kind == BW_T_NEW_THREAD && record->b & CLONE_THREAD && thread->is & OURS)
        *other = (struct thread){.is = (uint8_t)(OURS | (thread->is & LATER ? WATCHED | LATER : 0))};
    else if (record->kind == BW_T_THREAD_ENDS)
        *other = (struct thread){0};
    else if (record->kind == BW_T_CALL && thread->is & WATCHED && can_signal(record->a, record->b))
        *thread = (struct thread){.entered = record->time, .call = (uint16_t)record->a, .is = thread->is};
}

static bool call_returns(struct bw_kernel_record *record, struct thread *thread)
{
    bool told = thread->entered && thread->signals;
    record->kind = BW_K_WRITTEN;
    record->a = thread->call;
    record->b = 0;
    thread->entered = 0;
    return told;
}

static bool work(struct bw_kernel_record *record, struct thread *thread, struct bw_kernel_record *begun)
{
    uint64_t address = record->a, gsi = record->b;
    if (record->kind == BW_K_WORK_ENDED) {
        bool told = thread->work != 0;
        thread->work = 0;
        record->a = record->b = 0;
        return told;
    }
    if (!told_is_work(record))
        return false;
    if (record->kind == BW_K_WORK_STARTED)
        thread->work = address;
    else if (!is_our_work(address))
        works[work_count++ % MOST_WORKS] = address;
    if (record->kind == BW_K_WORK_QUEUED)
        note_signal(record, begun);
    record->a = gsi;
    record->b = address;
    return true;
}

bool told_record(struct bw_kernel_record *record, struct bw_kernel_record *begun)
{
    struct thread *thread = thread_of(record->thread);
    bool ours = thread->is & OURS || thread->work;
    begun->kind = 0;
    switch (record->kind) {
    case BW_K_WAKING:
        return thread_of(record->a)->is & WATCHED;
    case BW_T_SWITCH:
        record->kind = BW_K_RUNS;
        record->thread = (uint32_t)record->a;
        record->a = 0;
        return thread_of(record->thread)->is & WATCHED;
    case BW_K_WORK_QUEUED:
    case BW_K_WORK_STARTED:
    case BW_K_WORK_ENDED:
        return work(record, thread, begun);
    case BW_T_CALL_RETURNS:
        return call_returns(record, thread);
    case BW_K_MSI:
    case BW_K_SET_IRQ:
        if (ours)
            note_signal(record, begun);
        return ours;
    case BW_T_CALL:
    case BW_T_NEW_THREAD:
    case BW_T_THREAD_ENDS:
        note(record, thread);
        return false;
    default:
        return ours;
    }
}
