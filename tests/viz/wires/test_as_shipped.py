"""A purpose that no longer holds is not told as if it did."""

from __future__ import annotations

import pytest

from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.wires.as_shipped import purpose_words, unlike_shipped
from tests.support.fake_source import FakeSource
from tests.support.models import run


def told(model: LiveModel) -> str:
    return purpose_words(model.scenario, (model.wires,))


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda one: one.name)
def test_as_it_is_shipped_a_purpose_stands_alone(scenario: Scenario) -> None:
    source = FakeSource(scenario)
    model = LiveModel(source)
    assert told(model) == scenario.purpose, "before the start nothing is known to be otherwise"
    source.start()
    run(source, model, 0.3)
    assert told(model) == scenario.purpose


def test_what_is_switched_while_it_runs_is_told_beside_the_purpose() -> None:
    source = FakeSource("roundtrip")
    model = LiveModel(source)
    source.start()
    run(source, model, 0.3)
    purpose = model.scenario.purpose
    source.order(Order.IOEVENTFD, False)
    run(source, model, 0.3)
    assert told(model) == f"As shipped: {purpose} Here: ioeventfd=off."
    source.order(Order.IRQFD, False)
    run(source, model, 0.3)
    assert told(model) == f"As shipped: {purpose} Here: ioeventfd=off, irqfd=off."
    assert purpose_words(model.scenario, model.plugged.between(0, model.now)) == told(model), "at some moment of it"
    assert purpose_words(model.scenario, (model.plugged.at(model.changes[0].tsc - 1),)) == purpose
    for order in (Order.IOEVENTFD, Order.IRQFD):
        source.order(order, True)
    run(source, model, 0.3)
    assert told(model) == purpose


@pytest.mark.parametrize(
    ("name", "settings", "others"),
    [
        ("irq-burst", {"burst": "8"}, ["burst=8"]),
        ("irq-burst", {"pace": "20"}, []),  # as often as one likes
        ("doorbell-pio", {"bus": "mmio"}, ["bus=mmio"]),  # the address follows
        ("doorbell-pio", {"ioeventfd": "off", "coalesced": "on"}, ["coalesced=on", "ioeventfd=off"]),
        ("roundtrip-exit-irqfd", {"ioeventfd": "on"}, ["ioeventfd=on"]),
    ],
)
def test_settings_of_the_command_line_are_told_as_well(name: str, settings: dict[str, str], others: list[str]) -> None:
    model = LiveModel(FakeSource(load_scenario(name).with_settings(settings)))
    assert sorted(unlike_shipped(model.scenario, (model.wires,))) == others
