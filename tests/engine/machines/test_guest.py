"""A guest's stamps carry halves of their times: what completes them must not depend on how often it rings."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.live.session import Session
from bellwire.engine.source import Order
from tests.support.sessions import assert_reconciled, paced, tally_of, wait_for

RANGE = 2**32  # cycles: more than a half can tell apart


@pytest.mark.kvm
@pytest.mark.parametrize("name", ["roundtrip", "doorbell-mmio", "irq-msi", "self-doorbell", "vm-to-vm", "virtqueue"])
def test_after_a_pause_longer_than_half_a_time_can_tell_no_stamp_is_lost_or_wrong(name: str) -> None:
    batches = []
    with Session(paced(name)) as session:

        def given() -> int:
            batches.append(session.take())
            tally = tally_of(np.concatenate(batches))
            return max(tally.doorbells_rung, tally.irqs_signalled)

        wait_for(lambda: given() > 50)
        session.order(Order.RUN, False)
        time.sleep(1.2 * RANGE / session.clock.hz)
        before = given()
        session.order(Order.RUN, True)
        wait_for(lambda: given() > before + 50)
        session.order(Order.RUN, False)
        session.order(Order.PACE, 0)
        time.sleep(1.2 * RANGE / session.clock.hz)
        before = given()
        session.order(Order.INTERRUPT if session.can(Order.DOORBELL) else Order.DOORBELL)
        wait_for(lambda: given() > before)
    batches.append(session.take())
    events = np.concatenate(batches)
    assert session.error is None
    assert_reconciled(session, events)  # neither lost nor nonsense
    guests = events[np.isin(events["kind"], (EventKind.RING, EventKind.HANDLER))]
    silences = np.count_nonzero(np.diff(guests["tsc"].astype(np.int64)) > RANGE)
    assert silences == 2, "both pauses lie between two stamps, each as long as it was"


@pytest.mark.kvm
def test_an_interrupt_that_was_held_for_seconds_has_the_time_at_which_it_was_handled() -> None:
    with Session(paced("lab-early-signal", per_second=0)) as session:
        hold = 1.3 * RANGE / session.clock.hz
        time.sleep(hold)
        session.order(Order.INTERRUPT)
        time.sleep(hold)
        batches = [session.take()]
        session.order(Order.IRQFD, True)

        def handled() -> bool:
            batches.append(session.take())
            return tally_of(np.concatenate(batches)).irqs_handled > 0

        wait_for(handled)
    events = np.concatenate([*batches, session.take()])
    assert tally_of(events).dropped == session.truth()["lost"] == session.truth()["nonsense"] == 0
    signal, handler = (int(events["tsc"][events["kind"] == kind][0]) for kind in (EventKind.IRQFD, EventKind.HANDLER))
    assert handler - signal > RANGE
