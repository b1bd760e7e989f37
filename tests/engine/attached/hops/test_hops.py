"""The hops of a guest that runs, as seen from outside, against what the guest and its host have counted themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bellwire.engine.attached.attachment import Attachment
from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.attached.hops.hops import BIN_SECONDS, Hops
from bellwire.engine.attached.hops.interrupts import SignalledBy
from bellwire.engine.attached.stream import AttachedStream
from bellwire.engine.attached.watched import WatchedVmm
from bellwire.engine.events import Clock
from bellwire.engine.live.session import Session
from bellwire.engine.source import Order
from tests.support.kernel_records import READER, VCPU, K, message, records, row, store
from tests.support.kernel_sight import needs_sight
from tests.support.seen_vmms import SEEN
from tests.support.sessions import fed, paced, tally_of, wait_for

SIGNALS = 7
HZ = 1e9


@contextmanager
def listening() -> Iterator[WatchedVmm]:
    """This process, seen from outside, once the kernel is listened to."""
    with Attachment(os.getpid()) as attachment, AttachedStream(attachment.process) as stream:
        watched = WatchedVmm(attachment, stream=stream)
        wait_for(lambda: watched.look() is not None and watched.hops is not None)
        yield watched


def hops_of(watched: WatchedVmm) -> HopFigures:
    """As of now."""
    watched.look()
    assert watched.hops is not None
    assert watched.unheard == ""
    return watched.hops


def signalled(name: str, order: Order) -> tuple[Session, HopFigures]:
    """A scenario that is run by hand, SIGNALS times, while it is listened to."""
    needs_sight()
    with Session(paced(name, per_second=0)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(order))
        with listening() as watched:
            for number in range(1, SIGNALS + 1):
                session.order(order)
                wait_for(
                    lambda number=number: max(fed(tally, session).doorbells_rung, tally.irqs_handled) == number  # type: ignore[misc]
                )
            wait_for(lambda: whole(session, hops_of(watched)))
            counted = hops_of(watched)
    return session, counted


def whole(session: Session, hops: HopFigures) -> bool:
    """Whether everything up to the last signal has come."""
    interrupt = session.scenario.interrupt
    if interrupt is not None:
        return sum(one.taken or 0 for one in hops.interrupts if one.key.vector == interrupt.vector) >= SIGNALS
    return sum(one.duration.count for one in hops.exits if one.key.reason == "KVM_EXIT_IO") >= SIGNALS


@pytest.mark.kvm
def test_doorbells_interrupts_and_who_is_woken_are_what_was_counted() -> None:
    session, hops = signalled("roundtrip", Order.DOORBELL)
    interrupt = session.scenario.interrupt
    assert interrupt is not None
    (doorbell,) = hops.doorbells
    assert doorbell.rung == hops.rung == SIGNALS
    assert {(one.thread.name, one.thread.pid) for one in doorbell.woken} == {("io-thread", os.getpid())}
    assert doorbell.woken[0].count <= SIGNALS
    (signalled_one,) = [one for one in hops.interrupts if one.key.vector == interrupt.vector]
    assert (signalled_one.sent, signalled_one.taken, signalled_one.from_outside) == (SIGNALS, SIGNALS, True)
    (sender,) = signalled_one.senders
    assert sender.thread is not None
    assert (sender.thread.name, sender.how, sender.count) == ("io-thread", SignalledBy.WRITE, SIGNALS)
    assert signalled_one.latency.count == SIGNALS
    assert hops.journeys.count <= SIGNALS
    assert hops.lost == 0


@pytest.mark.kvm
def test_each_exit_to_user_space_has_its_reason_and_its_way_back() -> None:
    _, hops = signalled("doorbell-pio-exit", Order.DOORBELL)
    exits = {one.key.reason: one for one in hops.exits if one.key.to_user}
    assert exits["KVM_EXIT_IO"].count == SIGNALS
    assert exits["KVM_EXIT_IO"].duration.count == SIGNALS
    assert hops.rung == 0  # without an ioeventfd nobody outside knows which port is a doorbell


@pytest.mark.kvm
def test_a_signal_by_a_pin_is_of_the_thread_that_has_written() -> None:
    session, hops = signalled("irq-ioapic", Order.INTERRUPT)
    interrupt = session.scenario.interrupt
    assert interrupt is not None
    (one,) = [one for one in hops.interrupts if one.key.vector == interrupt.vector]
    assert (one.sent, one.taken) == (SIGNALS, SIGNALS)
    assert [(sender.thread and sender.thread.name, sender.how) for sender in one.senders] == [
        ("io-thread", SignalledBy.WRITE)
    ]


def test_rates_are_of_bins_that_are_over_and_counts_a_second_of_the_last() -> None:
    hops, bin_cycles = Hops(Clock(HZ), "kvm_pvm"), round(BIN_SECONDS * HZ)
    hops.feed(records(), SEEN, 10 * bin_cycles)
    batch = [store(int(10.5 * bin_cycles)), store(int(12.1 * bin_cycles)), message(int(12.2 * bin_cycles), VCPU)]
    hops.feed(records(*batch), SEEN, int(13.5 * bin_cycles))
    figures = hops.figures(SEEN)
    assert figures.rates.tolist() == [[0, 1], [0, 1]]
    assert figures.doorbells[0].rung == 2
    assert figures.doorbells[0].last_second == pytest.approx(2 / 0.35)
    assert figures.seconds == pytest.approx(0.35)


def test_what_the_first_look_brings_has_come_in_the_time_before_it() -> None:
    """A hundred doorbells a second, the first forty of which nobody had taken for 0.4 s."""
    hops = Hops(Clock(HZ), "kvm_pvm")
    rung = [(0.01 + number / 100) for number in range(100)]
    for begin, end in ((0, 0.4), (0.4, 0.7), (0.7, 1.0)):
        some = [store(round(at * HZ)) for at in rung if begin <= at < end]
        hops.feed(records(*some), SEEN, round(end * HZ))
        doorbell = hops.figures(SEEN).doorbells[0]
        assert doorbell.last_second == pytest.approx(100, rel=0.03)
        assert doorbell.rung / hops.figures(SEEN).seconds == pytest.approx(100, rel=0.03)


def test_lost_records_are_told() -> None:
    hops = Hops(Clock(HZ), "kvm_amd")
    hops.feed(records(row(5, K.EXIT_SERVED, VCPU, 0x78, 2, 40), row(6, K.WOKEN, VCPU, 1, 1)), SEEN, 10, lost=3)
    figures = hops.figures(SEEN, error=7)
    assert (figures.lost, figures.error_ns, figures.exits_told, figures.halts[0].slept) == (3, 7.0, True, 1)
    assert READER not in {one.key.number for one in figures.halts}
