/* A vCPU and its thread.
 *
 * The thread calls KVM_RUN until it is stopped or the guest ends. It serves two kinds of exit: a write to the doorbell's
 * address, which it relays to the doorbell's eventfd (what a VMM does where KVM has no ioeventfd for it), and a write to
 * the exit port. Stopping is free of races: immediate_exit makes the next KVM_RUN return at once, the signal ends the
 * one under way. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "ring.h"
#include "thread.h"

struct bw_vcpu {
    int fd;
    struct kvm_run *run;
    size_t run_size;
    int kvm;
    char *memory;
    struct bw_ring *ring; /* NULL: no events */
    pthread_t thread;
    int joined;
    int doorbell_bus, doorbell_eventfd;
    uint64_t doorbell_address;
    _Atomic int state, stop, verdict;
    _Atomic uint64_t detail, relayed, exits[BW_EXIT_REASONS];
};

struct bw_vcpu *bw_vcpu_new(int vm, int kvm, uint32_t id, void *memory, struct bw_ring *ring, int *error)
{
    struct bw_vcpu *vcpu = calloc(1, sizeof *vcpu);
    if (!vcpu) {
        *error = -ENOMEM;
        return NULL;
    }
    *vcpu = (struct bw_vcpu){.kvm = kvm, .memory = memory, .ring = ring, .joined = 1, .doorbell_eventfd = -1};
    vcpu->run = MAP_FAILED;
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    vcpu->run_size = size > 0 ? (size_t)size : 0;
    vcpu->fd = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id);
    if (vcpu->fd >= 0)
        vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->fd < 0 || vcpu->run == MAP_FAILED) {
        *error = -errno;
        if (vcpu->fd >= 0)
            close(vcpu->fd);
        free(vcpu);
        return NULL;
    }
    return vcpu;
}

int bw_vcpu_fd(const struct bw_vcpu *vcpu)
{
    return vcpu->fd;
}

#define MOST_CPUID_ENTRIES 256
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID_1_ECX_X2APIC (1u << 21)

/* All that KVM supports, and the timer that KVM emulates but leaves to user space to announce (api.rst, 4.46). */
static int set_cpuid(struct bw_vcpu *vcpu)
{
    size_t size = sizeof(struct kvm_cpuid2) + MOST_CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2);
    struct kvm_cpuid2 *cpuid = calloc(1, size);
    if (!cpuid)
        return -ENOMEM;
    cpuid->nent = MOST_CPUID_ENTRIES;
    int result = ioctl(vcpu->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0 ? -errno : 0;
    for (uint32_t i = 0; result == 0 && i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 1)
            cpuid->entries[i].ecx |= CPUID_1_ECX_TSC_DEADLINE | CPUID_1_ECX_X2APIC;
    if (result == 0 && ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
        result = -errno;
    free(cpuid);
    return result;
}

/* 64-bit mode at once, paging on (Intel SDM vol. 3, 10.8.5). */
static int set_long_mode(struct bw_vcpu *vcpu, uint64_t cr3)
{
    struct kvm_sregs sregs;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return -errno;
    struct kvm_segment code = {.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .l = 1, .s = 1, .g = 1};
    struct kvm_segment data = {.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.gdt.base = BW_GDT;
    sregs.gdt.limit = 3 * 8 - 1;
    sregs.cr0 = 0x80000031; /* paging, numeric error, extension type, protected mode */
    sregs.cr3 = cr3;
    sregs.cr4 = 0x20;   /* physical address extension */
    sregs.efer = 0x500; /* long mode enabled and active */
    return ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

/* The TSC of the guest is the host's: offset 0 (devices/vcpu.rst, KVM_VCPU_TSC_CTRL). Kernels or back ends without the
 * attribute start near 0 by themselves; engine/vm.py reads back what holds. */
static void clear_tsc_offset(struct bw_vcpu *vcpu)
{
    uint64_t offset = 0;
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)&offset};
    (void)ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attribute);
}

