"""The same window, on a machine without a display: runs for a while, then prints the figures and saves its picture."""

from __future__ import annotations

import time
from pathlib import Path

import platformdirs
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPixmap

from bellwire.engine.errors import RecordingError
from bellwire.engine.foreign import shown
from bellwire.engine.live.session import Session
from bellwire.engine.outputs import unused, write_whole
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.source import Source
from bellwire.viz.cli.ending import complain_of
from bellwire.viz.cli.summary import summary_of_played
from bellwire.viz.cli.terminal import Print, say
from bellwire.viz.style.theme import DARK, THEMES
from bellwire.viz.window.application import application, when_told_to_end
from bellwire.viz.window.files import png_of
from bellwire.viz.window.window import MainWindow, make_window, run_window

PICTURE = "bellwire.png"
SIZE = (1920, 1080)


def watch(source: Source | None, reason: str, seconds: float, out: Print, theme: str = "") -> int:
    """Shows `source` for that long, prints its summary, saves the picture and says where. Returns the exit code."""
    application()
    opened, pictures, lasted = list[MainWindow](), list[QPixmap](), list[float]()

    def finish() -> None:
        for window in opened:
            lasted.append(seconds_shown(window.model.source))
            finish_window(window, pictures)

    told = when_told_to_end(finish)
    window = make_window(source, reason=reason, theme=THEMES[theme or DARK.name])
    opened.append(window)
    window.resize(*SIZE)
    window.show()
    window.frame.start()
    QTimer.singleShot(round(seconds * 1000), finish)
    code = run_window([window], complain_of)
    if not code:
        window.model.tick(0)  # what was under way when the session ended
    if source is None:
        return told() or 3
    return code or report_window(window, min(lasted, default=0.0), pictures, out) or told()


def seconds_shown(source: Source) -> float:
    """How long what has been shown took: since the guest has begun to signal; of a recording since its first event."""
    if isinstance(source, Replay):
        return source.clock.ns(source.now() - source.recording.first) / 1e9
    begun = source.begun_at if isinstance(source, Session) else None
    return 0.0 if begun is None else time.monotonic() - begun


def finish_window(window: MainWindow, pictures: list[QPixmap]) -> None:
    """Takes the picture and closes the window, which ends the session."""
    if not pictures:
        pictures.append(window.grab())
        window.close()


def report_window(window: MainWindow, elapsed: float, pictures: list[QPixmap], out: Print) -> int:
    """The table and the picture; 1 if something went wrong."""
    model = window.model
    failed = bool(model.source.why_nothing)
    if not failed:
        out(summary_of_played(model, elapsed))
    for picture in pictures:
        failed |= save(picture) is None
    if error := model.source.error:
        say(str(error))
    return int(failed or error is not None)


def save(picture: QPixmap) -> Path | None:
    """Saves the picture in the current directory, or where pictures go, and says where; None if it cannot."""
    for folder in (Path(), Path(platformdirs.user_pictures_dir()), Path(platformdirs.user_cache_dir("bellwire"))):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = unused(folder / PICTURE)
            write_whole(path, png_of(picture))
        except (OSError, RecordingError):
            continue
        print(f"The window's picture is in {shown(str(path.absolute()))}")
        return path
    say("the window's picture cannot be saved: no folder can be written to.")
    return None
