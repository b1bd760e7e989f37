"""Live sessions that end: run until so many signals were given, and the equations that must hold then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from bellwire.engine.events import Events
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host.host import kvm_backend
from bellwire.engine.live.session import Session
from bellwire.engine.machines import build
from bellwire.engine.scenarios.scenario import Pace, Scenario, list_scenarios, load_scenario
from tests.support.processes import waited_for_a_cpu

SIGNALS = 400
PATIENCE = 240.0  # seconds; only to end a test that hangs: a busy machine may give it a tenth of a processor
STOOD_STILL = 0.2  # seconds without a CPU that say so; times of stamps are unknown after 1.6 s at 2.6 GHz
WHILE_SWITCHED = 5000.0  # signals a second: rings hold many seconds of it, should nobody empty them meanwhile


def refusal(scenario: Scenario) -> str:
    """Why this host cannot run it to the end; "" if it can."""
    stuck = scenario.interrupt is not None and not scenario.interrupt.eoi and kvm_backend() != "kvm_pvm"
    return build.refusal(scenario) or ("without EOI there is one interrupt only" if stuck else "")


def each(*names: str) -> list[ParameterSet]:
    """All scenarios, or these, as parameters; what this host cannot run is skipped with the reason."""
    scenarios = [load_scenario(name) for name in names] or list_scenarios()
    return [
        pytest.param(scenario.name, marks=[pytest.mark.skipif(True, reason=why)] if (why := refusal(scenario)) else [])
        for scenario in scenarios
    ]


def one_of_each(scenarios: dict[str, Scenario]) -> dict[str, Scenario]:
    """One scenario of each guest and machine, tables and labs: what settings do depends on these."""
    kinds: dict[Any, str] = {}
    for name, scenario in scenarios.items():
        level = scenario.interrupt and scenario.interrupt.trigger
        kinds.setdefault((scenario.guest, scenario.machine, scenario.doorbell is None, level), name)
    return {name: scenarios[name] for name in kinds.values()}


def paced(name: str, per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    """A scenario at another pace, which nothing breaks by itself; a lab is one that does (machines/test_lab.py)."""
    return replace(load_scenario(name), pace=Pace(per_second, burst, idle), lab=None)


def wait_for(done: Callable[[], bool]) -> float:
    """Until `done`; fails if it never is. -> the longest time in s between two looks, which are to come every 5 ms."""
    began = looked = time.monotonic()
    longest = 0.0
    while not done():
        assert looked < began + PATIENCE, "waited in vain"
        time.sleep(0.005)
        longest, looked = max(longest, time.monotonic() - looked), time.monotonic()
    return longest


def started(session: Session) -> Session:
    """The session once its machine runs; raises why it does not."""
    session.start()
    session.wait_until_started()
    return session


def given(scenario: Scenario, tally: Tally) -> int:
    """Signals of the kind that is limited. The device of a virtqueue may interrupt several times for one kick."""
    return tally.doorbells_rung if scenario.virtqueue else max(tally.doorbells_rung, tally.irqs_signalled)


def run(scenario: Scenario, signals: int = SIGNALS, kernel: bool = False) -> tuple[Session, Events]:
    """Runs until exactly so many signals were given and all that they cause has happened.

    Where the machine stood still meanwhile a stamp's time may not be known, which is told as a loss: that run proves
    nothing, and there is another, twice at most.
    """
    for _ in range(2):
        session, events, stood = run_once(scenario, signals, kernel)
        if stood < STOOD_STILL or not session.truth()["lost"]:
            return session, events
    return run_once(scenario, signals, kernel)[:2]


def run_once(scenario: Scenario, signals: int, kernel: bool) -> tuple[Session, Events, float]:
    """-> the session, its events, and for how long in s this thread, or one of the session's, got no CPU at most."""
    tally, batches, before = Tally(), [], waited_for_a_cpu()
    with Session(scenario, limit=signals, kernel=kernel) as session:

        def all_given() -> bool:
            batches.append(session.take())
            tally.feed(batches[-1])
            return given(scenario, tally) >= signals

        stood = wait_for(all_given)
        waited = max(seconds - before.get(thread, 0.0) for thread, seconds in waited_for_a_cpu().items())
    batches.append(session.take())
    assert session.error is None
    return session, np.concatenate(batches), max(stood, waited)


class Everything:
    """All that a session hands on from now on, passing over nothing however long nobody takes it.

    Of a view's outlet that is not sure: it holds seconds of a fast guest, and this thread may get no CPU for longer.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._outlet = session, session.tee(1 << 24)

    def take(self) -> Events:
        """What is new."""
        self._session.take()
        return self._outlet.take()


def tally_of(events: Events) -> Tally:
    """Everything counted."""
    tally = Tally()
    tally.feed(events)
    return tally


def fed(tally: Tally, session: Session) -> Tally:
    """The tally with all that is new."""
    tally.feed(session.take())
    return tally


def assert_reconciled(session: Session, events: Events) -> None:
    """The equations, and the events against the counters that they stand for."""
    tally, truth = tally_of(events), session.truth()
    assert tally.dropped == truth["lost"] == truth["nonsense"] == 0
    assert tally.doorbells_rung == truth["rung"] == tally.doorbells_received + truth["pending"]
    assert tally.doorbells_received == truth["received"]
    assert tally.eventfd_reads == truth["reads"]
    served = tally.irqs_handled - tally.irqs_spurious + tally.irqs_merged
    assert tally.irqs_signalled == truth["signalled"] == served + tally.irqs_lost + tally.irqs_pending
    assert tally.irqs_handled == truth["handled"] <= truth["signalled"] + tally.irqs_spurious
    assert tally.exits_to_userspace == truth["exits"]
    assert tally.recorded == len(events)
