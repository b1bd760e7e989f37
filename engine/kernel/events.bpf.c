/* What the kernel's tracepoints, and some of its functions, tell of some processes, as records in a ring.
 *
 * Guarantees:
 * - It changes nothing in the kernel, and reads nothing of other processes but whether they are among those asked for.
 * - A record's time is taken once its place in the ring is: so whoever reads a place that was taken before a moment has
 *   everything that happened before it.
 * - What finds the ring full is counted, never half written.
 *
 * Whose is it? What happens in a thread of a process that is asked for; a wake-up, a switch to such a thread; and work
 * that an irqfd of such a process has queued, in the worker that does it. */
#include <asm/ptrace.h>
#include <linux/kvm.h>

#include "bpf.h"
#include "events.h"
#include "record.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct events_settings settings SETTINGS = {0};

#define MOST_PROCESSES 64
#define MOST_THREADS 1024
#define CALLS_UNDER_WAY 4096
#define WORKS_UNDER_WAY 4096

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} ring SEC(".maps");

struct { /* records that found the ring full */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u64);
} lost SEC(".maps");

struct { /* process -> BW_LISTED or BW_ALL */
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MOST_PROCESSES);
    __type(key, u32);
    __type(value, u32);
} processes SEC(".maps");

struct { /* thread -> 1 */
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MOST_THREADS);
    __type(key, u32);
    __type(value, u32);
} threads SEC(".maps");

struct { /* address space of a process that is asked for -> 1: whose VM it is stands in struct kvm */
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MOST_PROCESSES);
    __type(key, u64);
    __type(value, u32);
} spaces SEC(".maps");

struct call {
    u64 entered; /* ns */
    u32 number;
    u32 signals; /* it has signalled an interrupt */
};

struct { /* thread -> the system call that it is in, of those that can signal */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, CALLS_UNDER_WAY);
    __type(key, u32);
    __type(value, struct call);
} calls SEC(".maps");

struct { /* work of an irqfd -> its GSI */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, WORKS_UNDER_WAY);
    __type(key, u64);
    __type(value, u32);
} works SEC(".maps");

struct { /* worker -> the work that it does */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, WORKS_UNDER_WAY);
    __type(key, u32);
    __type(value, u64);
} workers SEC(".maps");

static __always_inline void count_lost(void)
{
    u32 zero = 0;
    u64 *count = bpf_map_lookup_elem(&lost, &zero);
    if (count)
        __sync_fetch_and_add(count, 1);
}

/* time: ns; 0: now. */
static __always_inline void tell(u64 time, u16 kind, u32 thread, u64 a, u64 b, u64 c, u64 d)
{
    struct bw_kernel_record *record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
    if (!record) {
        count_lost();
        return;
    }
    record->time = time ? time : bpf_ktime_get_ns();
    record->kind = kind;
    record->cpu = (u16)bpf_get_smp_processor_id();
    record->thread = thread;
    record->a = a;
    record->b = b;
    record->c = c;
    record->d = d;
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline u32 current_thread(void)
{
    return (u32)bpf_get_current_pid_tgid();
}

/* Whether this thread's process is asked for. */
static __always_inline int is_ours(void)
{
    u32 process = (u32)(bpf_get_current_pid_tgid() >> 32);
    return bpf_map_lookup_elem(&processes, &process) != 0;
}

/* Whether a thread is watched for itself: all of its process are, or it is listed. */
static __always_inline int is_watched(u32 process, u32 thread)
{
    u32 *how = bpf_map_lookup_elem(&processes, &process);
    if (!how)
        return 0;
    return *how == BW_ALL || bpf_map_lookup_elem(&threads, &thread) != 0;
}

/* Whether this is a worker that does an irqfd's work. */
static __always_inline int is_worker(void)
{
    u32 thread = current_thread();
    return bpf_map_lookup_elem(&workers, &thread) != 0;
}

/* The value of 1, 2, 4 or 8 bytes that a guest writes or has read. */
static __always_inline u64 value_at(const void *data, u64 size)
{
    u64 value = 0;
    if (!data)
        return 0;
    switch (size) {
    case 1:
        bpf_probe_read_kernel(&value, 1, data);
        break;
    case 2:
        bpf_probe_read_kernel(&value, 2, data);
        break;
    case 4:
        bpf_probe_read_kernel(&value, 4, data);
        break;
    case 8:
        bpf_probe_read_kernel(&value, 8, data);
        break;
    }
    return value;
}

/* -- what a guest does -------------------------------------------------------------------------------------------- */

SEC("raw_tp/kvm_pio")
int on_pio(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_PIO, current_thread(), (u16)ctx->args[1], value_at((void *)ctx->args[4], (u32)ctx->args[2]),
             (u32)ctx->args[2], (u32)ctx->args[0]);
    return 0;
}

