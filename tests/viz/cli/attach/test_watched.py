"""A VMM that is watched: tables on a terminal, lines elsewhere, and a sentence as it ends."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bellwire.viz.cli.attach import watched as module
from bellwire.viz.cli.attach.watched import kept_up_to_date, watch_quietly, watch_vmm
from tests.support.watched_vmms import AFTER, BEFORE, watching


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)


def test_elsewhere_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch_vmm(watching(BEFORE, BEFORE, AFTER, BEFORE)) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    place = "ioeventfd at port 0x510, length 2, any value to eventfd 70"
    assert lines[0] == "crosvm, pid 7"
    assert lines[-2:] == [f"New: {place}.", f"Gone: {place}."]
    assert printed.err == "bellwire: crosvm, pid 7 has ended.\n"


def test_on_a_terminal_the_tables_are_kept_up_to_date() -> None:
    console = Console(file=io.StringIO(), width=120, height=40, force_terminal=True, color_system=None)
    watched = watching(BEFORE, AFTER)
    watched.look()
    with kept_up_to_date(watched, console) as show:
        show(watched.look())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "No ioeventfd" in shown
    assert "pio 0x510" in shown.rpartition("crosvm, pid 7")[2]
    assert "New: ioeventfd at port 0x510" in shown.rpartition("crosvm, pid 7")[2]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143)])
def test_whoever_ends_it_is_told_what_was_seen(end: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON there was nothing, and of the hops no word."""
    told = list[str]()
    monkeypatch.setattr(module, "tell_hops", lambda watched, console: told.append("hops"))
    looks = iter(range(3))

    def slept(seconds: float) -> None:
        if next(looks, None) is None:
            raise end

    monkeypatch.setattr("time.sleep", slept)
    with pytest.raises(type(end)):
        watch_quietly(watching(*[BEFORE] * 9), 60.0, lambda seen: told.append(str(seen.topology.process)))
    looks = iter(range(3))
    with pytest.raises(type(end)):
        watch_vmm(watching(*[BEFORE] * 9))
    assert told == [str(BEFORE.process), "hops"]


def test_a_fault_is_told_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seconds: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("time.sleep", broken)
    with pytest.raises(ZeroDivisionError):
        watch_quietly(watching(BEFORE, BEFORE), 60.0, lambda seen: pytest.fail("it was told"))


def test_it_ends_after_so_many_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch_vmm(watching(*[BEFORE] * 100_000), seconds=0.02) == 0
    assert "has ended" not in capsys.readouterr().err


def test_it_ends_as_soon_as_it_is_not_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    goes_on = iter([True, True, False])
    assert watch_vmm(watching(*[BEFORE] * 100_000), goes_on=lambda: next(goes_on)) == 0
    assert "has ended" not in capsys.readouterr().err
