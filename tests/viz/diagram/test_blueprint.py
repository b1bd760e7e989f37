"""Every scenario has a picture, and every picture is whole: nothing outside, nothing unnamed, a line for every leg."""

from __future__ import annotations

import itertools

import pytest

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, STAGES
from bellwire.engine.folds.latency import LATENCIES
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.blueprint import (
    EXTENDED,
    SIMPLE,
    Blueprint,
    Point,
    blueprint_of,
    call_of,
    heights_of,
    overlaid,
)
from bellwire.viz.diagram.counter_words import FDS
from bellwire.viz.diagram.part_words import LANE_SAYINGS, SAYINGS
from bellwire.viz.diagram.still_words import plain, speaking
from bellwire.viz.model.ways import LEGS, Ways
from bellwire.viz.stages.moments import MOMENTS
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.assets import asset
from bellwire.viz.wires.passable import CONDITIONS, FLOWS

SCENARIOS = pytest.mark.parametrize(
    ("scenario", "extended"),
    list(itertools.product(list_scenarios(), (False, True))),
    ids=lambda value: value.name if isinstance(value, Scenario) else "extended" if value else "simple",
)


def points_of(plan: Blueprint) -> list[Point]:
    """Every corner of everything."""
    corners: list[Point] = [point for wire in plan.wires.values() for point in wire.points]
    for rect in [part.rect for table in (plan.boxes, plan.nodes) for part in table.values()]:
        corners += [(rect[0], rect[1]), (rect[0] + rect[2], rect[1] + rect[3])]
    corners += [part.center for table in (plan.counters, plan.pills, plan.rings) for part in table.values()]
    return corners + [note.at for note in plan.notes.values()]


@SCENARIOS
def test_everything_is_on_the_canvas_and_nodes_lie_in_a_box(scenario: Scenario, extended: bool) -> None:
    plan = blueprint_of(scenario, extended=extended)
    assert all(0 < x < plan.size[0] and 0 < y < plan.size[1] for x, y in points_of(plan))
    around = [box.rect for box in plan.boxes.values()]
    for x, y, w, h in (node.rect for node in plan.nodes.values()):
        assert any(bx <= x and by <= y and x + w <= bx + bw and y + h <= by + bh for bx, by, bw, bh in around)


@SCENARIOS
def test_colours_sayings_counters_and_latencies_exist(scenario: Scenario, extended: bool) -> None:
    plan = blueprint_of(scenario, extended=extended)
    named = (plan.boxes, plan.counters, plan.rings, plan.wires, plan.pills, plan.notes)
    assert all(hasattr(DARK, part.color) for table in named for part in table.values())
    says = {part.says or plain(name) for name, part in speaking(plan).items()}
    assert says <= {*SAYINGS, *LANE_SAYINGS}
    assert {counter.of for counter in plan.counters.values()} <= {*FDS, "queue", "waiting", "none"}
    assert {pill.of for pill in plan.pills.values()} <= set(LATENCIES)
    ways = plan.ways.values()
    assert {way.carries for way in ways} <= {"", *FLOWS}
    asked = {condition.removeprefix("!") for way in ways for condition in way.depends}
    assert asked <= {*CONDITIONS, *Trait}


@SCENARIOS
def test_every_leg_that_a_journey_can_take_has_a_line(scenario: Scenario, extended: bool) -> None:
    plan, ways = blueprint_of(scenario, extended=extended), Ways(scenario)
    masked = bool(scenario.interrupt and scenario.interrupt.masked)
    kinds = itertools.product((0, HEAVY_DOORBELL), (0, HEAVY_INTERRUPT))
    for out, back in kinds:
        rings, interrupts = scenario.doorbell is not None, scenario.interrupt is not None and not masked
        kept = Trait.COALESCED in ways.traits and not out
        for leg in ways.legs(rings, interrupts, out * rings | back * interrupts, kept, False):
            if leg not in impossible(ways):
                assert all(plan.leg(leg, lane).points for lane in range(max(ways.outs, ways.backs))), leg


def impossible(ways: Ways) -> set[str]:
    """The legs that this scenario never has, whatever is switched."""
    never = {
        Trait.IO_URING: {"ioctl"},  # the irqfd cannot be switched off
        Trait.DIRECT: {"ioctl"},
        # of ours; a scenario of its exits has the leg "vmm" alone
        Trait.REAL_QEMU: {"exit", "partner_relay", "direct_relay"},
        Trait.MISS: {"ioeventfd"},
        Trait.RESAMPLE: {"ioctl"},
        Trait.ACKNOWLEDGED: {"irqfd"},
    }
    return {leg for trait, legs in never.items() if trait in ways.traits for leg in legs}


