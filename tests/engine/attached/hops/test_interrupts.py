"""Interrupts by vector: who signals them, for whom they are, and after how long they are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bellwire.engine.attached.hops.interrupts import (
    CALL_IOCTL,
    CALL_WRITE,
    NOT_TOLD,
    InterruptFold,
    InterruptKey,
    Sender,
    SignalledBy,
    raised_elsewhere,
)
from bellwire.engine.attached.hops.places import HopThreads
from bellwire.engine.attached.topology import SeenIoeventfd, Topology
from bellwire.engine.events import Records
from bellwire.engine.kvm.ioeventfd import IoMatch
from tests.support.kernel_records import (
    CLOCK,
    MESSAGE,
    READER,
    STORE,
    VCPU,
    VECTOR,
    WORKER,
    K,
    looked_at,
    message,
    records,
    row,
    store,
)
from tests.support.seen_vmms import SEEN, VM, VMM

KEY = InterruptKey(11, VECTOR, 0)
PEER = 900  # a vCPU's thread of another VMM, which holds one of the eventfds


def proc(folder: Path) -> HopThreads:
    """Threads of the VMM, and of the process 90 that holds one of its eventfds."""
    for pid, tid in ((VMM.pid, VCPU), (VMM.pid, READER), (90, PEER)):
        task = folder / "proc" / str(pid) / "task" / str(tid)
        task.mkdir(parents=True)
        (task / "comm").write_text("thread\n")
    return HopThreads(folder)


def folded(folder: Path, batch: Records, topology: Topology = SEEN, host_ends: bool = True) -> InterruptFold:
    """One batch."""
    fold = InterruptFold(CLOCK, proc(folder), host_ends)
    fold.feed(*looked_at(batch, topology))
    return fold


def test_a_message_is_of_who_called_and_taken_once_it_is_injected(tmp_path: Path) -> None:
    fold = folded(
        tmp_path,
        records(
            row(100, K.WRITE, READER, CALL_WRITE),
            message(200, READER),
            row(210, K.ACCEPTED, READER, VECTOR, 0),
            row(250, K.WRITE, READER, CALL_IOCTL),
            message(300, READER),  # before the first one is taken: merged
            row(310, K.ACCEPTED, READER, VECTOR, 0),
            row(900, K.EOI, VCPU, VECTOR, 0),
            row(950, K.EOI, VCPU, NOT_TOLD, 0),  # the guest's own
        ),
    )
    assert (fold.sent, fold.taken) == ({KEY: 2}, {KEY: 1})
    assert fold.senders == {
        (KEY, Sender(READER, SignalledBy.WRITE)): 1,
        (KEY, Sender(READER, SignalledBy.IOCTL)): 1,
    }
    assert (fold.latencies[KEY].count, fold.latencies[KEY].max) == (1, 700)


def test_elsewhere_it_is_taken_when_it_is_injected(tmp_path: Path) -> None:
    batch = records(message(200, READER), row(500, K.INJECTED, VCPU, VECTOR), row(700, K.EOI, VCPU, VECTOR, 0))
    fold = folded(tmp_path, batch, host_ends=False)
    assert (fold.taken[KEY], fold.latencies[KEY].max) == (1, 300)


def test_what_is_injected_once_more_was_taken_once(tmp_path: Path) -> None:
    again = records(message(200, READER), row(500, K.INJECTED, VCPU, VECTOR), row(600, K.INJECTED, VCPU, VECTOR))
    fold = folded(tmp_path, again, host_ends=False)
    assert (fold.taken[KEY], fold.latencies[KEY].count) == (1, 1)


def test_a_line_is_of_who_has_queued_the_work_that_changes_it(tmp_path: Path) -> None:
    fold = folded(
        tmp_path,
        records(
            row(100, K.WRITE, READER, CALL_WRITE),
            row(110, K.WORK_QUEUED, READER, 5, 77),
            row(200, K.WORK_STARTED, WORKER, 5, 77),
            row(210, K.SET_IRQ, WORKER, 5, 1),
            row(220, K.ACCEPTED, WORKER, 0x41, 0),
        ),
    )
    assert fold.senders == {(InterruptKey(11, 0x41, 0), Sender(READER, SignalledBy.WRITE)): 1}


def test_what_nobody_has_signalled_is_the_vcpu_s_own(tmp_path: Path) -> None:
    fold = folded(tmp_path, records(row(100, K.WOKEN, VCPU, 1, 1), row(110, K.ACCEPTED, VCPU, 0x20, 0)))
    assert fold.senders == {(InterruptKey(11, 0x20, 0), Sender(0, SignalledBy.ITSELF)): 1}


def test_a_doorbell_that_is_another_vmm_s_interrupt_is_not_this_one_s(tmp_path: Path) -> None:
    fold = folded(tmp_path, records(store(100), message(105, VCPU)))
    assert not fold.sent
    assert list(fold.direct.values()) == [1]


def test_a_doorbell_may_be_the_own_guest_s_interrupt(tmp_path: Path) -> None:
    doorbell = SeenIoeventfd(IoMatch("mmio", STORE, 0), VM.irqfds[0].eventfd)
    own = replace(SEEN, vms=(replace(VM, ioeventfds=(doorbell,)),))
    fold = folded(tmp_path, records(store(100), message(105, VCPU)), own)
    assert fold.senders == {(KEY, Sender(VCPU, SignalledBy.DOORBELL)): 1}


def test_another_vmm_s_own_messages_are_not_this_one_s_but_its_doorbells_are(tmp_path: Path) -> None:
    fold = folded(
        tmp_path,
        records(
            row(100, K.MMIO, PEER, 0xFE00000C, 0, 4, 2),
            message(105, PEER),
            row(200, K.WRITE, PEER, CALL_IOCTL),
            row(210, K.MSI, PEER, MESSAGE, VECTOR),
        ),
    )
    assert fold.senders == {(KEY, Sender(PEER, SignalledBy.DOORBELL)): 1}


def test_what_another_vmms_vcpu_raises_by_itself_is_its_own_guests(tmp_path: Path) -> None:
    """Its timer, in most of 7,400 interrupts, was told as taken in by this VMM's vCPU, which had 29."""
    batch = records(
        row(100, K.EOI, PEER, VECTOR, 0),  # only a vCPU does that
        row(200, K.ACCEPTED, PEER, VECTOR, 0),
        row(300, K.ACCEPTED, VCPU, VECTOR, 0),
        message(400, PEER),  # by an eventfd of this VMM's
        row(410, K.ACCEPTED, PEER, VECTOR, 0),
        row(500, K.SET_IRQ, PEER, 4, 1),
        row(510, K.ACCEPTED, PEER, VECTOR + 1, 0),
    )
    fold = folded(tmp_path, batch)
    assert fold.senders[KEY, Sender(0, SignalledBy.ITSELF)] == 1
    assert fold.sent[InterruptKey(11, VECTOR + 1, 0)] == 0
    rows, _, _ = looked_at(batch, SEEN)
    assert raised_elsewhere(rows, {PEER}).tolist() == [False, True, False, False, False, True, True]
    assert not raised_elsewhere(rows, set()).any()
