"""Other processes that stand still: told while it is so, by events, and by an error where it ends so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bellwire.engine.events import EventKind, Setting
from bellwire.engine.live.standing_still import StandingStill


class Program:
    """As a machine's partner."""

    def __init__(self, pid: int) -> None:
        self.pid, self.stopped = pid, False

    def __str__(self) -> str:
        return f"program, pid {self.pid}"

    def stop_told(self) -> str:
        return f"{self} stands still." if self.stopped else ""


def looked(standing: StandingStill, now: int, *programs: Program) -> list[tuple[int, int, int]]:
    """TSC, process and value of the events of a look."""
    machine: Any = SimpleNamespace(partners=lambda: programs)
    events = standing.look(machine, now)
    assert set(events["kind"]) <= {EventKind.SETTING}
    assert set(events["id"]) <= {Setting.PARTNER_STOPPED}
    return [(int(one["tsc"]), int(one["seq"]), int(one["arg"])) for one in events]


def test_each_stop_and_its_end_are_told_once_and_the_end_not_later_than_it_was() -> None:
    standing, one, other = StandingStill(), Program(7), Program(8)
    assert looked(standing, 100, one, other) == []
    one.stopped = True
    assert looked(standing, 200, one, other) == [(200, 7, 7)]
    assert standing.told == "program, pid 7 stands still."
    assert looked(standing, 300, one, other) == []
    one.stopped, other.stopped = False, True
    assert looked(standing, 400, one, other) == [(300, 7, 0), (400, 8, 8)]
    other.stopped = False
    assert looked(standing, 500, one, other) == [(400, 8, 0)]
    assert standing.told == ""
    assert standing.trouble() is None
    assert standing.at_the_end(600).size == 0


def test_a_run_that_ends_so_has_something_missing() -> None:
    standing, one = StandingStill(), Program(7)
    one.stopped = True
    looked(standing, 200, one)
    (again,) = standing.at_the_end(900)
    assert (again["tsc"], again["arg"]) == (900, 7)
    assert str(standing.trouble()).startswith("program, pid 7 stood still, stopped by a signal or a debugger, and had")
