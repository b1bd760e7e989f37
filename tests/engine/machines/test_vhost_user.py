"""A guest whose device is another process: what it wrote is in the image, and the daemon never outlives its session."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Lane
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.partners import kept_process, vhost_user
from bellwire.engine.kvm.partners.storage_daemon import PROGRAM, StorageDaemon, daemon_refusal
from bellwire.engine.kvm.partners.vhost_user import VIRTIO_F_VERSION_1, FrontEnd, Request
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.disk import DISK_SIZE
from bellwire.engine.machines.vhost_user import VhostUserGuest
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.hostile import AVAILABLE, ONE_AVAILABLE, described, run_hostile, storing
from tests.support.leaks import belongings, left_behind
from tests.support.processes import is_running
from tests.support.sessions import PATIENCE, WHILE_SWITCHED, assert_reconciled, fed, run, started, tally_of, wait_for

REQUESTS = 400
needs_daemon = [pytest.mark.kvm, pytest.mark.skipif(bool(daemon_refusal()), reason=daemon_refusal())]


def paced(per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    return replace(load_scenario("vhost-user-blk"), pace=Pace(per_second, burst, idle))


def assert_written_and_compared(session: Session, events: Events) -> None:
    """Every doorbell is a request that the daemon has taken and answered, and the image holds what was written."""
    assert_reconciled(session, events)
    tally, truth = tally_of(events), session.truth()
    requests = tally.doorbells_rung
    assert truth["written"] + truth["compared"] == tally.irqs_handled == requests
    assert truth["written"] - truth["compared"] == requests % 2
    assert truth["base"] == requests % 2**16
    assert truth["wrong"] == truth["missing"] == tally.irqs_merged == tally.irqs_pending == 0
    assert not np.any(events["lane"] == Lane.IO_THREAD)


class TestSession:
    """A real guest and a real daemon."""

    pytestmark = needs_daemon

    @pytest.mark.parametrize("idle", ["hlt", "spin"])
    @pytest.mark.parametrize("burst", [1, 7])
    def test_what_is_written_is_read_back_and_in_the_image(self, burst: int, idle: str) -> None:
        session, events = run(paced(burst=burst, idle=idle), REQUESTS)
        assert_written_and_compared(session, events)
        assert session.truth()["written"] == session.truth()["compared"] == REQUESTS // 2

    @pytest.mark.parametrize("burst", [1, 2, 3])
    def test_bursts_of_every_length(self, burst: int) -> None:
        assert_written_and_compared(*run(paced(burst=burst), 101))

    def test_the_whole_disk_is_written_and_around(self) -> None:
        assert_written_and_compared(*run(paced(), 2 * lib.BW_SECTORS + 42))

    def test_a_doorbell_is_a_round_trip_through_another_process(self) -> None:
        session, events = run(paced(), REQUESTS)
        latencies = Latencies(session.scenario, session.clock)
        journeys = np.concatenate([latencies.feed(batch) for batch in np.array_split(events, 5)])
        assert sorted(journeys["seq"]) == list(range(1, REQUESTS + 1))
        assert np.all((journeys["ring"] < journeys["handler"]) & (journeys["irq"] == 0) & (journeys["doorbell"] == 0))
        counts = {name: histogram.count for name, histogram in latencies.histograms.items()}
        measured = REQUESTS - latencies.warmup
        assert counts == {"doorbell": 0, "injection": 0, "store_cost": measured, "round_trip": measured}

    def test_the_wiring_changes_under_load_and_nothing_is_lost(self) -> None:
        chance = random.Random(9)
        batches = []
        with Session(paced(WHILE_SWITCHED)) as session:
            for _ in range(120):
                session.order(chance.choice([Order.IOEVENTFD, Order.IRQFD]), chance.random() < 0.5)
                time.sleep(chance.random() * 0.003)
                batches.append(session.take())
            session.order(Order.IRQFD, True)
        batches.append(session.take())
        events = np.concatenate(batches)
        assert session.error is None
        assert_written_and_compared(session, events)
        assert np.count_nonzero(events["kind"] == EventKind.WIRE) > 40

    def test_the_other_process_is_named_and_its_number_is_among_the_events(self) -> None:
        with Session(paced(100)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 0)
            assert session.partner == f"{PROGRAM}, pid {tally.partner_pid}"
            assert (Path(f"/proc/{tally.partner_pid}/exe")).resolve().name == PROGRAM
            assert "other process" in session.can(Order.INTERRUPT)
        assert tally.direct
        assert not is_running(tally.partner_pid)

    def test_a_session_leaves_no_process_and_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = belongings()
        for _ in range(10):
            with Session(paced()) as session:
                assert list(tmp_path.iterdir()) == []
                session.take()
        assert left_behind(before) == []

    def test_the_daemon_killed_in_mid_run_is_one_clear_error(self) -> None:
        before = belongings()
        with Session(paced()) as session:
            pid = int(session.partner.rpartition(" ")[2])
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not session.alive)
        assert str(session.error) == f"{PROGRAM}, pid {pid} was killed by SIGKILL."
        assert left_behind(before) == []
        assert session.truth()["missing"] == 0

    def test_a_daemon_that_is_stopped_is_told_while_it_is_so_and_leaves_out_no_answer_that_comes_later(self) -> None:
        with Session(paced(1000)) as session:
            batches = [session.take()]

            def handled() -> int:
                batches.append(session.take())
                return tally_of(np.concatenate(batches)).irqs_handled

            pid = int(session.partner.rpartition(" ")[2])
            latencies = Latencies(session.scenario, session.clock)
            wait_for(lambda: handled() > 20)
            os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: bool(session.warning))
            assert session.warning.startswith(f"{PROGRAM}, pid {pid} stands still")
            os.kill(pid, signal.SIGCONT)
            wait_for(lambda: not session.warning)
            batches.append(session.take())
            before = tally_of(np.concatenate(batches)).irqs_handled
            wait_for(lambda: handled() > before + 20)
        latencies.feed(np.concatenate([*batches, session.take()]))
        assert session.error is None
        assert latencies.partner_stops.of[pid].count == 1
        assert latencies.partner_stops.of[pid].since is None

    def test_a_run_that_ends_while_the_daemon_is_stopped_says_what_is_missing(self) -> None:
        before = belongings()
        with Session(paced(1000)) as session:
            pid = int(session.partner.rpartition(" ")[2])
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: bool(session.warning))
        assert str(session.error).startswith(f"{PROGRAM}, pid {pid} stood still, stopped by a signal or a debugger")
        assert left_behind(before) == []

    @pytest.mark.parametrize(
        "stores",
        [
            pytest.param([(AVAILABLE, 1000 << 16)], id="index"),
            pytest.param([(AVAILABLE + 4, 999), ONE_AVAILABLE], id="head"),
            pytest.param([*described(0, 8, 1, 0), ONE_AVAILABLE], id="loop"),
            pytest.param([*described(2**63, 8, 2), ONE_AVAILABLE], id="address"),
        ],
    )
    def test_a_driver_that_breaks_the_rules_makes_the_daemon_hang_up(
        self, stores: list[tuple[int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = belongings()
        session = run_hostile(paced(), storing(*stores), tmp_path, monkeypatch)
        assert str(session.error).startswith(f"{PROGRAM}, pid ")
        assert "breaks the rules" in str(session.error)
        assert session.truth()["compared"] == 0
        assert left_behind(before) == []

    def test_a_disk_that_forgets_is_found_out_by_the_guest(self) -> None:
        machine = build_machine(paced(2000), None, None)
        assert isinstance(machine, VhostUserGuest)
        try:
            machine.start()
            machine.wait_until_ready()
            machine.set_pace(machine.scenario.pace, True)

            def found_out() -> bool:
                os.pwrite(machine.daemon.image.fileno(), bytes(DISK_SIZE), 0)
                return machine.trouble() is not None

            wait_for(found_out)
            assert "something else than was written" in str(machine.trouble())
        finally:
            machine.close()

    def test_what_is_missing_in_the_image_is_counted(self) -> None:
        machine = build_machine(paced(), 200, None)
        assert isinstance(machine, VhostUserGuest)
        try:
            machine.start()
            machine.wait_until_ready()
            machine.set_pace(machine.scenario.pace, True)
            wait_for(lambda: bool(len(machine.drain()) + 1) and machine.ringer.rung() == 200 and machine.at_rest())
            assert machine.truth()["missing"] == 0
            os.pwrite(machine.daemon.image.fileno(), bytes(8), 3 * lib.BW_SECTOR_SIZE + 504)
            os.pwrite(machine.daemon.image.fileno(), b"x", 120 * lib.BW_SECTOR_SIZE)
            assert machine.truth()["missing"] == 2
        finally:
            machine.close()

    def test_the_daemon_dies_with_a_process_that_is_killed(self) -> None:
        code = (
            "import sys, threading\nfrom bellwire.engine import Session, load_scenario\n"
            "session = Session(load_scenario('vhost-user-blk'))\n"
            "starter = threading.Thread(target=session.__enter__)\nstarter.start()\nstarter.join()\n"
            "print(session.partner.rpartition(' ')[2], flush=True)\nsys.stdin.read()\n"
        )
        root = Path(__file__).parents[3]
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", code], cwd=root, text=True, stdin=pipe, stdout=pipe) as program:
            assert program.stdout is not None
            pid = int(program.stdout.readline())
            assert is_running(pid)  # though the thread that started the session has ended
            program.kill()
            wait_for(lambda: not is_running(pid))


# -- daemons that fail -----------------------------------------------------------------------------------------------


def fake_daemon(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a shell script in the daemon's place."""
    program = folder / PROGRAM
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def start_in_vain() -> str:
    """What is said when the scenario cannot be started; nothing is left of it."""
    before = belongings()
    with pytest.raises(EngineError) as caught:
        started(Session(paced()))
    assert left_behind(before) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.kvm
