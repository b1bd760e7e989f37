"""QEMU's control channel: what is asked, what is believed, and what is said when no answer comes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.partners import qmp
from bellwire.engine.kvm.partners.qmp import Qmp

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}


@pytest.fixture
def ends() -> Iterator[tuple[Qmp, socket.socket]]:
    """Our end, and QEMU's as a plain socket."""
    ours, theirs = socket.socketpair()
    with theirs, Qmp(ours, "QEMU") as channel:
        yield channel, theirs


def say(theirs: socket.socket, *answers: object) -> None:
    theirs.sendall(b"".join(json.dumps(answer).encode() + b"\r\n" for answer in answers))


def test_the_greeting_tells_the_version(ends: tuple[Qmp, socket.socket]) -> None:
    channel, theirs = ends
    say(theirs, GREETING, {"return": {}})
    assert channel.greet() == "7.2.22"
    assert json.loads(theirs.recv(4096)) == {"execute": "qmp_capabilities", "id": 1}


def test_events_that_come_in_between_are_passed_over(ends: tuple[Qmp, socket.socket]) -> None:
    channel, theirs = ends
    say(theirs, {"event": "RESUME", "data": {}}, {"return": [1]}, {"event": "STOP"}, {"return": [2]})
    assert channel.execute("query-cpus-fast") == [1]
    assert channel.execute("query-stats", target="vcpu") == [2]
    asked = [json.loads(line) for line in theirs.recv(4096).splitlines()]
    assert asked[1] == {"execute": "query-stats", "id": 2, "arguments": {"target": "vcpu"}}


def test_who_cannot_answer_is_waited_for_no_longer(ends: tuple[Qmp, socket.socket]) -> None:
    channel, _ = ends
    channel.patience, channel.hopeless = 1e9, lambda: "QEMU stands still."
    with pytest.raises(EngineError, match="QEMU stands still"):
        channel.execute("query-stats")


def test_an_answer_that_comes_in_pieces_is_one(ends: tuple[Qmp, socket.socket]) -> None:
    channel, theirs = ends
    whole = json.dumps({"return": {"words": "x" * 200_000}}).encode() + b"\n"
    sender = threading.Thread(target=theirs.sendall, args=(whole,))
    sender.start()
    assert len(channel.execute("human-monitor-command")["words"]) == 200_000
    sender.join()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b'{"error": {"class": "GenericError", "desc": "no such device"}}\n', "QEMU refuses: no such device"),
        (b'{"error": {"desc": "\\u001b[31mred"}}\n', "QEMU refuses: "),
        (b"hello\n", "QEMU answered something that is not QMP."),
        (b"[1]\n", "QEMU answered something that is not QMP."),
        (b'{"error": 5}\n', "QEMU refuses: 5"),
        (b"[" * 100_000 + b"\n", "QEMU answered something that is not QMP."),
    ],
)
def test_what_is_no_answer_is_told(ends: tuple[Qmp, socket.socket], answer: bytes, sentence: str) -> None:
    channel, theirs = ends
    theirs.sendall(answer)
    with pytest.raises(EngineError) as caught:
        channel.execute("cont")
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).isprintable()


def test_what_else_has_to_be_done_is_done_while_an_answer_is_waited_for(ends: tuple[Qmp, socket.socket]) -> None:
    channel, theirs = ends
    channel.meanwhile = lambda: say(theirs, {"return": "at last", "id": 1})
    assert channel.execute("query-stats") == "at last"


def test_silence_is_told(ends: tuple[Qmp, socket.socket]) -> None:
    ends[0].patience = 0.05
    with pytest.raises(EngineError, match="did not answer"):
        ends[0].execute("cont")


@pytest.mark.parametrize("late", [{"return": "late"}, {"error": {"desc": "late"}}])
def test_a_late_answer_is_none_to_the_next_question(ends: tuple[Qmp, socket.socket], late: dict[str, object]) -> None:
    channel, theirs = ends
    channel.patience = 0.05
    with pytest.raises(EngineError, match="did not answer"):
        channel.execute("query-stats")
    channel.patience = qmp.ANSWER_SECONDS
    say(theirs, {**late, "id": 1}, {"return": "in time", "id": 2})
    assert channel.execute("query-cpus-fast") == "in time"


@pytest.mark.parametrize("endless", [False, True])
def test_who_hangs_up_or_never_ends_a_line_is_told(ends: tuple[Qmp, socket.socket], endless: bool) -> None:
    channel, theirs = ends
    if endless:
        sender = threading.Thread(target=send_without_end, args=(theirs,))
        sender.start()
    else:
        theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(EngineError, match="has hung up"):
        channel.execute("cont")
    if endless:
        channel.close()
        sender.join()


def send_without_end(theirs: socket.socket) -> None:
    try:
        while True:
            theirs.sendall(b"x" * 65536)
    except OSError:
        return
