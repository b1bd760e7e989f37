"""A running VMM is recorded: each signal once, what changes meanwhile, its end; and why it is not, in a sentence."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.attached.attachment import Attachment
from bellwire.engine.attached.processes import KvmProcess, attachable, kvm_processes, seen_process
from bellwire.engine.attached.stream import AttachedStream
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Setting
from bellwire.engine.host.host import host_facts
from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.partners.qemu import qemu_refusal
from bellwire.engine.kvm.vm import Kvm, Vm
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.attached import vmm_capture
from bellwire.engine.recordings.attached.seen_events import addresses_of, threads_of
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.uses import wire_uses
from bellwire.engine.recordings.attached.vmm_capture import VmmCapture, named_thread, named_threads, wait_until_ready
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import Order
from tests.support.kernel_sight import needs_sight
from tests.support.processes import children
from tests.support.sessions import fed, paced, tally_of, wait_for

pytestmark = pytest.mark.kvm

PR_SET_NAME = 15  # linux/prctl.h
SWITCHED = 15  # times off, and on
HOLDS_A_VM = "import sys\nfrom bellwire.engine.kvm.vm import Kvm, Vm\nVm(Kvm())\nprint(flush=True)\ninput()\n"


@pytest.fixture(autouse=True)
def sight() -> None:
    """Nothing here can be seen without a look into the kernel."""
    needs_sight()


def own_process() -> KvmProcess:
    """This one, which has a VM by then."""
    return attachable(os.getpid())


def begun(path: Path, process: KvmProcess, **how: object) -> VmmCapture:
    """A recording that is being written."""
    capture = VmmCapture(path, process, "0.1", **how)  # type: ignore[arg-type]
    capture.wait_until_begun()
    return capture


def notes_in(path: Path) -> int:
    """How many there are in a recording that grows."""
    return len(Recording(path, attached=True).notes)


def ended(capture: VmmCapture) -> tuple[Recording, Events]:
    """What it holds, once it has ended without an error."""
    capture.stop()
    capture.wait()
    assert capture.error is None
    recording = Recording(capture.path, attached=True)
    assert not recording.warning
    events = np.concatenate(list(recording.sorted_batches()))
    assert events.size == capture.events == len(recording)
    return recording, events


@pytest.mark.parametrize("hide", ["cpu", "host"])
def test_that_the_cpu_was_emulated_is_told_whatever_is_hidden(
    hide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the recording's times would be taken for times."""
    facts = {**host_facts(), "cpu": "QEMU TCG CPU version 2.5+"}
    monkeypatch.setattr(vmm_capture, "host_facts", lambda: facts)
    with Session(paced("roundtrip", per_second=100)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        capture = begun(tmp_path / "own.arrow", own_process(), hide=(hide,))
        before = fed(tally, session).irqs_handled
        wait_for(lambda: fed(tally, session).irqs_handled > before + 5)
        recording, _ = ended(capture)
    assert recording.header.clock.emulated
    assert recording.header.host["cpu"] == "QEMU TCG CPU"
    assert ("kernel" in recording.header.host) == (hide != "host")


@pytest.mark.parametrize("hide", [(), ("pid", "cpu")])
def test_each_doorbell_and_each_message_is_in_it_once(tmp_path: Path, hide: tuple[str, ...]) -> None:
    with Session(paced("roundtrip", per_second=0)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        capture = begun(tmp_path / "own.arrow", own_process(), hide=hide)
        for number in range(1, 10):
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).irqs_handled == number)  # type: ignore[misc]
        recording, events = ended(capture)
    topology = SeenMoments(recording).topologies[-1]
    assert sorted(count for _, _, count in wire_uses(events, topology) if count) == [9, 9]
    doorbell = session.scenario.doorbell
    assert doorbell is not None
    rung = events[(events["kind"] == EventKind.PIO) & (addresses_of(events) == np.uint64(doorbell.address))]
    assert rung.size == 9
    threads = {one.tid: one.name for note in recording.notes for one in note.threads}
    assert {threads[int(thread)] for thread in threads_of(rung)} == {"vcpu"}
    on = events[(events["kind"] == EventKind.SETTING) & (events["id"] == Setting.KERNEL)]
    assert on["arg"].tolist()[0] & 1
    assert recording.header.attached is not None
    assert recording.header.attached.process.pid_hidden == ("pid" in hide)
    assert ("cpu" in recording.header.host) == ("cpu" not in hide or recording.header.clock.emulated)
    numbers = re.findall(r"\d+", recording.header.content().decode())  # part of a longer one it may be by chance
    assert (str(os.getpid()) in numbers) == ("pid" not in hide)