SEC("raw_tp/kvm_mmio")
int on_mmio(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_MMIO, current_thread(), ctx->args[2], value_at((void *)ctx->args[3], (u32)ctx->args[1]),
             (u32)ctx->args[1], (u32)ctx->args[0]);
    return 0;
}

SEC("raw_tp/kvm_fast_mmio")
int on_fast_mmio(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_FAST_MMIO, current_thread(), ctx->args[0], 0, 0, 0);
    return 0;
}

SEC("raw_tp/kvm_userspace_exit")
int on_userspace_exit(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_USER_EXIT, current_thread(), (u32)ctx->args[0], (u32)ctx->args[1], 0, 0);
    return 0;
}

/* -- exits, where they are asked for: one record for each, once the guest goes on -------------------------------- */

#define ISA_SVM 2 /* KVM_ISA_SVM; else VMX */

struct served_exit {
    u64 left; /* ns */
    u32 reason, isa;
};

struct { /* vCPU's thread -> the exit that is served */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, MOST_THREADS);
    __type(key, u32);
    __type(value, struct served_exit);
} served SEC(".maps");

SEC("raw_tp/kvm_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
    void *vcpu = (void *)ctx->args[0];
    u32 thread = current_thread(), isa = (u32)ctx->args[1];
    if (!is_ours())
        return 0;
    struct served_exit one = {bpf_ktime_get_ns(), UNKNOWN, isa};
    if (isa == ISA_SVM && settings.svm_vmcb != UNKNOWN && settings.vmcb_exit_code != UNKNOWN)
        one.reason = read4(read_pointer(vcpu, settings.svm_vmcb), settings.vmcb_exit_code);
    else if (isa != ISA_SVM && settings.vmx_exit_reason != UNKNOWN)
        one.reason = (u16)read4(vcpu, settings.vmx_exit_reason);
    bpf_map_update_elem(&served, &thread, &one, BPF_ANY);
    return 0;
}

SEC("raw_tp/kvm_entry")
int on_entry(struct bpf_raw_tracepoint_args *ctx)
{
    (void)ctx;
    u32 thread = current_thread();
    struct served_exit *one = bpf_map_lookup_elem(&served, &thread);
    if (!one)
        return 0;
    tell(0, BW_K_EXIT_SERVED, thread, one->reason, one->isa, bpf_ktime_get_ns() - one->left, 0);
    bpf_map_delete_elem(&served, &thread);
    return 0;
}

SEC("raw_tp/kvm_vcpu_wakeup")
int on_vcpu_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_WOKEN, current_thread(), ctx->args[0], (u8)ctx->args[1], 0, 0);
    return 0;
}

/* -- an interrupt's way -------------------------------------------------------------------------------------------- */

/* The system call that this thread is in has signalled: tells of its beginning, once. */
static __always_inline void note_signal(void)
{
    u32 thread = current_thread();
    struct call *call = bpf_map_lookup_elem(&calls, &thread);
    if (!call || call->signals)
        return;
    call->signals = 1;
    tell(call->entered, BW_K_WRITE, thread, call->number, 0, 0, 0);
}

