"""A guest's stamps carry halves of their times: what completes them must not depend on how often it rings."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest

from bellwire.engine.events import STATS, EventKind, Events, Setting
from bellwire.engine.live.session import Session
from bellwire.engine.source import Order
from tests.support.processes import waited_for_a_cpu
from tests.support.sessions import STOOD_STILL, Everything, assert_reconciled, paced, tally_of, wait_for

RANGE = 2**32  # cycles: more than a half can tell apart


class Followed:
    """A session, and all that it has handed on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._everything = Everything(session)
        self.batches: list[Events] = [self._everything.take()]

    def given(self) -> int:
        """Signals so far."""
        tally = tally_of(self.so_far())
        return max(tally.doorbells_rung, tally.irqs_signalled)

    def wait_for_more(self, signals: int) -> None:
        """Until it has given so many more."""
        before = self.given()
        wait_for(lambda: self.given() >= before + signals)

    def so_far(self) -> Events:
        """All that it has handed on, in one piece."""
        self.batches = [np.concatenate([*self.batches, self._everything.take()])]
        return self.batches[0]

    def settings(self) -> int:
        """How often it was told how to idle."""
        events = self.so_far()
        return int(np.count_nonzero((events["kind"] == EventKind.SETTING) & (events["id"] == Setting.IDLE)))

    def halts(self) -> int:
        """How often KVM has seen the first vCPU halt, at a sample that is taken from now on."""
        now = self.session.now()
        wait_for(lambda: self._samples()["tsc"].max(initial=0) > now)
        samples = self._samples()
        return int(samples["arg"][samples["id"] == STATS.index("halt_exits")].max(initial=0))

    def has_halted_beyond(self, halts: int) -> bool:
        """Whether it has halted more often than that."""
        return self.halts() > halts

    def _samples(self) -> Events:
        events = self.so_far()
        samples: Events = events[events["kind"] == EventKind.STAT]
        return samples

    def idle_from_now_on(self, way: str) -> None:
        """Returns when the guest has been told, and has gone on."""
        before = self.settings()
        self.session.order(Order.IDLE, way)
        wait_for(lambda: self.settings() > before)
        self.wait_for_more(50)

    def give_one(self) -> None:
        """By hand."""
        self.session.order(Order.INTERRUPT if self.session.can(Order.DOORBELL) else Order.DOORBELL)


@pytest.mark.kvm
def test_after_a_pause_longer_than_half_a_time_can_tell_no_stamp_is_lost_or_wrong() -> None:
    """Where threads got no CPU for so long meanwhile, stamps are lost, and told so: that proves nothing."""
    for _ in range(3):
        all_of_them, stood = paused_side_by_side()
        if stood < STOOD_STILL or not any(one.session.truth()["lost"] for one in all_of_them):
            break
    for one in all_of_them:
        assert_two_silences(one.session, np.concatenate(one.batches))


def paused_side_by_side() -> tuple[list[Followed], float]:
    """Sessions that have paused twice; for how long in s a thread of theirs, or this one, got no CPU at most."""
    names = ("roundtrip", "doorbell-mmio", "irq-msi", "self-doorbell", "vm-to-vm", "virtqueue")
    with ExitStack() as stack:
        before = waited_for_a_cpu()
        all_of_them = [Followed(stack.enter_context(Session(paced(name, per_second=500)))) for name in names]
        for one in all_of_them:
            one.wait_for_more(50)
            one.session.order(Order.RUN, False)
        time.sleep(1.2 * RANGE / one.session.clock.hz)
        for one in all_of_them:
            one.session.order(Order.RUN, True)
            one.wait_for_more(50)
            one.session.order(Order.RUN, False)
            one.session.order(Order.PACE, 0)
        time.sleep(1.2 * RANGE / one.session.clock.hz)
        for one in all_of_them:
            one.give_one()
            one.wait_for_more(1)
        stood = max(seconds - before.get(thread, 0.0) for thread, seconds in waited_for_a_cpu().items())
    for one in all_of_them:
        one.given()
    return all_of_them, stood


def assert_two_silences(session: Session, events: Events) -> None:
    """And that nothing is missing or wrong beside them."""
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


@pytest.mark.kvm
@pytest.mark.parametrize(
    ("name", "pace"),
    [
        ("roundtrip", math.inf),
        ("self-doorbell", math.inf),
        *((name, 2000) for name in ("irq-msi", "self-doorbell", "vm-to-vm", "virtqueue", "two-vcpus-doorbell")),
    ],
)
def test_a_guest_idles_as_it_is_told_while_it_runs(name: str, pace: float) -> None:
    """It looks how to idle only when it is nudged, also if it is never without work; KVM counts whether it halts."""
    with Session(paced(name, per_second=pace)) as session:
        one = Followed(session)
        wait_for(partial(one.has_halted_beyond, 50))
        for _ in range(2):
            one.idle_from_now_on("spin")
            halts = one.halts()
            one.wait_for_more(200)
            assert one.halts() == halts
            one.idle_from_now_on("hlt")
            wait_for(partial(one.has_halted_beyond, halts + 50))
    assert session.error is None
    assert_reconciled(session, one.so_far())
