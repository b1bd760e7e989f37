"""The ivshmem server: what each QEMU is told, in which order, and when it has heard it."""

from __future__ import annotations

import os
import socket
import struct
import sys

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.partners.ivshmem import IvshmemServer
from tests.support.leaks import belongings, left_behind


def heard(connection: socket.socket) -> tuple[int, int | None]:
    """The next message: its number, and whether a file descriptor came along."""
    data, fds, _, _ = socket.recv_fds(connection, 8, 1)
    (number,) = struct.unpack("<q", data)
    return number, fds[0] if fds else None


def test_each_peer_is_told_its_number_the_memory_and_how_every_peer_is_interrupted() -> None:
    with IvshmemServer(4096, 2) as server:
        for own in (0, 1):
            told = [heard(server.connection(own)) for _ in range(5)]
            assert [number for number, _ in told] == [0, own, -1, 0, 1]
            assert [fd is not None for _, fd in told] == [False, False, True, True, True]
            memory, *eventfds = [fd for _, fd in told if fd is not None]
            assert os.fstat(memory).st_size == 4096
            for peer, eventfd in enumerate(eventfds):
                os.eventfd_write(eventfd, 1 + peer)
                assert server.eventfds[peer].take() == 1 + peer
            for fd in (memory, *eventfds):
                os.close(fd)


def test_the_memory_is_the_same_and_nobody_can_make_it_shorter() -> None:
    with IvshmemServer(4096, 2) as server:
        pages = [[heard(server.connection(own)) for _ in range(3)][2][1] for own in (0, 1)]
        first, second = (page for page in pages if page is not None)
        os.pwrite(first, b"number", 0x80)
        assert os.pread(second, 6, 0x80) == b"number"
        with pytest.raises(PermissionError):
            os.ftruncate(second, 0)
        os.close(first)
        os.close(second)


def test_who_has_read_everything_is_known() -> None:
    with IvshmemServer(4096, 2) as server:
        for left in reversed(range(5)):
            assert not server.has_read(1)
            _, fd = heard(server.connection(1))
            if fd is not None:
                os.close(fd)
            assert server.has_read(1) == (left == 0)
        assert not server.has_read(0)


@pytest.mark.parametrize("refused", ["os.memfd_create", "os.ftruncate", "socket.socketpair", "socket.send_fds"])
def test_a_system_that_refuses_is_told_and_nothing_is_left(refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name = refused.split(".")
    really = getattr(sys.modules[module], name)
    calls = iter([False, True] if module == "socket" else [True])  # the first pair is there when the second is refused

    def refuse(*arguments: object) -> object:
        if next(calls):
            raise OSError(24, "Too many open files")
        return really(*arguments)

    before = belongings()
    monkeypatch.setattr(refused, refuse)
    with pytest.raises(EngineError, match="No memory can be shared by ivshmem: Too many open files"):
        IvshmemServer(4096, 2)
    monkeypatch.undo()
    assert left_behind(before) == []
