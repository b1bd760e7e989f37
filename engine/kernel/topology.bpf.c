/* What a process has registered with KVM: its files are gone through, and of a VM the kernel's lists.
 *
 * Guarantees:
 * - Nothing is written but records into our own ring, and no lock of the kernel's is taken: nobody is made to wait.
 * - Only files that the kernel itself has made and named are looked into (anon_inodefs): a file that somebody has called
 *   "kvm-vm" is none.
 * - A list may change while it is read, and an entry be freed: each loop is bounded, an entry that cannot be read is
 *   counted as dropped, and user space looks until it has seen the same twice. */
#include "bpf.h"
#include "topology.h"

#define ANON_INODE_MAGIC 0x09041934 /* linux/magic.h */
#define MOST_ENTRIES 65536          /* of a list */
#define MOST_PINS 4                 /* that a GSI leads to: one a chip, and there are three */
#define ROUTE_MSI 2                 /* KVM_IRQ_ROUTING_MSI */

char LICENSE[] SEC("license") = "GPL";

const volatile struct topology_settings settings SETTINGS = {0};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 22);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u64);
} dropped SEC(".maps");

/* What the kernel hands to such a program (struct bpf_iter__task_file). */
struct found_file {
    void *meta;
    void *task;
    u32 fd;
    u32 unused;
    void *file;
};

static __always_inline void drop(void)
{
    u32 first = 0;
    u64 *count = bpf_map_lookup_elem(&dropped, &first);
    if (count)
        __sync_fetch_and_add(count, 1);
}

static __always_inline void tell(struct topology_record *record)
{
    if (bpf_ringbuf_output(&ring, record, sizeof *record, BPF_RB_NO_WAKEUP) < 0)
        drop();
}

/* -> whether there is an eventfd at `context`. */
static __always_inline int eventfd_id(const void *context, u64 *id)
{
    u32 number = 0;
    if (!context || bpf_probe_read_kernel(&number, sizeof number, (const char *)context + settings.eventfd_id) < 0)
        return 0;
    *id = number;
    return 1;
}

/* Where in a list a look is. */
struct walk {
    u64 vm, node, head;
    u32 gsi;
};

static long see_ioeventfd(u32 turn, struct walk *walk)
{
    (void)turn;
    if (!walk->node || walk->node == walk->head)
        return 1;
    const char *entry = (const char *)walk->node - settings.ioeventfd_list;
    struct topology_record record = {.kind = BW_SEEN_IOEVENTFD, .vm = walk->vm};
    record.value[0] = read1(entry, settings.ioeventfd_bus);
    record.value[1] = read8(entry, settings.ioeventfd_address);
    record.value[2] = read4(entry, settings.ioeventfd_length);
    record.value[3] = read8(entry, settings.ioeventfd_datamatch);
    record.value[4] = read1(entry, settings.ioeventfd_wildcard);
    if (eventfd_id(read_pointer(entry, settings.ioeventfd_eventfd), &record.value[5]))
        tell(&record);
    else
        drop();
    walk->node = read8((const void *)walk->node, settings.list_next);
    return 0;
}

static long see_irqfd(u32 turn, struct walk *walk)
{
    (void)turn;
    if (!walk->node || walk->node == walk->head)
        return 1;
    const char *entry = (const char *)walk->node - settings.irqfd_list;
    struct topology_record record = {.kind = BW_SEEN_IRQFD, .vm = walk->vm};
    record.value[0] = read4(entry, settings.irqfd_gsi);
    record.value[2] = (u64)-1;
    void *resamplefd = read_pointer(entry, settings.irqfd_resamplefd);
    if (eventfd_id(read_pointer(entry, settings.irqfd_eventfd), &record.value[1]) &&
        (!resamplefd || eventfd_id(resamplefd, &record.value[2])))
        tell(&record);
    else
        drop();
    walk->node = read8((const void *)walk->node, settings.list_next);
    return 0;
}

static __always_inline void see_list(void *kvm, u32 head, void *see)
{
    if (head == UNKNOWN)
        return;
    struct walk walk = {.vm = (u64)kvm, .head = (u64)kvm + head};
    walk.node = read8((const void *)walk.head, settings.list_next);
    bpf_loop(MOST_ENTRIES, see, &walk, 0);
    if (walk.node != walk.head)
        drop(); /* it did not lead back to where it began */
}

