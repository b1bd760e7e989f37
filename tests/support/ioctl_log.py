"""What a program hands to KVM, written down by ioctl_shim.c that is loaded into it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellwire.engine.kvm.partners import kept_process

SHIM = Path(__file__).parent / "ioctl_shim.c"
LOG_FD = 777

Logged = Callable[[], list[tuple[str, bytes]]]


@contextmanager
def logged_ioctls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    """While this is open, the programs that a machine starts are written down. -> (number of the call, its bytes)."""
    shim, log = folder / "shim.so", folder / "log"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", SHIM, "-o", shim], check=True)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "setpriv" else name)

    def calls() -> list[tuple[str, bytes]]:
        lines = (line.split() for line in log.read_text().splitlines())
        return [(number, bytes.fromhex(data)) for number, data in lines]

    with log.open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        monkeypatch.setenv("LD_PRELOAD", str(shim))
        monkeypatch.setenv("CALL_LOG", str(os.dup2(file.fileno(), LOG_FD)))
        keep = kept_process.OwnedProcess.__init__
        monkeypatch.setattr(
            kept_process.OwnedProcess, "__init__", lambda self, command, fds: keep(self, command, (*fds, LOG_FD))
        )
        try:
            yield calls
        finally:
            os.close(LOG_FD)
