/* `bw-kernel events FD`: what the tracepoints tell of some processes, into the ring in the memory behind FD.
 *
 * Standard input says of which, a line each: "process PID", all of its threads; "process PID THREAD ...", of its threads
 * those for themselves. Its end ends this program. Standard output answers each: "process PID", or what is wrong with it
 * as main.c would write it; the first line is "ready". */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_ring.h"
#include "clock.h"
#include "commands.h"
#include "events.h"
#include "guard.h"
#include "object.h"
#include "offsets.h"
#include "shared.h"
#include "tracepoints.h"

#define TURN_MS 10
#define KERNEL_RING (8 << 20) /* bytes, as events.bpf.c has it: half a second flat out */
#define MOST_PROCESSES 64
#define LONGEST_LINE 16384

struct watch {
    struct bpf_object *object;
    struct shared *shared;
    struct bpf_ring ring;
    struct clock clock;
    int processes, threads, lost; /* maps */
    struct pollfd pidfds[MOST_PROCESSES];
    pid_t pids[MOST_PROCESSES];
    unsigned count;
    char line[LONGEST_LINE]; /* of standard input, as far as it has come */
    size_t length;
};

static struct events_settings settings_of(const struct kernel_types *types)
{
    return (struct events_settings){
        .task_pid = offset_of(types, "task_struct", "pid"),
        .task_tgid = offset_of(types, "task_struct", "tgid"),
        .task_mm = offset_of(types, "task_struct", "mm"),
        .registers_si = offset_of(types, "pt_regs", "si"),
        .lapic_vcpu = offset_of(types, "kvm_lapic", "vcpu"),
        .vcpu_id = offset_of(types, "kvm_vcpu", "vcpu_id"),
        .irqfd_work = offset_of(types, "kvm_kernel_irqfd", "inject"),
        .irqfd_kvm = offset_of(types, "kvm_kernel_irqfd", "kvm"),
        .irqfd_gsi = offset_of(types, "kvm_kernel_irqfd", "gsi"),
        .irqfd_list = offset_of(types, "kvm_kernel_irqfd", "list"),
        .kvm_mm = offset_of(types, "kvm", "mm"),
    };
}

/* The bit of the tracepoint that a program is for, and whether this kernel has it as we know it. */
static int bit_of(const char *section)
{
    const char *name = strchr(section, '/');
    for (int bit = 0; name && tracepoints[bit].name; bit++)
        if (!strcmp(tracepoints[bit].name, name + 1))
            return bit;
    return -1;
}

/* Attaches every program whose tracepoint there is; -1: not even one of KVM's. */
static int attach(struct watch *watch, const struct kernel_types *types, struct failure *why)
{
    struct bpf_program *program;
    uint64_t attached = 0;
    bpf_object__for_each_program(program, watch->object) {
        int bit = bit_of(bpf_program__section_name(program));
        if (bit < 0)
            continue; /* the one that is run by hand */
        uint32_t found = arguments_of(types, tracepoints[bit].name);
        if (found != BW_UNKNOWN && found < tracepoints[bit].arguments)
            continue;
        if (bpf_program__attach(program))
            attached |= UINT64_C(1) << bit;
        else if (errno != ENOENT)
            return fail(why, "refused", errno, tracepoints[bit].name);
    }
    atomic_store(&watch->shared->tracepoints, attached);
    return attached & 1 ? 0 : fail(why, "no-kvm", 0, "");
}

static int begin(struct watch *watch, int fd, struct failure *why)
{
    struct kernel_types types;
    watch->shared = shared_open(fd, why);
    if (!watch->shared || clock_begin(&watch->clock, why) < 0 || kernel_types_open(&types, why) < 0)
        return -1;
    struct events_settings settings = settings_of(&types);
    int result = -1;
    watch->object = object_open("events", &settings, sizeof settings, why);
    if (watch->object && object_load(watch->object, why) == 0) {
        watch->processes = object_map(watch->object, "processes");
        watch->threads = object_map(watch->object, "threads");
        watch->lost = object_map(watch->object, "lost");
        result = bpf_ring_open(&watch->ring, object_map(watch->object, "ring"), KERNEL_RING, why);
        if (result == 0)
            result = attach(watch, &types, why);
    }
    kernel_types_close(&types);
    return result;
}

/* -- which processes ------------------------------------------------------------------------------------------------ */

/* Lets the kernel's iterator of tasks find the address spaces of the processes that are asked for. */
static int note_spaces(struct watch *watch, struct failure *why)
{
    struct bpf_program *program = bpf_object__find_program_by_name(watch->object, "note_space");
    struct bpf_link *link = bpf_program__attach_iter(program, NULL);
    int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
    if (fd < 0)
        fail(why, "refused", errno, "iter/task");
    char nothing[64];
    while (fd >= 0 && read(fd, nothing, sizeof nothing) > 0)
        ;
    if (fd >= 0)
        close(fd);
    bpf_link__destroy(link);
    return fd < 0 ? -1 : 0;
}

