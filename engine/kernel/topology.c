/* `bw-kernel topology PID [hits]`: what a process has registered with KVM, each time that a byte comes on standard input,
 * until that ends; with "hits" also how often each of it was used since the first time. Output: struct topology_head, and as many struct topology_record as it says. Never an address of the kernel's. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "counting.h"
#include "guard.h"
#include "object.h"
#include "offsets.h"
#include "topology.h"

#define MOST_LOOKS 8 /* of which two, one after the other, must see the same */
#define MOST_VMS 64

static const char *const COUNTERS[BW_COUNTERS] = {
    "exits",
    "io_exits",
    "mmio_exits",
    "halt_exits",
    "irq_exits",
    "irq_window_exits",
    "signal_exits",
    "request_irq_exits",
    "irq_injections",
    "insn_emulation",
    "halt_wakeup",
    "halt_successful_poll",
    "fpu_reload",
};

/* What one look has seen. */
struct look {
    struct topology_record *records;
    size_t count, room;
    uint64_t dropped;
};

struct topology {
    struct bpf_object *object;
    struct bpf_link *link;
    struct ring_buffer *ring;
    struct look seen;
    uint32_t untold;
    struct counting counting;
};

static uint32_t counter_offset(const struct kernel_types *types, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "stat.%s", name);
    uint32_t offset = offset_of(types, "kvm_vcpu", path);
    snprintf(path, sizeof path, "stat.generic.%s", name);
    return offset == BW_UNKNOWN ? offset_of(types, "kvm_vcpu", path) : offset;
}

static void find_files(const struct kernel_types *types, struct topology_settings *settings)
{
    settings->file_inode = offset_of(types, "file", "f_inode");
    settings->file_dentry = offset_of(types, "file", "f_path.dentry");
    settings->file_private = offset_of(types, "file", "private_data");
    settings->inode_super = offset_of(types, "inode", "i_sb");
    settings->super_magic = offset_of(types, "super_block", "s_magic");
    settings->dentry_name = offset_of(types, "dentry", "d_name.name");
    settings->task_pid = offset_of(types, "task_struct", "thread_pid");
    settings->task_tgid = offset_of(types, "task_struct", "tgid");
    settings->pid_level = offset_of(types, "pid", "level");
    settings->pid_numbers = offset_of(types, "pid", "numbers");
    settings->upid_size = size_of(types, "upid");
    settings->upid_number = offset_of(types, "upid", "nr");
    settings->eventfd_id = offset_of(types, "eventfd_ctx", "id");
    settings->eventfd_count = offset_of(types, "eventfd_ctx", "count");
    settings->list_next = offset_of(types, "list_head", "next");
}

static void find_vms(const struct kernel_types *types, struct topology_settings *settings)
{
    settings->vcpu_kvm = offset_of(types, "kvm_vcpu", "kvm");
    settings->vcpu_id = offset_of(types, "kvm_vcpu", "vcpu_id");
    settings->vcpu_pid = offset_of(types, "kvm_vcpu", "pid");
    for (size_t at = 0; at < BW_COUNTERS; at++)
        settings->counters[at] = counter_offset(types, COUNTERS[at]);
    settings->kvm_ioeventfds = offset_of(types, "kvm", "ioeventfds");
    settings->kvm_irqfds = offset_of(types, "kvm", "irqfds.items");
    settings->kvm_routing = offset_of(types, "kvm", "irq_routing");
    settings->kvm_irqchip = offset_of(types, "kvm", "arch.irqchip_mode");
}

static void find_wires(const struct kernel_types *types, struct topology_settings *settings)
{
    settings->ioeventfd_list = offset_of(types, "_ioeventfd", "list");
    settings->ioeventfd_address = offset_of(types, "_ioeventfd", "addr");
    settings->ioeventfd_length = offset_of(types, "_ioeventfd", "length");
    settings->ioeventfd_eventfd = offset_of(types, "_ioeventfd", "eventfd");
    settings->ioeventfd_datamatch = offset_of(types, "_ioeventfd", "datamatch");
    settings->ioeventfd_bus = offset_of(types, "_ioeventfd", "bus_idx");
    settings->ioeventfd_wildcard = offset_of(types, "_ioeventfd", "wildcard");
    settings->irqfd_list = offset_of(types, "kvm_kernel_irqfd", "list");
    settings->irqfd_gsi = offset_of(types, "kvm_kernel_irqfd", "gsi");
    settings->irqfd_eventfd = offset_of(types, "kvm_kernel_irqfd", "eventfd");
    settings->irqfd_resamplefd = offset_of(types, "kvm_kernel_irqfd", "resamplefd");
}