SEC("raw_tp/kvm_msi_set_irq")
int on_msi(struct bpf_raw_tracepoint_args *ctx)
{
    if (!is_ours() && !is_worker())
        return 0;
    note_signal();
    tell(0, BW_K_MSI, current_thread(), ctx->args[0], ctx->args[1], 0, 0);
    return 0;
}

SEC("raw_tp/kvm_set_irq")
int on_set_irq(struct bpf_raw_tracepoint_args *ctx)
{
    if (!is_ours() && !is_worker())
        return 0;
    note_signal();
    tell(0, BW_K_SET_IRQ, current_thread(), (u32)ctx->args[0], (u32)ctx->args[1], 0, 0);
    return 0;
}

SEC("raw_tp/kvm_apic_accept_irq")
int on_accept(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours() || is_worker())
        tell(0, BW_K_ACCEPTED, current_thread(), (u8)ctx->args[3], (u32)ctx->args[0], 0, 0);
    return 0;
}

SEC("raw_tp/kvm_eoi")
int on_eoi(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours())
        tell(0, BW_K_EOI, current_thread(), (u32)ctx->args[1],
             read4(read_pointer((void *)ctx->args[0], settings.lapic_vcpu), settings.vcpu_id), 0, 0);
    return 0;
}

SEC("raw_tp/kvm_inj_virq")
int on_inject(struct bpf_raw_tracepoint_args *ctx)
{
    if (is_ours() && !(settings.says_reinjected && (u8)ctx->args[2]))
        tell(0, BW_K_INJECTED, current_thread(), (u32)ctx->args[0], 0, 0, 0);
    return 0;
}

/* -- work of an irqfd whose route needs a thread --------------------------------------------------------------------- */

/* Whether a VM is of a process that is asked for: it has the address space of such a process. */
static __always_inline int is_our_vm(const void *kvm)
{
    u64 space = settings.kvm_mm == UNKNOWN ? 0 : read8(kvm, settings.kvm_mm);
    return space && bpf_map_lookup_elem(&spaces, &space) != 0;
}

/* Whether a piece of work is the `inject` of an irqfd of a process that is asked for: what it is in is on a list, so its
 * neighbour leads back to it, and its VM is of such a process. */
static __always_inline const char *irqfd_of(u64 work)
{
    if (settings.irqfd_work == UNKNOWN || settings.irqfd_list == UNKNOWN)
        return 0;
    const char *irqfd = (const char *)work - settings.irqfd_work;
    if (!is_our_vm(read_pointer(irqfd, settings.irqfd_kvm)))
        return 0;
    u64 before = read8(irqfd, settings.irqfd_list + 8);
    return read8((void *)before, 0) == (u64)irqfd + settings.irqfd_list ? irqfd : 0;
}

SEC("raw_tp/workqueue_queue_work")
int on_queue_work(struct bpf_raw_tracepoint_args *ctx)
{
    u64 work = ctx->args[2];
    const char *irqfd = irqfd_of(work);
    if (!irqfd)
        return 0;
    u32 gsi = read4(irqfd, settings.irqfd_gsi);
    bpf_map_update_elem(&works, &work, &gsi, BPF_ANY);
    note_signal();
    tell(0, BW_K_WORK_QUEUED, current_thread(), gsi, work, 0, 0);
    return 0;
}

SEC("raw_tp/workqueue_execute_start")
int on_work_start(struct bpf_raw_tracepoint_args *ctx)
{
    u64 work = ctx->args[0];
    u32 thread = current_thread(), *gsi = bpf_map_lookup_elem(&works, &work);
    if (!gsi)
        return 0;
    bpf_map_update_elem(&workers, &thread, &work, BPF_ANY);
    tell(0, BW_K_WORK_STARTED, thread, *gsi, work, 0, 0);
    return 0;
}