def test_a_missing_daemon_is_told_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "qemu-system-common" in start_in_vain()
    assert start_in_vain() == daemon_refusal()


@pytest.mark.kvm
def test_a_daemon_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words, and not what they did to the connection."""
    fake_daemon(tmp_path, monkeypatch, "echo no such block driver >&2; exit 1")
    assert start_in_vain().endswith(" ended with exit code 1. It said: no such block driver")


@pytest.mark.kvm
def test_a_daemon_that_ends_with_endless_words_is_quoted_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_daemon(tmp_path, monkeypatch, "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1")
    assert len(start_in_vain()) < kept_process.MOST_WORDS + 200


@pytest.mark.kvm
def test_its_socket_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is in a folder of our own, and gone before the daemon is there; none is the kernel's choice."""
    names: list[tuple[int, str]] = []
    bind = socket.socket.bind

    def noted(self: socket.socket, address: str) -> None:
        bind(self, address)
        names.append((Path(address).parent.stat().st_mode & 0o777, address))

    monkeypatch.setattr(socket.socket, "bind", noted)
    with StorageDaemon(512) as daemon:
        ((mode, address),) = names
        assert mode == 0o700
        assert not Path(address).parent.exists()
        assert daemon.connect().getpeername() == address


@pytest.mark.kvm
def test_a_daemon_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_daemon(tmp_path, monkeypatch, "exec sleep 100")
    monkeypatch.setattr(vhost_user, "ANSWER_SECONDS", 0.2)
    assert "did not answer GET_FEATURES" in start_in_vain()