static void find_routes(const struct kernel_types *types, struct topology_settings *settings)
{
    const char *const route = "kvm_kernel_irq_routing_entry";
    settings->table_count = offset_of(types, "kvm_irq_routing_table", "nr_rt_entries");
    settings->table_map = offset_of(types, "kvm_irq_routing_table", "map");
    settings->route_link = offset_of(types, route, "link");
    settings->route_type = offset_of(types, route, "type");
    settings->route_chip = offset_of(types, route, "irqchip.irqchip");
    settings->route_pin = offset_of(types, route, "irqchip.pin");
    settings->route_low = offset_of(types, route, "msi.address_lo");
    settings->route_high = offset_of(types, route, "msi.address_hi");
    settings->route_data = offset_of(types, route, "msi.data");
}

static int any_unknown(const uint32_t *first, const uint32_t *last)
{
    for (; first <= last; first++)
        if (*first == BW_UNKNOWN)
            return 1;
    return 0;
}

/* What is not looked for, as bits; and its list is not gone through. */
static uint32_t untold_of(struct topology_settings *settings)
{
    uint32_t untold = 0;
    int files = any_unknown(&settings->file_inode, &settings->dentry_name) || settings->eventfd_id == BW_UNKNOWN ||
                settings->list_next == BW_UNKNOWN;
    if (files || any_unknown(&settings->vcpu_kvm, &settings->vcpu_pid))
        untold |= 1u << BW_SEEN_VCPU;
    if (files || any_unknown(&settings->ioeventfd_list, &settings->ioeventfd_wildcard))
        settings->kvm_ioeventfds = BW_UNKNOWN;
    if (files || any_unknown(&settings->irqfd_list, &settings->irqfd_resamplefd))
        settings->kvm_irqfds = BW_UNKNOWN;
    if (files || any_unknown(&settings->table_count, &settings->route_data))
        settings->kvm_routing = BW_UNKNOWN;
    untold |= settings->kvm_ioeventfds == BW_UNKNOWN ? 1u << BW_SEEN_IOEVENTFD : 0;
    untold |= settings->kvm_irqfds == BW_UNKNOWN ? 1u << BW_SEEN_IRQFD : 0;
    untold |= settings->kvm_routing == BW_UNKNOWN ? 1u << BW_SEEN_ROUTE : 0;
    return untold;
}

static int find_all(struct topology_settings *settings, uint32_t *untold, struct failure *why)
{
    struct kernel_types types;
    if (kernel_types_open(&types, why) < 0)
        return -1;
    find_files(&types, settings);
    find_vms(&types, settings);
    find_wires(&types, settings);
    find_routes(&types, settings);
    kernel_types_close(&types);
    *untold = untold_of(settings);
    return 0;
}

/* libbpf's, of the ring: one record more. */
static int take(void *context, void *data, size_t size)
{
    struct look *look = context;
    if (size != sizeof *look->records)
        return 0;
    if (look->count == look->room) {
        size_t room = look->room ? 2 * look->room : 256;
        struct topology_record *records = realloc(look->records, room * sizeof *records);
        if (!records) {
            look->dropped++;
            return 0;
        }
        look->records = records, look->room = room;
    }
    memcpy(&look->records[look->count++], data, size);
    return 0;
}

static int begin(struct topology *topology, pid_t pid, struct failure *why)
{
    struct topology_settings settings;
    if (find_all(&settings, &topology->untold, why) < 0)
        return -1;
    topology->object = object_open("topology", &settings, sizeof settings, why);
    if (!topology->object || object_load(topology->object, why) < 0)
        return -1;
    union bpf_iter_link_info process = {.task.pid = (__u32)pid};
    LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &process, .link_info_len = sizeof process);
    topology->link = bpf_program__attach_iter(bpf_object__next_program(topology->object, NULL), &options);
    if (!topology->link)
        return fail(why, "refused", errno, "attach");
    topology->ring = ring_buffer__new(object_map(topology->object, "ring"), take, &topology->seen, NULL);
    return topology->ring ? 0 : fail(why, "refused", errno, "ring");
}

static void end(struct topology *topology)
{
    counting_end(&topology->counting);
    ring_buffer__free(topology->ring);
    bpf_link__destroy(topology->link);
    bpf_object__close(topology->object);
    free(topology->seen.records);
}

