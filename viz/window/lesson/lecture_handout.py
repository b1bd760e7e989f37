"""The handout of the lecture that is held, for those who have heard it: written a piece at each turn."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import file_name
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.window.files import say_where
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.notice import NoticeBar

WriteHandout = Callable[
    [LessonPlayer, LiveModel, Path], Generator[float, None, None]
]  # yields how much is done; EngineError
TURN_MS = 20  # between pieces: frames and keys come first
WRITES = tr_later("The handout of this lecture is being written, and the lecture goes on.")


class LectureHandout:
    """Of the lesson of one window. write_pieces: how it is written, which whoever opens the window knows."""

    def __init__(self, player: LessonPlayer, model: Callable[[], LiveModel], notice: NoticeBar, top: QWidget) -> None:
        self._player, self._model, self._notice, self._top = player, model, notice, top
        self.write_pieces: WriteHandout | None = None
        self._pieces: Generator[float, None, None] | None = None
        self._folder = Path()
        self._turns = QTimer(interval=TURN_MS)
        self._turns.timeout.connect(self._write_on)

    @property
    def offered(self) -> bool:
        """Whether there is a lesson that has come to its end, and somebody who writes."""
        course = self._player.course
        return course is not None and course.last and self.write_pieces is not None

    @property
    def busy(self) -> bool:
        """Whether one is being written."""
        return self._pieces is not None

    def ask(self) -> None:
        """Asks for a folder, and writes it there; or says why there is nothing to write."""
        if reason := self._why_not:
            self._notice.say(reason)
            return
        assert self._player.course
        usual = file_name(f"handout-{self._player.course.lesson.name}")
        name, _ = QFileDialog.getSaveFileName(self._top, tr("Save the handout in a new folder"), usual)
        if name:
            self.write(Path(name))

    @property
    def _why_not(self) -> str:
        if self._player.course is None:
            return tr("There is no lesson; Run > Lesson begins one.")
        if self.write_pieces is None:
            return tr("Nobody writes handouts here; bellwire handout does.")
        return tr(WRITES) if self.busy else ""

    def write(self, folder: Path) -> None:
        """Begins; says how it went once it is done."""
        if reason := self._why_not:
            self._notice.say(reason)
            return
        assert self.write_pieces
        self._folder, self._pieces = folder, self.write_pieces(self._player, self._model(), folder)
        self._notice.say(tr(WRITES), color="live")
        self._turns.start()

    def _write_on(self) -> None:
        """One more piece."""
        assert self._pieces is not None
        try:
            next(self._pieces)
        except StopIteration:
            self._stop()
            made = self._folder.absolute() / "handout.html"
            sentence = tr("The handout of this lecture is in {folder}.", folder=self._folder)
            say_where(self._notice, sentence, made)
        except EngineError as error:
            self._stop()
            self._notice.say(str(error))
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        self._turns.stop()
        self._pieces = None
        self._notice.take_back(tr(WRITES))

    def end(self) -> None:
        """The window closes: what is not whole leaves nothing behind."""
        pieces = self._pieces
        self._stop()
        if pieces:
            pieces.close()