/* The routes of one GSI; walk->node is the table's place for it. */
static long see_gsi(u32 gsi, struct walk *walk)
{
    u64 node = read8((const void *)walk->node, 0);
    for (int at = 0; at < MOST_PINS && node; at++) {
        const char *entry = (const char *)node - settings.route_link;
        struct topology_record record = {.kind = BW_SEEN_ROUTE, .vm = walk->vm};
        record.value[0] = gsi;
        record.value[1] = read4(entry, settings.route_type);
        if (record.value[1] == ROUTE_MSI) {
            record.value[2] = read4(entry, settings.route_low) | (u64)read4(entry, settings.route_high) << 32;
            record.value[3] = read4(entry, settings.route_data);
        } else {
            record.value[2] = read4(entry, settings.route_chip);
            record.value[3] = read4(entry, settings.route_pin);
        }
        tell(&record);
        node = read8((const void *)node, 0);
    }
    walk->node += sizeof(u64);
    return 0;
}

static __always_inline void see_routes(void *kvm)
{
    void *table = read_pointer(kvm, settings.kvm_routing);
    if (!table || settings.table_map == UNKNOWN)
        return;
    struct walk walk = {.vm = (u64)kvm, .node = (u64)table + settings.table_map};
    u32 count = read4(table, settings.table_count);
    bpf_loop(count < MOST_ENTRIES ? count : MOST_ENTRIES, see_gsi, &walk, 0);
}

static __always_inline void see_vm(u32 fd, void *kvm, void *task)
{
    struct topology_record record = {.kind = BW_SEEN_VM, .fd = fd, .vm = (u64)kvm};
    record.value[0] = settings.kvm_irqchip == UNKNOWN ? (u64)-1 : read4(kvm, settings.kvm_irqchip);
    record.value[1] = read4(task, settings.task_tgid);
    tell(&record);
    see_list(kvm, settings.kvm_ioeventfds, see_ioeventfd);
    see_list(kvm, settings.kvm_irqfds, see_irqfd);
    see_routes(kvm);
}

/* A thread's number in the pid namespace of who asks; 0: it has none there. */
static __always_inline u32 number_for_asker(const void *pid)
{
    void *asker = read_pointer((void *)bpf_get_current_task(), settings.task_pid);
    u32 level = read4(asker, settings.pid_level);
    if (!pid || !asker || level > read4(pid, settings.pid_level) || settings.upid_size == UNKNOWN)
        return 0;
    return read4((const char *)pid + settings.pid_numbers + level * settings.upid_size, settings.upid_number);
}

static __always_inline void see_vcpu(u32 fd, void *vcpu)
{
    struct topology_record record = {.kind = BW_SEEN_VCPU, .fd = fd, .vm = read8(vcpu, settings.vcpu_kvm)};
    record.value[0] = read4(vcpu, settings.vcpu_id);
    record.value[1] = number_for_asker(read_pointer(vcpu, settings.vcpu_pid));
    tell(&record);
    record.kind = BW_SEEN_COUNTER;
    for (u32 at = 0; at < BW_COUNTERS; at++) {
        if (settings.counters[at] == UNKNOWN)
            continue;
        record.value[1] = at;
        record.value[2] = read8(vcpu, settings.counters[at]);
        tell(&record);
    }
}

static __always_inline void see_eventfd(u32 fd, void *context)
{
    struct topology_record record = {.kind = BW_SEEN_EVENTFD, .fd = fd};
    record.value[1] = read8(context, settings.eventfd_count);
    record.value[2] = settings.eventfd_count != UNKNOWN;
    if (eventfd_id(context, &record.value[0]))
        tell(&record);
    else
        drop();
}

/* Whether the kernel has made the file, and it has no name in any folder. */
static __always_inline int is_anonymous(const void *file)
{
    void *super = read_pointer(read_pointer(file, settings.file_inode), settings.inode_super);
    return read8(super, settings.super_magic) == ANON_INODE_MAGIC;
}

static __always_inline int begins(const char *name, const char *wanted, u32 length)
{
    for (u32 at = 0; at < length; at++)
        if (name[at] != wanted[at])
            return 0;
    return 1;
}

SEC("iter/task_file")
int see_file(struct found_file *found)
{
    void *file = found->file;
    char name[16] = "";
    if (!found->task || !file || !is_anonymous(file))
        return 0;
    void *dentry = read_pointer(file, settings.file_dentry);
    bpf_probe_read_kernel_str(name, sizeof name, read_pointer(dentry, settings.dentry_name));
    void *content = read_pointer(file, settings.file_private);
    if (!content)
        return 0;
    if (begins(name, "[eventfd]", 10))
        see_eventfd(found->fd, content);
    else if (begins(name, "kvm-vcpu:", 9))
        see_vcpu(found->fd, content);
    else if (begins(name, "kvm-vm", 7))
        see_vm(found->fd, content, found->task);
    return 0;
}
