"""Saves a picture of a view by the very command that makes it again, which can be copied: both give the same bytes.

The command runs as a process of its own; a run that is in no file yet is written beside the picture first.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, QProcessEnvironment, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.language import Spoken, tr, tr_later
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.panels.panel import Panel
from bellwire.viz.plots.numbers import Numbers
from bellwire.viz.plots.plot import Plot
from bellwire.viz.timeline.widget import Timeline
from bellwire.viz.window.files import Files, header_for, say_where, write_held

if TYPE_CHECKING:  # what reads recordings is imported once there is one to be read
    from bellwire.viz.pictures.asked import PictureAsked

KINDS = {
    ".png": tr_later("PNG: pixels"),
    ".svg": tr_later("SVG: lines and text"),
    ".pdf": tr_later("PDF: lines and text"),
}
LOOK_MS = 50  # between looks whether the run has been written
LAST_MS = 10_000  # that a picture on its way may still take when the window closes


class PictureSaver:
    """Of one window; one picture at a time. command: what made the last one."""

    def __init__(self, files: Files) -> None:
        self.files, self.command = files, ""
        self._process: QProcess | None = None
        self._writing: threading.Thread | None = None
        self._trouble = ""
        self._timer = QTimer(interval=LOOK_MS)

    @property
    def busy(self) -> bool:
        """Whether a picture is on its way."""
        return self._process is not None or self._writing is not None

    def save(self, of: QWidget | None = None, path: Path | None = None) -> None:
        """Saves the window, or a view of it; asks where, unless it is told."""
        if not self.files.shown.model.past.size:
            self.files.save_picture(path, of)  # there is nothing that could be shown again
        elif self.busy:
            self.files.notice.say(tr("One picture is being made; the next one can follow it."))
        else:
            path = path or self._ask(view_name(of))
            if path:
                self._make(path, self.asked_of(of))

    def _ask(self, view: str) -> Path | None:
        """Where to; None: nowhere."""
        filters = {f"{tr(words)} (*{suffix})": suffix for suffix, words in KINDS.items()}
        name, chosen = QFileDialog.getSaveFileName(
            self.files.top, tr("Save the picture"), f"{view}.png", ";;".join(filters)
        )
        if not name:
            return None
        return Path(name) if Path(name).suffix.lower() in KINDS else Path(f"{name}{filters[chosen]}")

    def asked_of(self, of: QWidget | None) -> PictureAsked:
        """The picture of a view as it is seen now."""
        from bellwire.viz.pictures.asked import PictureAsked, fitting_size
        from bellwire.viz.pictures.moment import Moment, moment_of

        shown, widget = self.files.shown, of or self.files.top
        model, look = shown.model, shown.look
        at_the_end = model.transport.following and not model.replaying
        return PictureAsked(
            view=view_name(of),
            at=Moment() if at_the_end else moment_of(model),
            theme=look.theme.name,
            size=fitting_size(widget.width(), widget.height()),
            text=round(look.text if of is None else look.theme.scale, 2),
            part=model.selection.part,
            language=Spoken.name,
        )

    def _make(self, path: Path, asked: PictureAsked) -> None:
        """Of a recording at once; else once the run has been written."""
        model, self._trouble = self.files.shown.model, ""
        if model.recorded is not None:
            self._start(model.recorded.recording.path, path, asked)
            return
        recording = path.with_suffix(".arrow")
        held, header, them = model.past.stream(), header_for(model.source), model.annotations.all

        def write() -> None:
            try:
                write_held(recording, header, held, True, them)
            except EngineError as error:
                self._trouble = str(error)

        def look() -> None:
            if self._writing is None or self._writing.is_alive():
                return
            self._timer.stop()
            self._timer.timeout.disconnect()
            self._writing = None
            if self._trouble:
                self.files.notice.say(self._trouble)
            else:
                self._start(recording, path, asked)

        self._writing = threading.Thread(target=write, name="save a recording", daemon=True)
        self._writing.start()
        self._timer.timeout.connect(look)
        self._timer.start()

    def _start(self, recording: Path, path: Path, asked: PictureAsked) -> None:
        """The command, without the screen."""
        self.command = asked.command(str(recording), str(path))
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("QT_QPA_PLATFORM", "offscreen")
        process = self._process = QProcess()
        process.setProcessEnvironment(environment)
        process.finished.connect(lambda code, _: self._tell(code, path))
        words = ["shot", str(recording.absolute()), "-o", str(path.absolute()), "--force", *asked.options()]
        process.start(sys.executable, ["-P", "-m", "bellwire.viz", *words])

    def _tell(self, code: int, path: Path) -> None:
        """How it went, and how it can be made again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.deleteLater()
        if code:
            said = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
            self.files.notice.say(said.removeprefix("bellwire: ") or tr("{path} could not be made.", path=path))
            return
        sentence = tr("Saved to {path}. To make it again: {command}", path=path, command=self.command)
        copy = QGuiApplication.clipboard().setText
        also = tr("Copy the command"), lambda: copy(self.command)
        say_where(self.files.notice, sentence, path, also)

    def close(self) -> None:
        """Waits for what is on its way."""
        self._timer.stop()
        if self._writing is not None:
            self._writing.join()
        if self._process is not None:
            process, self._process = self._process, None
            if not process.waitForFinished(LAST_MS):
                process.kill()
                process.waitForFinished()


def view_name(of: QWidget | None) -> str:
    """By which a picture of a widget is asked for; of the window, if it is none of the views."""
    from bellwire.viz.pictures.asked import VIEW_OF_PANEL, WHOLE_WINDOW

    if isinstance(of, Diagram):
        return "extended" if of.extended else "diagram"
    if isinstance(of, Timeline | Plot):
        return of.name
    if isinstance(of, Numbers):
        return "numbers"
    return VIEW_OF_PANEL.get(of.name, WHOLE_WINDOW) if isinstance(of, Panel) else WHOLE_WINDOW
