"""A session's signals have all arrived once nobody who could send more waits for a CPU."""

from __future__ import annotations

from typing import cast

import pytest

from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.live.rest import Rest
from bellwire.engine.machines.machine import Machine


class Preempted:
    """A machine whose guest has rung as often as was received; it has not seen yet that it is not to ring."""

    def __init__(self) -> None:
        self.rung, self.asked = 5, 0

    def signal_threads(self) -> SignalThreads:
        return SignalThreads({1: 0}, frozenset([2]))

    def progress(self) -> tuple[int, ...]:
        return (self.rung,)

    def at_rest(self) -> bool:
        self.asked += 1
        return True


def test_a_guest_that_waits_for_a_cpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rang once more, and the session had ended: one doorbell rung that nobody received."""
    begun, idle = list[int](), iter([False, False, True, True])
    machine = Preempted()
    monkeypatch.setattr("bellwire.engine.live.rest.Idleness.shown", lambda _: next(idle))
    monkeypatch.setattr("bellwire.engine.live.rest.Idleness.begin_anew", lambda _: begun.append(machine.rung))
    rest = Rest(cast(Machine, machine))
    assert not rest.reached()
    assert begun == [5]
    machine.rung += 1
    assert not rest.reached()
    assert begun == [5, 6]
    assert rest.reached()
    assert machine.asked == 3


def test_what_has_gone_on_meanwhile_is_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Preempted()

    def rings_again(_: object) -> bool:
        machine.rung += 1
        return True

    monkeypatch.setattr("bellwire.engine.live.rest.Idleness.shown", rings_again)
    assert not Rest(cast(Machine, machine)).reached()