def test_a_daemon_that_does_not_want_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_daemon(tmp_path, monkeypatch, f"trap '' TERM; touch {tmp_path}/ready; while true; do sleep 0.01; done")
    monkeypatch.setattr(kept_process, "PATIENCE_SECONDS", 0.1)
    with StorageDaemon(512) as daemon:
        wait_for((tmp_path / "ready").exists)
        assert daemon.ending() == ""
    assert daemon.ending() == f"{daemon} was killed by SIGKILL."
    daemon.close()


def test_last_words_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_daemon(tmp_path, monkeypatch, "echo first >&2; echo it is full >&2; exit 3")
    with StorageDaemon(512) as daemon:
        wait_for(lambda: bool(daemon.ending()))
        assert daemon.ending() == f"{daemon} ended with exit code 3. It said: it is full"


def test_an_image_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_daemon(tmp_path, monkeypatch, "exit 0")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(EngineError, match="image cannot be written"):
        StorageDaemon(512)


# -- the protocol ----------------------------------------------------------------------------------------------------


class Cut(bytes):
    """An answer that is the last one."""


class BackEnd:
    """A back end that answers as it is told: request -> payload."""

    def __init__(self, answer: Callable[[int, int, bytes], bytes | None]) -> None:
        ours, theirs = socket.socketpair()
        self._answer, self._socket = answer, theirs
        self.front_end = FrontEnd(ours, "The back end")
        self.asked: list[int] = []
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with contextlib.suppress(ConnectionError):  # the front end hung up with an answer unread
            self._answer_all()

    def _answer_all(self) -> None:
        while header := self._socket.recv(12, socket.MSG_WAITALL):
            request, flags, size = struct.unpack("<III", header)
            payload = self._socket.recv(size, socket.MSG_WAITALL) if size else b""
            self.asked.append(request)
            answer = self._answer(request, flags, payload)
            if answer:
                self._socket.sendall(answer)
            if answer is None or isinstance(answer, Cut):
                self._socket.shutdown(socket.SHUT_RDWR)
                return

    def __enter__(self) -> BackEnd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.front_end.close()
        self._thread.join(PATIENCE)
        self._socket.close()


