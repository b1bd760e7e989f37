"""`bellwire attach --list`: one row a process, and what it lacks."""

from __future__ import annotations

import io
import json
import os

import pytest
from rich.console import Console, RenderableType

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.kvm.vm import Kvm, Vm
from bellwire.viz.cli.app import main
from bellwire.viz.cli.attach.processes_told import process_table

OURS = KvmProcess(4711, 12, 0, "qemu-system-x86_64", "web", 1, 4)
THEIRS = KvmProcess(4712, 12, 65534, "firecracker", "")


def printed(content: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(content)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_what_is_not_known_is_a_dash_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    rows = printed(process_table([OURS, THEIRS])).splitlines()[-2:]
    assert rows[0].split() == ["4711", "root", "qemu-system-x86_64", "web", "1", "4"]
    assert rows[1].split()[:5] == ["4712", "nobody", "firecracker", "–", "–"]
    assert "attach as that user, or as root" in rows[1]


def test_nobody_has_a_vm() -> None:
    assert printed(process_table([])) == "No process has a VM, of those that this user may see.\n"


@pytest.mark.kvm
def test_the_list_as_json_has_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    with Kvm() as kvm, Vm(kvm):
        assert main(["attach", "--list", "--json"]) == 0
    told = {one["pid"]: one for one in json.loads(capsys.readouterr().out)}
    assert (told[os.getpid()]["vms"], told[os.getpid()]["vcpus"]) == (1, 0)
