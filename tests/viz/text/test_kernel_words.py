"""What the kernel's tracepoints tell, in words: who, where, and for which signal."""

from __future__ import annotations

import pytest

from bellwire.engine.events import ROLE_BITS, EventKind, Lane, ThreadRole, event
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.text.event_words import Wording
from bellwire.viz.text.kernel_words import KERNEL_KINDS, thread_name

WORDING = Wording(load_scenario("roundtrip"))


def said(kind: EventKind, id: int = 0, seq: int = 0, arg: int = 0) -> str:
    """The sentence of such an event."""
    return WORDING.text(event(1, kind, Lane.KVM, id, seq, arg)[0])


@pytest.mark.parametrize(
    ("kind", "id", "seq", "arg", "sentence"),
    [
        (EventKind.PIO, 0x510, 7, 1, "kvm_pio: OUT 0x510 has reached KVM: doorbell #7"),
        (EventKind.PIO, 0x70, 0, 1, "kvm_pio: OUT 0x70 has reached KVM"),
        (
            EventKind.WAKING,
            ThreadRole.IO_THREAD,
            7,
            1,
            "sched_waking: the I/O thread is to run again, says CPU 1: doorbell #7",
        ),
        (EventKind.RUNS, ThreadRole.VCPU, 3, 0, "sched_switch: the vCPU's thread has CPU 0: interrupt #3"),
        (EventKind.RUNS, ThreadRole.OTHER + (4711 << ROLE_BITS), 0, 0, "sched_switch: thread 4711 has CPU 0"),
        (EventKind.MSI, 0x40, 3, 0, "kvm_msi_set_irq: a message with vector 0x40: interrupt #3"),
        (
            EventKind.WORK_STARTED,
            5,
            9,
            4,
            "workqueue_execute_start: a worker injects GSI 5, for 4 signals at once: interrupt #9",
        ),
        (EventKind.SET_IRQ, 5, 9, 0, "kvm_set_irq: the line of GSI 5 goes low: interrupt #9"),
        (EventKind.INJECTED, 0x41, 9, 3, "vector 0x41 is injected, for 3 that the APIC had merged: interrupt #9"),
        (EventKind.WOKEN, 0, 0, 900, "kvm_vcpu_wakeup: the halted vCPU goes on, KVM had polled 900 ns"),
        (EventKind.USER_EXIT, 2, 7, 0, "kvm_userspace_exit: KVM_RUN is about to return, KVM_EXIT_IO: doorbell #7"),
        (EventKind.USER_EXIT, 0, 0, 4, "kvm_userspace_exit: KVM_RUN is about to return, EINTR"),
        (EventKind.GUEST_EOI, 0, 0, 0, "kvm_eoi: the guest has ended an interrupt"),
        (EventKind.IOEVENTFD_WRITE, 0x510, 7, 1, "ioeventfd_write: an ioeventfd at 0x510 is asked: doorbell #7"),
        (EventKind.EVENTFD_SIGNAL, 0, 7, 31, "eventfd_signal_mask: the ioeventfd signals eventfd 31: doorbell #7"),
        (
            EventKind.EVENTFD_SIGNAL,
            1,
            9,
            31,
            "eventfd_signal_mask: the resamplefd, eventfd 31, is signalled: interrupt #9",
        ),
        (EventKind.EVENTFD_SIGNAL, 2, 0, 31, "eventfd_signal_mask: the kernel signals eventfd 31"),
        (EventKind.IRQFD_WAKEUP, 24, 3, 8, "irqfd_wakeup: the irqfd of GSI 24 is called, by eventfd 8: interrupt #3"),
        (EventKind.IRQFD_INJECT, 5, 9, 0, "irqfd_inject: the worker raises the line of GSI 5: interrupt #9"),
        (
            EventKind.RESAMPLER_ACK,
            5,
            9,
            0,
            "irqfd_resampler_ack: the guest has ended it, and KVM lowers the line of GSI 5: interrupt #9",
        ),
    ],
)
def test_what_a_tracepoint_tells(kind: EventKind, id: int, seq: int, arg: int, sentence: str) -> None:
    assert said(kind, id, seq, arg) == sentence


def test_every_kind_of_the_kernel_has_a_sentence_of_its_own() -> None:
    assert len({said(kind, 1, 1, 1) for kind in KERNEL_KINDS}) == len(KERNEL_KINDS)
    assert [kind for kind in EventKind if kind >= EventKind.PIO] == sorted(KERNEL_KINDS)


def test_a_thread_of_a_role_that_is_not_known_has_its_number() -> None:
    assert thread_name(9 + (12 << ROLE_BITS)) == "thread 12"
