"""Which doorbell or interrupt a record of the kernel is of: by what encloses it and what it follows, not by number."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bellwire.engine.events import (
    ROLE_BITS,
    EventfdSignaller,
    EventKind,
    Events,
    Lane,
    Records,
    ThreadRole,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.kernel.records import RECORD, RecordKind
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.live.kernel_numbers import KernelNumbers, LastOfGroup
from bellwire.engine.scenarios.scenario import load_scenario

VCPU, IO, WORKER, PORT, VECTOR = 100, 200, 300, 0x510, 0x40
K = RecordKind
FUNCTION_KINDS = (
    *(EventKind.IOEVENTFD_WRITE, EventKind.EVENTFD_SIGNAL, EventKind.IRQFD_WAKEUP, EventKind.IRQFD_INJECT),
    EventKind.RESAMPLER_ACK,
)


def record(tsc: int, kind: RecordKind, thread: int, a: int = 0, b: int = 0, d: int = 0, c: int = 0) -> Records:
    """One record, on CPU 1."""
    return np.array([(tsc, kind, 1, thread, a, b, c, d)], RECORD)


def rung(number: int, at: int) -> list[Events]:
    """A doorbell's instruction, of 50 cycles."""
    stamps = ((EventKind.RING, at), (EventKind.RUNG, at + 50))
    return [event(tsc, kind, Lane.GUEST, PORT, number) for kind, tsc in stamps]


def round_trip(number: int) -> tuple[list[Events], list[Records]]:
    """What one does, 10 000 cycles after the one before."""
    at = 10_000 * number
    own = [*rung(number, at), event(at + 200, EventKind.IRQFD, Lane.IO_THREAD, 24, number, number)]
    records = [
        record(at + 10, K.PIO, VCPU, PORT, 7, d=1),
        record(at + 15, K.WAKING, VCPU, IO),
        record(at + 100, K.RUNS, IO),
        record(at + 210, K.WRITE, IO, 1),
        record(at + 220, K.MSI, IO, 0xFEE00000, VECTOR),
        record(at + 230, K.ACCEPTED, IO, VECTOR),
        record(at + 240, K.WAKING, IO, VCPU),
        record(at + 250, K.WRITTEN, IO, 1),
        record(at + 300, K.RUNS, VCPU),
        record(at + 310, K.WOKEN, VCPU, 900, 1),
        record(at + 320, K.EOI, VCPU, VECTOR),
        record(at + 330, K.EOI, VCPU, 0xFFFFFFFF),
    ]
    return own, records


def numbers(name: str = "roundtrip", backend: str = "kvm_pvm") -> KernelNumbers:
    """Of a machine with one vCPU and one I/O thread."""
    return KernelNumbers(load_scenario(name), SignalThreads({VCPU: 0}, frozenset([IO])), backend)


def told(events: Events) -> list[tuple[str, int]]:
    """Kind and number of each."""
    return [(EventKind(int(one["kind"])).name, int(one["seq"])) for one in events]


ORDER = ["PIO", "WAKING", "RUNS", "WRITE", "MSI", "ACCEPTED", "WAKING", "WRITTEN", "RUNS", "WOKEN", "INJECTED"]


@pytest.mark.parametrize("seed", range(20))
def test_everything_between_ring_and_handler_has_its_number_however_batches_are_cut(seed: int) -> None:
    own, records = no_events(), np.empty(0, RECORD)
    for number in range(1, 9):
        events, some = round_trip(number)
        own, records = end_to_end(own, *events), end_to_end(records, *some)
    chance, fold, found = np.random.default_rng(seed), numbers(), []
    cuts = [0, *np.sort(chance.integers(9_000, 85_000, 12)).tolist(), 2**40]
    for since, until in pairwise(cuts):
        batch, some = (part[(part["tsc"] >= since) & (part["tsc"] < until)] for part in (own, records))
        found += told(fold.events(some, batch, 0))
    assert found == [pair for number in range(1, 9) for pair in [*((name, number) for name in ORDER), ("GUEST_EOI", 0)]]


