"""`bellwire` as a process of its own, as it is started from a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOMEBODY_ELSES = {  # another machine, as its environment tells
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "XDG_CACHE_HOME": "/nonexistent",
    "LC_ALL": "de_DE.UTF-8",
    "TZ": "Asia/Tokyo",
    "QT_SCALE_FACTOR": "2",
    "QT_FONT_DPI": "144",
    "QT_STYLE_OVERRIDE": "Windows",
    "PYTHONHASHSEED": "7",
}


def bellwire(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, which may make Qt plain. environment: what is otherwise in it."""
    command = [sys.executable, "-P", "-m", "bellwire.viz", *words]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=240
    )


def command_in(folder: Path) -> Path:
    """The command `bellwire` as a program in a folder, of the tree that is tested."""
    path = folder / "bellwire"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m bellwire.viz "$@"\n')
    path.chmod(0o755)
    return path
