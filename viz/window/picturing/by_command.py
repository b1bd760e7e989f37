"""Saves something by the very command that makes it again, which can be copied: both give the same bytes.

The command runs as a process of its own; a run that is in no file yet is written beside what it is of first.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QProcess, QProcessEnvironment, QTimer
from PySide6.QtGui import QGuiApplication

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr
from bellwire.engine.outputs import seen_there, unused
from bellwire.viz.window.files import Files, header_of_held, say_where, write_held

LOOK_MS = 50  # between looks whether the run has been written
LAST_MS = 10_000  # that what is on its way may still take when the window closes


class Wanted(Protocol):
    """What the command line is asked for."""

    @property
    def order(self) -> str:
        """The name of the command."""

    def options(self) -> list[str]:
        """Of the command."""

    def command(self, recording: str, target: str) -> str:
        """The line, to be pasted into a shell."""


class SavedByCommand:
    """Of one window; one thing at a time. command: what made the last one."""

    def __init__(self, files: Files) -> None:
        self.files, self.command = files, ""
        self._process: QProcess | None = None
        self._writing: threading.Thread | None = None
        self._trouble = ""
        self._beside_it: dict[Path, tuple[Path, tuple[int, ...] | None]] = {}  # the recording of each file, as it was
        self._timer = QTimer(interval=LOOK_MS)

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return self._process is not None or self._writing is not None

    def say_busy(self) -> None:
        """That the next one has to wait."""
        self.files.notice.say(tr("One file is being made; the next one can follow it."))

    def make(self, path: Path, wanted: Wanted) -> None:
        """Of a recording at once; else once the run has been written."""
        model, self._trouble = self.files.shown.model, ""
        if model.recorded is not None:
            self._order(model.recorded.recording.path, path, wanted)
            return
        recording, again = self._beside(path)
        held, header, them = model.past.stream(), header_of_held(model), model.annotations.all

        def write() -> None:
            try:
                write_held(recording, header, held, again, them)
                self._beside_it[path] = recording, seen_there(recording)
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
                self._order(recording, path, wanted)

        thread = threading.Thread(target=write, name="save a recording", daemon=True)
        try:
            begin_thread(thread)
        except EngineError as error:
            self.files.notice.say(str(error))
            return
        self._writing = thread
        self._timer.timeout.connect(look)
        self._timer.start()

    def _beside(self, path: Path) -> tuple[Path, bool]:
        """Where the run is written: a name that nobody has, for nobody was asked about that one. True: it is the one
        that was written for the same file before, and is no other since."""
        recording, was = self._beside_it.get(path, (path, None))
        if was is not None and was == seen_there(recording):
            return recording, True
        return unused(path.with_suffix(".arrow")), False

    def _order(self, recording: Path, path: Path, wanted: Wanted) -> None:
        """What is wanted of a recording."""
        self._start(str(recording.absolute()), path, wanted, wanted.command(str(recording), str(path)))

    def _start(self, what: str, path: Path, wanted: Wanted, command: str) -> None:
        """The command, without the screen. what: its argument."""
        self.command = command
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("QT_QPA_PLATFORM", "offscreen")
        process = self._process = QProcess()
        process.setProcessEnvironment(environment)
        process.finished.connect(lambda code, _: self._tell(code, path))
        process.errorOccurred.connect(lambda error: self._tell_unstarted(error, path))
        words = [wanted.order, what, "-o", str(path.absolute()), "--force", *wanted.options()]
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

    def _tell_unstarted(self, error: QProcess.ProcessError, path: Path) -> None:
        """That there is no process: of one that has ended _tell() hears."""
        process = self._process
        if process is None or error != QProcess.ProcessError.FailedToStart:
            return
        self._process = None
        process.deleteLater()
        self.files.notice.say(
            tr("{path} could not be made: no process can be started: {why}.", path=path, why=process.errorString())
        )

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
