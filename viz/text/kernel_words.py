"""What the kernel's own tracepoints tell, in words that begin with a tracepoint's name, so that it can be looked up."""

from __future__ import annotations

from bellwire.engine.events import ROLE_BITS, EventfdSignaller, EventKind, ThreadRole, full_exit_name
from bellwire.engine.language import tr, tr_later

SYSTEM_CALLS = {1: "write", 16: "ioctl", 20: "writev", 426: "io_uring_enter"}  # of x86-64, by their numbers
ROLE_NAMES = {
    ThreadRole.VCPU: tr_later("the vCPU's thread"),
    ThreadRole.IO_THREAD: tr_later("the I/O thread"),
    ThreadRole.WORKER: tr_later("a worker of the kernel"),
}
PLACES = {"seq": "{seq}", "arg": "{arg}", "hex": "{hex}"}  # of a form that each event fills in
ACCESSES = (EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO, EventKind.DEVICE_READ, EventKind.USER_EXIT)
THREADS = (EventKind.WAKING, EventKind.RUNS, EventKind.WRITE, EventKind.WRITTEN)
WORKS = (EventKind.MSI, EventKind.WORK_QUEUED, EventKind.WORK_STARTED, EventKind.SET_IRQ)
APICS = (EventKind.ACCEPTED, EventKind.INJECTED, EventKind.WOKEN, EventKind.GUEST_EOI)
FUNCTION_KINDS = (
    *(EventKind.IOEVENTFD_WRITE, EventKind.EVENTFD_SIGNAL, EventKind.IRQFD_WAKEUP, EventKind.IRQFD_INJECT),
    EventKind.RESAMPLER_ACK,
)
KERNEL_KINDS = frozenset((*ACCESSES, *THREADS, *WORKS, *APICS, *FUNCTION_KINDS))


def thread_name(id: int) -> str:
    """Who it is, by `id` of an event of the scheduler."""
    role, thread = id & (1 << ROLE_BITS) - 1, id >> ROLE_BITS
    known = ROLE_NAMES.get(ThreadRole(role)) if role in ThreadRole._value2member_map_ else None
    return tr(known) if known else tr("thread {number}", number=thread)


def kernel_form(kind: int, id: int, seq: int, arg: int) -> str:
    """The sentence, as Wording.form has it: of seq and arg it depends on what that may depend on."""
    if kind in ACCESSES:
        return for_doorbell(access_form(kind, id, arg), seq)
    if kind in THREADS:
        return thread_form(kind, id, seq)
    if kind in FUNCTION_KINDS:
        return (for_doorbell if is_of_doorbell(kind, id) else for_interrupt)(function_form(kind, id), seq)
    return for_interrupt(work_form(kind, id, arg) if kind in WORKS else apic_form(kind, id, arg), seq)


def for_doorbell(what: str, doorbell: int) -> str:
    """With the doorbell that it is of, if it is of one."""
    return tr("{what}: doorbell #{seq}", what=what, **PLACES) if doorbell else what


def for_interrupt(what: str, interrupt: int) -> str:
    """With the interrupt that it is of, if it is of one."""
    return tr("{what}: interrupt #{seq}", what=what, **PLACES) if interrupt else what


def access_form(kind: int, id: int, error: int) -> str:
    """A guest's access as KVM has it, and what becomes of it."""
    match kind:
        case EventKind.PIO:
            return tr("kvm_pio: OUT {address:#x} has reached KVM", address=id)
        case EventKind.MMIO:
            return tr("kvm_mmio: the store to {address:#x} has reached KVM", address=id)
        case EventKind.FAST_MMIO:
            return tr("kvm_fast_mmio: KVM has matched the store to {address:#x} by its address alone", address=id)
        case EventKind.DEVICE_READ:
            return tr("KVM has a read at {address:#x} before it", address=id)
        case _:
            return tr("kvm_userspace_exit: KVM_RUN is about to return, {reason}", reason=full_exit_name(id, error))


