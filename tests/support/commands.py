"""`bellwire` as a process of its own, as it is started from a shell."""

from __future__ import annotations

import os
import subprocess
import sys


def bellwire(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, which may make Qt plain. environment: what is otherwise in it."""
    command = [sys.executable, "-P", "-m", "bellwire.viz", *words]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=100
    )
