"""The window of a recording of an attached VMM by itself, from the command line."""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.attached.replayed.replayed_window import ReplayedWindow
from bellwire.viz.style.stylesheet import wear_theme
from bellwire.viz.style.theme import THEMES
from bellwire.viz.text.faults import FAULT_CODE, Fault, faults_told
from bellwire.viz.window.access.spoken import speak_wanted, translate_qt
from bellwire.viz.window.application import application, display_that_breaks, when_told_to_end
from bellwire.viz.window.settings import Settings


def open_replayed(recording: Recording, at: float, theme: str, language: str, tell: Callable[[Fault], object]) -> int:
    """By itself, until it is closed; the exit code. at: seconds after the first event at which it begins.

    theme, language: "": those of last time. tell: hears of faults in any thread.
    """
    app, settings = application(), Settings()
    speak_wanted(language, settings)
    translate_qt()
    chosen = THEMES[theme].scaled(settings.theme.scale) if theme else settings.theme
    wear_theme(app, chosen)
    window = ReplayedWindow(recording, lambda: chosen)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # it is looked at once more when it is closed
    if at:
        window.playhead.seek(recording.first + recording.header.clock.cycles(at))
    QShortcut(QKeySequence("Ctrl+Q"), window, window.close)
    told = when_told_to_end(window.close)
    met = list[Fault]()

    def end(fault: Fault) -> None:
        met.append(fault)
        tell(fault)
        window.close()

    with faults_told(end), display_that_breaks(lambda: None):
        window.show()
        code = app.exec()  # 1: the display has gone
    window.close()
    window.deleteLater()
    gc.collect()
    return FAULT_CODE if met else code or told()
