/* A vCPU and its thread.
 *
 * The thread calls KVM_RUN until it is stopped or the guest ends. It serves two kinds of exit: a write to the doorbell's
 * address, which it relays to the doorbell's eventfd (what a VMM does where KVM has no ioeventfd for it), and a write to
 * the exit port. A device that holds its line until it is acknowledged, and coalesced writes, are served beside.
 *
 * Stopping is free of races: immediate_exit makes the next KVM_RUN return at once, the signal ends the one under way. */
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

struct doorbell {
    int bus, eventfd;
    uint64_t address;
    int64_t value; /* -1: any */
};

struct bw_vcpu {
    int fd;
    uint32_t id;
    struct kvm_run *run;
    size_t run_size;
    int kvm;
    char *memory;
    struct bw_ring *ring; /* NULL: no events */
    pthread_t thread;
    _Atomic int32_t thread_id; /* the kernel's number of it; 0: it has not run yet */
    int joined;
    struct doorbell doorbells[BW_QUEUES_MAX];
    uint32_t doorbell_count;
    struct bw_coalesced *coalesced; /* NULL: none */
    int ack_vm, ack_eventfd;        /* -1: no such port */
    uint32_t ack_gsi, acknowledged;
    uint64_t fetched; /* doorbells out of KVM's ring of coalesced writes */
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
    *vcpu = (struct bw_vcpu){.id = id, .kvm = kvm, .memory = memory, .ring = ring, .joined = 1, .ack_eventfd = -1};
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
#define MSR_TSC 0x10
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

/* The TSC of the guest is the host's: offset 0 (devices/vcpu.rst, KVM_VCPU_TSC_CTRL). Kernels before 5.16 have no such
 * attribute, and start the guest's TSC at 0: there it is set to the host's, which it then trails by the time that takes.
 * What holds in the end is measured, engine/folds/clock_error.py. */
static void clear_tsc_offset(struct bw_vcpu *vcpu)
{
    uint64_t offset = 0;
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)&offset};
    if (ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attribute) == 0)
        return;
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry tsc;
    } msrs = {.head.nmsrs = 1, .tsc = {.index = MSR_TSC, .data = bw_tsc()}};
    (void)ioctl(vcpu->fd, KVM_SET_MSRS, &msrs);
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
    struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE}; /* others than the first wait for a SIPI else */
    if (vcpu->id && ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) < 0)
        return -errno;
    struct kvm_regs regs = {.rip = entry, .rflags = 2, .rsp = BW_STACK_TOP};
    return ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0 ? -errno : 0;
}

int bw_vcpu_add_doorbell(struct bw_vcpu *vcpu, int bus, uint64_t address, int64_t value, int eventfd)
{
    if (vcpu->doorbell_count == BW_QUEUES_MAX)
        return -ENOSPC;
    vcpu->doorbells[vcpu->doorbell_count++] = (struct doorbell){bus, eventfd, address, value};
    return 0;
}

void bw_vcpu_set_coalesced(struct bw_vcpu *vcpu, struct bw_coalesced *ring)
{
    vcpu->coalesced = ring;
}