@SCENARIOS
def test_a_part_can_be_told_by_its_name(scenario: Scenario, extended: bool) -> None:
    plan = blueprint_of(scenario, extended=extended)
    names = [name for table in plan.tables for name in table]
    assert len(names) == len(set(names))
    assert all(part.help and (part.stage or part in plan.pills.values()) for t in plan.tables for part in t.values())


def test_legs_begin_and_end_at_stages() -> None:
    assert {stage for leg in LEGS.values() for stage in leg[:2]} <= {*STAGES, *MOMENTS}


def test_every_picture_is_some_scenarios() -> None:
    files = {path.stem for path in asset("diagrams").glob("*.toml")}
    assert {name for name, _ in (*SIMPLE, *EXTENDED)} == files


def test_the_doorbells_wire_goes_through_its_eventfd() -> None:
    plan = blueprint_of(load_scenario("roundtrip"))
    (_, y0), *_, (_, y1) = plan.leg("ioeventfd").points
    assert y0 == y1 == plan.counters["doorbell_fd"].center[1]
    assert plan.counters["doorbell_fd"].center[0] in {x for x, _ in plan.leg("relay").points}


def test_a_picture_based_on_another_says_only_what_is_different() -> None:
    base = {"box": {"a": {"title": "A", "edge": "kvm"}}, "canvas": 1}
    assert overlaid(base, {"box": {"a": {"title": "B"}}}) == {"box": {"a": {"title": "B", "edge": "kvm"}}, "canvas": 1}


def test_several_stand_around_the_middle_and_within_the_room() -> None:
    spread = {"middle": 200, "gap": 60, "room": 210}
    assert heights_of(1, spread) == [200]
    assert heights_of(2, spread) == [170, 230]
    eight = heights_of(8, spread)
    assert eight[-1] - eight[0] == 210


def test_the_call_behind_an_interrupts_ioctl_is_the_scenarios() -> None:
    scenario = load_scenario("irq-line")
    assert call_of(blueprint_of(scenario).wires["ioctl"], scenario) == "irq-line"


def test_what_the_wiring_or_the_back_end_leaves_out_is_subdued_and_says_why() -> None:
    msi, pin = (blueprint_of(load_scenario(name), "kvm_pvm", extended=True) for name in ("irq-msi", "irq-ioapic"))
    assert [msi.nodes[name].unused for name in ("msi", "ioapic", "work")] == [False, True, True]
    assert [pin.nodes[name].unused for name in ("msi", "ioapic", "work")] == [True, False, False]
    assert "worker" in pin.leg("irqfd").along
    assert "worker" not in msi.leg("irqfd").along
    assert msi.nodes["work"].skipped in msi.nodes["work"].tip()
    assert msi.nodes["msi"].tip() == msi.nodes["msi"].help


@pytest.mark.parametrize(("backend", "skipped"), [("kvm_pvm", True), ("kvm_intel", False)])
def test_the_fast_mmio_bus_depends_on_the_back_end(backend: str, skipped: bool) -> None:
    assert blueprint_of(load_scenario("doorbell-mmio-any"), backend, extended=True).nodes["fast"].unused is skipped
    assert blueprint_of(load_scenario("doorbell-mmio"), backend, extended=True).nodes["fast"].unused


@pytest.mark.parametrize("extended", [False, True])
def test_where_the_eventfd_waits_for_its_irqfd_no_ioctl_is_drawn(extended: bool) -> None:
    for name, drawn in (("irq-msi", True), ("lab-early-signal", False)):
        plan = blueprint_of(load_scenario(name), extended=extended)
        said = " ".join(f"{part.call} {part.stage}" for part in plan.wires.values())
        assert ("ioctl" in said) == drawn
        assert any(leg.startswith("ioctl") for leg in plan.legs) == drawn
        assert ("ioctl" in plan.notes) == (drawn and not extended)


@pytest.mark.parametrize(
    ("scenario", "of", "several"),
    [
        ("doorbell-fan-out", "doorbell_fd", 4),
        ("doorbell-many-addresses", "device", 4),
        ("irq-many", "irq_fd", 4),
        ("irq-route-change", "handler", 2),
        ("irq-vcpu-moves", "handler", 2),
    ],
)
def test_the_extended_picture_keeps_what_the_scenario_has_several_of(scenario: str, of: str, several: int) -> None:
    plan = blueprint_of(load_scenario(scenario), extended=True)
    assert len([name for name in plan.ways if name.partition(".")[0] == of]) == several
