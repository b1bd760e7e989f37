"""The functions of the kernel that a signal goes through: each entered once a signal, where they can be probed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bellwire.engine.events import FUNCTIONS, PROBES_BIT, EventfdSignaller, EventKind, Events, Setting
from bellwire.engine.folds.tally import Tally
from bellwire.engine.kernel.program import known_functions
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.kernel_sight import needs_probes
from tests.support.sessions import wait_for

pytestmark = pytest.mark.kvm

SIGNALS = 60
K = EventKind
EVERY = list(range(1, SIGNALS + 1))


def seen(name: str) -> tuple[Session, Events]:
    """A run of SIGNALS, and all its events."""
    session = Session(load_scenario(name), limit=SIGNALS, kernel=True)
    tally, parts = Tally(), []
    with session:

        def arrived() -> bool:
            parts.append(session.take())
            tally.feed(parts[-1])
            lost = any((part["kind"] == K.LOST).any() for part in parts)  # then it may never settle
            return max(tally.doorbells_rung, tally.irqs_signalled) >= SIGNALS and (tally.settled or lost)

        wait_for(arrived)
    parts.append(session.take())
    assert session.error is None
    assert session.unseen == ""
    return session, np.concatenate(parts)


def numbers_of(events: Events, kind: EventKind, id: int | None = None) -> list[int]:
    """Of the signals that the events of a kind are of, in their order; id: only those with this one."""
    own = events[(events["kind"] == kind) & ((events["id"] == id) if id is not None else True)]
    found: list[int] = own["seq"].tolist()
    return found


def once_each(events: Events, kind: EventKind, id: int | None = None) -> None:
    """As many as signals, each with its number; of those whose stamps a starved guest has lost it cannot be known."""
    numbers = numbers_of(events, kind, id)
    known = [number for number in numbers if number]
    assert len(numbers) == SIGNALS, kind
    assert known == sorted(set(known)), kind
    assert known == EVERY or (events["kind"] == K.LOST).any(), kind


def in_order(events: Events, *kinds: EventKind) -> None:
    """Each signal's events of these kinds follow one another."""
    for cause, effect in pairwise(kinds):
        before, after = (events[(events["kind"] == kind) & (events["seq"] > 0)] for kind in (cause, effect))
        _, first, second = np.intersect1d(before["seq"], after["seq"], return_indices=True)
        assert first.size, (cause, effect)
        assert (after["tsc"][second] >= before["tsc"][first]).all(), (cause, effect)


def test_those_that_can_be_probed_are_probed() -> None:
    needs_probes()
    _, events = seen("roundtrip")
    (word,) = events[(events["kind"] == K.SETTING) & (events["id"] == Setting.KERNEL) & (events["arg"] > 0)]
    probed = {name for bit, name in enumerate(FUNCTIONS, PROBES_BIT) if int(word["arg"]) >> bit & 1}
    assert probed == {name for name, there in known_functions().items() if there}


def test_a_round_trip_enters_each_function_once_and_in_order() -> None:
    needs_probes()
    _, events = seen("roundtrip")
    once_each(events, K.IOEVENTFD_WRITE)
    once_each(events, K.EVENTFD_SIGNAL)
    once_each(events, K.EVENTFD_SIGNAL, EventfdSignaller.IOEVENTFD)
    once_each(events, K.IRQFD_WAKEUP)
    assert numbers_of(events, K.IRQFD_INJECT) == numbers_of(events, K.RESAMPLER_ACK) == []
    in_order(events, K.RING, K.PIO, K.IOEVENTFD_WRITE, K.EVENTFD_SIGNAL, K.IRQFD, K.WRITE, K.IRQFD_WAKEUP, K.MSI)


def test_a_pins_worker_injects_once_for_each_work_that_was_queued() -> None:
    needs_probes()
    _, events = seen("irq-ioapic")
    assert numbers_of(events, K.IRQFD_WAKEUP) == EVERY
    assert numbers_of(events, K.IRQFD_INJECT) == numbers_of(events, K.WORK_STARTED)
    assert numbers_of(events, K.IRQFD_INJECT)[-1] == SIGNALS
    works, injects = (events["tsc"][events["kind"] == kind] for kind in (K.WORK_STARTED, K.IRQFD_INJECT))
    assert (injects >= works).all()


def test_a_level_is_acknowledged_once_for_each_interrupt() -> None:
    needs_probes()
    _, events = seen("irq-level-resample")
    asked = numbers_of(events, K.EVENTFD_SIGNAL, EventfdSignaller.RESAMPLER)
    injected = events["seq"][(events["kind"] == K.INJECTED) & (events["seq"] > 0)]
    acknowledged = events[events["kind"] == K.RESAMPLER_ACK]
    assert numbers_of(events, K.IRQFD_WAKEUP) == EVERY
    assert numbers_of(events, K.IRQFD_INJECT) == numbers_of(events, K.WORK_STARTED)
    assert acknowledged["seq"].tolist() == asked == injected.tolist()
    times = events["tsc"][(events["kind"] == K.INJECTED) & (events["seq"] > 0)]
    assert (acknowledged["tsc"] >= times).all()
    assert np.unique(acknowledged["id"]).size == 1
