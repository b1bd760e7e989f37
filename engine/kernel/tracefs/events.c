/* `bw-tracefs events FD`: what the tracepoints tell of some processes, into the ring in the memory behind FD.
 *
 * caller.h says how it is told of which; the first line on standard output is "ready". */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "commands.h"
#include "shared.h"
#include "told.h"
#include "tracing.h"

#define TURN_MS 10
#define PATIENCE_TURNS 25 /* that a piece of work is waited for whose GSI is not known before it is done */
#define NUMBERS 4000      /* bytes that name threads, in one go */

static struct tracing tracing;
static struct shared *shared;
static pid_t watched[BW_MOST_PROCESSES]; /* processes all of whose threads are watched: negative */
static unsigned watched_count;
static volatile sig_atomic_t told_to_end;

static void end(int signal)
{
    (void)signal;
    told_to_end = 1;
}

/* -- which threads -------------------------------------------------------------------------------------------------- */

/* Traces the threads of a process that are not traced yet. -> how many there were; -1. */
static int add_threads(pid_t process, bool all, struct failure *why)
{
    char path[64], numbers[NUMBERS] = "";
    size_t length = 0;
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    for (struct dirent *one; folder && length < NUMBERS - 16 && (one = readdir(folder));) {
        uint32_t number = (uint32_t)atoi(one->d_name);
        if (!number || told_is_ours(number))
            continue;
        told_thread(number, all, all);
        length += (size_t)snprintf(numbers + length, sizeof numbers - length, "%u ", number);
        found++;
    }
    if (folder)
        closedir(folder);
    return found && tracing_add(numbers, why) < 0 ? -1 : found;
}

/* A thread that begins while they are listed is found by the next list, or its beginning is traced. */
static int add_all_threads(pid_t process, bool all, struct failure *why)
{
    int found;
    while ((found = add_threads(process, all, why)) > 0)
        ;
    return found;
}

static int begin_process(void *nothing, const struct process *process, struct failure *why)
{
    (void)nothing;
    if (add_all_threads(process->number, !process->threads, why) < 0)
        return -1;
    for (unsigned at = 0; at < process->threads; at++)
        told_thread(process->thread[at], true, false);
    watched[watched_count++] = process->threads ? process->number : -process->number;
    return 0;
}

static void forget_process(void *nothing, pid_t process)
{
    (void)nothing;
    for (unsigned at = watched_count; at-- > 0;)
        if (abs(watched[at]) == process)
            watched[at] = watched[--watched_count];
}

/* -- records -------------------------------------------------------------------------------------------------------- */

/* The GSI that a piece of work sets, from a place on: the worker that begins it next says so. false: it has not yet. */
static bool find_gsi(size_t from, uint64_t *gsi)
{
    uint64_t work = tracing.traced[from].record.a;
    bool begun = false;
    uint32_t worker = 0;
    for (size_t at = from; at < tracing.count; at++) {
        const struct bw_kernel_record *record = &tracing.traced[at].record;
        if (record->kind == BW_K_WORK_STARTED && record->a == work && !begun)
            begun = true, worker = record->thread;
        else if (begun && record->thread == worker && record->kind == BW_K_SET_IRQ)
            return *gsi = record->a, true;
    }
    return false;
}

/* Tells what is ready and fits. -> TSC: everything before it was told. */
static uint64_t tell(void)
{
    static unsigned waited;
    size_t at = 0;
    struct bw_kernel_record record = {0}, begun;
    for (uint64_t room = shared_room(shared); at < tracing.count && room >= 2; at++) {
        record = tracing.traced[at].record;
        if (record.time >= tracing.until)
            break;
        if (told_is_work(&record) && !find_gsi(at, &record.b)) {
            if (waited++ < PATIENCE_TURNS)
                break;
            record.b = UINT32_MAX;
        }
        waited = 0;
        if (!told_record(&record, &begun))
            continue;
        if (begun.kind)
            shared_put(shared, &begun), room--;
        shared_put(shared, &record), room--;
    }
    uint64_t next = at < tracing.count ? tracing.traced[at].record.time : tracing.until;
    tracing_pass(&tracing, at);
    return next < tracing.until ? next : tracing.until;
}

static void hand_on(void)
{
    uint64_t lost = tracing.lost;
    tracing_read(&tracing);
    uint64_t until = tell();
    atomic_store(&shared->lost, tracing.lost);
    atomic_store(&shared->complete, until);
    struct failure why;
    for (unsigned at = 0; tracing.lost > lost && at < watched_count; at++)
        add_all_threads(abs(watched[at]), watched[at] < 0, &why); /* the beginning of a thread may be lost */
}

int command_events(int count, char **arguments, struct failure *why)
{
    if (count != 1)
        return fail(why, "usage", 0, "");
    shared = shared_open(atoi(arguments[0]), why);
    if (!shared)
        return -1;
    /* Who stops a whole group of processes stops its caller, which ends this one: it has to tidy up. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end);
    int result = tracing_begin(&tracing, why);
    if (result == 0) {
        static struct caller caller = {.begin = begin_process, .forget = forget_process};
        atomic_store(&shared->tracepoints, tracing.listened);
        caller_begin();
        do
            hand_on();
        while (caller_turn(&caller, TURN_MS) && !told_to_end);
        hand_on();
        hand_on(); /* what the first one has read */
    }
    tracing_end();
    return result;
}
