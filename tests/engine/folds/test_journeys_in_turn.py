"""Pairing where a line is raised again as soon as the device hears that it is low: each interrupt has its handler."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.folds.journeys import InTurn, Journeys, JourneyTracker
from bellwire.engine.scenarios.scenario import load_scenario

ROOT = Path(__file__).parents[3]


def world(seed: int, signals: int = 60) -> tuple[Events, dict[int, int]]:
    """The host ends each interrupt as it injects it, before or after its handler begins, or looks what is announced;
    and when the handler of each interrupt began."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    began: dict[int, int] = {}
    tsc = seen = signalled = heard = 0
    handler: tuple[int, int] | None = None  # of a handler that has not looked yet: when it began, in which row
    while len(began) < signals or handler:
        tsc += chance.randint(1, 9)
        moves = []
        if signalled == heard and signalled < signals:
            moves.append("signal")
        ready = heard < len(began) or (heard == len(began) and not handler)  # the handler of the one before is over
        if heard < signalled and ready:
            moves.append("hear")
        if not handler and len(began) < signalled:
            moves.append("begin")
        if handler:
            moves.append("look")
        match chance.choice(moves):
            case "signal":
                signalled += 1
                rows.append((tsc, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, signalled, 0))
            case "hear":
                heard += 1
                rows.append((tsc, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, heard, 1))
            case "begin":
                handler = tsc, len(rows)
                began[len(began) + 1] = tsc
                rows.append((tsc, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 0, 0))
            case _:
                assert handler
                rows[handler[1]] = (handler[0], EventKind.HANDLER, Lane.GUEST, 0, 0x41, signalled, signalled - seen)
                seen, handler = signalled, None
    return np.array(rows, EVENT), began


