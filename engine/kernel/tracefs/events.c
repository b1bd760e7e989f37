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
#define MOST_LISTED 65536 /* threads, of all processes */
#define AT_ONCE 512       /* of which so many are added at a time */
#define LONGEST_NUMBER 12 /* bytes */
#define MOST_TURNS 1000

static struct tracing tracing;
static struct shared *shared;
static struct watched {
    pid_t process;
    bool all;    /* of its threads are watched */
    bool traced; /* all that it had were, once */
} watched[BW_MOST_PROCESSES];
static unsigned watched_count;

struct threads {
    size_t count;
    struct thread_of {
        uint32_t number;
        const struct watched *process;
    } of[MOST_LISTED];
};

static volatile sig_atomic_t told_to_end;

static void end(int signal)
{
    (void)signal;
    told_to_end = 1;
}

/* -- which threads -------------------------------------------------------------------------------------------------- */

/* Lists the threads that a process has now, behind those of others. */
static void list_threads(struct watched *of, struct threads *threads)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)of->process);
    DIR *folder = opendir(path);
    for (struct dirent *one; folder && threads->count < MOST_LISTED && (one = readdir(folder));)
        if (atoi(one->d_name) > 0)
            threads->of[threads->count++] = (struct thread_of){(uint32_t)atoi(one->d_name), of};
    if (folder)
        closedir(folder);
}

/* Traces those that are not traced, or the first of them. -> how many they were; -1. */
static int add_untraced(const struct threads *threads, struct failure *why)
{
    char numbers[AT_ONCE * LONGEST_NUMBER] = "";
    size_t length = 0;
    int added = 0;
    if (tracing_look(why) < 0)
        return -1;
    for (size_t at = 0; at < threads->count && added < AT_ONCE; at++) {
        const struct thread_of *one = &threads->of[at];
        if (tracing_has(one->number))
            continue;
        told_thread(one->number, one->process->all, one->process->all);
        length += (size_t)snprintf(numbers + length, sizeof numbers - length, "%u ", one->number);
        tracing.lost += one->process->traced; /* what it did since it began */
        added++;
    }
    return added && tracing_add(numbers, why) < 0 ? -1 : added;
}

/* Traces all threads of the processes that are watched. One that begins while the kernel makes its list longer may be
 * put on the old list alone: after each addition it is looked whether any is missing. */
static int add_threads(struct failure *why)
{
    static struct threads threads;
    int added = 1;
    for (unsigned turn = 0; added && turn < MOST_TURNS; turn++) {
        threads.count = 0;
        for (unsigned at = 0; at < watched_count; at++)
            list_threads(&watched[at], &threads);
        added = add_untraced(&threads, why);
        if (added < 0)
            return -1;
    }
    tracing.lost += (uint64_t)added; /* somebody begins them so fast that one is missing all the time */
    for (unsigned at = 0; at < watched_count; at++)
        watched[at].traced = true;
    return 0;
}

static int begin_process(void *nothing, const struct process *process, struct failure *why)
{
    (void)nothing;
    watched[watched_count++] = (struct watched){.process = process->number, .all = !process->threads};
    if (add_threads(why) < 0)
        return watched_count--, -1;
    for (unsigned at = 0; at < process->threads; at++)
        told_thread(process->thread[at], true, false);
    return 0;
}

static void forget_process(void *nothing, pid_t process)
{
    (void)nothing;
    for (unsigned at = watched_count; at-- > 0;)
        if (watched[at].process == process)
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
    if (tracing.lost > lost)
        add_threads(&why); /* the beginning of one may be lost */
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
