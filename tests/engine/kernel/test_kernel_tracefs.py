"""bw-tracefs: it tells what bw-kernel tells, it watches where that cannot, and no instance of it is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.events import Records
from bellwire.engine.folds.tally import Tally
from bellwire.engine.kernel.program import PROGRAM, TRACEFS_PROGRAM, KernelSightError, known_tracepoints, reason_of
from bellwire.engine.kernel.records import RecordKind, no_records
from bellwire.engine.kernel.watch import KernelWatch
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.live import kernel_sight
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.kernel_sight import NOBODY, needs_sight
from tests.support.processes import threads_of
from tests.support.sessions import wait_for

INSTANCES = Path("/sys/kernel/tracing/instances")
SIGNALS = 300
OF_THREADS = (RecordKind.WAKING, RecordKind.RUNS)
EDGES = 10  # wake-ups and switches that one source places before the other one's first record, or behind its last one
HOLDER = """
import os, sys, time
from bellwire.engine.kernel.program import TRACEFS_PROGRAM
from bellwire.engine.kernel.watch import KernelWatch
watch = KernelWatch([TRACEFS_PROGRAM])
watch.add(os.getpid())
while not (watch.ready and watch.answered):
    watch.look()
    assert watch.refused is None, watch.refused
print(watch.pid, flush=True)
time.sleep(1000)
"""
THREADED = """
import threading
for _ in range(5):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print(flush=True)
input()
"""


def instances_of(pid: int) -> set[str]:
    """The instances of tracefs that a process has made."""
    return {folder.name for folder in INSTANCES.iterdir() if folder.name.startswith(f"bellwire-{pid}-")}


def began(*watches: KernelWatch) -> Callable[[], bool]:
    """Whether all of them watch."""

    def look() -> bool:
        for watch in watches:
            watch.look()
            assert watch.refused is None
        return all(watch.ready and watch.answered for watch in watches)

    return look


class BothSources(Owner):
    """Stands in for a session's KernelWatch: one by BPF, and at the same time one by tracefs, which the session has."""

    newest: BothSources

    def __init__(self) -> None:
        BothSources.newest = self
        with ExitStack() as stack:
            self._watches = [stack.enter_context(KernelWatch([one])) for one in (PROGRAM, TRACEFS_PROGRAM)]
            self._stack = stack.pop_all()
        self.taken = [no_records(), no_records()]
        self.losses = [0, 0]

    def add(self, process: int, threads: Iterable[int] = ()) -> None:
        for watch in self._watches:
            watch.add(process, threads)

    def look(self) -> None:
        for watch in self._watches:
            watch.look()

    @property
    def ready(self) -> bool:
        return all(watch.ready for watch in self._watches)

    @property
    def answered(self) -> bool:
        return all(watch.answered for watch in self._watches)

    @property
    def refused(self) -> KernelSightError | None:
        return self._watches[0].refused or self._watches[1].refused

    def take(self) -> Records:
        new = [watch.take() for watch in self._watches]
        self.taken = [np.concatenate(pair) for pair in zip(self.taken, new, strict=True)]
        self.losses = [watch.lost for watch in self._watches]
        return new[1]

    def end(self) -> None:
        for watch in self._watches:
            watch.end()

    def close(self) -> None:
        self._stack.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._watches[1], name)


def threads_in(records: Records) -> set[int]:
    """Those that are woken, or switched to. Of one that sleeps the former is told whatever the CPU's idle task does."""
    woken, run = (records[records["kind"] == kind] for kind in OF_THREADS)
    return {*woken["a"].tolist(), *run["thread"].tolist()}


def rows_of(records: Records, kind: RecordKind) -> Counter[tuple[int, ...]]:
    """Those of a kind without their times: thread, a, b, c and d."""
    own = records[records["kind"] == kind]
    columns = [own[name].tolist() for name in ("thread", "a", "b", "c", "d")]
    return Counter(zip(*columns, strict=True))