/* Goes through the process's files once. */
static int look_once(struct topology *topology, struct failure *why)
{
    char nothing[64];
    uint32_t first = 0;
    uint64_t none = 0, dropped = 0;
    int count = object_map(topology->object, "dropped"), fd = bpf_iter_create(bpf_link__fd(topology->link));
    if (fd < 0)
        return fail(why, "refused", errno, "iterator");
    topology->seen.count = 0, topology->seen.dropped = 0;
    bpf_map_update_elem(count, &first, &none, BPF_ANY);
    ssize_t got;
    while ((got = read(fd, nothing, sizeof nothing)) > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        ;
    int error = errno;
    close(fd);
    if (got < 0)
        return fail(why, "refused", error, "look");
    ring_buffer__consume(topology->ring);
    bpf_map_lookup_elem(count, &first, &dropped);
    topology->seen.dropped += dropped;
    return 0;
}

/* How much of a record stays as it is: behind that is what counts on all the time. */
static size_t settled_size(const struct topology_record *record)
{
    if (record->kind == BW_SEEN_COUNTER)
        return offsetof(struct topology_record, value[2]);
    return record->kind == BW_SEEN_EVENTFD ? offsetof(struct topology_record, value[1]) : sizeof *record;
}

/* Whether two looks saw the same, but for what counts on all the time. */
static int same(const struct look *a, const struct look *b)
{
    if (a->count != b->count || a->dropped || b->dropped)
        return 0;
    for (size_t at = 0; at < a->count; at++) {
        const struct topology_record *one = &a->records[at], *other = &b->records[at];
        if (memcmp(one, other, settled_size(one)))
            return 0;
    }
    return 1;
}

/* Looks until two looks saw the same; the last one is in topology->seen. -> whether they did; -1. */
static int look(struct topology *topology, struct failure *why)
{
    struct look before = {0};
    int settled = 0;
    for (int turn = 0; turn < MOST_LOOKS && !settled; turn++) {
        if (look_once(topology, why) < 0) {
            settled = -1;
            break;
        }
        settled = turn && same(&before, &topology->seen);
        if (!settled) {
            struct look seen = topology->seen;
            topology->seen = before, before = seen;
        }
    }
    if (!settled) { /* the last one was put aside */
        struct look seen = before;
        before = topology->seen, topology->seen = seen;
    }
    free(before.records);
    return settled;
}

/* Numbers from 1 on in place of the kernel's addresses. */
static void number_vms(struct look *look)
{
    uint64_t known[MOST_VMS];
    size_t count = 0;
    for (size_t at = 0; at < look->count; at++) {
        struct topology_record *record = &look->records[at];
        if (!record->vm)
            continue;
        size_t number = 0;
        while (number < count && known[number] != record->vm)
            number++;
        if (number == count && count < MOST_VMS)
            known[count++] = record->vm;
        record->vm = number < count ? number + 1 : 0;
    }
}

static int write_out(const struct topology *topology, int settled)
{
    const struct look *seen = &topology->seen;
    struct topology_head head = {(__u32)seen->count, (__u32)settled, (__u32)seen->dropped, topology->untold};
    fwrite(&head, sizeof head, 1, stdout);
    fwrite(seen->records, sizeof *seen->records, seen->count, stdout);
    return fflush(stdout);
}

/* One look at a process that may be looked at, and still may once it was. */
static int answer(struct topology *topology, pid_t pid, int process, struct failure *why)
{
    int settled = look(topology, why);
    if (settled < 0)
        return -1;
    int now = guard_process(pid, why);
    if (now < 0)
        return -1;
    close(now);
    struct pollfd ended = {.fd = process, .events = POLLIN};
    if (poll(&ended, 1, 0) != 0)
        return fail(why, "no-process", 0, "");
    number_vms(&topology->seen);
    if (topology->counting.object) {
        counting_watch(&topology->counting, topology->seen.records, topology->seen.count);
        counting_tell(&topology->counting, take, &topology->seen);
    }
    return write_out(topology, settled) ? fail(why, "refused", errno, "output") : 0;
}

int command_topology(int count, char **arguments, struct failure *why)
{
    struct topology topology = {0};
    char *rest = "", asked;
    int hits = count == 2 && !strcmp(arguments[1], "hits");
    long pid = count == 1 + hits ? strtol(arguments[0], &rest, 10) : 0;
    if (pid <= 0 || pid != (pid_t)pid || *rest)
        return fail(why, "usage", 0, "");
    int process = guard_process((pid_t)pid, why);
    if (process < 0)
        return -1;
    int result = begin(&topology, (pid_t)pid, why);
    if (result == 0 && hits)
        result = counting_begin(&topology.counting, why);
    while (result == 0 && read(STDIN_FILENO, &asked, 1) == 1)
        result = answer(&topology, (pid_t)pid, process, why);
    end(&topology);
    close(process);
    return result;
}
