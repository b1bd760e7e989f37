"""A VMM that is watched: tables on a terminal, lines elsewhere, and a sentence as it ends."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bellwire.engine.attached.attachment import ProcessEndedError
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.attached.watched import WatchedVmm
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.viz.cli.attach import watched as module
from bellwire.viz.cli.attach.watched import kept_up_to_date, watch_vmm

VMM = KvmProcess(7, 1, 0, "crosvm")
DOORBELL = SeenIoeventfd(IoMatch("pio", 0x510, 2), 70)
VM = SeenVm(4, "full", (SeenVcpu(0, 33, "vcpu", {"exits": 100}),))
BEFORE, AFTER = Topology(VMM, (VM,)), Topology(VMM, (replace(VM, ioeventfds=(DOORBELL,)),))


class LooksTaken:
    """In place of an attachment: these looks, then the end."""

    def __init__(self, *looks: Topology) -> None:
        self._looks = iter(looks)

    def look(self) -> Topology:
        try:
            return next(self._looks)
        except StopIteration:
            raise ProcessEndedError("crosvm, pid 7 has ended.") from None


def watching(*looks: Topology) -> WatchedVmm:
    """A VMM of these looks."""
    return WatchedVmm(LooksTaken(*looks))  # type: ignore[arg-type]


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


def test_it_ends_after_so_many_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch_vmm(watching(*[BEFORE] * 100_000), seconds=0.02) == 0
    assert "has ended" not in capsys.readouterr().err