@pytest.mark.kvm
@pytest.mark.parametrize("name", ["roundtrip", "irq-ioapic", "doorbell-pio-exit", "doorbell-mmio"])
def test_both_sources_tell_the_same_of_the_same_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record by record, the work's own address and its GSI included; but for when it was."""
    needs_sight("BPF")
    needs_sight("tracefs")
    monkeypatch.setattr(kernel_sight, "KernelWatch", BothSources)
    session, tally = Session(load_scenario(name), limit=SIGNALS, kernel=True), Tally()

    def arrived() -> bool:
        tally.feed(session.take())
        return max(tally.doorbells_rung, tally.irqs_signalled) >= SIGNALS and tally.settled

    with session:
        wait_for(arrived)
    assert session.error is None
    assert session.unseen == ""
    bpf, tracefs = BothSources.newest.taken
    assert BothSources.newest.losses == [0, 0]
    since = max(
        records["tsc"].min() for records in (bpf, tracefs)
    )  # both watch, as threads run before and after as well
    until = min(records["tsc"].max() for records in (bpf, tracefs))
    for kind in RecordKind:
        if kind in OF_THREADS:
            one, other = (
                rows_of(some[(some["tsc"] >= since) & (some["tsc"] <= until)], kind) for some in (bpf, tracefs)
            )
        else:
            one, other = rows_of(bpf, kind), rows_of(tracefs, kind)
        only_bpf, only_tracefs = one - other, other - one
        assert only_tracefs.total() <= EDGES * (kind in OF_THREADS), (kind, only_tracefs)
        # A kernel may trace nothing that the idle task of a CPU does outside of interrupts, though BPF sees it: perf
        # misses the same switches. When a thread began to run is not known then, and no figure is made of it.
        assert kind == RecordKind.RUNS or only_bpf.total() <= EDGES * (kind in OF_THREADS), (kind, only_bpf)
        assert other.total() or not one.total(), kind


def test_it_watches_where_bpf_cannot(tmp_path: Path) -> None:
    needs_sight("tracefs")
    other = tmp_path / "bw-kernel"
    other.write_text("#!/bin/sh\necho refused 1 load >&2\nexit 1\n")
    other.chmod(0o755)
    for first in (other, tmp_path / "none"):
        with KernelWatch([first, TRACEFS_PROGRAM]) as watch:
            watch.add(os.getpid())
            wait_for(began(watch))
            assert watch.by_tracefs
            wait_for(lambda: bool(threads_in(watch.take())))


def test_where_neither_can_what_keeps_the_first_one_is_told(tmp_path: Path) -> None:
    for name, words in (("one", "no-btf 2"), ("other", "not-root 0")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {words} >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    with KernelWatch([tmp_path / "one", tmp_path / "other"]) as watch:

        def refused() -> bool:
            watch.look()
            return watch.refused is not None

        wait_for(refused)
        for _ in range(2):  # whoever goes on asking hears the same
            watch.look()
            assert str(watch.refused).startswith("This kernel does not describe its own types")
            assert not watch.ready


def test_only_root_can_use_it(tmp_path: Path) -> None:
    needs_sight("tracefs")
    command = [str(TRACEFS_PROGRAM), "check"]
    ran = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False
    )
    if "Permission denied" in ran.stderr:
        pytest.skip("nobody else may execute what is in this tree")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "not-root 0 \n")
    assert str(reason_of(ran.stderr)) == "Only root can use tracefs."


def test_it_knows_the_tracepoints_and_leaves_nothing() -> None:
    needs_sight("tracefs")
    before = set(INSTANCES.iterdir())
    found = known_tracepoints(TRACEFS_PROGRAM)
    assert {"kvm_pio", "kvm_msi_set_irq", "sched_waking", "sched_switch", "sys_enter"} <= {
        name for name, there in found.items() if there
    }
    assert not any(re.fullmatch(r"bellwire-\d+-\d+.*", folder.name) for folder in set(INSTANCES.iterdir()) - before)


