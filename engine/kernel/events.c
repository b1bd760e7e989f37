/* `bw-kernel events FD [exits]`: what tracepoints and functions tell of some processes, into the ring in the memory behind
 * FD; with "exits" also of each exit how long it took, and what the processes register with KVM.
 *
 * caller.h says how it is told of which; the first line on standard output is "ready". */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_ring.h"
#include "caller.h"
#include "clock.h"
#include "commands.h"
#include "events.h"
#include "functions.h"
#include "object.h"
#include "offsets.h"
#include "shared.h"
#include "tracepoints.h"

#define TURN_MS 10
#define KERNEL_RING (8 << 20) /* bytes, as events.bpf.c has it: half a second flat out */

struct watch {
    struct bpf_object *object;
    struct shared *shared;
    struct bpf_ring ring;
    struct clock clock;
    int processes, threads, lost; /* maps */
};

static struct events_settings settings_of(const struct kernel_types *types, bool exits)
{
    uint32_t vmx_reason = offset_of(types, "vcpu_vmx", "vt.exit_reason.full"); /* since Linux 6.16 */
    return (struct events_settings){
        .task_pid = offset_of(types, "task_struct", "pid"),
        .task_tgid = offset_of(types, "task_struct", "tgid"),
        .task_mm = offset_of(types, "task_struct", "mm"),
        .says_reinjected = arguments_of(types, "kvm_inj_virq") == 3,
        .registers_di = offset_of(types, "pt_regs", "di"),
        .registers_si = offset_of(types, "pt_regs", "si"),
        .registers_dx = offset_of(types, "pt_regs", "dx"),
        .task_files = offset_of(types, "task_struct", "files"),
        .files_table = offset_of(types, "files_struct", "fdt"),
        .table_files = offset_of(types, "fdtable", "fd"),
        .file_content = offset_of(types, "file", "private_data"),
        .lapic_vcpu = offset_of(types, "kvm_lapic", "vcpu"),
        .vcpu_id = offset_of(types, "kvm_vcpu", "vcpu_id"),
        .irqfd_work = offset_of(types, "kvm_kernel_irqfd", "inject"),
        .irqfd_kvm = offset_of(types, "kvm_kernel_irqfd", "kvm"),
        .irqfd_gsi = offset_of(types, "kvm_kernel_irqfd", "gsi"),
        .irqfd_list = offset_of(types, "kvm_kernel_irqfd", "list"),
        .kvm_mm = offset_of(types, "kvm", "mm"),
        .svm_vmcb = offset_of(types, "vcpu_svm", "vmcb"),
        .vmcb_exit_code = offset_of(types, "vmcb", "control.exit_code"),
        .vmx_exit_reason = vmx_reason == BW_UNKNOWN ? offset_of(types, "vcpu_vmx", "exit_reason.full") : vmx_reason,
        .exits = exits,
        .ioeventfd_device = offset_of(types, "_ioeventfd", "dev"),
        .ioeventfd_eventfd = offset_of(types, "_ioeventfd", "eventfd"),
        .irqfd_wait = offset_of(types, "kvm_kernel_irqfd", "wait"),
        .irqfd_eventfd = offset_of(types, "kvm_kernel_irqfd", "eventfd"),
        .irqfd_route_type = offset_of(types, "kvm_kernel_irqfd", "irq_entry.type"),
        .irqfd_route_data = offset_of(types, "kvm_kernel_irqfd", "irq_entry.msi.data"),
        .eventfd_id = offset_of(types, "eventfd_ctx", "id"),
        .resampler_notifier = offset_of(types, "kvm_kernel_irqfd_resampler", "notifier"),
        .resampler_kvm = offset_of(types, "kvm_kernel_irqfd_resampler", "kvm"),
        .notifier_gsi = offset_of(types, "kvm_irq_ack_notifier", "gsi"),
    };
}

/* Attaches a program to its tracepoint, if this kernel has it as we know it. -> its bit in what is watched. */
static int attach_tracepoint(struct bpf_program *program, const char *name, const struct kernel_types *types,
                             uint64_t *watched, struct failure *why)
{
    for (int bit = 0; tracepoints[bit].name; bit++) {
        if (strcmp(tracepoints[bit].name, name))
            continue;
        uint32_t found = arguments_of(types, name);
        if (found != BW_UNKNOWN && found < tracepoints[bit].arguments)
            return 0;
        if (bpf_program__attach(program))
            *watched |= UINT64_C(1) << bit;
        else if (errno != ENOENT)
            return fail(why, "refused", errno, name);
    }
    return 0;
}

