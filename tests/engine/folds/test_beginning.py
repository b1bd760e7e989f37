"""A stream that begins in the middle: it adds up to what is in it, and numbers stay what they are."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellwire.engine.events import (
    EVENT,
    STATS,
    Clock,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Setting,
    Switch,
    event,
    no_events,
    told_pace,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.journeys import JOURNEY, Journeys, JourneyTracker
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.viz.model.rates import Rates
from tests.support.journey_streams import World, scenario

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0, 1)


def tally_of(*batches: Events) -> Tally:
    tally = Tally()
    for events in batches:
        tally.feed(events)
    return tally


def split(events: Events, share: float) -> tuple[Events, Events]:
    at = round(share * events.size)
    return events[:at], events[at:]


def from_there(head: Events, tail: Events) -> Events:
    """The tail as a stream of its own."""
    return np.concatenate([prologue(tally_of(head), int(tail["tsc"][0]) if tail.size else 0), tail])


def journeys_of(events: Events) -> tuple[Journeys, int]:
    tracker = JourneyTracker(scenario())
    return tracker.feed(events), tracker.given_up


def rows(*some: tuple[EventKind, int, int, int]) -> Events:
    return np.array([(100 + n, kind, Lane.KVM, 0, id, seq, arg) for n, (kind, id, seq, arg) in enumerate(some)], EVENT)


@given(SEEDS, SHARES)
def test_head_and_tail_add_up_to_the_whole(seed: int, share: float) -> None:
    whole = World(random.Random(seed), answered=True).run(300)
    head, tail = split(whole, share)
    all_, first, rest = tally_of(whole), tally_of(head), tally_of(from_there(head, tail))
    assert rest.recorded == tail.size
    assert rest.doorbells_received == all_.doorbells_received - first.doorbells_received
    assert rest.doorbells_rung == rest.doorbells_received
    assert rest.irqs_handled == all_.irqs_handled - first.irqs_handled
    # A run for what an earlier one, before the beginning, has seen announced already is asked for by no signal here.
    assert rest.irqs_merged - rest.irqs_spurious == all_.irqs_merged - first.irqs_merged
    assert rest.irqs_signalled == rest.irqs_handled - rest.irqs_spurious + rest.irqs_merged
    assert min(all_.irqs_merged, first.irqs_merged, rest.irqs_merged) >= 0
    assert rest.possible
    assert rest.settled


@example(3942, 0.125)  # handlers in a row that the beginning cuts: each was told of the next interrupt
@given(SEEDS, SHARES)
def test_journeys_that_set_out_after_the_beginning_are_the_same_and_none_is_given_up(seed: int, share: float) -> None:
    whole = World(random.Random(seed), answered=True).run(300)
    head, tail = split(whole, share)
    known = tally_of(head)
    rung = max(known.doorbells_rung, known.doorbells_received)
    signalled = max(known.irqs_signalled, known.irqs_covered)
    found, given_up = journeys_of(from_there(head, tail))
    all_, _ = journeys_of(whole)
    whole_ones = np.where(all_["ring"] > 0, all_["seq"] > rung, all_["interrupt"] > signalled)
    ours = np.where(found["ring"] > 0, found["seq"] > rung, found["interrupt"] > signalled)
    # How many interrupts a handler served together is counted among those of the stream.
    fields = [name for name in JOURNEY.names or () if name != "merged"]
    assert found[ours][fields].tolist() == all_[whole_ones][fields].tolist()
    assert given_up == 0


@given(SEEDS, SHARES, SHARES)
def test_a_beginning_of_a_stream_that_began_in_the_middle(seed: int, first: float, second: float) -> None:
    whole = World(random.Random(seed), answered=True).run(300)
    head, rest = split(whole, first)
    middle, tail = split(rest, second)
    once = tally_of(from_there(np.concatenate([head, middle]), tail))
    twice = tally_of(from_there(from_there(head, middle), tail))
    assert twice.counts() == once.counts()


def test_wiring_and_settings_stand_at_the_beginning() -> None:
    head = rows(
        (EventKind.WIRE, Switch.IOEVENTFD, 0, 1),
        (EventKind.WIRE, Switch.IRQFD, 0, 0),
        (EventKind.SETTING, Setting.PACE, 0, 500),
        (EventKind.SETTING, Setting.PACE, 0, 700),
    )
    tally = tally_of(prologue(tally_of(head), 200))
    assert tally.wiring == {Switch.IOEVENTFD: True, Switch.IRQFD: False}
    assert tally.settings == {Setting.PACE: 700}


def test_what_a_setting_says_beside_its_value_stands_at_the_beginning_but_not_what_happened() -> None:
    kernel = (EventKind.SETTING, Setting.KERNEL, 120, 7)
    stall = (EventKind.SETTING, Setting.STALLED, 0, 9_000_000)
    tally = tally_of(rows((EventKind.SETTING, Setting.PACE, *told_pace(37.5)), kernel, stall))
    assert tally.pace == pytest.approx(37.5)
    opening = prologue(tally, 200)
    assert [tuple(one) for one in opening[["kind", "id", "seq", "arg"]].tolist()] == [
        (EventKind.SETTING, Setting.PACE, 26_666_667, 38),
        kernel,
    ]
    assert tally_of(opening).pace == tally.pace


def test_queues_buffers_and_the_kernels_counters_count_from_there() -> None:
    stat = STATS.index("exits")
    head = rows(
        (EventKind.DOORBELL, 0, 7, 1),
        (EventKind.DOORBELL, 1, 6, 1),
        (EventKind.BUFFERS, 0, 40, 1),
        (EventKind.BUFFERS, 1, 30, 1),
        (EventKind.STAT, stat, 0, 1000),
    )
    more = rows(
        (EventKind.DOORBELL, 1, 9, 3),
        (EventKind.BUFFERS, 0, 44, 4),
        (EventKind.BUFFERS, 1, 44, 14),
        (EventKind.STAT, stat, 0, 1210),
        (EventKind.STAT, stat, 0, 1250),
    )
    tally = tally_of(from_there(head, more))
    assert (tally.doorbells_received, tally.received_from) == (3, {1: 3})
    assert (tally.buffers_added, tally.buffers_used) == (14, 14)
    assert tally.kvm == {"exits": 40}
    assert tally.counter(stat) == 1250


@pytest.mark.parametrize("told", [True, False])
def test_the_kernels_counters_of_a_part_count_from_the_first_look_in_it(told: bool) -> None:
    """The look before it is older than the part: what came until it began is none of its own."""
    exits, halts = STATS.index("exits"), STATS.index("halt_exits")
    head = rows((EventKind.STAT, exits, 0, 1000), (EventKind.STAT, halts, 0, 7), (EventKind.RING, 0, 5, 0))
    tail = rows(*[(EventKind.STAT, exits, 0, count) for count in (1700, 1701, 1705)], (EventKind.STAT, halts, 0, 9))
    tail["tsc"] = [300, 400, 500, 500]
    opening = from_there(head, tail)
    kept = opening if told else opening[(opening["kind"] != EventKind.BEFORE) | (opening["id"] != Before.STAT)]
    first, rest = kept[: -tail.size + 1], kept[-tail.size + 1 :]
    one = tally_of(first)
    assert one.kvm == {}  # how many came in it is not known before the second look
    assert one.counter(exits) == 1700
    for batches in ([kept], [first, rest], [kept[at : at + 1] for at in range(kept.size)]):
        tally = tally_of(*batches)
        assert tally.kvm == {"exits": 5, "halt_exits": 2} if told else {"exits": 5, "halt_exits": 0}
        assert (tally.counter(exits), tally.counter(halts)) == (1705, 9)


def test_where_a_doorbell_is_an_interrupt_both_count_from_there() -> None:
    wire = (EventKind.WIRE, Switch.IRQFD, 1, 1)
    head = rows(wire, (EventKind.RING, 0, 5, 0), (EventKind.HANDLER, 64, 4, 4))
    tail = rows((EventKind.HANDLER, 64, 5, 1), (EventKind.RING, 0, 6, 0), (EventKind.HANDLER, 64, 6, 1))
    tally = tally_of(from_there(head, tail))
    assert tally.direct
    assert (tally.doorbells_rung, tally.doorbells_received, tally.irqs_signalled) == (2, 2, 2)
    assert (tally.irqs_handled, tally.irqs_merged, tally.irqs_pending) == (2, 0, 0)


def test_what_a_masked_pin_has_dropped_is_over() -> None:
    masked = (EventKind.SETTING, Setting.MASKED, 0, 1)
    head = rows(masked, *((EventKind.IRQFD, 5, n, 0) for n in range(1, 9)))
    tail = rows(*((EventKind.IRQFD, 5, n, 0) for n in range(9, 12)))
    tally = tally_of(from_there(head, tail))
    assert (tally.irqs_signalled, tally.irqs_lost, tally.irqs_pending) == (3, 3, 0)


def test_rates_do_not_take_what_was_before_for_a_burst() -> None:
    stat, clock = STATS.index("exits"), Clock(1e9)
    stream = from_there(rows((EventKind.STAT, stat, 0, 1000)), rows((EventKind.STAT, stat, 0, 1250)))
    rates = Rates(clock)
    rates.feed(stream, 1000)
    assert rates.between("kvm exits", 0, 1).sum() == 250


def test_a_stream_that_begins_at_the_start_has_no_prologue() -> None:
    assert not prologue(Tally(), 5).size


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=8))
def test_numbers_that_cannot_be_are_survived(befores: list[tuple[int, int, int]]) -> None:
    began = [event(1, EventKind.BEFORE, Lane.ENGINE, id, seq, arg) for id, seq, arg in befores]
    stream = np.concatenate([no_events(), *began, World(random.Random(1), answered=True).run(60)])
    assert tally_of(stream).irqs_handled == np.count_nonzero(stream["kind"] == EventKind.HANDLER)
    assert journeys_of(stream)[1] >= 0


def test_what_an_eventfd_has_counted_before_is_known() -> None:
    """It is sampled again only once it has changed, which may be never."""
    head = rows(
        (EventKind.WIRE, Switch.IRQFD, 0, 0), (EventKind.IRQFD, 24, 2, 0), (EventKind.COUNT, EventfdRole.IRQ, 0, 2)
    )
    assert tally_of(from_there(head, no_events())).irqs_kept == tally_of(head).irqs_kept == 2
