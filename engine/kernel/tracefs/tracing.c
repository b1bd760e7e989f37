#include "tracing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "formats.h"
#include "instance.h"
#include "tracepoints.h"

#define PAGE 4096
#define ON_A_PAGE ((PAGE - PAGE_HEADER) / 8) /* events at most: each has a header and at least its common_type */
#define LONGEST_FORMAT 8192
#define ALL_KILOBYTES 65536 /* of ring buffers, as long as each CPU has the least */
#define MOST_KILOBYTES 8192
#define LEAST_KILOBYTES 1024

static struct instance of_processes = {.free_buffer = -1}, of_workers = {.free_buffer = -1};
static struct format formats[64];
static uint8_t by_number[UINT16_MAX + 1]; /* 1 + which event a common_type is */
static char text[LONGEST_FORMAT];
static uint8_t traced[MOST_THREADS / 8]; /* a bit each */

static struct pipe {
    int fd, cpu;
    bool is_empty;
    uint64_t reached; /* TSC up to which it was read */
} pipes[2 * MOST_CPUS];
static int pipe_count;

/* -- what is traced ------------------------------------------------------------------------------------------------ */

static void load_formats(void)
{
    char file[LONGEST_PATH];
    for (size_t at = 0; at < event_count; at++) {
        snprintf(file, sizeof file, "events/%s/%s/format", events[at].system, events[at].name);
        if (tracefs_read(file, text, sizeof text) && format_parse(&formats[at], &events[at], text))
            by_number[formats[at].number] = (uint8_t)(at + 1);
    }
}

/* The address of a function of the kernel; 0: it is not told. */
static unsigned long long address_of(const char *function)
{
    char line[LONGEST_PATH], name[LONGEST_PATH];
    unsigned long long address = 0, found = 0;
    FILE *file = fopen("/proc/kallsyms", "re");
    while (file && !found && fgets(line, sizeof line, file))
        if (sscanf(line, "%llx %*c %250s", &address, name) == 2 && !strcmp(name, function))
            found = address;
    if (file)
        fclose(file);
    return found;
}

/* Of workers only those that do an irqfd's work, and only that work. -1: the kernel cannot choose by it. */
static int choose_workers(const struct event *event)
{
    char file[LONGEST_PATH], filter[64];
    snprintf(file, sizeof file, "events/%s/%s/filter", event->system, event->name);
    if (strcmp(event->system, "workqueue"))
        return instance_write(&of_workers, file, "COMM ~ \"kworker*\"");
    if (instance_write(&of_workers, file, "function.function == irqfd_inject") == 0)
        return 0;
    /* A kernel before Linux 6.3 compares functions by their addresses alone. */
    snprintf(filter, sizeof filter, "function == 0x%llx", address_of("irqfd_inject"));
    return strcmp(filter, "function == 0x0") ? instance_write(&of_workers, file, filter) : -1;
}

static int enable(const struct instance *instance, const struct event *event)
{
    char file[LONGEST_PATH];
    snprintf(file, sizeof file, "events/%s/%s/enable", event->system, event->name);
    return instance_write(instance, file, "1");
}

/* Whether it is traced. */
static bool trace(const struct event *event)
{
    char file[LONGEST_PATH];
    bool is_traced = false;
    snprintf(file, sizeof file, "events/%s/%s/filter", event->system, event->name);
    if (event->where & OF_PROCESSES) {
        bool chosen = !event->filter || instance_write(&of_processes, file, event->filter) == 0;
        is_traced = chosen && enable(&of_processes, event) == 0;
    }
    if (event->where & OF_WORKERS)
        is_traced |= choose_workers(event) == 0 && enable(&of_workers, event) == 0;
    return is_traced;
}

/* The bit of an event in tracepoints.h; 0: it is for this program alone. */
static uint64_t bit_of(const struct event *event)
{
    for (int bit = 0; tracepoints[bit].name; bit++)
        if (!strcmp(tracepoints[bit].name, event->name))
            return UINT64_C(1) << bit;
    return 0;
}

static void trace_all(struct tracing *tracing)
{
    for (size_t at = 0; at < event_count; at++) {
        tracing->known |= bit_of(&events[at]);
        if (formats[at].number && trace(&events[at]))
            tracing->listened |= bit_of(&events[at]);
    }
}

static bool is_known_page(void)
{
    static const char *const fields[] = {PAGE_FIELDS};
    const char *at = tracefs_read("events/header_page", text, sizeof text) ? text : "";
    for (size_t field = 0; field < sizeof fields / sizeof *fields; field++)
        if (!(at = strstr(at, fields[field])))
            return false;
    return true;
}

static void open_pipes(const struct instance *instance)
{
    for (int cpu = 0; cpu < instance->cpus; cpu++)
        if (instance->pages[cpu] >= 0)
            pipes[pipe_count++] = (struct pipe){.fd = instance->pages[cpu], .cpu = cpu};
}

