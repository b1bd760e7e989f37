"""An X server without a screen, for real windows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

# -noreset: else it starts anew when the last window goes, and refuses who comes just then
COMMAND = ("Xvfb", "-nolisten", "tcp", "-noreset")


@contextmanager
def x_server(depth: int = 24) -> Iterator[str]:
    """One of 1920x1080 with so many bits a pixel: its name, as in DISPLAY."""
    read_end, write_end = os.pipe()
    command = [*COMMAND, "-screen", "0", f"1920x1080x{depth}", "-displayfd", str(write_end)]
    with subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL) as server:
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()
