"""Which way a journey takes follows from the scenario and from what happened to it."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, JOURNEY
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model.ways import Ways
from bellwire.viz.stages.moments import none_of


@pytest.mark.parametrize(
    ("scenario", "heavy", "legs"),
    [
        ("roundtrip", 0, ("ioeventfd", "answer", "irqfd")),
        ("roundtrip", HEAVY_DOORBELL | HEAVY_INTERRUPT, ("exit", "relay", "answer", "ioctl")),
        ("io-uring", 0, ("ioeventfd", "answer", "completion")),
        ("vm-to-vm", 0, ("direct",)),
        ("self-doorbell", HEAVY_DOORBELL, ("exit", "direct_relay")),
        ("vhost-user-blk", 0, ("partner",)),
        ("vhost-user-blk", HEAVY_DOORBELL, ("exit", "partner_relay")),
    ],
)
def test_legs(scenario: str, heavy: int, legs: tuple[str, ...]) -> None:
    assert Ways(load_scenario(scenario)).legs(True, True, heavy, False, False) == legs


def test_one_way() -> None:
    assert Ways(load_scenario("irq-msi")).legs(False, True, HEAVY_INTERRUPT, False, False) == ("ioctl",)
    assert Ways(load_scenario("doorbell-pio")).legs(True, False, HEAVY_DOORBELL, False, False) == ("exit", "relay")


def test_where_it_waits_there_are_legs_for_it() -> None:
    window = Ways(load_scenario("irq-window"))
    assert window.legs(True, True, 0, False, True) == ("ioeventfd", "answer", "requested", "held", "taken")
    assert window.legs(True, True, 0, False, False) == ("ioeventfd", "answer", "irqfd")
    assert Ways(load_scenario("doorbell-coalesced-pio")).legs(True, False, 0, True, False) == (
        "noted",
        "kept",
        "fetched",
    )


def test_queues_and_irqfds_are_taken_in_turn() -> None:
    """The guest rings queue 0 first; the I/O thread writes irqfd (number of the interrupt) modulo how many."""
    journeys = np.zeros(8, JOURNEY)
    journeys["seq"] = np.arange(1, 9)
    journeys["ring"] = 1
    routes = Ways(load_scenario("doorbell-fan-out")).routes(journeys, none_of(journeys))
    assert {route.out: journeys["seq"][index].tolist() for route, index in routes} == {
        n: [n + 1, n + 5] for n in range(4)
    }
    journeys["ring"], journeys["handler"], journeys["irq"] = 0, 2, 1
    routes = Ways(load_scenario("irq-many")).routes(journeys, none_of(journeys))
    assert {route.back: journeys["seq"][index].tolist() for route, index in routes} == {
        0: [4, 8],
        1: [1, 5],
        2: [2, 6],
        3: [3, 7],
    }
