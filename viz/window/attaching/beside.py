"""The window of a recording of an attached VMM, beside the main window."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.attached.replayed.replayed_window import ReplayedWindow
from bellwire.viz.window.settings import Look


def show_replayed(recording: Recording, look: Look, top: QWidget) -> ReplayedWindow:
    """Beside a main window, whose looks it has. RecordingError if the file has changed."""
    window = ReplayedWindow(recording, lambda: look.theme, top)
    look.theme_changed.connect(window.take_theme)
    window.show()
    window.activateWindow()
    return window