/* What only a program that asks for exits needs. */
static bool is_of_exits(const struct bpf_program *program)
{
    static const char *const some[] = {"on_exit", "on_entry", "on_registered"};
    for (size_t at = 0; at < sizeof some / sizeof *some; at++)
        if (!strcmp(bpf_program__name(program), some[at]))
            return true;
    return false;
}

/* Probes a function, if this kernel has it as we know it. -> why it is not probed. */
static enum probes_lack attach_function(struct bpf_program *program, const char *name, const struct kernel_types *types,
                                        uint64_t *watched)
{
    int bit = 0;
    while (functions[bit].name && strcmp(functions[bit].name, name))
        bit++;
    uint32_t found = parameters_of(types, name);
    if (!functions[bit].name || found == BW_UNKNOWN || found < functions[bit].arguments)
        return PROBES_LACK_FUNCTIONS;
    if (!bpf_program__attach(program))
        return function_is_missing(errno) ? PROBES_LACK_FUNCTIONS : PROBES_LACK_PERMISSION;
    *watched |= UINT64_C(1) << (PROBES_BIT + bit);
    return PROBES_LACK_NOTHING;
}

/* What follows a prefix of a program's section, such as "raw_tp/"; NULL if it begins otherwise. */
static const char *behind(const char *prefix, const struct bpf_program *program)
{
    const char *section = bpf_program__section_name(program);
    size_t length = strlen(prefix);
    return strncmp(section, prefix, length) ? NULL : section + length;
}

/* Attaches every program that was loaded and whose tracepoint or function there is; -1: not even one of KVM's. */
static int attach(struct watch *watch, const struct kernel_types *types, struct failure *why)
{
    struct bpf_program *program;
    const char *name;
    uint64_t watched = 0;
    enum probes_lack lack = functions_can_be_probed() ? PROBES_LACK_NOTHING : PROBES_LACK_SUPPORT;
    bpf_object__for_each_program(program, watch->object) {
        if (!bpf_program__autoload(program))
            continue;
        name = behind("raw_tp/", program);
        if (name && attach_tracepoint(program, name, types, &watched, why) < 0)
            return -1;
        if ((name = behind("kprobe/", program))) {
            enum probes_lack lacks = attach_function(program, name, types, &watched);
            lack = lacks ? lacks : lack;
        }
    }
    if (watched >> PROBES_BIT)
        lack = PROBES_LACK_NOTHING;
    atomic_store(&watch->shared->tracepoints, watched | (uint64_t)lack << PROBES_LACK_BIT);
    return watched & 1 ? 0 : fail(why, "no-kvm", 0, "");
}

/* Opens the programs, without those that this kernel cannot attach, and those that would cost time at each exit if nobody
 * asks for it. */
static struct bpf_object *open_programs(const struct events_settings *settings, struct failure *why)
{
    struct bpf_object *object = object_open("events", settings, sizeof *settings, why);
    struct bpf_program *program;
    bool can_be_probed = functions_can_be_probed();
    if (object)
        bpf_object__for_each_program(program, object)
            if ((behind("kprobe/", program) && !can_be_probed) || (is_of_exits(program) && !settings->exits))
                bpf_program__set_autoload(program, false);
    return object;
}

static int begin(struct watch *watch, int fd, bool exits, struct failure *why)
{
    struct kernel_types types;
    watch->shared = shared_open(fd, why);
    if (!watch->shared || clock_begin(&watch->clock, why) < 0 || kernel_types_open(&types, why) < 0)
        return -1;
    struct events_settings settings = settings_of(&types, exits);
    int result = -1;
    watch->object = open_programs(&settings, why);
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

static int begin_process(void *one, const struct process *process, struct failure *why)
{
    struct watch *watch = one;
    uint32_t number = (uint32_t)process->number, how = process->threads ? BW_LISTED : BW_ALL, yes = 1;
    for (unsigned at = 0; at < process->threads; at++)
        bpf_map_update_elem(watch->threads, &process->thread[at], &yes, BPF_ANY);
    if (bpf_map_update_elem(watch->processes, &number, &how, BPF_ANY) < 0)
        return fail(why, "refused", errno, "map");
    return note_spaces(watch, why);
}

static void forget_process(void *one, pid_t process)
{
    struct watch *watch = one;
    uint32_t number = (uint32_t)process;
    bpf_map_delete_elem(watch->processes, &number);
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
    bool exits = count == 2 && !strcmp(arguments[1], "exits");
    if (count != 1 + exits)
        return fail(why, "usage", 0, "");
    if (begin(&watch, atoi(arguments[0]), exits, why) < 0)
        return -1;
    static struct caller caller = {.begin = begin_process, .forget = forget_process, .watch = &watch};
    caller_begin();
    do
        hand_on(&watch);
    while (caller_turn(&caller, TURN_MS));
    hand_on(&watch);
    return 0;
}
