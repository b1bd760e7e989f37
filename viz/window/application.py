"""The one QApplication: what holds for every window and every picture."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from bellwire.viz.style.theme import load_fonts

SWITCH_SECONDS = 0.001  # after which the engine's thread lets a frame go on, where Python would take five times as long
M_MMAP_THRESHOLD, LARGE_BLOCK = -3, 4 << 20  # of glibc's mallopt(), and bytes


def application() -> QApplication:
    """The one QApplication, with our fonts; set up once, because a style set anew repaints every window."""
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.applicationName() == "bellwire":
        return app
    if not isinstance(app, QApplication):
        app = QApplication(["bellwire"])
    sys.setswitchinterval(SWITCH_SECONDS)
    return_large_blocks()
    app.setApplicationName("bellwire")
    app.setApplicationDisplayName("Bellwire")
    app.setDesktopFileName("bellwire")
    app.setStyle("Fusion")
    QLocale.setDefault(QLocale.c())  # numbers are the same wherever they are read
    load_fonts()
    return app


def return_large_blocks() -> None:
    """What is large goes back to the system as soon as it is freed.

    By itself glibc takes such blocks from its heap once it has seen some come and go; and where runs follow on runs, a
    heap is never free at its end.
    """
    with suppress(OSError, AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