static int add(struct watch *watch, char *words, struct failure *why)
{
    char *rest = NULL, *word = strtok_r(words, " ", &rest);
    pid_t pid = word && !strcmp(word, "process") && (word = strtok_r(NULL, " ", &rest)) ? atoi(word) : 0;
    if (pid <= 0 || watch->count == MOST_PROCESSES)
        return fail(why, "usage", 0, "");
    int fd = guard_process(pid, why);
    if (fd < 0)
        return -1;
    watch->pidfds[watch->count] = (struct pollfd){.fd = fd, .events = POLLIN};
    watch->pids[watch->count++] = pid;
    uint32_t process = (uint32_t)pid, how = BW_ALL, one = 1;
    for (word = strtok_r(NULL, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        uint32_t thread = (uint32_t)atoi(word);
        bpf_map_update_elem(watch->threads, &thread, &one, BPF_ANY);
        how = BW_LISTED;
    }
    if (bpf_map_update_elem(watch->processes, &process, &how, BPF_ANY) < 0)
        return fail(why, "refused", errno, "map");
    if (note_spaces(watch, why) < 0)
        return -1;
    printf("process %d\n", (int)pid);
    return 0;
}

/* A process that has ended is asked for no more: its number may be another one's soon. */
static void forget_ended(struct watch *watch)
{
    if (poll(watch->pidfds, watch->count, 0) <= 0)
        return;
    for (unsigned at = watch->count; at-- > 0;) {
        if (!watch->pidfds[at].revents)
            continue;
        uint32_t process = (uint32_t)watch->pids[at];
        bpf_map_delete_elem(watch->processes, &process);
        close(watch->pidfds[at].fd);
        watch->pidfds[at] = watch->pidfds[--watch->count];
        watch->pids[at] = watch->pids[watch->count];
    }
}

/* Does what the whole lines of standard input say. -> 0: it has ended. */
static int listen_to_caller(struct watch *watch)
{
    ssize_t count = read(STDIN_FILENO, watch->line + watch->length, sizeof watch->line - 1 - watch->length);
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    watch->length += (size_t)count;
    watch->line[watch->length] = 0;
    for (char *end; (end = strchr(watch->line, '\n'));) {
        *end = 0;
        struct failure why = {"", 0, ""};
        if (add(watch, watch->line, &why) < 0)
            printf("%s %d %s\n", why.code, why.error, why.about);
        watch->length -= (size_t)(end + 1 - watch->line);
        memmove(watch->line, end + 1, watch->length + 1);
    }
    fflush(stdout);
    return watch->length < sizeof watch->line - 1;
}

/* -- records -------------------------------------------------------------------------------------------------------- */

static void hand_on(struct watch *watch)
{
    clock_turn(&watch->clock);
    /* Each record of an earlier time had its place in the ring before this. */
    uint64_t until = bpf_ring_produced(&watch->ring), room = shared_room(watch->shared);
    const struct bw_kernel_record *record;
    for (; bpf_ring_consumed(&watch->ring) != until && room; room--) {
        if (!(record = bpf_ring_oldest(&watch->ring)))
            break;
        struct bw_kernel_record turned = *record;
        turned.time = clock_tsc(&watch->clock, record->time);
        shared_put(watch->shared, &turned);
        bpf_ring_pass(&watch->ring);
    }
    uint64_t lost = 0;
    uint32_t zero = 0;
    bpf_map_lookup_elem(watch->lost, &zero, &lost);
    atomic_store(&watch->shared->lost, lost);
    atomic_store(&watch->shared->error, watch->clock.error);
    if (bpf_ring_consumed(&watch->ring) == until)
        atomic_store(&watch->shared->complete, watch->clock.now.tsc);
}

int command_events(int count, char **arguments, struct failure *why)
{
    static struct watch watch;
    if (count != 1)
        return fail(why, "usage", 0, "");
    if (begin(&watch, atoi(arguments[0]), why) < 0)
        return -1;
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none); /* it takes no CPU away from whom it watches at once */
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    printf("ready\n");
    fflush(stdout);
    struct pollfd caller = {.fd = STDIN_FILENO, .events = POLLIN};
    do {
        hand_on(&watch);
        forget_ended(&watch);
        if (poll(&caller, 1, TURN_MS) > 0 && !listen_to_caller(&watch))
            break;
    } while (guard_has_caller());
    hand_on(&watch);
    return 0;
}
