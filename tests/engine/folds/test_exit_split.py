"""Exits and signals before and after each change of the wiring, however the events are cut."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, STATS, EventKind, Events, Lane, Switch, event
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.exit_split import COUNTED_BY_KVM, KVM_EXITS, Exits, ExitSplit
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from tests.support.fake_source import FakeSource
from tests.support.journey_streams import cut


def switched() -> Events:
    """1000 doorbells by ioeventfd, 500 by exits, 1000 by ioeventfd again."""
    source, parts = FakeSource(), []
    with source:
        for seconds, on in ((0.5, False), (0.25, True), (0.5, True)):
            source.run(seconds)
            parts.append(source.take())
            if source._on[Switch.IOEVENTFD] != on:
                source.order(Order.IOEVENTFD, on)
        source.run(0.01)
        parts.append(source.take())
    return np.concatenate(parts, dtype=EVENT)


def tally_of(events: Events) -> Tally:
    tally = Tally()
    tally.feed(events)
    return tally


def split(events: Events, seed: int | None = None) -> ExitSplit:
    made = ExitSplit(load_scenario("roundtrip"))
    for batch in [events] if seed is None else cut(events, random.Random(seed)):
        made.feed(batch)
    return made


def test_each_part_has_its_own() -> None:
    events, made = switched(), split(switched())
    changes = np.flatnonzero(events["kind"] == EventKind.WIRE)[-2:]
    parts = np.split(events, changes)
    rings = [int((part["kind"] == EventKind.RING).sum()) for part in parts]
    exits = [int((part["kind"] == EventKind.EXIT).sum()) for part in parts]
    assert made.switched == "ioeventfd on"
    assert (made.before.signals, made.since.signals, made.whole.signals) == (rings[1], rings[2], sum(rings))
    assert made.before.to_userspace == {"IO": exits[1]}
    assert made.whole.to_userspace == {"IO": sum(exits)}
    assert made.before.per_signal()["to user space: IO"] == pytest.approx(1, abs=0.01)
    assert made.since.kvm is not None


def test_it_does_not_matter_how_the_events_are_cut() -> None:
    events = switched()
    whole = split(events)
    for seed in range(2):
        parts = split(events, seed)
        assert (whole.whole, whole.before, whole.since) == (parts.whole, parts.before, parts.since)


def test_interrupts_are_the_signals_where_nothing_is_rung() -> None:
    made = ExitSplit(load_scenario("irq-msi"))
    made.feed(event(1, EventKind.IRQFD, Lane.IO_THREAD, 24, 7))
    assert made.whole.signals == 7


def test_nothing_is_divided_by_no_signal() -> None:
    assert Exits().per_signal() == {}
    assert Exits(4, {"IO": 2}, 6, kvm_signals=4).per_signal() == {"to user space: IO": 0.5, "counted by KVM": 1.5}


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_of_a_part_of_a_run_it_counts_what_is_in_the_part(told: bool) -> None:
    """By the numbers of the run a part of a thousandth of it had a thousandth of an exit a doorbell."""
    events = switched()
    cut_at = int(np.flatnonzero(events["seq"] == 1200)[0])
    opening = prologue(tally_of(events[:cut_at]), int(events["tsc"][cut_at]))
    kept = opening if told else opening[(opening["kind"] != EventKind.BEFORE) | (opening["id"] != Before.STAT)]
    whole, rest = split(events), split(np.concatenate([kept, events[cut_at:]]))
    before = split(events[:cut_at])
    assert rest.whole.signals == pytest.approx(whole.whole.signals - before.whole.signals, abs=1)
    assert rest.whole.to_userspace == {"IO": int((events[cut_at:]["kind"] == EventKind.EXIT).sum())}
    assert whole.whole.kvm is not None
    assert before.whole.kvm is not None
    assert rest.whole.kvm is not None
    since = whole.whole.kvm - before.whole.kvm
    assert since / 2 < rest.whole.kvm <= since
    looks = events[cut_at:][(events[cut_at:]["kind"] == EventKind.STAT) & (events[cut_at:]["id"] == KVM_EXITS)]
    assert rest.whole.kvm == int(looks["arg"][-1]) - int(looks["arg"][0])
    rings = events[(events["kind"] == EventKind.RING) & (events["tsc"] > looks["tsc"][0])]
    assert rest.whole.kvm_signals == int((rings["tsc"] < looks["tsc"][-1]).sum())


def test_events_that_may_have_been_exits_count_for_the_part_that_lost_them() -> None:
    events = switched()
    last = int(events["tsc"][-1])
    made = split(np.concatenate([events, event(last, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 7)]))
    assert (made.whole.lost, made.before.lost, made.since.lost) == (7, 0, 7)
    assert made.since.least("to user space: IO")
    assert not made.since.least("counted by KVM")
    assert not made.before.least("to user space: IO")
    other = split(np.concatenate([events, event(last, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 7)]))
    assert not other.whole.least("to user space: IO")


def test_changes_that_no_signal_comes_between_are_one() -> None:
    """0.4 ms between two switches were held against what followed, as if that had been a wiring."""
    events = switched()
    last = int(np.flatnonzero(events["kind"] == EventKind.WIRE)[-1])
    other, later = int(events["tsc"][last]) + 1, events[last + 1 :].copy()
    later["tsc"] += np.uint64(1)
    wire = event(other, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, 0)
    alone, both = split(events), [events[: last + 1], wire, later]
    for made in (split(np.concatenate(both)), split(np.concatenate(both), 7)):
        assert made.switched == "ioeventfd on, irqfd off"
        assert made.before == alone.before
        assert made.since == alone.since
    lost = [both[0], event(other, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 1), *both[1:]]
    assert split(np.concatenate(lost)).switched == "irqfd off"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ("I", "ioeventfd off"),
        ("II", "ioeventfd off and on"),
        ("IQ", "ioeventfd off, irqfd off"),
        ("IQI", "irqfd off"),
        ("IIIIQQ", "ioeventfd off and on, irqfd off and on"),
        ("QIQQII", "ioeventfd off, irqfd off"),
    ],
)
def test_however_often_switches_are_thrown_at_once_it_is_said_how_they_stand(turns: str, words: str) -> None:
    """The label had a word for each, and no end."""
    made, on = split(switched()), {"I": True, "Q": True}
    for n, which in enumerate(turns):
        on[which] = not on[which]
        switch = Switch.IOEVENTFD if which == "I" else Switch.IRQFD
        made.feed(event(2**60 + n, EventKind.WIRE, Lane.ENGINE, switch, 0, int(on[which])))
        if not n:
            before = made.before
    assert set(made.switched.split(", ")) == set(words.split(", "))
    assert made.before == before


def test_exits_that_kvm_counts_are_those_of_signals_between_two_looks() -> None:
    """Those between the last look under a wiring and the first under the next were the next one's."""

    def stat(tsc: int, exits: int) -> Events:
        return event(tsc, EventKind.STAT, Lane.ENGINE, STATS.index("exits"), 0, exits)

    def rings(first: int, count: int) -> list[Events]:
        return [event(100 * n, EventKind.RING, Lane.GUEST, 0, n) for n in range(first, first + count)]

    def wire(tsc: int, on: int) -> Events:
        return event(tsc, EventKind.WIRE, Lane.ENGINE, Switch.IOEVENTFD, 0, on)

    parts = [wire(0, 0), stat(1, 0), *rings(1, 10), stat(1050, 20), *rings(11, 10), wire(2050, 1)]
    made = split(np.concatenate([*parts, *rings(21, 1)]))
    assert (made.before.kvm, made.before.kvm_signals, made.since.kvm) == (20, 10, None)
    assert made.since.each_signal(COUNTED_BY_KVM) is None
    parts += [*rings(21, 5), stat(2550, 45), *rings(26, 10), stat(3550, 55)]
    made = split(np.concatenate([*parts, *rings(36, 3)]))
    assert made.since.each_signal(COUNTED_BY_KVM) == 1.0
    assert made.before.each_signal(COUNTED_BY_KVM) == 2.0
    assert made.whole.each_signal(COUNTED_BY_KVM) == pytest.approx(55 / 35)
