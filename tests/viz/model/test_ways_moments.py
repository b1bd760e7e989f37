"""Where a journey waited is found among the events, and never outside of the journey."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, OTHER_VECTOR, EventKind, Events, Lane, Switch
from bellwire.engine.folds.journeys import JOURNEY, Journeys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.model.ways import Ways, echoes
from bellwire.viz.stages.moments import Times, first_after, last_before, moments
from bellwire.viz.stages.way import WaysOf


def tscs(*numbers: int) -> Times:
    return np.array(numbers, np.uint64)


def events(*rows: tuple[int, EventKind, int]) -> Events:
    """From (tsc, kind, seq)."""
    return np.array([(tsc, kind, Lane.IO_THREAD, 0, 0, seq, 0) for tsc, kind, seq in rows], EVENT)


def journey(**stages: int) -> Journeys:
    made = np.zeros(1, JOURNEY)
    for stage, tsc in stages.items():
        made[stage] = tsc
    return made


def test_last_before_and_first_after_keep_to_their_bounds() -> None:
    some = tscs(10, 20, 30)
    assert last_before(some, tscs(25, 20, 5, 25), tscs(1, 1, 1, 20)).tolist() == [20, 20, 0, 0]
    assert last_before(some, tscs(25), tscs(0)).tolist() == [0]  # it has not begun
    assert first_after(some, tscs(10, 25, 30), tscs(99, 29, 99)).tolist() == [20, 0, 0]
    assert last_before(tscs(), tscs(25), tscs(1)).tolist() == first_after(tscs(), tscs(1), tscs(9)).tolist() == [0]


def test_a_window_counts_only_if_the_interrupt_was_delivered_before_it_opened() -> None:
    one = journey(irq=100, handler=200)
    held = moments(one, events((110, EventKind.WAIT, 1), (190, EventKind.WINDOW, 1)), frozenset({Trait.WINDOW}))
    assert (held["delivered"].tolist(), held["window"].tolist()) == ([110], [190])
    late = moments(one, events((150, EventKind.WINDOW, 1), (160, EventKind.WAIT, 1)), frozenset({Trait.WINDOW}))
    assert (late["delivered"].tolist(), late["window"].tolist()) == ([0], [0])


def test_coalesced_writes_are_fetched_by_the_last_exit_before_the_doorbell() -> None:
    exits = events(
        (50, EventKind.EXIT, 0), (120, EventKind.EXIT, 0), (140, EventKind.EXIT, 0), (300, EventKind.EXIT, 0)
    )
    one = journey(ring=90, rung=100, doorbell=200)
    assert moments(one, exits, frozenset({Trait.COALESCED}))["fetched"].tolist() == [140]
    assert moments(one, exits, frozenset())["fetched"].tolist() == [0]


def test_an_edge_at_a_masked_pin_lasts_until_its_write_has_returned() -> None:
    found = echoes(
        events((10, EventKind.IRQFD, 1), (15, EventKind.WAIT, 0), (30, EventKind.IRQFD, 2)), frozenset({Trait.MASKED})
    )
    assert found[["seq", "irq", "handler"]].tolist() == [(1, 10, 15)]


def test_the_word_that_a_line_is_low_comes_from_the_handler_before_it() -> None:
    rows = events((10, EventKind.IRQFD, 1), (20, EventKind.HANDLER, 1), (30, EventKind.RESAMPLE, 1))
    found = echoes(rows, frozenset({Trait.LEVEL}))
    assert found[["seq", "irq", "handler"]].tolist() == [(1, 20, 30)]


def test_which_of_two_vcpus_rang_or_was_interrupted_is_that_of_the_event_itself() -> None:
    both = np.concatenate([journey(seq=1, ring=100, doorbell=150), journey(seq=2, ring=101, doorbell=150)])
    rings = events((100, EventKind.RING, 1), (101, EventKind.RING, 2))
    rings["vm"] = (1, 0)
    assert moments(both, rings, frozenset({Trait.TWO_VCPUS}))["lane"].tolist() == [1, 0]
    handlers = events((200, EventKind.HANDLER, 1), (300, EventKind.HANDLER, 2))
    handlers["vm"] = (0, 1)
    taken = np.concatenate([journey(irq=190, handler=200), journey(irq=290, handler=300)])
    assert moments(taken, handlers, frozenset({Trait.TWO_VCPUS}))["lane"].tolist() == [0, 1]
    assert "lane" not in moments(taken, handlers, frozenset())


def test_a_journey_is_on_the_lines_of_its_vcpu() -> None:
    both = np.concatenate([journey(seq=1, ring=100, doorbell=150), journey(seq=2, ring=101, doorbell=150)])
    found = moments(both, events((101, EventKind.RING, 2)), frozenset({Trait.TWO_VCPUS}))
    found["lane"][:] = (1, 0)
    routes = Ways(load_scenario("two-vcpus-doorbell")).routes(both, found)
    assert {route.lane("ioeventfd"): rows.tolist() for route, rows in routes} == {1: [0], 0: [1]}


def test_of_a_route_that_changes_the_lane_is_that_of_the_vector() -> None:
    """The handler that ended the journey had one of two vectors."""
    several = np.concatenate([journey(irq=tsc, handler=tsc + 50) for tsc in (100, 200)])
    ran = events((150, EventKind.HANDLER, 1), (250, EventKind.HANDLER, 2))
    ran["id"] = (0x40, OTHER_VECTOR)
    scenario = load_scenario("irq-route-change")
    routes = Ways(scenario).routes(several, moments(several, ran, traits_of(scenario)))
    assert [(route.lane("irqfd"), rows.tolist()) for route, rows in routes] == [(0, [0]), (1, [1])]


def test_a_signal_before_the_irqfd_has_waited_until_the_engine_assigned_it() -> None:
    """The engine's last word before it; what the next change takes away was assigned before."""
    several = np.concatenate([journey(irq=irq, handler=irq + 50) for irq in (100, 300)])
    wire, setting = EventKind.WIRE, EventKind.SETTING
    words = events((10, wire, 0), (140, setting, 2), (160, wire, 0), (400, wire, 0))
    words["lane"], words["arg"] = Lane.ENGINE, (0, 2, 1, 0)
    words["id"][words["kind"] == wire] = Switch.IRQFD
    scenario = load_scenario("lab-early-signal")
    found = moments(several, words, traits_of(scenario))
    assert found["unheard"].tolist() == [140, 0]
    ways = {way.paths[-1].name: rows.tolist() for way, rows in WaysOf(scenario).of(several, found)}
    assert ways == {"irqfd-late": [0], "irqfd-msi": [1]}
