"""The one QApplication: what holds for every window and every picture."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from PySide6.QtCore import (
    QLocale,
    QMessageLogContext,
    QSize,
    QTimer,
    QtMsgType,
    qFormatLogMessage,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from bellwire.engine.foreign import shown
from bellwire.engine.host.no_memory import needs_memory
from bellwire.engine.language import tr
from bellwire.viz.style.theme import load_fonts, sign_by_sign
from bellwire.viz.text.assets import asset

ICON_SIZES = (16, 24, 32, 48, 128)  # pixels
LEAST_MEMORY = 500 * 10**6  # bytes of addresses: with less no window has ever come to be
SWITCH_SECONDS = 0.001  # after which the engine's thread lets a frame go on, where Python would take five times as long
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # of glibc's mallopt()
LARGE_BLOCK, LARGEST_BLOCK = 4 << 20, 32 << 20  # bytes; beyond the second it takes them from the system in any case
BROKEN = "The Wayland connection "  # so begins what Qt says before it ends the process
NO_WINDOW = 1  # what the process ends with where Qt, which cannot be asked, would end it by SIGABRT
KEPT_FREE = 32 << 20  # bytes at the end of the heap that are kept, for the next frame


def application() -> QApplication:
    """The one QApplication, with our fonts; set up once, because a style set anew repaints every window.

    EngineError if this process may not have the memory for it.
    """
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.applicationName() == "bellwire":
        return app
    if not isinstance(app, QApplication):
        needs_memory(LEAST_MEMORY, tr("A window"))
        with refusal_told():
            app = QApplication(["bellwire"])
    sys.setswitchinterval(SWITCH_SECONDS)
    return_large_blocks()
    app.setApplicationName("bellwire")
    app.setApplicationDisplayName("Bellwire")
    app.setDesktopFileName("bellwire")
    app.setWindowIcon(window_icon())
    app.setStyle("Fusion")
    QLocale.setDefault(QLocale.c())  # numbers are the same wherever they are read
    load_fonts()
    app.setFont(sign_by_sign(app.font()))  # style sheets, which choose family and size, can leave nothing out
    return app


@contextmanager
def refusal_told() -> Iterator[None]:
    """While Qt opens its display, which may have gone since it was tried: then Qt would abort the process, with four
    messages of its own. One sentence is said in their place. What else Qt says meanwhile is said behind that.
    """
    said: list[str] = []

    def hear(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        said.append(message)
        if kind == QtMsgType.QtFatalMsg:
            end_without_display(tr("Qt cannot open a window: {why}.", why=said[0].rstrip(".")))

    try:
        with told_by_qt(hear):
            yield
    finally:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.writelines(f"{message}\n" for message in said)


@contextmanager
def display_that_breaks(end: Callable[[], object]) -> Iterator[None]:
    """While this is open, a Wayland compositor that goes, or that refuses what Qt has asked, is a sentence and the exit
    code NO_WINDOW, and `end` is called before, which may ask nothing of the display: Qt would end the process at once,
    from the midst of whatever asks, by _exit(-1). What else Qt says is said as ever.
    """
    app = QGuiApplication.instance()
    if not isinstance(app, QGuiApplication) or not app.platformName().startswith("wayland"):
        yield
        return

    def hear(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if not message.startswith(BROKEN):
            with suppress(OSError, ValueError, AttributeError):
                print(qFormatLogMessage(kind, context, message), file=sys.stderr, flush=True)
            return
        try:
            end()
        finally:
            end_without_display(tr("The window has ended: {why}", why=message))

    with told_by_qt(hear):
        yield


@contextmanager
def told_by_qt(hear: Callable[[QtMsgType, QMessageLogContext, str], None]) -> Iterator[None]:
    """While this is open, `hear` has whatever Qt says."""
    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


def end_without_display(sentence: str) -> NoReturn:
    """Says why and ends the process at once, before Qt does it without a word of ours."""
    with suppress(OSError, ValueError, AttributeError):  # standard error may be closed, or none
        print(f"bellwire: {shown(sentence)}", file=sys.stderr, flush=True)
    os._exit(NO_WINDOW)


def when_told_to_end(end: Callable[[], object]) -> Callable[[], int]:
    """Calls `end` once the event loop comes to it after Ctrl-C, SIGTERM or, unless nohup has it ignored, SIGHUP.

    Python runs a handler wherever it happens to be, which may be the midst of a paint: there no window may close.
    Returns what says the exit code of a program that such a signal has ended; 0: none came.
    """
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        QTimer.singleShot(0, end)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, hear)
    return lambda: 128 + heard[0] if heard else 0


def window_icon() -> QIcon:
    """Where there is no desktop entry that names it; each size is read when it is asked for."""
    icon = QIcon()
    for size in ICON_SIZES:
        icon.addFile(str(asset(f"icons/bellwire-{size}.png")), QSize(size, size))
    return icon


def return_large_blocks() -> None:
    """What is large goes back to the system as soon as it is freed; what is smaller is kept for the next frame.

    By itself glibc takes large blocks from its heap once it has seen some come and go; and where runs follow on runs, a
    heap is never free at its end. Where it is, each frame would give a few hundred kilobytes back that the system then
    clears page by page for the next one.
    """
    with suppress(OSError, AttributeError):  # another libc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT_FREE)


def keep_large_blocks() -> None:
    """Of a process that does nothing but make pictures: the room of one is that of the next, which else the system
    clears page by page.
    """
    with suppress(OSError, AttributeError):  # another libc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
        mallopt(M_TRIM_THRESHOLD, 8 * LARGEST_BLOCK)