int bw_vcpu_tsc_offset(struct bw_vcpu *vcpu, int64_t *offset)
{
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)offset};
    return ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attribute) < 0 ? -errno : 0;
}

int bw_vcpu_tsc_khz(struct bw_vcpu *vcpu)
{
    int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
    return khz < 0 ? -errno : khz;
}

int bw_vcpu_prepare(struct bw_vcpu *vcpu, uint64_t entry, uint64_t cr3)
{
    int result = set_cpuid(vcpu);
    if (result == 0)
        result = set_long_mode(vcpu, cr3);
    if (result < 0)
        return result;
    clear_tsc_offset(vcpu);
    struct kvm_regs regs = {.rip = entry, .rflags = 2, .rsp = BW_STACK_TOP};
    return ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0 ? -errno : 0;
}

void bw_vcpu_set_doorbell(struct bw_vcpu *vcpu, int bus, uint64_t address, int eventfd)
{
    vcpu->doorbell_bus = bus;
    vcpu->doorbell_address = address;
    vcpu->doorbell_eventfd = eventfd;
}

static void end(struct bw_vcpu *vcpu, int verdict, uint64_t detail)
{
    atomic_store(&vcpu->detail, detail);
    atomic_store(&vcpu->verdict, verdict);
}

/* A relayed doorbell's number: the guest publishes a doorbell after its store, so this one is the next. A label only. */
static uint64_t next_doorbell(const struct bw_vcpu *vcpu)
{
    return *(const volatile uint64_t *)(vcpu->memory + BW_STATUS + BW_ST_RUNG) + 1;
}

static void relay(struct bw_vcpu *vcpu, uint64_t count)
{
    if (write(vcpu->doorbell_eventfd, &count, sizeof count) == sizeof count)
        atomic_fetch_add(&vcpu->relayed, count);
}

static int is_doorbell(const struct bw_vcpu *vcpu, int bus, uint64_t address, int is_write)
{
    return is_write && vcpu->doorbell_eventfd >= 0 && bus == vcpu->doorbell_bus && address == vcpu->doorbell_address;
}

static void emit_exit(struct bw_vcpu *vcpu, uint64_t tsc, uint64_t seq, uint64_t address)
{
    if (vcpu->ring)
        bw_emit(vcpu->ring, tsc, BW_EXIT, BW_LANE_VCPU, vcpu->run->exit_reason, seq, address);
}

static void serve_io(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct kvm_run *run = vcpu->run;
    int out = run->io.direction == KVM_EXIT_IO_OUT;
    int doorbell = is_doorbell(vcpu, BW_BUS_PIO, run->io.port, out);
    emit_exit(vcpu, tsc, doorbell ? next_doorbell(vcpu) : 0, run->io.port);
    if (doorbell)
        relay(vcpu, run->io.count);
    else if (out && run->io.port == BW_PORT_EXIT)
        end(vcpu, BW_VERDICT_GUEST, *(uint32_t *)((char *)run + run->io.data_offset));
    else if (!out)
        memset((char *)run + run->io.data_offset, 0xff, (size_t)run->io.size * run->io.count);
}

static void serve_mmio(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct kvm_run *run = vcpu->run;
    int doorbell = is_doorbell(vcpu, BW_BUS_MMIO, run->mmio.phys_addr, run->mmio.is_write);
    emit_exit(vcpu, tsc, doorbell ? next_doorbell(vcpu) : 0, run->mmio.phys_addr);
    if (doorbell)
        relay(vcpu, 1);
    else if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, sizeof run->mmio.data);
}

