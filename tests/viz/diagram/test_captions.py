"""Captions, evidence and totals of real runs, in every wiring: their figures are those that plain loops count."""

from __future__ import annotations

import os

import pytest

from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.diagram.captions_of_others import ran_for
from bellwire.viz.text.figures import THIN
from tests.support.sentences import Wiring, figures_of, ran, wirings, wrong_figures

ALL = [wiring for scenario in list_scenarios() for wiring in wirings(scenario)]
# What ways depend on, once each; `make sentences` runs them all.
FEW = [
    Wiring(name, tuple(settings))
    for name, *settings in (
        ("roundtrip",),
        ("roundtrip-userspace",),
        ("doorbell-coalesced-pio",),
        ("doorbell-coalesced-mmio", ("ioeventfd", "on")),
        ("doorbell-fan-out",),
        ("doorbell-data-miss",),
        ("vm-to-vm",),
        ("vm-to-vm", ("irqfd", "off")),
        ("self-doorbell", ("ioeventfd", "off")),
        ("vhost-user-blk",),
        ("vhost-user-blk", ("irqfd", "off")),
        ("irq-line-level",),
        ("irq-level-resample",),
        ("irq-masked",),
        ("irq-ioapic", ("burst", "6")),
        ("irq-msi", ("waits", "on"), ("irqfd", "off")),
        ("irq-route-change",),
        ("irq-vcpu-moves",),
        ("two-vcpus-doorbell", ("pace", "0")),
        ("io-uring",),
        ("virtqueue",),
    )
]
FEW += [
    wiring for wiring in ALL if wiring.thrown and wiring.scenario in ("roundtrip", "vm-to-vm", "doorbell-coalesced-pio")
]
CHOSEN = ALL if os.environ.get("BELLWIRE_SENTENCES") == "all" else FEW


def test_figures_are_found_in_sentences() -> None:
    sentence = f"1,204 of 2{THIN}505 doorbells at 0x510 took 3.5 µs, 12 µs on vCPU 1 by GSI 24, #7: 8."
    assert figures_of(sentence) == [1204, 2505, 7, 8]


@pytest.mark.kvm
@pytest.mark.parametrize("wiring", CHOSEN, ids=str)
def test_every_figure_of_every_sentence_is_what_the_events_come_to(wiring: Wiring) -> None:
    scenario = wiring.built()
    if scenario is None:
        return  # refused by name: tests/engine/scenarios/test_in_force.py
    if why := refusal(scenario):
        pytest.skip(why)
    session, events = ran(wiring, scenario)
    assert list(wrong_figures(scenario, session, events)) == []


@pytest.mark.parametrize(
    ("handlers", "covered", "rang", "said"),
    [
        (400, 400, 399, "it ran 400 times"),
        (300, 400, 400, "it ran 300 times for 400 of them"),
        (300, 401, 400, "it ran 300 times for 401, some of them rung before"),  # in the second before
        (1, 900, 400, "it ran once for 900, some of them rung before"),
    ],
)
def test_no_handler_serves_more_of_the_doorbells_than_there_were(
    handlers: int, covered: int, rang: int, said: str
) -> None:
    assert ran_for("it", handlers, covered, rang) == said
