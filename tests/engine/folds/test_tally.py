"""The fold over events: equations, losses, latest values."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import (
    EVENT,
    FLAT_OUT,
    NAMES,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Operation,
    Setting,
    Switch,
    end_to_end,
    event,
    exit_name,
)
from bellwire.engine.folds.tally import Bounds, Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped

IO, MMIO, INTR = 2, 6, 10


def batch(*rows: tuple[EventKind, int, int, int]) -> Events:
    """Events of (kind, id, seq, arg) at rising times."""
    return np.array([(tsc, kind, Lane.ENGINE, 0, id, seq, arg) for tsc, (kind, id, seq, arg) in enumerate(rows)], EVENT)


def fed(*rows: tuple[EventKind, int, int, int]) -> Tally:
    tally = Tally()
    tally.feed(batch(*rows))
    return tally


ROUND_TRIPS = (
    (EventKind.RING, 0x510, 1, 0),
    (EventKind.RUNG, 0x510, 1, 0),
    (EventKind.RING, 0x510, 2, 0),
    (EventKind.RUNG, 0x510, 2, 0),
    (EventKind.DOORBELL, 0, 2, 2),
    (EventKind.IRQFD, 24, 1, 2),
    (EventKind.RING, 0x510, 3, 0),
    (EventKind.DOORBELL, 0, 3, 1),
    (EventKind.IRQ_IOCTL, 1, 2, 3),
    (EventKind.HANDLER, 0x40, 2, 2),
    (EventKind.RING, 0x510, 4, 0),
    (EventKind.DOORBELL, 0, 4, 1),
    (EventKind.IRQFD, 24, 3, 4),
    (EventKind.RING, 0x510, 5, 0),
)


def test_equations_hold_with_merging_and_pending() -> None:
    tally = fed(*ROUND_TRIPS)
    assert (tally.doorbells_rung, tally.doorbells_received, tally.doorbells_pending) == (5, 4, 1)
    assert tally.eventfd_reads == 3
    assert (tally.irqs_signalled, tally.irqs_handled, tally.irqs_merged, tally.irqs_pending) == (3, 1, 1, 1)
    assert not tally.settled
    assert tally.recorded == len(ROUND_TRIPS)


def test_a_second_run_that_covers_nothing_new_is_no_merging() -> None:
    announced = [(EventKind.IRQFD, 24, 1, 0), (EventKind.IRQFD, 24, 2, 0)]
    tally = fed(*announced, (EventKind.HANDLER, 0x40, 2, 2))
    assert (tally.irqs_handled, tally.irqs_merged) == (1, 1)
    tally.feed(batch((EventKind.HANDLER, 0x40, 2, 0)))
    assert (tally.irqs_handled, tally.irqs_merged, tally.irqs_pending) == (2, 0, 0)
    assert tally.settled


@pytest.mark.parametrize("size", [1, 2, 5])
def test_it_does_not_matter_how_events_are_cut_into_batches(size: int) -> None:
    events, cut = batch(*ROUND_TRIPS), Tally()
    for start in range(0, len(events), size):
        cut.feed(events[start : start + size])
    cut.feed(events[:0])
    assert vars(cut) == vars(fed(*ROUND_TRIPS))


def test_a_lost_event_does_not_lose_a_doorbell() -> None:
    tally = fed((EventKind.RING, 0, 1, 0), (EventKind.LOST, Lane.GUEST, 0, 6), (EventKind.RING, 0, 5, 0))
    assert (tally.doorbells_rung, tally.recorded, tally.dropped) == (5, 2, 6)


def test_exits_are_counted_by_reason_even_unknown_ones() -> None:
    exits = [IO, IO, INTR, MMIO, IO, 199]
    tally = fed(*((EventKind.EXIT, reason, 0, 0) for reason in exits))
    assert tally.exits_to_userspace == {"IO": 3, "MMIO": 1, "INTR": 1, "REASON_199": 1}


def test_samples_and_switches_keep_the_newest() -> None:
    exits, injections = STATS.index("exits"), STATS.index("irq_injections")
    tally = fed(
        (EventKind.STAT, exits, 0, 5),
        (EventKind.STAT, injections, 0, 1),
        (EventKind.STAT, exits, 0, 9),
        (EventKind.COUNT, EventfdRole.DOORBELL, 0, 37),
        (EventKind.COUNT, EventfdRole.DOORBELL, 0, 2),
        (EventKind.WIRE, Switch.IOEVENTFD, 0, 1),
        (EventKind.WIRE, Switch.IRQFD, 0, 1),
        (EventKind.WIRE, Switch.IOEVENTFD, 0, 0),
        (EventKind.SETTING, Setting.PACE, 0, FLAT_OUT),
    )
    assert tally.kvm == {"exits": 9, "irq_injections": 1}
    assert tally.eventfd_counts == {EventfdRole.DOORBELL: 2}
    assert tally.wiring == {Switch.IOEVENTFD: False, Switch.IRQFD: True}
    assert tally.settings == {Setting.PACE: FLAT_OUT}


def test_counts_have_the_names_of_the_json_report() -> None:
    counts = fed(*ROUND_TRIPS).counts()
    assert counts["doorbells_rung"] == counts["doorbells_received"] + counts["doorbells_pending"]
    assert counts["irqs_signalled"] == counts["irqs_handled"] + counts["irqs_merged"] + counts["irqs_pending"]


def test_exit_names_are_those_of_the_kernel_header() -> None:
    header = Path("/usr/include/linux/kvm.h")
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    known = {
        int(number): name for name, number in re.findall(r"#define KVM_EXIT_((?!IO_)\w+)\s+(\d+)", header.read_text())
    }
    assert {reason: known[reason] for reason in NAMES if reason in known} == {
        reason: name for reason, name in NAMES.items() if reason in known
    }
    assert exit_name(2) == "IO"


def test_a_doorbell_whose_eventfd_is_the_irqfds_is_an_interrupt_that_the_handler_receives() -> None:
    tally = fed(
        (EventKind.WIRE, Switch.IOEVENTFD, 1, 1),
        (EventKind.WIRE, Switch.IRQFD, 1, 1),
        (EventKind.RING, 0x510, 1, 0),
        (EventKind.RING, 0x510, 2, 0),
        (EventKind.HANDLER, 0x40, 2, 2),
        (EventKind.RING, 0x510, 3, 0),
    )
    assert (tally.doorbells_rung, tally.doorbells_received, tally.doorbells_pending) == (3, 2, 1)
    assert (tally.irqs_signalled, tally.irqs_handled, tally.irqs_merged, tally.irqs_pending) == (3, 1, 1, 1)
    assert tally.eventfd_reads == 0
    assert not tally.settled


def test_a_submitted_read_is_a_signalled_interrupt() -> None:
    tally = fed((EventKind.SUBMIT, 24, 1, 1), (EventKind.SUBMIT, 24, 2, 2), (EventKind.HANDLER, 0x40, 1, 1))
    assert (tally.irqs_signalled, tally.irqs_pending) == (2, 1)


def test_every_queue_numbers_its_own_doorbells() -> None:
    rung = [(EventKind.RING, 0x510, number, 0) for number in range(1, 7)]
    tally = fed(*rung, (EventKind.DOORBELL, 2, 1, 1), (EventKind.DOORBELL, 0, 2, 2))
    tally.feed(batch((EventKind.DOORBELL, 2, 2, 1)))
    assert tally.received_from == {0: 2, 2: 2}
    assert (tally.doorbells_rung, tally.doorbells_received, tally.doorbells_pending) == (6, 4, 2)


def test_a_line_that_was_still_high_makes_a_spurious_run() -> None:
    first = [(EventKind.IRQ_IOCTL, 0, 1, 0), (EventKind.HANDLER, 0x43, 1, 1), (EventKind.RESAMPLE, 5, 1, 1)]
    tally = fed(*first, (EventKind.HANDLER, 0x43, 1, 0))
    assert (tally.irqs_signalled, tally.irqs_handled, tally.irqs_spurious) == (1, 2, 1)
    assert (tally.irqs_merged, tally.irqs_pending) == (0, 0)


def test_without_a_line_more_runs_than_signals_do_not_add_up() -> None:
    tally = fed((EventKind.IRQFD, 24, 1, 0), (EventKind.HANDLER, 0x40, 1, 1), (EventKind.HANDLER, 0x40, 1, 0))
    assert (tally.irqs_spurious, tally.irqs_merged, tally.possible) == (0, 0, False)


def test_what_was_lost_at_a_masked_pin_is_not_what_the_next_handler_serves() -> None:
    signals = [(EventKind.IRQFD, 5, number, 0) for number in range(1, 8)]
    masked, unmasked = (EventKind.SETTING, Setting.MASKED, 2, 1), (EventKind.SETTING, Setting.MASKED, 5, 0)
    tally = fed(*signals[:2], (EventKind.HANDLER, 0x41, 2, 2), masked, *signals[2:5], unmasked, *signals[5:])
    assert (tally.irqs_signalled, tally.irqs_handled, tally.irqs_merged) == (7, 1, 1)
    assert (tally.irqs_lost, tally.irqs_pending) == (3, 2)
    tally.feed(batch((EventKind.HANDLER, 0x41, 7, 2)))
    assert (tally.irqs_handled, tally.irqs_merged, tally.irqs_lost, tally.irqs_pending) == (2, 2, 3, 0)


def test_refusals_are_counted_by_what_was_asked() -> None:
    refused = (EventKind.REFUSED, Operation.IRQFD_ASSIGN, 25, errno.EBUSY)
    assert fed(refused, refused).refused == {(Operation.IRQFD_ASSIGN, 25, errno.EBUSY): 2}


def test_what_is_signalled_to_a_masked_pin_is_lost() -> None:
    tally = fed((EventKind.SETTING, Setting.MASKED, 0, 1), (EventKind.IRQFD, 5, 1, 0), (EventKind.IRQFD, 5, 2, 0))
    assert (tally.irqs_signalled, tally.irqs_lost, tally.irqs_pending) == (2, 2, 0)
    assert tally.settled


# -- bounds, where events are missing


def without_some(events: Events, lane: Lane, first: int, last: int) -> Events:
    """Without a stretch of a lane (ENGINE: of all of them), in whose place is the word on it."""
    stretch = np.arange(first, last)
    of_lane = np.ones(stretch.size, bool) if lane == Lane.ENGINE else events["lane"][stretch] == lane
    if not of_lane.any():
        return events
    word = event(int(events["tsc"][last - 1]), EventKind.LOST, Lane.ENGINE, lane, 0, int(of_lane.sum()))
    return np.concatenate([np.delete(events[:last], stretch[of_lane]), word, events[last:]])


def known(tally: Tally) -> dict[str, int]:
    """Each count that may be a bound."""
    exits = tally.exits_to_userspace
    by_reason = {f"exits_to_userspace.{name}": count for name, count in exits.items()}
    counts = {name: count for name, count in tally.counts().items() if isinstance(count, int)}
    counts |= {"resamples": tally.resamples, "refused": sum(tally.refused.values())}
    return {**counts, "exits_to_userspace": sum(tally.exits_of_guest.values()), **by_reason}


@pytest.mark.parametrize("lane", [Lane.GUEST, Lane.VCPU, Lane.IO_THREAD, Lane.ENGINE])
@pytest.mark.parametrize(
    "name",
    ["roundtrip", "irq-level-resample", "irq-line-level", "irq-burst", "vm-to-vm", "vhost-user-blk", "virtqueue"],
)
def test_whatever_is_lost_what_was_counted_lies_between_the_bounds(name: str, lane: Lane) -> None:
    events = end_to_end(*Recording(path_of_shipped(name)).sorted_batches())
    whole, random = Tally(), np.random.default_rng(lane)
    whole.feed(events)
    short = 0
    for _ in range(20):
        first = int(random.integers(100, events.size - 1))
        end = events.size - 50 * (lane == Lane.GUEST)  # the newest stamps of a guest are never lost
        last = int(random.choice([min(first + 1 + int(random.integers(0, 400)), end), end]))
        lossy = Tally()
        for part in np.array_split(without_some(events, lane, min(first, last - 1), last), 3):
            lossy.feed(part)
        counted, bounds = known(lossy), lossy.bounds()
        for which in known(whole).keys() & counted.keys() | bounds.keys():
            count = known(whole).get(which, 0)
            least, most = vars(bounds[which]).values() if which in bounds else (counted[which],) * 2
            assert least <= count <= (count if most is None else most), which
            assert least <= counted.get(which, 0) <= (counted[which] if most is None else most), which
            short += least != count
    assert short or lane != Lane.ENGINE


def test_of_a_stream_that_lost_nothing_nothing_is_a_bound() -> None:
    assert fed(*ROUND_TRIPS).bounds() == {}


def test_a_number_is_known_again_with_the_next_event_behind_a_loss() -> None:
    tally = fed(*ROUND_TRIPS, (EventKind.LOST, Lane.IO_THREAD, 0, 2))
    assert tally.bounds()["doorbells_received"] == Bounds(4, 5)
    assert tally.bounds()["irqs_signalled"] == Bounds(3, 5)
    tally.feed(batch((EventKind.DOORBELL, 0, 5, 1)))
    assert "doorbells_received" not in tally.bounds()
    assert tally.bounds()["irqs_signalled"] == Bounds(3, 5)
    tally.feed(batch((EventKind.IRQ_IOCTL, 1, 5, 5)))
    assert tally.bounds().keys() == {"eventfd_reads", "resamples"}