static void serve(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct kvm_run *run = vcpu->run;
    uint32_t reason = run->exit_reason;
    atomic_fetch_add(&vcpu->exits[reason < BW_EXIT_REASONS ? reason : 0], 1);
    if (reason == KVM_EXIT_IO)
        serve_io(vcpu, tsc);
    else if (reason == KVM_EXIT_MMIO)
        serve_mmio(vcpu, tsc);
    else
        emit_exit(vcpu, tsc, 0, 0);
    if (reason == KVM_EXIT_SHUTDOWN)
        end(vcpu, BW_VERDICT_SHUTDOWN, 0);
    else if (reason == KVM_EXIT_INTERNAL_ERROR)
        end(vcpu, BW_VERDICT_INTERNAL, run->internal.suberror);
    else if (reason == KVM_EXIT_FAIL_ENTRY)
        end(vcpu, BW_VERDICT_ENTRY, run->fail_entry.hardware_entry_failure_reason);
    else if (reason != KVM_EXIT_IO && reason != KVM_EXIT_MMIO && reason != KVM_EXIT_INTR &&
             reason != KVM_EXIT_IRQ_WINDOW_OPEN)
        end(vcpu, BW_VERDICT_UNKNOWN, reason);
}

static void *vcpu_body(void *argument)
{
    struct bw_vcpu *vcpu = argument;
    while (!atomic_load(&vcpu->verdict)) {
        int result = ioctl(vcpu->fd, KVM_RUN, 0);
        uint64_t tsc = bw_tsc();
        if (result < 0 && (errno == EINTR || errno == EAGAIN))
            vcpu->run->exit_reason = KVM_EXIT_INTR;
        else if (result < 0) {
            end(vcpu, BW_VERDICT_RUN, (uint64_t)errno);
            break;
        }
        serve(vcpu, tsc);
        if (atomic_load(&vcpu->stop)) {
            int none = BW_VERDICT_NONE;
            atomic_compare_exchange_strong(&vcpu->verdict, &none, BW_VERDICT_STOPPED);
        } else if (vcpu->ring && !atomic_load(&vcpu->verdict))
            bw_emit(vcpu->ring, bw_tsc(), BW_ENTRY, BW_LANE_VCPU, vcpu->run->exit_reason, 0, 0);
    }
    atomic_store(&vcpu->state, BW_VCPU_ENDED);
    return NULL;
}

int bw_vcpu_start(struct bw_vcpu *vcpu, int cpu)
{
    atomic_store(&vcpu->state, BW_VCPU_RUNNING);
    int result = bw_thread_start(&vcpu->thread, vcpu_body, vcpu, cpu, "vcpu");
    if (result < 0)
        atomic_store(&vcpu->state, BW_VCPU_CREATED);
    else
        vcpu->joined = 0;
    return result;
}

void bw_vcpu_stop(struct bw_vcpu *vcpu)
{
    if (vcpu->joined)
        return;
    atomic_store(&vcpu->stop, 1);
    vcpu->run->immediate_exit = 1;
    atomic_thread_fence(memory_order_seq_cst);
    pthread_kill(vcpu->thread, BW_KICK_SIGNAL);
}

int bw_vcpu_join(struct bw_vcpu *vcpu, uint32_t milliseconds)
{
    if (vcpu->joined)
        return 0;
    int result = bw_thread_join(vcpu->thread, milliseconds);
    if (result == 0)
        vcpu->joined = 1;
    return result;
}

int bw_vcpu_state(const struct bw_vcpu *vcpu)
{
    return atomic_load(&vcpu->state);
}

int bw_vcpu_verdict(const struct bw_vcpu *vcpu, uint64_t *detail)
{
    int verdict = atomic_load(&vcpu->verdict);
    *detail = atomic_load(&vcpu->detail);
    return verdict;
}

uint64_t bw_vcpu_exits(const struct bw_vcpu *vcpu, uint32_t reason)
{
    return reason < BW_EXIT_REASONS ? atomic_load(&vcpu->exits[reason]) : 0;
}

uint64_t bw_vcpu_relayed(const struct bw_vcpu *vcpu)
{
    return atomic_load(&vcpu->relayed);
}

int bw_vcpu_free(struct bw_vcpu *vcpu)
{
    if (!vcpu->joined)
        return -EBUSY;
    munmap(vcpu->run, vcpu->run_size);
    close(vcpu->fd);
    free(vcpu);
    return 0;
}