SEC("raw_tp/workqueue_execute_end")
int on_work_end(struct bpf_raw_tracepoint_args *ctx)
{
    (void)ctx;
    u32 thread = current_thread();
    u64 *work = bpf_map_lookup_elem(&workers, &thread);
    if (!work)
        return 0;
    bpf_map_delete_elem(&workers, &thread);
    tell(0, BW_K_WORK_ENDED, thread, 0, 0, 0, 0);
    return 0;
}

/* -- functions of the kernel, as each is entered: only where it lets them be probed ----------------------------------- */

#define ROUTE_MSI 2 /* KVM_IRQ_ROUTING_MSI */
#define READABLE 1  /* EPOLLIN: somebody has signalled the eventfd; else it is about to be closed */

SEC("kprobe/ioeventfd_write")
int on_ioeventfd_write(struct pt_regs *ctx)
{
    if (!is_ours() || settings.ioeventfd_device == UNKNOWN)
        return 0;
    const char *ioeventfd = (const char *)ctx->rsi - settings.ioeventfd_device;
    u32 id = read4(read_pointer(ioeventfd, settings.ioeventfd_eventfd), settings.eventfd_id), length = (u32)ctx->rcx;
    tell(0, BW_K_IOEVENTFD_WRITE, current_thread(), ctx->rdx, value_at((void *)ctx->r8, length), id, length);
    return 0;
}

SEC("kprobe/eventfd_signal_mask")
int on_eventfd_signal(struct pt_regs *ctx)
{
    if (is_ours() || is_worker())
        tell(0, BW_K_EVENTFD_SIGNAL, current_thread(), read4((void *)ctx->rdi, settings.eventfd_id), 0, 0, 0);
    return 0;
}

SEC("kprobe/irqfd_wakeup")
int on_irqfd_wakeup(struct pt_regs *ctx)
{
    if (settings.irqfd_wait == UNKNOWN || !(ctx->rcx & READABLE))
        return 0;
    const char *irqfd = (const char *)ctx->rdi - settings.irqfd_wait;
    if (!is_our_vm(read_pointer(irqfd, settings.irqfd_kvm)))
        return 0;
    u64 data = ~0ull;
    if (settings.irqfd_route_data != UNKNOWN && read4(irqfd, settings.irqfd_route_type) == ROUTE_MSI)
        data = read4(irqfd, settings.irqfd_route_data);
    note_signal();
    tell(0, BW_K_IRQFD_WAKEUP, current_thread(), read4(irqfd, settings.irqfd_gsi), data,
         read4(read_pointer(irqfd, settings.irqfd_eventfd), settings.eventfd_id), 0);
    return 0;
}

SEC("kprobe/irqfd_inject")
int on_irqfd_inject(struct pt_regs *ctx)
{
    u64 work = ctx->rdi;
    const char *irqfd = irqfd_of(work);
    if (irqfd)
        tell(0, BW_K_IRQFD_INJECT, current_thread(), read4(irqfd, settings.irqfd_gsi), work, 0, 0);
    return 0;
}

SEC("kprobe/irqfd_resampler_ack")
int on_resampler_ack(struct pt_regs *ctx)
{
    if (settings.resampler_notifier == UNKNOWN)
        return 0;
    const void *notifier = (void *)ctx->rdi, *resampler = (const char *)notifier - settings.resampler_notifier;
    if (is_our_vm(read_pointer(resampler, settings.resampler_kvm)))
        tell(0, BW_K_RESAMPLER_ACK, current_thread(), read4(notifier, settings.notifier_gsi), 0, 0, 0);
    return 0;
}

/* -- threads ------------------------------------------------------------------------------------------------------ */

SEC("raw_tp/sched_waking")
int on_waking(struct bpf_raw_tracepoint_args *ctx)
{
    void *woken = (void *)ctx->args[0];
    u32 thread = read4(woken, settings.task_pid);
    if (is_watched(read4(woken, settings.task_tgid), thread))
        tell(0, BW_K_WAKING, current_thread(), thread, 0, 0, 0);
    return 0;
}

