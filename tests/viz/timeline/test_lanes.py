"""Lanes hold what happened in them, of each VM in its own."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.events import ROLE_BITS, EventKind, Lane, ThreadRole, event
from bellwire.engine.folds.journeys import JourneyTracker, no_journeys
from bellwire.engine.folds.spans import Spans, awake, flights, instruction, user_space
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.model.live import LiveModel
from bellwire.viz.timeline.lanes import cover, lanes_of, stretches, without
from tests.support.fake_source import FakeSource
from tests.support.journey_streams import World, scenario


def test_awake_is_from_the_first_word_to_the_next_wait() -> None:
    events = World(random.Random(3), True).run(200)
    words = events[events["lane"] == Lane.IO_THREAD].copy()
    words["kind"][::3] = EventKind.WAIT
    expected, since = [], 0
    for word in words:
        if word["kind"] == EventKind.WAIT and since:
            expected.append((since, int(word["tsc"])))
        since = 0 if word["kind"] == EventKind.WAIT else since or int(word["tsc"])
    spans = awake(words)
    assert list(zip(spans.start.tolist(), spans.end.tolist(), strict=True)) == expected


def test_user_space_is_from_each_exit_to_its_entry() -> None:
    events = World(random.Random(8), True).run(400)
    spans = user_space(events)
    exits = events["tsc"][events["kind"] == EventKind.EXIT]
    assert spans.start.tolist() == exits.tolist()
    assert (spans.end > spans.start).all()


def test_the_instruction_is_from_each_ring_to_its_stamp_after_it() -> None:
    events = World(random.Random(8), True).run(400)
    journeys = JourneyTracker(scenario()).feed(events)
    spans = instruction(events)
    assert spans.start.tolist() == events["tsc"][events["kind"] == EventKind.RING].tolist()
    by_ring = dict(zip(spans.start.tolist(), spans.end.tolist(), strict=True))
    assert all(by_ring[int(journey["ring"])] == journey["rung"] for journey in journeys[journeys["ring"] > 0])


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 300)), max_size=30))
def test_cover_adds_up_what_lies_between_edges(spans: list[tuple[int, int]]) -> None:
    start = np.array([s for s, _ in spans], np.uint64)
    end = start + np.array([n for _, n in spans], np.uint64)
    edges = np.arange(0, 1400, 100).astype(np.uint64)
    covered = cover(Spans(start, end), edges)
    for low, high, cycles in zip(edges[:-1].tolist(), edges[1:].tolist(), covered, strict=True):
        true = sum(max(0, min(s + n, high) - max(s, low)) for s, n in spans)
        assert cycles == pytest.approx(true)


@given(*[st.lists(st.tuples(st.integers(0, 300), st.integers(1, 30)), max_size=8)] * 2)
def test_holes_are_cut_out(spans: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    def disjoint(pairs: list[tuple[int, int]]) -> Spans:
        """Each after the one before."""
        bounds = np.cumsum([length for pair in pairs for length in pair]).astype(np.uint64)
        return Spans(bounds[::2], bounds[1::2])

    some, others = disjoint(spans), disjoint(holes)
    rest = without(some, others)
    edges = np.arange(3000).astype(np.uint64)
    expected = (cover(some, edges) > 0) & (cover(others, edges) == 0)
    assert (cover(rest, edges) > 0).tolist() == expected.tolist()


@pytest.mark.parametrize("name", [some.name for some in list_scenarios()])
def test_every_scenario_has_its_lanes_and_they_draw_what_there_is(name: str) -> None:
    for vms in (1, 2):
        lanes = lanes_of(load_scenario(name), vms)
        assert len({lane.key for lane in lanes}) == len(lanes)
        assert sum(lane.kind == "guest" for lane in lanes) == sum(lane.kind == "vcpu" for lane in lanes) == vms
        whats = ("instruction", "user", "kernel")
        known = {"flight", "awake", "unseen"} | {f"{what}{vm}" for what in whats for vm in range(vms)}
        assert {row for lane in lanes for row, _ in lane.rows} <= known


def test_where_the_kernel_is_watched_it_is_drawn_who_waits_for_a_cpu() -> None:
    """From when a thread is woken until it has one; of a thread that is woken by nobody it is not known."""
    io, first, second = ThreadRole.IO_THREAD, ThreadRole.VCPU, ThreadRole.VCPU | 9 << ROLE_BITS
    events = np.concatenate(
        [
            event(tsc, kind, Lane.KVM, id)
            for tsc, kind, id in (
                *((10, EventKind.WAKING, io), (12, EventKind.WAKING, first), (15, EventKind.RUNS, io)),
                *((20, EventKind.WAKING, second), (25, EventKind.RUNS, io), (30, EventKind.RUNS, second)),
                (40, EventKind.RUNS, first),
            )
        ]
    )
    events["vm"][events["id"] == second] = 1
    found = stretches(events, no_journeys())
    told = {row: (found[row].start.tolist(), found[row].end.tolist()) for row in ("queued", "queued0", "queued1")}
    assert told == {"queued": ([10], [15]), "queued0": ([12], [40]), "queued1": ([20], [30])}
    rows = {row for lane in lanes_of(load_scenario("vm-to-vm"), 2, watched=True) for row, _ in lane.rows}
    assert {"queued0", "queued1"} < rows
    assert "queued" in {row for lane in lanes_of(load_scenario("roundtrip"), 1, watched=True) for row, _ in lane.rows}


def test_where_nobody_reads_the_doorbell_there_is_no_io_thread() -> None:
    assert [lane.name for lane in lanes_of(load_scenario("vm-to-vm"), 2)] == [
        "Guest A",
        "vCPU A",
        "KVM",
        "Guest B",
        "vCPU B",
    ]
    assert [lane.name for lane in lanes_of(load_scenario("vhost-user-blk"), 1)][-1] == "Other process"
    assert [lane.name for lane in lanes_of(load_scenario("roundtrip"), 1)][-1] == "I/O thread"


@pytest.mark.parametrize("name", ["vm-to-vm", "roundtrip", "roundtrip-userspace", "irq-msi"])
def test_flights_are_the_journeys_way_through_the_kernel(name: str) -> None:
    source = FakeSource(name)
    source.start()
    model = LiveModel(source)
    for _ in range(20):
        source.run(0.01)
        model.tick(0.01)
    journeys = model.journeys.newest(10**6)
    spans = flights(journeys)
    legs = (journeys["ring"] > 0).sum() + (journeys["irq"] > 0).sum()
    assert spans.start.size == legs
    assert (spans.end > spans.start).all()
    assert set(stretches(model.window(0, 2**62), journeys)) >= {"flight", "awake", "instruction0", "user0"}