def tracked(events: Events, size: int) -> tuple[JourneyTracker, Journeys]:
    tracker = JourneyTracker(load_scenario("irq-level-resample"))
    return tracker, np.concatenate([tracker.feed(events[at : at + size]) for at in range(0, events.size, size)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_each_interrupt_ends_with_the_handler_that_ran_for_it(seed: int, size: int) -> None:
    events, began = world(seed)
    assert (events["arg"][events["kind"] == EventKind.HANDLER] == 0).any()  # one that knew of the next already
    tracker, journeys = tracked(events, size)
    assert {int(one["interrupt"]): int(one["handler"]) for one in journeys} == began
    assert journeys["merged"].tolist() == [1] * 60
    assert tracker.given_up == 0


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_where_a_handler_is_lost_no_other_ones_is_taken_for_it(size: int) -> None:
    rows = [
        (10, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 1, 0),
        (20, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, 1, 1),
        (30, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 2, 0),
        (45, EventKind.LOST, Lane.ENGINE, 0, Lane.GUEST, 0, 1),
        (50, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 2, 2),
        (60, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, 2, 1),
        (70, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 3, 0),
        (80, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 3, 1),
    ]
    tracker, journeys = tracked(np.array(rows, EVENT), size)
    assert journeys[["interrupt", "handler"]].tolist() == [(3, 80)]
    assert tracker.given_up == 2


def test_numbers_that_no_handler_has_break_nothing() -> None:
    in_turn = InTurn()
    assert [in_turn.next(seq, covers) for seq, covers in ((0, 3), (2, 0), (5, 2**50), (5, 1), (5, 0))] == [
        0,
        0,
        0,
        5,
        0,
    ]


# -- Without an irqfd, where KVM ends an interrupt as it injects it


class Line:
    """A level's pin and its APIC, as virt/kvm/ioapic.c has them: `caused` is what the pending run is for."""

    def __init__(self) -> None:
        self.raised_by, self.is_high, self.remote_irr = 0, False, False
        self.pending: int | None = None
        self._ran_for = 0

    def move(self, by: int) -> None:
        """It is raised by an interrupt; lowered by 0."""
        self.raised_by, self.is_high = by or self.raised_by, by > 0
        self._deliver()

    def inject(self) -> int:
        """-> the interrupt that the run is for; 0: the line was high still. Its end is heard at once."""
        ran_for, self.pending, self.remote_irr = self.pending, None, False
        self._deliver()
        assert ran_for is not None
        return ran_for

    def _deliver(self) -> None:
        if self.is_high and not self.remote_irr:
            self.remote_irr, self.pending = True, self.raised_by if self.raised_by > self._ran_for else 0
            self._ran_for = self.raised_by


def lowered_by_vmm(seed: int, signals: int = 60) -> tuple[Events, dict[int, int]]:
    """A line that the VMM lowers at the handler's write to the device; and when the run of each interrupt began."""
    chance, line = random.Random(seed), Line()
    rows: list[tuple[int, ...]] = []
    began: dict[int, int] = {}
    tsc = seen = signalled = 0
    handler: tuple[int, int] | None = None  # of a handler that has not looked yet: when it began, in which row
    while True:
        tsc += chance.randint(1, 9)
        raises, begins = not line.is_high and signalled < signals, line.pending is not None and not handler
        moves = ["raise"] * raises + ["begin"] * begins + ["look"] * (handler is not None)
        if not moves:
            return np.array(rows, EVENT), began
        match chance.choice(moves):
            case "raise":
                signalled += 1
                rows.append((tsc, EventKind.IRQ_IOCTL, Lane.IO_THREAD, 0, 5, signalled, 0))
                line.move(signalled)
            case "begin":
                handler = tsc, len(rows)
                began.setdefault(line.inject(), tsc)
                rows.append((tsc, EventKind.HANDLER, Lane.GUEST, 0, 0x43, 0, 0))
            case _:
                assert handler
                rows[handler[1]] = (handler[0], EventKind.HANDLER, Lane.GUEST, 0, 0x43, signalled, signalled - seen)
                seen, handler = signalled, None
                line.move(0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_run_because_the_line_was_high_still_is_nobodys(seed: int, size: int) -> None:
    """It was paired with the next interrupt, of which it may have been told: signalled 0.1 us before, or later."""
    events, began = lowered_by_vmm(seed)
    assert began.pop(0)
    tracker = JourneyTracker(load_scenario("irq-line-level"), "kvm_pvm")
    journeys = np.concatenate([tracker.feed(events[at : at + size]) for at in range(0, events.size, size)])
    assert {int(one["interrupt"]): int(one["handler"]) for one in journeys} == began
    assert len(began) == 60
    assert (tracker.given_up, tracker.contradicted) == (0, 0)


def test_where_kvm_ends_it_later_each_handler_is_its_interrupts() -> None:
    rows = [(10, EventKind.IRQ_IOCTL, 1), (20, EventKind.HANDLER, 1), (30, EventKind.IRQ_IOCTL, 2)]
    rows += [(40, EventKind.HANDLER, 2)]
    events = np.array([(tsc, kind, Lane.GUEST, 0, 5, seq, 1) for tsc, kind, seq in rows], EVENT)
    events["arg"][events["kind"] == EventKind.IRQ_IOCTL] = 0
    assert JourneyTracker(load_scenario("irq-line-level"), "kvm_amd").feed(events)["handler"].tolist() == [20, 40]
    assert JourneyTracker(load_scenario("irq-line-level"), "kvm_pvm").feed(events)["handler"].tolist() == [20]


def test_with_an_irqfd_its_resamplefd_lowers_the_line() -> None:
    """Whatever the scenario begins with: what is in force counts."""
    in_turn = InTurn(irqfd=False, ends_early=True)
    assert [in_turn.next(*row) for row in ((1, 1), (2, 1), (2, 0))] == [1, 0, 2]
    in_turn.wire(irqfd=False)
    assert [in_turn.next(*row) for row in ((3, 1), (4, 1))] == [3, 0]
    in_turn.wire(irqfd=True)
    assert [in_turn.next(*row) for row in ((5, 1), (6, 1), (6, 0), (7, 1))] == [5, 6, 0, 7]


def test_no_one_pairs_without_the_back_end() -> None:
    """Every fold of the program that pairs is told whose events they are; one that is not pairs in another way."""
    classes, alone = {"JourneyTracker": 2, "Latencies": 3, "StepFigures": 4}, list[str]()
    calls = 0
    for path in [*(ROOT / "engine").rglob("*.py"), *(ROOT / "viz").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
                calls += 1
                if len(node.args) < classes[node.func.id]:
                    alone.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert calls > 10
    assert alone == []
