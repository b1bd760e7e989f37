"""bw-kernel while it watches: what it says, whom it shows, and that nothing of it is left, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bellwire.engine.kernel.program import PROGRAM, KernelSightError
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kernel.watch import KernelWatch
from tests.support.kernel_sight import GRANT, NOBODY, for_nobody, needs_sight
from tests.support.processes import files_of, is_running

PATIENCE = 120.0
HOLDER = """
import sys, time
from bellwire.engine.kernel.watch import KernelWatch
watch = KernelWatch()
while not watch.ready:
    watch.look()
    assert watch.refused is None, watch.refused
print(watch.pid, flush=True)
time.sleep(1000)
"""


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so; an AssertionError after a long time."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


def settled(watch: KernelWatch) -> bool:
    """Whether it watches, or has said why not."""
    watch.look()
    return watch.ready or watch.refused is not None


@pytest.fixture
def watch() -> Iterator[KernelWatch]:
    needs_sight()
    with KernelWatch() as one:
        wait_for(lambda: settled(one))
        assert one.refused is None
        yield one


def programs_of(pid: int) -> int:
    """BPF programs that a process holds open."""
    return sum("bpf-prog" in target for target in files_of(pid).values())


def in_kernel() -> set[str]:
    """The numbers of all BPF programs that are in the kernel, as bpftool tells them."""
    bpftool = shutil.which("bpftool", path=f"{os.environ['PATH']}:/usr/sbin")
    if bpftool is None or os.geteuid():
        pytest.skip("only root with bpftool sees which BPF programs there are")
    told = subprocess.run([bpftool, "prog", "show"], capture_output=True, text=True, check=True).stdout
    return {line.split(":")[0] for line in told.splitlines() if "raw_tracepoint" in line and " on_" in line}


def test_a_thread_of_its_own_process_is_seen_to_be_woken(watch: KernelWatch) -> None:
    watch.add(os.getpid())
    seen: list[int] = []

    def woken() -> bool:
        subprocess.run(["true"], check=True)
        seen.extend(watch.take()["kind"].tolist())
        return RecordKind.WAKING in seen and RecordKind.RUNS in seen

    wait_for(woken)
    assert watch.refused is None
    assert watch.tracepoints & 1


def test_everything_up_to_its_word_can_be_taken(watch: KernelWatch) -> None:
    watch.add(os.getpid())
    before = watch.complete
    wait_for(lambda: watch.complete > before)
    complete = watch.complete
    watch.take()
    time.sleep(0.1)
    assert not (watch.take()["tsc"] < complete).any()


def test_a_process_that_is_not_there_is_said(watch: KernelWatch) -> None:
    watch.add(2**22 + 1)
    wait_for(lambda: settled(watch) and watch.refused is not None)
    assert str(watch.refused) == "There is no such process any more."


def test_one_that_was_not_built_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KernelSightError, match="was not built"):
        KernelWatch([tmp_path / "none"])


def test_one_that_ends_says_why(tmp_path: Path) -> None:
    other = tmp_path / "bw-kernel"
    other.write_text("#!/bin/sh\necho no-btf 2 >&2\nexit 1\n")
    other.chmod(0o755)
    with KernelWatch([other]) as watch:
        wait_for(lambda: settled(watch))
        assert str(watch.refused).startswith("This kernel does not describe its own types")


def test_nobody_sees_anothers_process() -> None:
    """With capabilities of its file, it refuses whom its caller may not trace; its own process it shows."""
    with for_nobody() as copy:
        subprocess.run(["setcap", GRANT, copy], check=True)
        ran = subprocess.run(
            [sys.executable, "-c", of_nobody(copy)], capture_output=True, text=True, cwd="/", check=False
        )
    assert ran.stderr == ""
    words = ran.stdout.split()
    assert words[:5] == ["ready", "not-yours", "0", "process", words[-1]]


def of_nobody(program: Path) -> str:
    """What nobody does with bw-kernel, as Python."""
    return f"""
import os, subprocess, sys
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
sys.path.insert(0, {os.environ.get("PYTHONPATH", "").split(":")[0]!r})
import fcntl
fd = os.memfd_create("r", os.MFD_ALLOW_SEALING)
os.ftruncate(fd, 4096 + 48 * (1 << 17))
fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
pipes = dict(stdin=-1, stdout=-1, stderr=-1)
started = subprocess.Popen([{str(program)!r}, "events", str(fd)], pass_fds=(fd,), cwd="/", **pipes)
sleeper = subprocess.Popen(["sleep", "1000"], cwd="/")
try:
    said, wrong = started.communicate(b"process {os.getpid()}\\nprocess %d\\n" % sleeper.pid, timeout=240)
finally:
    sleeper.kill()
print(said.decode(), wrong.decode(), sleeper.pid)
"""


def test_a_terminals_signals_are_not_for_it_and_one_that_ends_it_is_named() -> None:
    needs_sight()
    with KernelWatch() as watch:
        wait_for(lambda: settled(watch))
        assert os.getpgid(watch.pid) == watch.pid
        os.kill(watch.pid, signal.SIGKILL)
        wait_for(lambda: settled(watch) and watch.refused is not None)
        assert str(watch.refused) == "bw-kernel was ended by SIGKILL."


def test_it_does_not_outlive_who_has_started_it() -> None:
    needs_sight()
    before = in_kernel()
    command = [sys.executable, "-P", "-c", HOLDER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert programs_of(pid) > 10
        assert in_kernel() - before
        holder.send_signal(signal.SIGKILL)
    wait_for(lambda: not is_running(pid))
    wait_for(lambda: not in_kernel() - before)


def test_it_takes_no_path_and_no_memory_that_can_shrink() -> None:
    needs_sight()
    fd = os.memfd_create("records", 0)
    os.ftruncate(fd, 4096 + 48 * (1 << 17))
    try:
        for word in (str(fd), "/etc/passwd", "-1", "0"):
            ran = subprocess.run([PROGRAM, "events", word], pass_fds=(fd,), stdin=-3, capture_output=True, check=False)
            assert (ran.returncode, ran.stderr) == (1, b"usage 0 \n")
    finally:
        os.close(fd)
