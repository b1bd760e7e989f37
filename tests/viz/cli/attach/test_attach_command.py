"""`bellwire attach PID`, of a process that has a VM, and of others."""

from __future__ import annotations

import json
import os

import pytest

from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vm import Kvm, Vm
from bellwire.viz.cli.app import main
from tests.support.kernel_sight import needs_sight


@pytest.mark.kvm
def test_a_vm_of_this_process_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    needs_sight()
    pid = str(os.getpid())
    with Kvm() as kvm, Vm(kvm) as vm, Eventfd() as eventfd, Ioeventfd(vm, eventfd, 0x510, 2, pio=True):
        assert main(["attach", pid, "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)["vms"]
        assert [(one["address"], one["fds"]) for one in told["ioeventfds"]] == [(0x510, [eventfd.fd])]
        assert main(["attach", pid, "--json", "--seconds", "2"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["unheard"] is None
        assert told["hops"] is None or told["hops"]["doorbells"][0]["rung"] == 0
        for words in (["--once"], ["--seconds", "0.3"]):
            assert main(["attach", pid, *words]) == 0
            assert f"pio 0x510              2        any     {eventfd.id}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["7", "--list"]])
def test_a_wrong_call_is_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attach", *words]) == 2
    assert capsys.readouterr().err.startswith("bellwire: Invalid value")


@pytest.mark.parametrize("text", ["0", "seven", "-3", "7x", "٣"])
def test_what_is_no_pid_says_who_shows_them(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attach", "--", text]) == 2
    told = f"'{text}' is no process number: `bellwire attach --list` shows the processes that have a VM."
    assert capsys.readouterr().err == f"bellwire: Invalid value for '[PID]': {told}\n"


def test_a_process_without_a_vm_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attach", str(os.getpid())]) == 1
    assert "has no VM. `bellwire attach --list` shows the processes that have a VM." in capsys.readouterr().err
    assert main(["attach", str(2**22 + 1)]) == 1
    assert "There is no process 4194305. `bellwire attach --list` shows the" in capsys.readouterr().err


@pytest.mark.kvm
def test_a_socket_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    needs_sight()
    with Kvm() as kvm, Vm(kvm):
        assert main(["attach", str(os.getpid()), "--once", "--qmp", "/nowhere/qmp"]) == 1
    assert "is no control channel" in capsys.readouterr().err