@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
@pytest.mark.parametrize("name", ["qemu-virtio-blk", "qemu-vhost-user-blk"])
def test_a_recording_of_a_real_qemu_holds_what_was_counted_live(name: str, tmp_path: Path) -> None:
    with Session(paced(name, per_second=0)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        ours = children()
        qemu = attachable(next(one.pid for one in kvm_processes() if one.pid in ours))
        with Attachment(qemu.pid, counting=True) as live:
            before = live.look()
            capture = begun(tmp_path / "qemu.arrow", qemu)
            for number in range(1, 6):
                session.order(Order.DOORBELL)
                wait_for(lambda number=number: fed(tally, session).irqs_handled >= number)  # type: ignore[misc]
            recording, events = ended(capture)
            after = live.look()
    topology = SeenMoments(recording).topologies[-1]
    uses = {wire: count for _, wire, count in wire_uses(events, topology) if count}
    (vm,) = after.vms
    rung = {one: (after.times_rung(one) or 0) - (before.times_rung(one) or 0) for one in vm.ioeventfds}
    sent = {one: count for one, count in uses.items() if isinstance(one, SeenIrqfd)}
    assert uses == {wire: count for wire, count in rung.items() if count} | sent
    assert sum(sent.values()) == 5
    assert sum(rung.values()) == 5
    served = name == "qemu-vhost-user-blk"
    assert [partner for _, partner in topology.partners] == (["qemu-storage-daemon"] if served else [])


def test_what_is_registered_meanwhile_is_noted(tmp_path: Path) -> None:
    with Kvm() as kvm, Vm(kvm) as vm, Eventfd() as eventfd:
        capture = begun(tmp_path / "own.arrow", own_process())
        with Ioeventfd(vm, eventfd, 0x510, 2, pio=True):
            wait_for(lambda: notes_in(capture.path) >= 2)
            before = notes_in(capture.path)
        wait_for(lambda: notes_in(capture.path) > before)
        recording, _ = ended(capture)
    changes = [sentence for _, sentence in SeenMoments(recording).changes]
    assert any(sentence.startswith("New: ioeventfd at port 0x510") for sentence in changes)
    assert any(sentence.startswith("Gone: ioeventfd at port 0x510") for sentence in changes)


def test_what_is_registered_before_it_listens_is_there_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Kvm() as kvm, Vm(kvm) as vm, Eventfd() as eventfd, ExitStack() as registered:

        def until_ready(stream: AttachedStream, stopped: Callable[[], bool]) -> None:
            registered.enter_context(Ioeventfd(vm, eventfd, 0x510, 2, pio=True))
            wait_until_ready(stream, stopped)

        monkeypatch.setattr(vmm_capture, "wait_until_ready", until_ready)
        capture = begun(tmp_path / "own.arrow", own_process())
        recording, _ = ended(capture)
    first = SeenMoments(recording).topologies[0]
    assert [one.match.address for seen in first.vms for one in seen.ioeventfds] == [0x510]


def test_who_is_stopped_before_it_listens_waits_no_longer_than_for_what_happened_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    class Deaf:
        ready, refused = False, None

        def take(self) -> None:
            looks.append(1)

    monkeypatch.setattr(vmm_capture, "END_SECONDS", -1.0)
    with pytest.raises(EngineError, match="did not answer within 0 s"):
        wait_until_ready(cast(AttachedStream, Deaf()), lambda: bool(looks))
    assert len(looks) == 1


def test_each_doorbell_is_of_what_was_registered_just_then(tmp_path: Path) -> None:
    """The ioeventfd comes and goes at each doorbell: what it does not take leaves for user space."""
    with Session(paced("roundtrip", per_second=0)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        capture = begun(tmp_path / "own.arrow", own_process())
        for number in range(1, 2 * SWITCHED + 1):
            session.order(Order.IOEVENTFD, number % 2 == 0)
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).irqs_handled == number)  # type: ignore[misc]
        recording, events = ended(capture)
    moments = SeenMoments(recording)
    assert recording.header.attached is not None
    assert recording.header.attached.told
    assert len(moments.changes) == 2 * SWITCHED
    taken = 0
    while events.size:
        topology, until = moments.topology_until(int(events["tsc"][0]))
        assert topology is not None
        inside = events["tsc"] < until if until else events["tsc"] >= 0
        uses = wire_uses(events[inside], topology)
        taken += sum(count or 0 for _, wire, count in uses if isinstance(wire, SeenIoeventfd))
        events = events[~inside]
    assert taken == SWITCHED


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has a VM, and the name of the parameter, if there is one."""
    named = f"import ctypes\nctypes.CDLL(None).prctl({PR_SET_NAME}, {getattr(request, 'param', b'python')!r})\n"
    command = [sys.executable, "-c", named + HOLDS_A_VM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        one.stdout.readline()
        yield one
        one.kill()


@pytest.mark.parametrize(
    ("other", "told"), [(b"\xff\xfe", r"\xff\xfe"), (b"\x1b[31mr\xed", r"␛[31mr\xed")], indirect=["other"]
)
def test_it_may_have_a_name_of_any_bytes(tmp_path: Path, other: subprocess.Popen[bytes], told: str) -> None:
    assert told in [process.name for process in kvm_processes()]
    recording, _ = ended(begun(tmp_path / "other.arrow", attachable(other.pid)))
    (topology,) = SeenMoments(recording).topologies
    assert topology.process.name == told


def test_its_end_ends_the_recording_and_is_told(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    capture = begun(tmp_path / "other.arrow", attachable(other.pid))
    other.send_signal(signal.SIGKILL)
    other.wait()
    wait_for(lambda: capture.ended)
    assert "has ended" in capture.ended_by
    ended(capture)


def test_who_is_killed_while_recording_leaves_what_was_seen(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    path = tmp_path / "killed.arrow"
    words = ["attach", str(other.pid), "--record", str(path)]
    command = [sys.executable, "-P", "-m", "bellwire.viz", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as recorder:
        wait_for(lambda: path.exists() and path.stat().st_size > 0 and has_looked(path))
        recorder.kill()
    recording = Recording(path, attached=True)
    assert not recording.whole
    assert recording.notes
    assert recording.outline().kinds["SETTING"] == 1


def has_looked(path: Path) -> bool:
    """Whether a recording that grows holds an event."""
    try:
        return len(Recording(path, attached=True)) > 0
    except EngineError:
        return False


def test_why_it_is_not_recorded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "there.arrow").write_text("somebody's")
    with Kvm() as kvm, Vm(kvm):
        capture = VmmCapture(tmp_path / "there.arrow", own_process(), "0.1")
        with pytest.raises(EngineError, match=r"there\.arrow"):
            capture.wait_until_begun()
        assert capture.wait()
    assert (tmp_path / "there.arrow").read_text() == "somebody's"
    nobody = seen_process(os.getpid())
    assert nobody is not None
    capture = VmmCapture(tmp_path / "none.arrow", nobody, "0.1")
    with pytest.raises(EngineError, match="has no VM"):
        capture.wait_until_begun()
    assert not (tmp_path / "none.arrow").exists()


def test_a_thread_that_dies_of_anything_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr("threading.excepthook", lambda met: heard.append(met.thread.name))
    with Kvm() as kvm, Vm(kvm):
        capture = begun(tmp_path / "own.arrow", own_process())

        def broken(recorder: Recorder, events: Events) -> None:
            raise ZeroDivisionError("of anything")

        monkeypatch.setattr(Recorder, "append", broken)
        wait_for(lambda: capture.ended)
    assert heard == ["recording"]
    assert "has ended: ZeroDivisionError: of anything." in str(capture.error)


def test_threads_are_named_as_long_as_they_are_there() -> None:
    assert os.getpid() in {one.tid for one in named_threads(os.getpid())}
    assert named_threads(2**22 + 1) == []
    assert named_thread(2**22 + 1) == "?"
    assert int(lib.bw_tsc()) > 0
