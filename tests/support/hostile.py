"""Guests that break the rules of a virtqueue: a few stores, one doorbell."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

import bellwire.engine.machines.guest
import bellwire.engine.machines.stamping
import bellwire.engine.machines.vhost_user
from bellwire.engine._core import lib
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import Scenario
from tests.support.sessions import wait_for

DESCRIPTORS, AVAILABLE = lib.BW_VIRTQUEUE_DESCRIPTORS, lib.BW_VIRTQUEUE_AVAILABLE
ONE_AVAILABLE = (AVAILABLE, 1 << 16)  # flags 0, index 1


def storing(*stores: tuple[int, int]) -> bytes:
    """A program: stores 32-bit words, rings the doorbell, halts for good."""
    code = b"".join(b"\xc7\x04\x25" + struct.pack("<II", address, value) for address, value in stores)
    return code + b"\x66\xba\x10\x05\x66\xef" + b"\xfa\xf4\xeb\xfc"


def described(address: int, length: int, flags: int, next: int = 0) -> list[tuple[int, int]]:
    """Stores of descriptor 0."""
    words = struct.unpack("<IIII", struct.pack("<QIHH", address, length, flags, next))
    return [(DESCRIPTORS + 4 * i, word) for i, word in enumerate(words)]


def run_hostile(scenario: Scenario, code: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Until the session has ended by itself."""
    (folder / "custom.bin").write_bytes(code)
    monkeypatch.setattr(bellwire.engine.machines.stamping, "GUESTS", folder)
    monkeypatch.setattr(bellwire.engine.machines.guest, "READY_SECONDS", 0.05)
    # A daemon that hangs up on such a guest lives on: there are no last words to wait for.
    monkeypatch.setattr(bellwire.engine.machines.vhost_user, "DYING_SECONDS", 0.05)
    with Session(replace(scenario, guest="custom")) as session:
        wait_for(lambda: not session.alive)
    return session
