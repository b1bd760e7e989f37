"""A socket may be in a folder whose path is longer than what the kernel takes of a socket's name."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bellwire.engine.attached.device_names import DeviceNames
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.partners.socket_name import socket_name
from bellwire.engine.kvm.partners.storage_daemon import connected


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    folder = tmp_path / ("d" * 150)
    folder.mkdir()
    return folder


def test_one_that_is_short_is_as_it_is(tmp_path: Path) -> None:
    with socket_name(tmp_path / "s") as name:
        assert name == f"{tmp_path}/s"


def test_nothing_stays_open(deep: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with socket_name(deep / "s") as name:
        assert len(name) < 107
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(FileNotFoundError), socket_name(deep / "none" / "s"):
        raise AssertionError


def test_the_storage_daemons_socket_may_be_deep_down(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    listener, connection = connected()
    with listener, connection, listener.accept()[0] as accepted:
        connection.sendall(b"x")
        assert accepted.recv(1) == b"x"
    assert list(deep.iterdir()) == []


def test_so_may_the_control_channel_of_a_qemu(deep: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        with socket_name(deep / "qmp") as name:
            listener.bind(name)
        with pytest.raises(EngineError, match="Connection refused"):  # it is found; nobody listens there
            DeviceNames(deep / "qmp")