void bw_vcpu_set_ack(struct bw_vcpu *vcpu, int vm, uint32_t gsi, int eventfd)
{
    vcpu->ack_vm = vm;
    vcpu->ack_gsi = gsi;
    vcpu->ack_eventfd = eventfd;
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

static void relay(struct bw_vcpu *vcpu, const struct doorbell *doorbell, uint64_t count)
{
    if (write(doorbell->eventfd, &count, sizeof count) == sizeof count)
        atomic_fetch_add(&vcpu->relayed, count);
}

/* The doorbell that a write rings. -> NULL: none */
static const struct doorbell *doorbell_at(const struct bw_vcpu *vcpu, int bus, uint64_t address, const void *data,
                                          uint32_t length)
{
    uint64_t value = 0;
    memcpy(&value, data, length < sizeof value ? length : sizeof value);
    for (uint32_t i = 0; i < vcpu->doorbell_count; i++) {
        const struct doorbell *doorbell = &vcpu->doorbells[i];
        if (doorbell->bus == bus && doorbell->address == address &&
            (doorbell->value < 0 || (uint64_t)doorbell->value == value))
            return doorbell;
    }
    return NULL;
}

static void relay_each(struct bw_vcpu *vcpu, const uint64_t *counts)
{
    for (uint32_t i = 0; i < vcpu->doorbell_count; i++)
        if (counts[i])
            relay(vcpu, &vcpu->doorbells[i], counts[i]);
}

/* Before the eventfds are written: nobody has read a doorbell at an earlier time. */
static void emit_fetches(struct bw_vcpu *vcpu, uint64_t tsc, const uint64_t *counts)
{
    for (uint32_t i = 0; i < vcpu->doorbell_count; i++)
        if (counts[i] && vcpu->ring) {
            vcpu->fetched += counts[i];
            bw_emit(vcpu->ring, tsc, BW_FETCH, BW_LANE_VCPU, (uint32_t)vcpu->doorbells[i].address, vcpu->fetched, counts[i]);
        }
}

/* Takes what has been written to coalesced zones; many writes of one doorbell are one signal with their count. */
static void relay_coalesced(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct bw_coalesced_write writes[64];
    uint64_t counts[BW_QUEUES_MAX] = {0};
    uint32_t taken;
    while ((taken = bw_coalesced_take(vcpu->coalesced, writes, 64)))
        for (uint32_t i = 0; i < taken; i++) {
            const struct bw_coalesced_write *write = &writes[i];
            const struct doorbell *doorbell = doorbell_at(vcpu, write->pio ? BW_BUS_PIO : BW_BUS_MMIO, write->address,
                                                          &write->value, write->length);
            if (doorbell)
                counts[doorbell - vcpu->doorbells]++;
        }
    emit_fetches(vcpu, tsc, counts);
    relay_each(vcpu, counts);
}

/* The guest has seen the device's interrupt `number`, or, if the line was still high when it ended it, sees it again. */
static void acknowledge(struct bw_vcpu *vcpu, uint32_t number)
{
    static const uint64_t one = 1;
    bw_irq_line(vcpu->ack_vm, vcpu->ack_gsi, 0);
    if (number != vcpu->acknowledged)
        (void)!write(vcpu->ack_eventfd, &one, sizeof one);
    vcpu->acknowledged = number;
}

static void emit_exit(struct bw_vcpu *vcpu, uint64_t tsc, uint64_t seq, uint64_t address)
{
    if (vcpu->ring)
        bw_emit(vcpu->ring, tsc, BW_EXIT, BW_LANE_VCPU, vcpu->run->exit_reason, seq, address);
}

/* What the exit that was served wrote: its first element, and how many bytes that has. -> 0 bytes: it was no write */
static uint32_t written(const struct bw_vcpu *vcpu, uint64_t *value)
{
    const struct kvm_run *run = vcpu->run;
    int io = run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT;
    int mmio = run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write;
    const void *data = io ? (const char *)run + run->io.data_offset : (const char *)run->mmio.data;
    uint32_t length = io ? run->io.size : mmio ? run->mmio.len : 0;
    memcpy(value, data, length < sizeof *value ? length : sizeof *value);
    return length;
}

/* An instruction with a rep prefix may come as one exit (VMX, SVM): each of its elements rings for itself, or does not.
 * -> how many rang; those of each doorbell in counts */
static uint64_t rung_by(const struct bw_vcpu *vcpu, uint64_t *counts)
{
    const struct kvm_run *run = vcpu->run;
    const char *data = (const char *)run + run->io.data_offset;
    uint64_t rung = 0;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        const struct doorbell *doorbell = doorbell_at(vcpu, BW_BUS_PIO, run->io.port, data, run->io.size);
        if (!doorbell)
            continue;
        counts[doorbell - vcpu->doorbells]++;
        rung++;
    }
    return rung;
}