def thread_form(kind: int, id: int, seq: int) -> str:
    """What the scheduler does with a thread, and its system calls."""
    who, of_vcpu = thread_name(id), id & (1 << ROLE_BITS) - 1 == ThreadRole.VCPU
    match kind:
        case EventKind.WAKING:
            what = tr("sched_waking: {who} is to run again, says CPU {arg}", who=who, **PLACES)
        case EventKind.RUNS:
            what = tr("sched_switch: {who} has CPU {arg}", who=who, **PLACES)
        case EventKind.WRITE:
            return for_interrupt(tr("sys_enter: the call by which {who} signals is in the kernel", who=who), seq)
        case _:
            return for_interrupt(tr("sys_exit: the call by which {who} signals returns", who=who), seq)
    return for_interrupt(what, seq) if of_vcpu else for_doorbell(what, seq)


def work_form(kind: int, id: int, arg: int) -> str:
    """What KVM does with a signal on its way to the APIC."""
    match kind:
        case EventKind.MSI:
            return tr("kvm_msi_set_irq: a message with vector {vector:#x}", vector=id)
        case EventKind.WORK_QUEUED:
            return tr("workqueue_queue_work: irqfd_inject of GSI {gsi} waits for a worker", gsi=id)
        case EventKind.WORK_STARTED if arg > 1:
            return tr(
                "workqueue_execute_start: a worker injects GSI {gsi}, for {arg} signals at once", gsi=id, **PLACES
            )
        case EventKind.WORK_STARTED:
            return tr("workqueue_execute_start: a worker injects GSI {gsi}", gsi=id)
        case _ if arg:
            return tr("kvm_set_irq: the line of GSI {gsi} goes high", gsi=id)
        case _:
            return tr("kvm_set_irq: the line of GSI {gsi} goes low", gsi=id)


def is_of_doorbell(kind: int, id: int) -> bool:
    """Whether a function that is entered is on a doorbell's way, not on an interrupt's."""
    signals = (kind, id) == (EventKind.EVENTFD_SIGNAL, EventfdSignaller.IOEVENTFD)
    return kind == EventKind.IOEVENTFD_WRITE or signals


def function_form(kind: int, id: int) -> str:
    """A function of the kernel that is entered."""
    match kind:
        case EventKind.IOEVENTFD_WRITE:
            return tr("ioeventfd_write: an ioeventfd at {address:#x} is asked", address=id)
        case EventKind.EVENTFD_SIGNAL if id == EventfdSignaller.IOEVENTFD:
            return tr("eventfd_signal_mask: the ioeventfd signals eventfd {arg}", **PLACES)
        case EventKind.EVENTFD_SIGNAL if id == EventfdSignaller.RESAMPLER:
            return tr("eventfd_signal_mask: the resamplefd, eventfd {arg}, is signalled", **PLACES)
        case EventKind.EVENTFD_SIGNAL:
            return tr("eventfd_signal_mask: the kernel signals eventfd {arg}", **PLACES)
        case EventKind.IRQFD_WAKEUP:
            return tr("irqfd_wakeup: the irqfd of GSI {gsi} is called, by eventfd {arg}", gsi=id, **PLACES)
        case EventKind.IRQFD_INJECT:
            return tr("irqfd_inject: the worker raises the line of GSI {gsi}", gsi=id)
        case _:
            return tr("irqfd_resampler_ack: the guest has ended it, and KVM lowers the line of GSI {gsi}", gsi=id)


def apic_form(kind: int, id: int, arg: int) -> str:
    """What the local APIC and the vCPU make of it."""
    match kind:
        case EventKind.ACCEPTED:
            return tr("kvm_apic_accept_irq: the APIC holds vector {vector:#x}", vector=id)
        case EventKind.INJECTED if arg > 1:
            return tr("vector {vector:#x} is injected, for {arg} that the APIC had merged", vector=id, **PLACES)
        case EventKind.INJECTED:
            return tr("vector {vector:#x} is injected", vector=id)
        case EventKind.WOKEN:
            slept = tr("kvm_vcpu_wakeup: the halted vCPU goes on, after {arg} ns of sleep", **PLACES)
            return slept if id else tr("kvm_vcpu_wakeup: the halted vCPU goes on, KVM had polled {arg} ns", **PLACES)
        case _ if id:
            return tr("kvm_eoi: the guest has ended vector {vector:#x}", vector=id)
        case _:
            return tr("kvm_eoi: the guest has ended an interrupt")
