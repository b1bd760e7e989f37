"""The recordings that come with the program: one of each scenario, small, whole, and of what the scenario is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host.host import host_facts
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import (
    ELSEWHERE,
    FOLDER,
    WORDS,
    file_or_shipped,
    name_of_shipped,
    path_of_shipped,
    replay_in_place_of,
    words_in_place,
)
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Label, Order
from tests.record_shipped import recorded_ones

SCENARIOS = {scenario.name: scenario for scenario in list_scenarios()}
ELSEWHERE_ONES = [name for name in recorded_ones() if ELSEWHERE in name]
MOST_BYTES = 8_000_000
LEAST_SIGNALS = 200


def kinds_of(events: Events) -> set[EventKind]:
    """Every kind that is among them."""
    return set(map(EventKind, np.unique(events["kind"]).tolist()))


def test_each_scenario_has_one_and_so_has_what_a_lesson_makes_of_it_and_all_are_small() -> None:
    there = {path.name for path in FOLDER.iterdir()}
    assert there == {path_of_shipped(name).name for name in recorded_ones()}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_whole_and_shows_what_the_scenario_of_today_is_about(name: str) -> None:
    """But for the pace, which is a slow one, so that the file is small: `make recordings` makes them anew."""
    recording, scenario, tally = Recording(path_of_shipped(name)), SCENARIOS[name], Tally()
    recorded, events = recording.header.scenario, np.concatenate(list(recording.batches()))
    tally.feed(events)
    assert (recording.warning, tally.dropped, tally.possible) == ("", 0, True)
    words = {word: getattr(scenario, word) for word in WORDS}
    assert replace(recorded, pace=replace(recorded.pace, per_second=scenario.pace.per_second), **words) == scenario
    assert recorded.pace.per_second <= scenario.pace.per_second
    assert set(recording.header.host) <= {*host_facts(), "tsc_khz", "tsc_offset"}  # no names of machines or people
    assert set(scenario.order) <= kinds_of(events)
    assert tally.settled or scenario.ends or not lets_all_arrive(scenario)
    if scenario.pace.per_second:
        assert max(tally.doorbells_rung, tally.irqs_signalled) >= LEAST_SIGNALS
    if scenario.lab and scenario.lab.steps:
        assert recording.seconds * 1000 > max(step.at_ms for step in scenario.lab.steps)


@pytest.mark.parametrize("name", [name for name in recorded_ones() if name not in {*SCENARIOS, *ELSEWHERE_ONES}])
def test_what_a_lesson_makes_of_a_scenario_is_whole_and_has_its_settings(name: str) -> None:
    recording, wanted, tally = Recording(path_of_shipped(name)), recorded_ones()[name], Tally()
    for events in recording.batches():
        tally.feed(events)
    assert (recording.warning, tally.dropped, tally.possible) == ("", 0, True)
    assert name_of_shipped(recording.header.scenario) == name_of_shipped(wanted) == name
    assert max(tally.doorbells_rung, tally.irqs_signalled) >= (1 if never_answered(wanted) else LEAST_SIGNALS)


def folded(name: str) -> tuple[Tally, Evidence]:
    """What a recording comes to."""
    recording = Recording(path_of_shipped(name))
    tally, evidence = Tally(), Evidence(recording.header.scenario, recording.header.backend)
    for events in recording.sorted_batches():
        tally.feed(events)
        evidence.feed(events)
    return tally, evidence


def test_another_kvm_made_six() -> None:
    assert len(ELSEWHERE_ONES) == 6


@pytest.mark.parametrize("name", ELSEWHERE_ONES)
def test_one_of_another_kvm_is_whole_and_says_which_it_was_and_that_its_cpu_was_emulated(name: str) -> None:
    scenario, _, backend = name.partition(ELSEWHERE)
    recording, usual = Recording(path_of_shipped(name)), Recording(path_of_shipped(scenario))
    tally, _ = folded(name)
    assert (recording.warning, tally.dropped, tally.possible) == ("", 0, True)
    assert recording.header.backend == recording.header.host["backend"] == backend != usual.header.backend
    assert recording.header.clock.emulated
    assert not usual.header.clock.emulated
    assert recording.header.scenario == usual.header.scenario
    assert max(tally.doorbells_rung, tally.irqs_signalled) >= (1 if scenario == "lab-no-eoi" else LEAST_SIGNALS)


def never_answered(scenario: Scenario) -> bool:
    """Whether the guest waits for good: of another process it gets an answer by the irqfd alone."""
    interrupt = scenario.interrupt
    return Trait.PARTNERED in traits_of(scenario) and interrupt is not None and not interrupt.irqfd


def lets_all_arrive(scenario: Scenario) -> bool:
    """Whether what the host signals is not kept somewhere until somebody listens."""
    return scenario.interrupt is None or not scenario.interrupt.waits


def test_the_first_one_shows_both_ways() -> None:
    kinds = set[EventKind]().union(*map(kinds_of, Recording(path_of_shipped("roundtrip")).batches()))
    assert {EventKind.EXIT, EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.WIRE} <= kinds


def test_in_place_of_a_guest_it_says_why_and_what_to_do() -> None:
    scenario = replace(load_scenario("irq-msi"), purpose="In words of today.")
    source = replay_in_place_of(scenario, "There is no /dev/kvm: sudo modprobe kvm_intel")
    assert source.scenario.purpose == "In words of today."
    assert (source.label, source.scenario.name) == (Label.REPLAY, "irq-msi")
    assert source.can(Order.DOORBELL).endswith("There is no /dev/kvm: sudo modprobe kvm_intel")
    assert words_in_place(source).startswith("There is no /dev/kvm: sudo modprobe kvm_intel. What you see is a record")


def test_with_other_settings_it_has_another_name_but_not_for_its_pace() -> None:
    scenario = load_scenario("irq-window")
    for settings, name in (
        ({}, "irq-window"),
        ({"pace": "20"}, "irq-window"),
        ({"pace": "flat-out"}, "irq-window+pace=flat-out"),
        ({"hold_us": "100", "irqfd": "off"}, "irq-window+irqfd=off+hold_us=100"),
    ):
        assert name_of_shipped(scenario.with_settings(settings)) == name
    without = replay_in_place_of(scenario.with_settings({"hold_us": "17"}), "There is no KVM.")
    assert without.recording.path == path_of_shipped("irq-window")


def test_of_a_scenario_of_ones_own_there_is_none() -> None:
    mine = replace(load_scenario("irq-msi"), name="mine")
    with pytest.raises(RecordingError, match=r"There is no KVM\. Of the scenario mine no recording is shipped\."):
        replay_in_place_of(mine, "There is no KVM.")


def test_a_name_is_a_file_if_there_is_one_and_else_what_is_shipped(tmp_path: Path) -> None:
    assert file_or_shipped(tmp_path / "roundtrip@kvm_amd") == path_of_shipped("roundtrip@kvm_amd")
    mine = tmp_path / "roundtrip"
    mine.touch()
    assert file_or_shipped(mine) == mine
    assert file_or_shipped(tmp_path / "none") == tmp_path / "none"


def test_of_which_kvms_there_are_recordings_is_said_where_there_is_none_of_another_one(tmp_path: Path) -> None:
    words = (
        r"^No recording of roundtrip with kvm_intel is shipped; these are: "
        r"roundtrip \(\w+\), roundtrip@kvm_amd \(kvm_amd\)\."
    )
    with pytest.raises(RecordingError, match=words):
        file_or_shipped(Path("roundtrip@kvm_intel"))
    for other in (Path("mine@kvm_intel"), Path("roundtrip@"), tmp_path / "roundtrip@kvm_intel"):
        assert file_or_shipped(other) == other
