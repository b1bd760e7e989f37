"""Who holds which eventfd: the ids in fdinfo, of all processes that may be looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.attached import eventfds
from bellwire.engine.attached.eventfds import EventfdHolder, held_eventfds
from bellwire.engine.attached.processes import open_files
from bellwire.engine.kvm.owner import Eventfd
from tests.support.described_proc import describe_process


def test_an_eventfd_is_the_same_in_every_process(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, {3: 11, 5: 12, 4: 11})
    describe_process(tmp_path, 9, {8: 12}, comm="back-end", arguments=("back-end",))
    describe_process(tmp_path, 10, ("/dev/null", "pipe:[3]"))
    held = held_eventfds(tmp_path)
    qemu = "qemu-system-x86_64"
    assert held.holders == {
        11: (EventfdHolder(7, qemu, (3, 4)),),
        12: (EventfdHolder(7, qemu, (5,)), EventfdHolder(9, "back-end", (8,))),
    }
    assert held.hidden == 0


def test_those_that_may_not_be_looked_at_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe_process(tmp_path, 7, {3: 11})
    describe_process(tmp_path, 9, {3: 11})

    def but_for_nine(folder: Path) -> object:
        if folder.name == "9":
            raise PermissionError
        return open_files(folder)

    monkeypatch.setattr(eventfds, "open_files", but_for_nine)
    held = held_eventfds(tmp_path)
    assert ([holder.pid for holder in held.holders[11]], held.hidden) == ([7], 1)


def test_a_real_eventfd_is_found_in_both_processes_that_have_it() -> None:
    with Eventfd() as eventfd, Eventfd() as other:
        command = [sys.executable, "-c", "input()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(eventfd.fd,)) as child:
            held = held_eventfds().holders
            assert {holder.pid: holder.fds for holder in held[eventfd.id]} == {
                os.getpid(): (eventfd.fd,),
                child.pid: (eventfd.fd,),
            }
            assert [holder.pid for holder in held[other.id]] == [os.getpid()]
            child.communicate(b"\n")
