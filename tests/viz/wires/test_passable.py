"""What nothing passed is not lit, and where something is registered and does not match, both values are said."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bellwire.engine.events import EventKind, Switch
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.source import Order
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.looked import looked_at
from bellwire.viz.model.live import LiveModel
from bellwire.viz.wires.passable import Passable, passages
from tests.support.fake_source import FakeSource
from tests.support.models import run

MISMATCHES = {
    "doorbell-address-miss": "0xd0000000 ≠ 0xd0000010",
    "doorbell-data-miss": "7 ≠ 1",
    "lab-wrong-datamatch": "7 ≠ 9",
    "lab-wrong-length": "2 B ≠ 4 B",
}


def at_work(scenario: Scenario | str, ioeventfd: bool | None = None, irqfd: bool | None = None) -> LiveModel:
    """A model of the run's first seconds, in the last of which the switches stand so."""
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    run(source, model, 0.1)
    for order, on in ((Order.IOEVENTFD, ioeventfd), (Order.IRQFD, irqfd)):
        if on is not None and not source.can(order):
            source.order(order, on)
    source.order(Order.PACE, 100)
    run(source, model, 1.4, frame=0.2)
    return model


@pytest.mark.parametrize(("scenario", "differs"), MISMATCHES.items())
@pytest.mark.parametrize("extended", [False, True])
def test_a_mismatch_has_its_mark_and_the_two_values(scenario: str, differs: str, extended: bool) -> None:
    model = at_work(scenario)
    found = passages(looked_at(model), blueprint_of(model.scenario, extended=extended).wires)
    blocked = [passage for passage in found.values() if passage.standing is Passable.BLOCKED]
    assert [passage.differs for passage in blocked] == [differs]
    assert found["exit"].lit


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("scenario", ["irq-masked"])
def test_a_masked_pin_ends_the_wire(scenario: str, extended: bool) -> None:
    model = at_work(scenario)
    found = passages(looked_at(model), blueprint_of(model.scenario, extended=extended).wires)
    assert [passage.differs for passage in found.values() if passage.differs] == ["masked"]
    assert found["irqfd"].lit
    assert not found["inject"].lit


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda scenario: scenario.name)
def test_nothing_is_lit_on_which_nothing_went(scenario: Scenario) -> None:
    for ioeventfd, irqfd in itertools.product((True, False), repeat=2):
        model = at_work(scenario, ioeventfd, irqfd)
        first, end = (number * model.rates.bin_cycles for number in model.second)
        kinds, left = set(), 0
        unseen = Trait.VMM_EXITS in model.traits  # another VMM's exits and ioctls are told by the wiring alone
        for event in model.events.window(first, end - 1):
            kinds.add(EventKind(int(event["kind"])))
            left += event["kind"] == EventKind.EXIT and event["seq"] > 0
        for extended in (False, True):
            found = passages(looked_at(model), blueprint_of(scenario, extended=extended).ways)
            lit = {name.partition(".")[0] for name, passage in found.items() if passage.lit}
            assert all(passage.open for passage in found.values() if passage.lit)
            assert ("exit" in lit) <= bool(left or unseen)
            assert ("ioeventfd" in lit) <= (EventKind.RING in kinds)
            assert ("ioctl" in lit) <= (EventKind.IRQ_IOCTL in kinds or unseen)
            assert ("inject" in lit) <= (EventKind.HANDLER in kinds)
            assert not lit & {"lookup", "signal"} or model.wired(Switch.IOEVENTFD)


@pytest.mark.parametrize("registered", [True, False])
def test_what_the_fast_mmio_bus_takes_is_not_on_the_other_bus(registered: bool) -> None:
    looked = looked_at(at_work("doorbell-mmio-any"))
    plugged = replace(looked.plugged, ioeventfd=registered)
    looked = replace(looked, traits=looked.traits | {Trait.FAST_MMIO}, plugged=plugged)
    plan = blueprint_of(looked.scenario, "kvm_intel", extended=True)
    found = passages(looked, plan.ways)
    passable = {name for name in ("ioeventfd", "bus", "exit", "lookup", "fast_in") if found[name].open}
    assert passable == ({"fast_in"} if registered else {"ioeventfd", "bus", "exit"})
    assert plan.leg("ioeventfd").along == ("fast_in", "fast_out", "wake", "wakeup")


@pytest.mark.parametrize("extended", [False, True])
def test_what_passed_is_lit_for_its_second_although_the_wire_is_mended_by_now(extended: bool) -> None:
    source = FakeSource("roundtrip")
    source.start()
    model = LiveModel(source)
    run(source, model, 0.1)
    source.order(Order.IOEVENTFD, False)
    plan, seen = blueprint_of(model.scenario, extended=extended), []
    for seconds in (2.0, 0.4, 1.6):
        run(source, model, seconds)
        exits = passages(looked_at(model), plan.ways)["exit"]
        seen.append((exits.open, exits.lit))
        source.order(Order.IOEVENTFD, True)
    assert seen == [(True, True), (False, True), (False, False)]