static void serve_io(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct kvm_run *run = vcpu->run;
    int out = run->io.direction == KVM_EXIT_IO_OUT;
    uint64_t counts[BW_QUEUES_MAX] = {0}, rung = out ? rung_by(vcpu, counts) : 0, value = 0;
    written(vcpu, &value);
    emit_exit(vcpu, tsc, rung ? next_doorbell(vcpu) : 0, run->io.port);
    relay_each(vcpu, counts);
    if (out && run->io.port == BW_PORT_EXIT)
        end(vcpu, BW_VERDICT_GUEST, value);
    else if (out && run->io.port == BW_PORT_ACK && vcpu->ack_eventfd >= 0)
        acknowledge(vcpu, (uint32_t)value);
    else if (!out)
        memset((char *)run + run->io.data_offset, 0xff, (size_t)run->io.size * run->io.count);
}

static void serve_mmio(struct bw_vcpu *vcpu, uint64_t tsc)
{
    struct kvm_run *run = vcpu->run;
    const struct doorbell *doorbell =
        run->mmio.is_write ? doorbell_at(vcpu, BW_BUS_MMIO, run->mmio.phys_addr, run->mmio.data, run->mmio.len) : NULL;
    emit_exit(vcpu, tsc, doorbell ? next_doorbell(vcpu) : 0, run->mmio.phys_addr);
    if (doorbell)
        relay(vcpu, doorbell, 1);
    else if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, sizeof run->mmio.data);
}

static void emit_entry(const struct bw_vcpu *vcpu)
{
    uint64_t value = 0;
    uint32_t length = written(vcpu, &value);
    bw_emit(vcpu->ring, bw_tsc(), BW_ENTRY, BW_LANE_VCPU, vcpu->run->exit_reason, length, value);
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
    atomic_store(&vcpu->thread_id, gettid());
    while (!atomic_load(&vcpu->verdict)) {
        int result = ioctl(vcpu->fd, KVM_RUN, 0);
        uint64_t tsc = bw_tsc();
        if (result < 0 && (errno == EINTR || errno == EAGAIN))
            vcpu->run->exit_reason = KVM_EXIT_INTR;
        else if (result < 0) {
            end(vcpu, BW_VERDICT_RUN, (uint64_t)errno);
            break;
        }
        if (vcpu->coalesced)
            relay_coalesced(vcpu, tsc); /* first: they are older than the exit */
        serve(vcpu, tsc);
        if (atomic_load(&vcpu->stop)) {
            int none = BW_VERDICT_NONE;
            atomic_compare_exchange_strong(&vcpu->verdict, &none, BW_VERDICT_STOPPED);
        } else if (vcpu->ring && !atomic_load(&vcpu->verdict))
            emit_entry(vcpu);
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

int bw_vcpu_thread_id(const struct bw_vcpu *vcpu)
{
    return atomic_load(&vcpu->thread_id);
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

void bw_vcpu_kick(struct bw_vcpu *vcpu)
{
    if (!vcpu->joined)
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

_Static_assert(sizeof(((struct kvm_run *)0)->emulation_failure.insn_bytes) == BW_INSTRUCTION_MAX, "what KVM tells of one");

uint32_t bw_vcpu_instruction(const struct bw_vcpu *vcpu, uint8_t *bytes)
{
    const struct kvm_run *run = vcpu->run;
    if (bw_vcpu_state(vcpu) != BW_VCPU_ENDED || run->exit_reason != KVM_EXIT_INTERNAL_ERROR ||
        run->emulation_failure.suberror != KVM_INTERNAL_ERROR_EMULATION || !run->emulation_failure.ndata ||
        !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
        return 0;
    uint32_t size = run->emulation_failure.insn_size;
    size = size < BW_INSTRUCTION_MAX ? size : BW_INSTRUCTION_MAX;
    memcpy(bytes, run->emulation_failure.insn_bytes, size);
    return size;
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