def number(request: int, value: int) -> bytes:
    return struct.pack("<IIIQ", request, 5, 8, value)


def honest(offered: int) -> Callable[[int, int, bytes], bytes]:
    """Offers these features, and acknowledgements."""

    def answer(request: int, flags: int, payload: bytes) -> bytes:
        if request == Request.GET_FEATURES:
            return number(request, offered)
        if request == Request.GET_PROTOCOL_FEATURES:
            return number(request, 0b1000 | 1 << 2)
        return number(request, 0) if flags & 8 else b""

    return answer


ALL = VIRTIO_F_VERSION_1 | 1 << 30


def test_only_what_is_offered_is_negotiated() -> None:
    with BackEnd(honest(ALL | 1 << 29 | 1 << 5)) as back_end:
        assert back_end.front_end.negotiate(VIRTIO_F_VERSION_1, 1 << 29 | 1 << 28) == ALL | 1 << 29
    wanted = ["GET_FEATURES", "GET_PROTOCOL_FEATURES", "SET_PROTOCOL_FEATURES", "SET_OWNER", "SET_FEATURES"]
    assert [Request(request).name for request in back_end.asked] == wanted


def test_a_back_end_without_a_needed_feature_is_refused() -> None:
    with BackEnd(honest(VIRTIO_F_VERSION_1)) as back_end, pytest.raises(EngineError, match="0x40000000"):
        back_end.front_end.negotiate(VIRTIO_F_VERSION_1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(lambda *_: None, "closed the connection instead of answering GET_FEATURES", id="closes"),
        pytest.param(lambda *_: Cut(b"\x01\x00\x00"), "closed the connection instead", id="closes in mid-answer"),
        pytest.param(lambda *_: Cut(number(1, 1)[:-1]), "closed the connection instead", id="closes near its end"),
        pytest.param(lambda *_: number(2, 1), "answered GET_FEATURES by something else", id="other message"),
        pytest.param(lambda *_: struct.pack("<IIIQ", 1, 4, 8, 1), "something else .*flags 0x4", id="no version"),
        pytest.param(lambda *_: struct.pack("<IIIQ", 1, 6, 8, 1), "something else .*flags 0x6", id="other version"),
        pytest.param(lambda *_: struct.pack("<III", 1, 5, 2**32 - 1), "something else .*4294967295", id="huge"),
        pytest.param(lambda *_: struct.pack("<III", 1, 5, 4), "something else .*4 bytes", id="other size"),
        pytest.param(lambda *_: struct.pack("<IIIQ", 1, 1, 8, 1), "something else", id="no reply"),
    ],
)
def test_a_back_end_that_fails_is_told(answer: Callable[..., bytes | None], words: str) -> None:
    with BackEnd(answer) as back_end, pytest.raises(EngineError, match=words):
        back_end.front_end.get_features()


class Pieces(BackEnd):
    """Sends its answers byte by byte, with a file descriptor on each."""

    def _answer_all(self) -> None:
        while header := self._socket.recv(12, socket.MSG_WAITALL):
            request, flags, size = struct.unpack("<III", header)
            payload = self._socket.recv(size, socket.MSG_WAITALL) if size else b""
            for byte in self._answer(request, flags, payload) or b"":
                socket.send_fds(self._socket, [bytes([byte])], [0])
                time.sleep(0.0005)


def test_an_answer_in_pieces_is_an_answer_and_files_that_come_along_are_dropped() -> None:
    before = belongings()
    with Pieces(honest(ALL)) as back_end:
        assert back_end.front_end.negotiate(VIRTIO_F_VERSION_1) == ALL
    assert left_behind(before) == []


