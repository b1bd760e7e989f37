"""What is imported before the window opens is not looked through for garbage; who has run for a while is left alone."""

from __future__ import annotations

import gc
import subprocess
import sys

from bellwire.viz.window import importing

PROGRAM = """
import gc
from bellwire.viz.window import importing
before = sum(stat["collections"] for stat in gc.get_stats())
with importing():
    import PySide6.QtCore
    import numpy
print(sum(stat["collections"] for stat in gc.get_stats()) - before, gc.get_freeze_count() > 1000, gc.isenabled())
"""


def test_nothing_is_collected_while_the_window_is_imported() -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.split() == ["0", "True", "True"]


def test_where_qt_is_there_already_nothing_is_kept_from_being_collected() -> None:
    import PySide6.QtCore  # noqa: F401

    frozen = gc.get_freeze_count()
    with importing():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
