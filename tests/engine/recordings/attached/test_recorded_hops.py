"""Times of hops out of a recording of an attached VMM: the same as live, in whatever batches they come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bellwire.engine.attached.hops.figures import HopLatency
from bellwire.engine.attached.hops.hops import Hops
from bellwire.engine.events import Clock, EventKind, Events
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.recordings.attached.notes import threads_by_number
from bellwire.engine.recordings.attached.recorded_hops import RecordedHops
from bellwire.engine.recordings.attached.seen_events import SeenEvents, SeenThreads
from tests.support.seen_recordings import HZ, NOTES, VCPU, seen_records, seen_stream
from tests.support.seen_vmms import SEEN, VM

CLOCK = Clock(HZ)
DOORBELL, UNRUNG = VM.ioeventfds
MESSAGE, PIN = VM.irqfds


def hops_in(events: Events, parts: int = 1, clock: Clock = CLOCK, backend: str = "kvm_pvm") -> RecordedHops:
    """Of these events, in so many batches."""
    hops = RecordedHops(clock, backend, threads_by_number(NOTES))
    for part in np.array_split(events, parts):
        hops.feed(part, SEEN)
    return hops


@pytest.mark.parametrize("parts", [1, 7, 400])
def test_a_hop_takes_as_long_as_its_stamps_are_apart_however_the_events_are_cut(parts: int) -> None:
    """A request has the thread on its CPU after 3 µs; from its message to its being taken it takes 4.5 µs."""
    hops = hops_in(seen_stream(400), parts)
    woken, taken = hops.latency(11, DOORBELL, SEEN), hops.latency(11, MESSAGE, SEEN)
    assert woken is not None
    assert taken is not None
    assert (woken.count, taken.count) == (400, 400)
    assert woken.p50 == woken.max == pytest.approx(3000, rel=0.01)
    assert taken.p50 == taken.max == pytest.approx(4500, rel=0.01)


@pytest.mark.parametrize("backend", ["kvm_pvm", "kvm_intel"])
def test_it_tells_what_was_told_live(backend: str) -> None:
    """Also where the host does not end what it injects, and nothing says that it is taken."""
    records, threads = seen_records(300), SeenThreads()
    rng = np.random.default_rng(7)
    records["tsc"] += np.cumsum(rng.integers(0, 900, records.size)).astype(np.uint64)
    threads.take(SEEN)
    live = Hops(Clock(HZ), backend)
    live.feed(records, SEEN, int(records["tsc"][-1]))
    figures = live.figures(SEEN)
    hops = hops_in(SeenEvents(threads, Clock(HZ), backend).of(records), 9, backend=backend)
    assert figures.waking.count > 290
    assert hops.latency(11, DOORBELL, SEEN) == figures.waking
    assert hops.latency(11, MESSAGE, SEEN) == figures.taking


def test_what_was_never_used_has_no_times_and_what_nothing_tells_apart_is_not_known() -> None:
    hops = hops_in(seen_stream(50))
    assert hops.latency(11, UNRUNG, SEEN) == HopLatency()
    assert hops.latency(11, PIN, SEEN) is None
    twice = replace(SEEN, vms=(replace(VM, irqfds=(MESSAGE, replace(MESSAGE, eventfd=99))),))
    assert hops.latency(11, MESSAGE, twice) is None
    routes = (*VM.routes, GsiRoute.msi(6, 0x40))  # the same message, by another GSI
    other = replace(VM, irqfds=(MESSAGE, replace(MESSAGE, eventfd=99, gsi=6)), routes=routes)
    assert hops.latency(11, MESSAGE, replace(SEEN, vms=(other,))) is None


def test_of_an_emulated_cpu_no_time_is_told() -> None:
    emulated = hops_in(seen_stream(50), clock=Clock(HZ, emulated=True))
    assert emulated.latency(11, DOORBELL, SEEN) is None
    assert emulated.latency(11, MESSAGE, SEEN) is None


def test_events_that_come_late_are_in_no_hop_and_disturb_none() -> None:
    events = seen_stream(50)
    late = events[(events["kind"] == EventKind.FAST_MMIO) & (events["seq"] & 0xFFFFFF == VCPU)][:1]
    hops = RecordedHops(Clock(HZ), "kvm_pvm", {})
    hops.feed(events, SEEN)
    hops.feed(late, SEEN)
    found = hops.latency(11, DOORBELL, SEEN)
    assert found is not None
    assert found.count == 50