def test_a_back_end_that_drips_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one for the whole answer, and not anew for each byte."""
    monkeypatch.setattr(vhost_user, "ANSWER_SECONDS", 0.3)
    dripping = threading.Event()

    class Dripping(BackEnd):
        def _answer_all(self) -> None:
            self._socket.recv(12, socket.MSG_WAITALL)
            for byte in number(Request.GET_FEATURES, ALL):
                self._socket.send(bytes([byte]))
                if dripping.wait(0.1):
                    return

    with (
        Dripping(honest(ALL)) as back_end,
        pytest.raises(EngineError, match=r"did not answer GET_FEATURES within 0\.3 s"),
    ):
        back_end.front_end.get_features()
    dripping.set()


def test_a_back_end_that_reads_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vhost_user, "ANSWER_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    with theirs, FrontEnd(ours, "The back end") as front_end, contextlib.ExitStack() as until_full:
        until_full.enter_context(pytest.raises(EngineError, match=r"did not take SET_OWNER within 0\.2 s"))
        for _ in range(100_000):
            front_end.set_owner()


def test_a_message_that_is_taken_in_pieces_is_sent_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file descriptors go with the first of them, and once."""
    ours, theirs = socket.socketpair()
    send_fds, send = socket.send_fds, socket.socket.send
    calls: list[int] = []

    def first(sock: socket.socket, buffers: list[bytes], fds: list[int]) -> int:
        calls.append(len(fds))
        return send_fds(sock, [buffers[0][:5]], fds)

    def rest(sock: socket.socket, data: bytes) -> int:
        calls.append(0)
        return send(sock, data[:3])

    monkeypatch.setattr(socket, "send_fds", first)
    monkeypatch.setattr(socket.socket, "send", rest)
    with theirs, FrontEnd(ours, "The back end") as front_end, Eventfd() as eventfd:
        front_end.set_vring_kick(0, eventfd)
        data, fds, _, _ = socket.recv_fds(theirs, 5, 4)
        data += theirs.recv(100, socket.MSG_DONTWAIT)
        os.close(fds[0])
    assert data == struct.pack("<IIIQ", Request.SET_VRING_KICK, 1, 8, 0)
    assert calls == [1, 0, 0, 0, 0, 0]


# -- a back end that wants to do harm, as a program of its own


HOSTILE = """
import os, socket, struct, sys, time
how, words = sys.argv[1], " ".join(sys.argv)
fd = int(words.partition("addr.str=")[2].split(",")[0])
connection, _ = socket.socket(fileno=fd).accept()
memory = -1
while True:
    header, fds, _, _ = socket.recv_fds(connection, 12, 8)
    if not header:
        break
    request, flags, size = struct.unpack("<III", header)
    payload = connection.recv(size, socket.MSG_WAITALL) if size else b""
    if request == 5:
        memory = fds[0]
    def answer(value):
        connection.sendall(struct.pack("<IIIQ", request, 5, 8, value))
    if request == 1:
        answer(1 << 32 | 1 << 30)
    elif request == 15:
        answer(8)
    elif request == 11 and how == "silent":
        time.sleep(1000)
    elif request == 11:
        answer(0)
    elif flags & 8:
        answer(0)
    if request == 18:  # all is handed over
        if how == "truncates":
            for length in (0, 4096):
                try:
                    os.ftruncate(memory, length)
                except OSError as error:
                    print("refused", error, file=sys.stderr, flush=True)
            os.ftruncate(int(words.partition("filename=/proc/self/fd/")[2].split()[0]), 100)
        if how == "scribbles":
            size = os.fstat(memory).st_size
            os.pwrite(memory, os.urandom(0x8000), 0x8000)
        if how == "hangs up":
            time.sleep(0.3)
            print("had enough", file=sys.stderr, flush=True)
            sys.exit(7)
"""


@pytest.mark.kvm
@pytest.mark.parametrize("how", ["truncates", "scribbles", "hangs up", "silent"])
def test_a_hostile_back_end_ends_its_session_at_most(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    fake_daemon(tmp_path, monkeypatch, f"exec {sys.executable} -S {tmp_path}/hostile.py '{how}' \"$@\"")
    monkeypatch.setattr(vhost_user, "ENDING_SECONDS", 0.2)
    before = belongings()
    with Session(paced(1000)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).recorded > 4)
        if how in ("hangs up", "scribbles"):
            wait_for(lambda: not session.alive or how == "scribbles")
        time.sleep(0.2)
    if how == "hangs up":
        assert str(session.error).endswith(" ended with exit code 7. It said: had enough")
    if how in ("truncates", "silent"):
        assert session.error is None
        assert session.truth()["base"] == (-1 if how == "silent" else 0)
    assert "missing" in session.truth() or session.error
    assert left_behind(before) == []


def test_an_order_that_the_back_end_refuses_is_told() -> None:
    def refusing(request: int, flags: int, payload: bytes) -> bytes:
        return number(request, 22) if request == Request.SET_VRING_NUM else honest(ALL)(request, flags, payload)

    with BackEnd(refusing) as back_end:
        back_end.front_end.negotiate(VIRTIO_F_VERSION_1)
        with pytest.raises(EngineError, match=r"refused SET_VRING_NUM \(22\)"):
            back_end.front_end.set_vring_num(0, 64)
