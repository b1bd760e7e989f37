"""Makes many pictures in one process: what several of them need, a recording, a moment of it, a drawing, is kept open.

Guarantees: each has the very bytes that `bellwire shot` or `bellwire clip` gives it, whatever was made before.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import WHOLE_WINDOW, PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked
from bellwire.viz.pictures.clips.filming import ShowFrame
from bellwire.viz.pictures.clips.making_clips import made_clip
from bellwire.viz.pictures.drawing import Drawing, drawing_of
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.making import DrawView, as_nobody_has_set_it, file_content
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import PlayedRecording, play_on, played_model, source_played
from bellwire.viz.pictures.provenance import provenance_of
from bellwire.viz.pictures.words import caption_and_alt
from bellwire.viz.style.theme import THEMES

COLLECTED_AFTER = 20  # pictures

Look = Callable[[], None]


@dataclass(frozen=True)
class MadeFiles:
    """The contents of a listed picture's files, in their order, and what is said of it."""

    contents: tuple[bytes, ...]
    caption: str = ""


def in_good_order(pictures: Iterable[ListedPicture]) -> list[ListedPicture]:
    """So that those are together which need the same recording, moment and drawing."""
    return sorted(
        pictures,
        key=lambda one: (moment_key(one)[:-1], later_last(one.picture.at), one.picture.options(), str(one.out)),
    )


def moment_key(one: ListedPicture) -> tuple[Any, ...]:
    """What pictures have in common whose model can be the same."""
    picture = one.picture
    return str(one.recording), picture.language, sorted(picture.hidden), str(picture.at)


def later_last(moment: Moment) -> tuple[Any, ...]:
    """By which moments of a recording are in an order of time, as far as is known without it; a model is played on."""
    numbered = moment.journey.isdecimal()
    named = bool(moment.journey) and not numbered  # what is the slowest is known at the end
    seconds = inf if moment == Moment() else moment.seconds or 0.0
    number = int(moment.journey) if numbered else moment.number if moment.kind else seconds
    return not moment.live, named, numbered, moment.kind, number, moment.journey, moment.stage


def leaves_its_mark(asked: PictureAsked) -> bool:
    """Whether drawing it changes the model: a part is chosen in it, it is compared, or a whole window works with it."""
    return bool(asked.view == WHOLE_WINDOW or asked.part or asked.other)


class PictureSeries:
    """Of one list, whose folder paths go from; closed by close(). What is open is of the newest picture."""

    def __init__(self, folder: Path, draw_window: DrawView, show_window: ShowFrame, look: Look = lambda: None) -> None:
        """draw_window, show_window: as made_picture() and made_clip() take them. look: called often; may raise."""
        self.folder, self._draw_window, self._show_window, self._look = folder, draw_window, show_window, look
        self._of_moment, self._of_drawing = ExitStack(), ExitStack()
        self._model: tuple[tuple[Any, ...], LiveModel, PlayedRecording] | None = None
        self._drawing: tuple[Any, Drawing, tuple[str, str]] | None = None
        self._uncollected = 0
        gc.disable()  # a cycle may hold widgets, which must not die in a thread that reads a recording

    def make(self, one: ListedPicture) -> MadeFiles:
        """Its files. EngineError if they cannot be made; the next ones can be all the same."""
        self._look()
        try:
            with contextlib.chdir(self.folder), as_nobody_has_set_it(one.picture):
                made = self._clip(one, one.asked) if isinstance(one.asked, ClipAsked) else self._picture(one, one.asked)
        except BaseException:
            self.close()
            raise
        if leaves_its_mark(one.picture):
            self._forget_moment()
        self._collect(one.picture.view == WHOLE_WINDOW)
        return made

    def close(self) -> None:
        """Lets go what is open; may be called again, and used again afterwards."""
        self._forget_moment()

    def _collect(self, now: bool) -> None:
        """Garbage, here and then: it holds models with their events, and whole windows."""
        self._uncollected += 1
        if now or self._uncollected >= COLLECTED_AFTER:
            self._uncollected = 0
            gc.collect()
            give_memory_back()

    def _picture(self, one: ListedPicture, asked: PictureAsked) -> MadeFiles:
        drawing, said, recording = self._drawn(one, asked)
        told = provenance_of(recording, asked, one.recording.name, one.suffix, said)
        content = file_content(drawing, told, one.suffix)
        return MadeFiles((content, *([told.sidecar().encode()] if one.beside else [])), said[0])

    def _clip(self, one: ListedPicture, asked: ClipAsked) -> MadeFiles:
        self._forget_moment()
        windows = self._draw_window, self._show_window
        made = made_clip(one.recording, asked, one.suffix, *windows, one.recording.name, self._look)
        return MadeFiles((made.content, *([made.sentences.encode()] if one.beside else [])))

    def _drawn(self, one: ListedPicture, asked: PictureAsked) -> tuple[Drawing, tuple[str, str], Recording]:
        """The drawing, which several formats share, and what is said of it."""
        key = moment_key(one), asked
        if self._drawing is None or self._drawing[0] != key:
            self._forget_drawing()
            if leaves_its_mark(asked):
                self._forget_moment()
            model, _ = self._played(one)
            draw = self._draw_window if asked.view == WHOLE_WINDOW else drawing_of
            theme = THEMES[asked.theme].scaled(asked.text)
            drawing = self._of_drawing.enter_context(draw(model, asked, theme))
            self._drawing = key, drawing, caption_and_alt(drawing, model)
        return self._drawing[1], self._drawing[2], self._played(one)[1]

    def _played(self, one: ListedPicture) -> tuple[LiveModel, Recording]:
        """The model that looks at its moment."""
        if self._model is None or self._model[0] != moment_key(one):
            self._forget_drawing()
            if not self._played_on(one):
                self._forget_moment()
                source = self._of_moment.enter_context(source_played(Recording(one.recording)))
                self._model = moment_key(one), played_model(source, one.picture.at), source
        assert self._model is not None
        return self._model[1], self._model[2].recording

    def _played_on(self, one: ListedPicture) -> bool:
        """Whether the model that is there could be brought to this picture's moment."""
        if self._model is None or self._model[0][:-1] != moment_key(one)[:-1]:
            return False
        _, model, source = self._model
        self._model = None  # until it has been
        if play_on(model, source, one.picture.at):
            self._model = moment_key(one), model, source
        return self._model is not None

    def _forget_drawing(self) -> None:
        self._drawing = None
        self._of_drawing.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # no event loop ever deletes them

    def _forget_moment(self) -> None:
        self._forget_drawing()
        self._model = None
        self._of_moment.close()


def give_memory_back() -> None:
    """What glibc keeps of arrays that are gone: after fifty models two thirds of what the process takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