KICK, CALL, ASK, NO_MESSAGE = 11, 12, 13, 2**64 - 1  # numbers of eventfds; what an irqfd without a message says


def probed(number: int) -> list[Records]:
    """What functions of the kernel tell of round_trip(number)."""
    at = 10_000 * number
    return [
        record(at + 12, K.IOEVENTFD_WRITE, VCPU, PORT, 7, 2, KICK),
        record(at + 14, K.EVENTFD_SIGNAL, VCPU, KICK),
        record(at + 215, K.IRQFD_WAKEUP, IO, 24, VECTOR, c=CALL),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_functions_that_are_entered_have_the_number_of_their_signal_however_batches_are_cut(seed: int) -> None:
    own, records = no_events(), np.empty(0, RECORD)
    for number in range(1, 9):
        events, some = round_trip(number)
        own, records = end_to_end(own, *events), end_to_end(records, *some, *probed(number))
    records = np.sort(records, order="tsc")
    chance, fold, parts = np.random.default_rng(seed), numbers(), [no_events()]
    cuts = [0, *np.sort(chance.integers(9_000, 85_000, 12)).tolist(), 2**40]
    for since, until in pairwise(cuts):
        batch, some = (part[(part["tsc"] >= since) & (part["tsc"] < until)] for part in (own, records))
        parts.append(fold.events(some, batch, 0))
    found = end_to_end(*parts)
    for kind, id, arg in (
        (EventKind.IOEVENTFD_WRITE, PORT, 7),
        (EventKind.EVENTFD_SIGNAL, EventfdSignaller.IOEVENTFD, KICK),
        (EventKind.IRQFD_WAKEUP, 24, CALL),
    ):
        those = found[found["kind"] == kind]
        assert those["seq"].tolist() == list(range(1, 9)), kind
        assert set(those["id"].tolist()) == {id}
        assert set(those["arg"].tolist()) == {arg}
    others = found[~np.isin(found["kind"], FUNCTION_KINDS)]
    assert told(others) == [
        pair for number in range(1, 9) for pair in [*((name, number) for name in ORDER), ("GUEST_EOI", 0)]
    ], "the tracepoints tell what they told without"


def test_a_level_is_injected_by_its_worker_and_acknowledged_with_its_number() -> None:
    own = [event(1000, EventKind.IRQFD, Lane.IO_THREAD, 5, 1)]
    records = [
        *(record(1010, K.WRITE, IO, 1), record(1015, K.IRQFD_WAKEUP, IO, 5, NO_MESSAGE, c=CALL)),
        *(record(1020, K.WORK_QUEUED, IO, 5), record(1500, K.WORK_STARTED, WORKER, 5)),
        *(record(1505, K.IRQFD_INJECT, WORKER, 5), record(1510, K.SET_IRQ, WORKER, 5, 1)),
        *(
            record(1520, K.ACCEPTED, WORKER, 0x41),
            record(2000, K.INJECTED, VCPU, 0x41),
            record(3000, K.EOI, VCPU, 0x41),
        ),
        *(
            record(3010, K.RESAMPLER_ACK, VCPU, 5),
            record(3020, K.SET_IRQ, VCPU, 5, 0),
            record(3030, K.EVENTFD_SIGNAL, VCPU, ASK),
        ),
        *(record(4000, K.RESAMPLER_ACK, VCPU, 9), record(4010, K.IRQFD_WAKEUP, IO, 9, NO_MESSAGE, c=ASK)),
    ]
    found = numbers("irq-level-resample", "kvm_amd").events(end_to_end(*records), end_to_end(*own), 0)
    entered = [(name, number) for name, number in told(found) if EventKind[name] in FUNCTION_KINDS]
    assert entered == [
        *(("IRQFD_WAKEUP", 1), ("IRQFD_INJECT", 1), ("RESAMPLER_ACK", 1), ("EVENTFD_SIGNAL", 1)),
        *(("RESAMPLER_ACK", 0), ("IRQFD_WAKEUP", 0)),
    ]
    (signal,) = found[found["kind"] == EventKind.EVENTFD_SIGNAL]
    assert (int(signal["id"]), int(signal["arg"])) == (EventfdSignaller.RESAMPLER, ASK)


def test_a_line_that_is_raised_again_as_its_interrupt_ends_is_taken_for_the_next_one() -> None:
    """In the thread that has just lowered it: 3 of 1,500 had the number of the interrupt before, and came too early."""
    own = [event(at, EventKind.IRQFD, Lane.IO_THREAD, 5, number) for number, at in ((1, 1000), (2, 3030))]
    first = [
        *(record(1020, K.WORK_QUEUED, IO, 5), record(1500, K.WORK_STARTED, WORKER, 5)),
        *(record(1510, K.SET_IRQ, WORKER, 5, 1), record(1520, K.ACCEPTED, WORKER, 0x41)),
        *(record(2000, K.INJECTED, VCPU, 0x41), record(3000, K.EOI, VCPU, 0x41), record(3020, K.SET_IRQ, VCPU, 5, 0)),
    ]
    second = [
        *(record(3040, K.WORK_QUEUED, IO, 5), record(3050, K.WORK_STARTED, WORKER, 5)),
        *(record(3060, K.SET_IRQ, WORKER, 5, 1), record(3070, K.ACCEPTED, VCPU, 0x41)),
        record(3080, K.INJECTED, VCPU, 0x41),
    ]
    fold = numbers("irq-level-resample", "kvm_amd")
    found = fold.events(end_to_end(*first), own[0], 0)
    found = end_to_end(found, fold.events(end_to_end(*second), own[1], 0))
    named = [(name, number) for name, number in told(found) if name in ("ACCEPTED", "INJECTED")]
    assert named == [("ACCEPTED", 1), ("INJECTED", 1), ("ACCEPTED", 2), ("INJECTED", 2)]


def test_a_completion_of_io_uring_is_the_interrupts_and_another_eventfd_is_nobodys() -> None:
    own = [event(at, EventKind.SUBMIT, Lane.IO_THREAD, 24, number) for number, at in ((1, 1000), (2, 2000))]
    records = [
        *(record(1100, K.EVENTFD_SIGNAL, IO, CALL), record(1110, K.IRQFD_WAKEUP, IO, 24, VECTOR, c=CALL)),
        *(record(1500, K.EVENTFD_SIGNAL, IO, ASK), record(2100, K.EVENTFD_SIGNAL, IO, CALL)),
    ]
    found = numbers("io-uring").events(end_to_end(*records), end_to_end(*own), 0)
    signals = found[found["kind"] == EventKind.EVENTFD_SIGNAL]
    assert signals["seq"].tolist() == [1, 0, 2]
    assert set(signals["id"].tolist()) == {EventfdSignaller.OTHER}


def test_an_ioeventfd_that_is_asked_and_refuses_has_signalled_nothing() -> None:
    records = [
        record(10_010, K.IOEVENTFD_WRITE, VCPU, PORT, 7, 2, KICK),
        record(10_012, K.IOEVENTFD_WRITE, VCPU, PORT, 7, 2, CALL),
        record(10_014, K.EVENTFD_SIGNAL, VCPU, CALL),
        record(20_010, K.IOEVENTFD_WRITE, VCPU, PORT, 7, 2, KICK),
        record(20_900, K.EVENTFD_SIGNAL, VCPU, ASK),
    ]
    own = [*rung(1, 10_000), *rung(2, 20_000)]
    found = numbers().events(end_to_end(*records), end_to_end(*own), 0)
    asks, signals = (found[found["kind"] == kind] for kind in FUNCTION_KINDS[:2])
    assert asks["seq"].tolist() == [1, 1, 2]
    assert signals["id"].tolist() == [EventfdSignaller.IOEVENTFD, EventfdSignaller.RESAMPLER]
    assert signals["seq"].tolist() == [1, 0]


def test_a_record_that_was_lost_gives_no_other_one_a_wrong_number() -> None:
    fold = numbers()
    own, records = zip(*(round_trip(number) for number in range(1, 5)), strict=True)
    kept = [one for number, some in enumerate(records) for one in some if number != 1]
    found = told(fold.events(end_to_end(*kept), end_to_end(*(one for some in own for one in some)), 0))
    assert {number for _, number in found} == {0, 1, 3, 4}


def test_another_port_a_timer_and_a_nudge_are_no_signal_of_the_scenario() -> None:
    records = [
        record(10_020, K.PIO, VCPU, 0x70, 1, d=1),
        record(10_500, K.MSI, IO, 0, 0x22),
        record(10_510, K.ACCEPTED, IO, 0x22),
        record(10_520, K.WAKING, IO, VCPU),
        record(10_600, K.ACCEPTED, VCPU, 0x20),
        record(10_700, K.EOI, VCPU, 0x20),
    ]
    found = numbers().events(end_to_end(*records), end_to_end(*rung(1, 10_000)), 0)
    assert {number for _, number in told(found)} == {0}


def test_a_write_outside_of_the_doorbells_instruction_is_no_doorbell() -> None:
    records = [record(10_200, K.PIO, VCPU, PORT, 9, d=1)]
    assert told(numbers().events(end_to_end(*records), end_to_end(*rung(1, 10_000)), 0)) == [("PIO", 0)]


def test_what_comes_long_after_an_instruction_is_not_its_doorbells_in_a_later_batch_either() -> None:
    fold = numbers()
    fold.events(record(10_010, K.PIO, VCPU, PORT, 9, d=1), end_to_end(*rung(1, 10_000)), 0)
    later = [record(20_000, K.PIO, VCPU, PORT, 9, d=1), record(20_010, K.WAKING, VCPU, IO), record(20_020, K.RUNS, IO)]
    assert told(fold.events(end_to_end(*later), no_events(), 0)) == [("PIO", 0), ("WAKING", 0), ("RUNS", 0)]


def test_who_is_woken_by_another_thread_is_not_woken_by_the_doorbell_under_way() -> None:
    records = [record(10_020, K.WAKING, 999, IO), record(10_030, K.RUNS, IO)]
    assert told(numbers().events(end_to_end(*records), end_to_end(*rung(1, 10_000)), 0)) == [("WAKING", 0), ("RUNS", 0)]


def test_a_read_and_an_exit_are_told_apart() -> None:
    records = [
        record(10_010, K.PIO, VCPU, PORT, 9, d=0),
        record(10_020, K.USER_EXIT, VCPU, 2),
        record(10_030, K.USER_EXIT, VCPU, 0, 2**32 - 4),
    ]
    found = numbers().events(end_to_end(*records), end_to_end(*rung(1, 10_000)), 0)
    assert told(found) == [("DEVICE_READ", 0), ("USER_EXIT", 1), ("USER_EXIT", 0)]
    assert found["arg"].tolist() == [9, 0, 4]


def test_signals_that_wait_for_a_worker_are_merged_in_its_work_and_then_in_the_apic() -> None:
    own = [event(at, EventKind.IRQFD, Lane.IO_THREAD, 5, number) for number, at in ((1, 1000), (2, 2000), (3, 3000))]
    pin = 0x41
    records = [
        *(record(1010, K.WRITE, IO, 1), record(1020, K.WORK_QUEUED, IO, 5)),
        *(record(2500, K.WORK_STARTED, WORKER, 5), record(2510, K.SET_IRQ, WORKER, 5, 1)),
        *(record(2520, K.ACCEPTED, WORKER, pin), record(2530, K.SET_IRQ, WORKER, 5, 0)),
        *(record(3010, K.WRITE, IO, 1), record(3020, K.WORK_QUEUED, IO, 5), record(3030, K.WORK_STARTED, WORKER, 5)),
        *(record(3040, K.SET_IRQ, WORKER, 5, 1), record(3050, K.ACCEPTED, WORKER, pin), record(4000, K.EOI, VCPU, pin)),
    ]
    found = numbers("irq-ioapic").events(end_to_end(*records), end_to_end(*own), 0)
    started = found[found["kind"] == EventKind.WORK_STARTED]
    assert (started["seq"].tolist(), started["arg"].tolist()) == ([2, 3], [2, 1])
    (injected,) = found[found["kind"] == EventKind.INJECTED]
    assert (int(injected["seq"]), int(injected["arg"])) == (3, 2)


@pytest.mark.parametrize("under_way", [False, True])
def test_what_was_signalled_before_anybody_watched_was_not_merged_in_a_work(under_way: bool) -> None:
    own = [event(at, EventKind.IRQFD, Lane.IO_THREAD, 5, number) for number, at in ((5000, 1000), (5001, 2000))]
    records = [
        *([] if under_way else [record(1010, K.WORK_QUEUED, IO, 5)]),
        record(1020, K.WORK_STARTED, WORKER, 5),
        *(record(2010, K.WORK_QUEUED, IO, 5), record(2500, K.WORK_STARTED, WORKER, 5)),
    ]
    found = numbers("irq-ioapic").events(end_to_end(*records), end_to_end(*own), 0)
    started = found[found["kind"] == EventKind.WORK_STARTED]
    assert (started["seq"].tolist(), started["arg"].tolist()) == ([5000, 5001], [0 if under_way else 1, 1])


def test_a_signal_that_comes_as_the_work_begins_is_the_next_works() -> None:
    own = [event(at, EventKind.IRQFD, Lane.IO_THREAD, 5, number) for number, at in ((1, 1000), (2, 2000))]
    records = [
        *(record(1020, K.WORK_QUEUED, IO, 5), record(2005, K.WORK_STARTED, WORKER, 5)),
        *(record(2010, K.WORK_QUEUED, IO, 5), record(2500, K.WORK_STARTED, WORKER, 5)),
    ]
    found = numbers("irq-ioapic").events(end_to_end(*records), end_to_end(*own), 0)
    assert found["seq"][found["kind"] == EventKind.WORK_STARTED].tolist() == [1, 2]


def test_elsewhere_an_eoi_is_the_guests_and_an_injection_has_a_tracepoint_of_its_own() -> None:
    records = [record(1000, K.INJECTED, VCPU, VECTOR), record(1100, K.EOI, VCPU, VECTOR)]
    found = numbers(backend="kvm_amd").events(end_to_end(*records), no_events(), 0)
    assert [name for name, _ in told(found)] == ["INJECTED", "GUEST_EOI"]


def test_where_no_apic_tells_that_it_has_taken_it_the_wake_up_is_of_the_message() -> None:
    """VMX with APICv."""
    signal = event(1000, EventKind.IRQFD, Lane.IO_THREAD, 24, 1)
    records = [record(1010, K.MSI, IO, 0, VECTOR), record(1020, K.WAKING, IO, VCPU), record(1030, K.RUNS, VCPU)]
    found = numbers(backend="kvm_intel").events(end_to_end(*records), signal, 0)
    assert told(found) == [("MSI", 1), ("WAKING", 1), ("RUNS", 1)]


def test_threads_of_another_process_are_found_out_by_what_they_do() -> None:
    fold = KernelNumbers(load_scenario("qemu-virtio-blk"), SignalThreads(processes={2**22 + 1: 0}), "kvm_pvm")
    records = [
        record(1, K.EOI, 41, 0xFFFFFFFF),
        record(2, K.WRITE, 42, 1),
        record(3, K.RUNS, 41),
        record(4, K.RUNS, 43),
    ]
    found = fold.events(end_to_end(*records), no_events(), 0)
    who = [(int(one) & 15, int(one) >> ROLE_BITS) for one in found["id"][found["kind"] == EventKind.RUNS]]
    assert who == [(ThreadRole.VCPU, 41), (ThreadRole.OTHER, 43)]


def test_the_last_word_of_a_group_is_kept_over_batches() -> None:
    last = LastOfGroup()
    groups, says = np.array([1, 2, 1, 1], np.uint64), np.array([True, True, False, True])
    assert last.before(groups, says, np.array([10, 20, 0, 30], np.uint64)).tolist() == [0, 0, 10, 10]
    assert last.before(np.array([2, 1], np.uint64), np.array([False, False]), np.zeros(2, np.uint64)).tolist() == [
        20,
        30,
    ]
    assert last.before(np.empty(0, np.uint64), np.empty(0, bool), np.empty(0, np.uint64)).tolist() == []