@contextmanager
def child(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process with pipes; it is ended at the end."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def holder() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that watches itself by tracefs, and the number of its bw-tracefs."""
    needs_sight("tracefs")
    with subprocess.Popen([sys.executable, "-P", "-c", HOLDER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def test_it_does_not_outlive_who_has_started_it(holder: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = holder
    assert len(instances_of(pid)) == 2
    process.send_signal(signal.SIGKILL)
    wait_for(lambda: not instances_of(pid))


def test_what_is_left_of_one_that_was_killed_the_next_one_removes(holder: tuple[subprocess.Popen[str], int]) -> None:
    _, pid = holder
    (left, *_) = sorted(instances_of(pid))
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    assert (INSTANCES / left / "tracing_on").read_text() == "0\n"  # by the kernel itself
    assert len(instances_of(pid)) == 2
    known_tracepoints(TRACEFS_PROGRAM)
    assert instances_of(pid) == set()


def test_ctrl_c_leaves_it_to_its_caller_to_end_it(holder: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = holder
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not instances_of(pid))
    assert process.poll() is None


def test_two_at_once_do_not_disturb_each_other(holder: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = holder
    with KernelWatch([TRACEFS_PROGRAM]) as watch:
        watch.add(os.getpid())
        wait_for(began(watch))
        seen = [watch.take()]
        for _ in range(50):
            time.sleep(0.002)  # the other one's threads run as well, and those of its caller
            seen.append(watch.take())

        def told() -> bool:
            seen.append(watch.take())
            return any(threading.get_native_id() in threads_in(some) for some in seen)

        wait_for(told)
        assert len(instances_of(pid)) == len(instances_of(watch.pid)) == 2
    assert len(instances_of(pid)) == 2
    assert (INSTANCES / sorted(instances_of(pid))[0] / "tracing_on").read_text() == "1\n"
    own = set(threads_of())
    told_of = threads_in(np.concatenate(seen))
    assert process.pid not in told_of
    assert threading.get_native_id() in own & told_of


def run_one_thread() -> int:
    """The number of a thread that has begun, slept and ended."""
    begun: list[int] = []

    def sleep() -> None:
        begun.append(threading.get_native_id())
        time.sleep(0.001)

    thread = threading.Thread(target=sleep)
    thread.start()
    thread.join()
    return begun[0]


def test_a_thread_that_begins_later_is_seen_and_a_child_is_not() -> None:
    """Or that something is lost is said: a record may come later than is waited for. No thread comes a second time."""
    needs_sight("tracefs")
    with KernelWatch([TRACEFS_PROGRAM]) as watch:
        watch.add(os.getpid())
        wait_for(began(watch))
        seen = set[int]()

        def told() -> bool:
            lost, thread = watch.lost, run_one_thread()
            ended = int(lib.bw_tsc())
            wait_for(lambda: watch.complete > ended)
            seen.update(threads_in(watch.take()))
            assert thread in seen or watch.lost > lost
            return thread in seen

        child = subprocess.Popen(["sleep", "0.05"])
        child.wait()
        for _ in range(20):  # on each of the CPUs
            wait_for(told)
        assert child.pid not in seen


def test_what_found_the_buffers_full_is_counted_and_the_rest_goes_on() -> None:
    needs_sight("tracefs")
    with KernelWatch([TRACEFS_PROGRAM]) as watch, Path(os.devnull).open("wb", buffering=0) as nowhere:
        watch.add(os.getpid())
        wait_for(began(watch))
        os.kill(watch.pid, signal.SIGSTOP)
        allowed = os.sched_getaffinity(0)
        try:
            for cpu in sorted(allowed)[:2]:  # more than it holds at a time, of both
                os.sched_setaffinity(0, {cpu})
                for _ in range(250_000):
                    nowhere.write(b".")
        finally:
            os.sched_setaffinity(0, allowed)
            os.kill(watch.pid, signal.SIGCONT)
        stopped = watch.complete
        wait_for(lambda: watch.complete > stopped and watch.lost > 0)
        watch.take()
        wait_for(lambda: bool(threads_in(watch.take())))
        assert watch.refused is None


def test_a_thread_that_the_kernel_dropped_from_its_list_is_traced_again_and_what_it_did_is_counted_as_lost() -> None:
    """The kernel copies its list for each process that is added: a thread that begins just then is on the old one."""
    needs_sight("tracefs")
    with ExitStack() as stack:
        watch = stack.enter_context(KernelWatch([TRACEFS_PROGRAM]))
        threaded = stack.enter_context(child(sys.executable, "-P", "-c", THREADED))
        assert threaded.stdout is not None
        threaded.stdout.readline()
        watch.add(threaded.pid)
        wait_for(began(watch))
        (own,) = (INSTANCES / name for name in instances_of(watch.pid) if not name.endswith("-workers"))
        traced = own / "set_event_pid"
        listed = set(traced.read_text().split())
        dropped = [number for number in threads_of(threaded.pid) if number != threaded.pid][1:3]
        assert listed >= {str(number) for number in dropped}
        traced.write_text(" ".join(listed - {str(number) for number in dropped}))
        lost = watch.lost
        watch.add(stack.enter_context(child("sleep", "1000")).pid)
        wait_for(began(watch))
        assert set(traced.read_text().split()) > listed
        wait_for(lambda: watch.lost - lost >= len(dropped))
