"""What a scenario never tells it does not tell: in the recordings of all of them, and with their switches thrown."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.scenarios.told_kinds import NEEDED, OF_THE_IO_THREAD, never_told
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Order
from tests.support.sessions import each

SHIPPED = sorted(path.stem for path in path_of_shipped("roundtrip").parent.glob("*.arrow"))
SWITCHES = (Order.IOEVENTFD, Order.IRQFD)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_recording_has_a_kind_that_its_scenario_never_tells(name: str) -> None:
    recording = Recording(path_of_shipped(name))
    traits = traits_of(recording.header.scenario)
    told = [EventKind[kind] for kind, count in recording.outline().kinds.items() if count]
    assert [kind for kind in told if never_told(kind, traits)] == []


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda scenario: scenario.name)
def test_the_order_that_a_scenario_must_yield_can_be_told(scenario: Scenario) -> None:
    assert not [kind for kind in scenario.order if never_told(kind, traits_of(scenario))]


def test_each_kind_is_told_by_one_scenario_and_not_by_another() -> None:
    of = [traits_of(scenario) for scenario in list_scenarios()]
    for kind in (*NEEDED, *OF_THE_IO_THREAD, EventKind.EXIT, EventKind.ENTRY):
        assert len({never_told(kind, traits) for traits in of}) == 2, kind


@pytest.mark.kvm
@pytest.mark.parametrize("name", each("roundtrip", "vm-to-vm", "lab-early-signal", "irq-level-resample", "io-uring"))
def test_switches_bring_no_kind_that_is_never_told(name: str) -> None:
    told: set[int] = set()
    with Session(load_scenario(name).with_settings({"pace": "500"})) as session:
        for on in (False, True, False):
            for switch in SWITCHES:
                if not session.can(switch):
                    session.order(switch, on)
            time.sleep(0.2)
            told |= set(np.unique(session.take()["kind"]).tolist())
    assert [EventKind(kind) for kind in told if never_told(EventKind(kind), traits_of(session.scenario))] == []