int tracing_begin(struct tracing *tracing, struct failure *why)
{
    if (tracefs_begin(why) < 0)
        return -1;
    instances_sweep();
    if (!is_known_page())
        return fail(why, "page", 0, "");
    load_formats();
    unsigned each = ALL_KILOBYTES / (unsigned)sysconf(_SC_NPROCESSORS_CONF);
    each = each > MOST_KILOBYTES ? MOST_KILOBYTES : each < LEAST_KILOBYTES ? LEAST_KILOBYTES : each;
    if (instance_open(&of_processes, "", each, why) < 0 ||
        instance_open(&of_workers, "-workers", LEAST_KILOBYTES, why) < 0)
        return -1;
    open_pipes(&of_processes);
    open_pipes(&of_workers);
    if (instance_write(&of_processes, "options/event-fork", "1") < 0)
        return fail(why, "refused", errno, "event-fork");
    trace_all(tracing);
    return tracing->listened & 1 ? 0 : fail(why, "no-kvm", 0, "");
}

void tracing_end(void)
{
    instance_close(&of_workers);
    instance_close(&of_processes);
}

int tracing_add(const char *numbers, struct failure *why)
{
    if (instance_add(&of_processes, "set_event_pid", numbers) < 0)
        return fail(why, "refused", errno, "set_event_pid");
    /* Not before: without a list of threads it would trace all that there are. */
    if (instance_write(&of_processes, "tracing_on", "1") < 0 || instance_write(&of_workers, "tracing_on", "1") < 0)
        return fail(why, "refused", errno, "tracing_on");
    return 0;
}

int tracing_look(struct failure *why)
{
    unsigned number;
    FILE *file = instance_read(&of_processes, "set_event_pid");
    if (!file)
        return fail(why, "refused", errno, "set_event_pid");
    memset(traced, 0, sizeof traced);
    while (fscanf(file, "%u", &number) == 1)
        if (number < MOST_THREADS)
            traced[number / 8] |= (uint8_t)(1 << number % 8);
    fclose(file);
    return 0;
}

bool tracing_has(uint32_t number)
{
    return number < MOST_THREADS && traced[number / 8] >> number % 8 & 1;
}

/* -- what it tells ------------------------------------------------------------------------------------------------- */

/* Takes what is on a page of a CPU. -> the time of its last event. */
static uint64_t take_page(struct tracing *tracing, const unsigned char *bytes, size_t size, int cpu)
{
    struct page page;
    struct page_event event;
    page_open(&page, bytes, size);
    while (page_next(&page, &event)) {
        uint16_t number;
        if (event.size < sizeof number)
            continue;
        memcpy(&number, event.data, sizeof number);
        struct traced *next = &tracing->traced[tracing->count];
        size_t which = by_number[number];
        if (!which)
            continue;
        bool whole = format_take(&formats[which - 1], &events[which - 1], &event, &next->record);
        if (!whole || event.time < tracing->until) {
            tracing->lost++;
            continue;
        }
        next->record.cpu = (uint16_t)cpu;
        next->place = tracing->places++;
        tracing->count++;
    }
    tracing->lost += page.missed;
    return page.time;
}

/* The one that was read least far, of those that may hold more: nothing that is behind it in time can be told yet. */
static struct pipe *hindmost(void)
{
    struct pipe *found = NULL;
    for (struct pipe *one = pipes; one < pipes + pipe_count; one++)
        if (!one->is_empty && (!found || one->reached < found->reached))
            found = one;
    return found;
}

static int by_time(const void *one, const void *other)
{
    const struct traced *a = one, *b = other;
    if (a->record.time != b->record.time)
        return a->record.time < b->record.time ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

void tracing_read(struct tracing *tracing)
{
    static unsigned char bytes[PAGE];
    uint64_t until = tracing->read;
    tracing->read = __rdtsc();
    for (struct pipe *one = pipes; one < pipes + pipe_count; one++)
        one->is_empty = false;
    for (struct pipe *one; tracing->count + ON_A_PAGE <= MOST_RECORDS && (one = hindmost());) {
        ssize_t size = read(one->fd, bytes, sizeof bytes);
        one->is_empty = size <= 0;
        one->reached = one->is_empty ? tracing->read : take_page(tracing, bytes, (size_t)size, one->cpu);
    }
    for (struct pipe *one = pipes; one < pipes + pipe_count; one++)
        until = one->reached < until ? one->reached : until;
    if (until > tracing->until)
        tracing->until = until;
    qsort(tracing->traced, tracing->count, sizeof *tracing->traced, by_time);
}

void tracing_pass(struct tracing *tracing, size_t count)
{
    tracing->count -= count;
    memmove(tracing->traced, tracing->traced + count, tracing->count * sizeof *tracing->traced);
}
