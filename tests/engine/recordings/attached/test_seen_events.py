"""Records of the kernel become events that say in which thread, where, and how many bytes; and only the VMM's own."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import Clock, EventKind, Events, Lane, Records, ThreadRole, event
from bellwire.engine.kernel.records import RecordKind, no_records
from bellwire.engine.recordings.attached.seen_events import (
    SeenEvents,
    SeenThreads,
    addresses_of,
    counters_told,
    lengths_of,
    threads_of,
    woken_by,
)
from bellwire.engine.recordings.attached.seen_json import HiddenNumbers
from bellwire.engine.recordings.batch import plausible
from tests.support.seen_recordings import FIRST, IO, VCPU, WORKER, counted, record, seen_records, seen_stream
from tests.support.seen_vmms import SEEN

K = RecordKind


def made(*records: Records, backend: str = "kvm_pvm", hide: bool = False) -> Events:
    """What becomes of them."""
    threads = SeenThreads()
    threads.take(SEEN)
    number = HiddenNumbers() if hide else int
    return SeenEvents(threads, Clock(1e9), backend, number).of(np.concatenate([no_records(), *records]))


def test_all_of_them_can_be_in_a_recording() -> None:
    assert plausible(seen_stream())
    assert made().size == 0


@pytest.mark.parametrize("address", [0x510, 0xFE003000, 0x38_0000_3000, (1 << 56) - 8])
def test_an_access_says_where_how_many_bytes_and_by_whom(address: int) -> None:
    some = made(record(FIRST, K.MMIO, VCPU, address, 0x1234, 4, 2))
    assert addresses_of(some).tolist() == [address]
    assert lengths_of(some).tolist() == [4]
    assert threads_of(some).tolist() == [VCPU]
    assert some["kind"].tolist() == [EventKind.MMIO]
    assert some["arg"].tolist() == [0x1234]
    assert plausible(some)


def test_reads_are_no_doorbells() -> None:
    some = made(record(FIRST, K.PIO, VCPU, 0x510, 0, 2, 0), record(FIRST + 1, K.MMIO, VCPU, 0xFE0, 0, 4, 1))
    assert set(some["kind"].tolist()) == {EventKind.DEVICE_READ}


def test_what_a_partners_own_guest_does_is_left_out_and_its_messages_are_not() -> None:
    some = made(
        record(FIRST, K.MMIO, 999, 0xFE003000, 0, 4, 2),
        record(FIRST + 1, K.USER_EXIT, 999, 5, 0),
        record(FIRST + 2, K.MSI, 999, 0xFEE00000, 0x41),
        record(FIRST + 3, K.ACCEPTED, 999, 0x41, 0),
        record(FIRST + 4, K.EOI, 999, 0x20, 0),
        record(FIRST + 5, K.ACCEPTED, 999, 0x20, 0),  # its own timer
        record(FIRST + 6, K.SET_IRQ, 999, 4, 1),
    )
    assert some["kind"].tolist() == [EventKind.MSI, EventKind.ACCEPTED]
    assert (some["id"].tolist(), threads_of(some).tolist()) == ([0x41, 0x41], [999, 999])


def test_a_message_that_a_doorbell_sends_to_another_vmms_guest_is_left_out() -> None:
    rung = (record(FIRST, K.FAST_MMIO, VCPU, 0xFE003000),)
    sent = (record(FIRST + 900, K.MSI, VCPU, 0xFEE00000, 0x40), record(FIRST + 950, K.ACCEPTED, VCPU, 0x40, 0))
    own = (record(FIRST + 5000, K.WRITE, IO, 1), record(FIRST + 5100, K.MSI, IO, 0xFEE00000, 0x40))
    assert made(*rung, *sent, *own)["kind"].tolist() == [EventKind.FAST_MMIO, EventKind.WRITE, EventKind.MSI]
    woken = record(
        FIRST + 970, K.WAKING, VCPU, 999
    )  # the other guest's vCPU: without its message it were the doorbell's
    assert made(*rung, *sent, woken, *own)["kind"].tolist() == [EventKind.FAST_MMIO, EventKind.WRITE, EventKind.MSI]
    late = record(FIRST + 10**6, K.MSI, VCPU, 0xFEE00000, 0x40)  # not by the doorbell
    assert made(*rung, late)["kind"].tolist() == [EventKind.FAST_MMIO, EventKind.MSI]


def test_who_is_woken_and_who_runs() -> None:
    some = made(
        record(FIRST, K.WAKING, VCPU, IO, cpu=3),
        record(FIRST + 1, K.RUNS, VCPU, cpu=2),
        record(FIRST + 2, K.WORK_STARTED, WORKER, 5, 0xFFFF),
        record(FIRST + 3, K.RUNS, WORKER),
    )
    waking, ran, _, worker = some
    assert woken_by(some[:2]).tolist() == [IO, VCPU]
    assert [int(one["id"]) & 0xF for one in (waking, ran, worker)] == [
        ThreadRole.OTHER,
        ThreadRole.VCPU,
        ThreadRole.WORKER,
    ]
    assert [int(one["arg"]) for one in (waking, ran)] == [3, 2]


def test_an_exit_ends_where_the_vcpu_goes_in_again() -> None:
    some = made(
        record(FIRST, K.RUN_ENTERED, VCPU),  # of an exit that nobody saw
        record(FIRST + 1, K.USER_EXIT, VCPU, 2, 0),
        record(FIRST + 9, K.RUN_ENTERED, VCPU),
        record(FIRST + 10, K.USER_EXIT, VCPU, 0, 2**32 - 4),  # -EINTR
    )
    assert some["kind"].tolist() == [EventKind.USER_EXIT, EventKind.ENTRY, EventKind.USER_EXIT]
    assert some["id"].tolist() == [2, 2, 0]
    assert some["lane"].tolist() == [Lane.KVM, Lane.VCPU, Lane.KVM]
    assert some["arg"].tolist() == [0, 0, 4]


@pytest.mark.parametrize(("backend", "kind"), [("kvm_pvm", EventKind.INJECTED), ("kvm_intel", EventKind.GUEST_EOI)])
def test_whose_eoi_it_is_depends_on_the_back_end(backend: str, kind: EventKind) -> None:
    some = made(record(FIRST, K.EOI, VCPU, 0x40, 0), backend=backend)
    assert (some["kind"].tolist(), some["id"].tolist()) == ([kind], [0x40])


def test_hidden_threads_are_nobodys_in_every_event() -> None:
    records = seen_records(20)
    shown, hidden = made(records), made(records, hide=True)
    real = {VCPU, IO, WORKER}
    assert shown.size == hidden.size
    assert not real & set(threads_of(hidden).tolist())
    scheduled = hidden[np.isin(hidden["kind"], (EventKind.WAKING, EventKind.RUNS))]
    assert not real & set(woken_by(scheduled).tolist())
    assert len(set(threads_of(hidden).tolist())) == len(set(threads_of(shown).tolist()))
    assert plausible(hidden)


def test_a_look_tells_every_counter_and_count() -> None:
    told = counters_told(FIRST, counted(3))
    stats, counts = (told[told["kind"] == kind] for kind in (EventKind.STAT, EventKind.COUNT))
    assert dict(zip(stats["id"].tolist(), stats["arg"].tolist(), strict=True)) == {0: 2800, 8: 1350}
    assert (counts["seq"].tolist(), counts["arg"].tolist()) == ([70], [3])
    assert plausible(told)
    assert event(FIRST, EventKind.STAT, Lane.KVM).dtype == told.dtype