SEC("raw_tp/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
    void *next = (void *)ctx->args[2];
    u32 thread = read4(next, settings.task_pid);
    if (is_watched(read4(next, settings.task_tgid), thread))
        tell(0, BW_K_RUNS, thread, 0, 0, 0, 0);
    return 0;
}

#define CALL_WRITE 1
#define CALL_IOCTL 16
#define CALL_WRITEV 20
#define CALL_IO_URING_ENTER 426

/* Whether an ioctl calls KVM_RUN. */
static __always_inline int is_run(const void *registers)
{
    return (u32)read8(registers, settings.registers_si) == KVM_RUN;
}

/* Whether a system call may signal an interrupt by itself: KVM_RUN is left and entered for other reasons. */
static __always_inline int can_signal(u64 number, const void *registers)
{
    if (number == CALL_IOCTL)
        return !is_run(registers);
    return number == CALL_WRITE || number == CALL_WRITEV || number == CALL_IO_URING_ENTER;
}

/* -- what is registered with KVM, where exits are asked for ---------------------------------------------------------- */

#define MOST_ROUTES 4096 /* KVM_MAX_IRQ_ROUTES */
#define MOST_FDS (1 << 20)

struct wiring {
    u64 entered;  /* ns */
    u64 argument; /* where it is in the process's memory */
    u32 request, vm;
    u64 eventfd, resamplefd; /* ids */
    union {
        struct kvm_ioeventfd ioeventfd;
        struct kvm_irqfd irqfd;
    };
};

struct { /* thread -> what it registers */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, MOST_THREADS);
    __type(key, u32);
    __type(value, struct wiring);
} wirings SEC(".maps");

/* The id of the eventfd that this process has by a number. */
static __always_inline u64 id_of(u32 fd)
{
    void *table = read_pointer(read_pointer((void *)bpf_get_current_task(), settings.task_files), settings.files_table);
    void *files = read_pointer(table, settings.table_files);
    if (fd >= MOST_FDS)
        return 0;
    return read4(read_pointer(read_pointer(files, fd * 8), settings.file_content), settings.eventfd_id);
}

/* Keeps what an ioctl is about to register, as the process may change it later. */
static __always_inline void note_wiring(const void *registers, u32 thread, u64 now)
{
    struct wiring one = {.entered = now, .argument = read8(registers, settings.registers_dx)};
    one.request = (u32)read8(registers, settings.registers_si), one.vm = (u32)read8(registers, settings.registers_di);
    if (one.request == KVM_IOEVENTFD) {
        bpf_probe_read_user(&one.ioeventfd, sizeof one.ioeventfd, (void *)one.argument);
        one.eventfd = id_of((u32)one.ioeventfd.fd);
    } else if (one.request == KVM_IRQFD) {
        bpf_probe_read_user(&one.irqfd, sizeof one.irqfd, (void *)one.argument);
        one.eventfd = id_of(one.irqfd.fd);
        one.resamplefd = id_of(one.irqfd.resamplefd);
    } else if (one.request != KVM_SET_GSI_ROUTING) {
        return;
    }
    bpf_map_update_elem(&wirings, &thread, &one, BPF_ANY);
}

struct walk {
    const struct wiring *of;
    u32 thread;
};

static long tell_route(u32 at, struct walk *walk)
{
    struct kvm_irq_routing_entry route;
    const char *from = (char *)walk->of->argument + sizeof(struct kvm_irq_routing);
    if (bpf_probe_read_user(&route, sizeof route, from + at * sizeof route) < 0)
        return 1;
    u64 where = route.u.irqchip.irqchip, what = route.u.irqchip.pin;
    if (route.type == KVM_IRQ_ROUTING_MSI)
        where = route.u.msi.address_lo | (u64)route.u.msi.address_hi << 32, what = route.u.msi.data;
    tell(walk->of->entered, BW_K_ROUTE, walk->thread, route.gsi | (u64)route.type << 32, where, what, 0);
    return 0;
}

static __always_inline void tell_routes(const struct wiring *one, u32 thread, u64 how)
{
    struct kvm_irq_routing table = {0};
    struct walk walk = {one, thread};
    bpf_probe_read_user(&table, sizeof table, (void *)one->argument);
    tell(one->entered, BW_K_ROUTES, thread, table.nr, 0, how, (u64)one->vm << 32);
    bpf_loop(table.nr < MOST_ROUTES ? table.nr : MOST_ROUTES, tell_route, &walk, 0);
}

/* Alone, as what it needs (bpf_loop) older kernels lack. */
SEC("raw_tp/sys_exit")
int on_registered(struct bpf_raw_tracepoint_args *ctx)
{
    u32 thread = current_thread();
    struct wiring *one = bpf_map_lookup_elem(&wirings, &thread);
    if (!one)
        return 0;
    if (ctx->args[1] == 0) {
        u64 took = ((bpf_ktime_get_ns() - one->entered) >> BW_TOOK_SHIFT) + 1, ids = one->eventfd | (u64)one->vm << 32;
        u64 how = (took > 0xffff ? 0xffff : took) << 16 | (bpf_get_current_pid_tgid() & ~0xffffffffull);
        if (one->request == KVM_IOEVENTFD)
            tell(one->entered, BW_K_IOEVENTFD, thread, one->ioeventfd.addr, one->ioeventfd.datamatch,
                 how | (u8)one->ioeventfd.flags << 8 | (u8)one->ioeventfd.len, ids);
        else if (one->request == KVM_IRQFD)
            tell(one->entered, BW_K_IRQFD, thread, one->irqfd.gsi, one->resamplefd, how | (u8)one->irqfd.flags << 8,
                 ids);
        else
            tell_routes(one, thread, how);
    }
    bpf_map_delete_elem(&wirings, &thread);
    return 0;
}

/* -- system calls ---------------------------------------------------------------------------------------------------- */

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
    u64 identity = bpf_get_current_pid_tgid();
    u32 thread = (u32)identity;
    if (!is_watched((u32)(identity >> 32), thread))
        return 0;
    if (settings.exits && ctx->args[1] == CALL_IOCTL && is_run((void *)ctx->args[0]))
        tell(0, BW_K_RUN_ENTERED, thread, 0, 0, 0, 0);
    if (!can_signal(ctx->args[1], (void *)ctx->args[0]))
        return 0;
    struct call call = {bpf_ktime_get_ns(), (u32)ctx->args[1], 0};
    if (settings.exits && ctx->args[1] == CALL_IOCTL)
        note_wiring((void *)ctx->args[0], thread, call.entered);
    bpf_map_update_elem(&calls, &thread, &call, BPF_ANY);
    return 0;
}

SEC("raw_tp/sys_exit")
int on_leave(struct bpf_raw_tracepoint_args *ctx)
{
    (void)ctx;
    u32 thread = current_thread();
    struct call *call = bpf_map_lookup_elem(&calls, &thread);
    if (!call)
        return 0;
    if (call->signals)
        tell(0, BW_K_WRITTEN, thread, call->number, 0, 0, 0);
    bpf_map_delete_elem(&calls, &thread);
    return 0;
}

/* -- once for each process that is asked for ----------------------------------------------------------------------- */

struct each_task {
    void *meta;
    void *task;
};

SEC("iter/task")
int note_space(struct each_task *ctx)
{
    void *task = ctx->task;
    if (!task)
        return 0;
    u32 process = read4(task, settings.task_tgid), one = 1;
    u64 space = read8(task, settings.task_mm);
    if (space && bpf_map_lookup_elem(&processes, &process))
        bpf_map_update_elem(&spaces, &space, &one, BPF_ANY);
    return 0;
}
