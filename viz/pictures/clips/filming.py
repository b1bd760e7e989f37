"""Paints a clip, frame by frame: what is seen depends on the frame's number alone, not on how long anything took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.pictures.asked import WHOLE_WINDOW
from bellwire.viz.pictures.clips.clip_asked import ClipAsked
from bellwire.viz.pictures.clips.course import ClipCourse
from bellwire.viz.pictures.drawing import Drawing, drawing_of, leave_out_controls, settle_layout
from bellwire.viz.pictures.making import DrawView, as_nobody_has_set_it
from bellwire.viz.pictures.played import source_played
from bellwire.viz.pictures.raster import image_of
from bellwire.viz.style.theme import THEMES
from bellwire.viz.style.turns import Turns, screen_time

BEGINS = 1000.0  # seconds on the screen's clock: long after anything

Pixels = npt.NDArray[np.uint8]  # shape (height, width, 3): red, green, blue
ShowFrame = Callable[[QWidget], None]


@dataclass(frozen=True)
class FilmFrame:
    """One of the clip. said: the sentence that goes with it; idle: it says no more than that nothing is on its way."""

    number: int
    pixels: Pixels
    said: str
    idle: bool


class Film:
    """A clip that is being made. frames: how many there are, if the recording is long enough."""

    def __init__(self, course: ClipCourse, drawing: Drawing, show: ShowFrame, clock: list[float]) -> None:
        self.course, self.drawing, self.frames = course, drawing, course.frames
        self._show, self._clock = show, clock

    def __iter__(self) -> Iterator[FilmFrame]:
        """All frames, in order."""
        for number in range(self.frames):
            self._clock[0] = BEGINS + number / self.course.asked.rate
            Turns.begin_frame()
            self._show(self.drawing.of)
            model = self.course.model
            idle = model.transport.exact and model.story is None and not model.under_way().size
            yield FilmFrame(number, pixels_of(image_of(self.drawing)), caption(model), idle)
            if not self.course.go_on():
                return


@contextmanager
def filmed(path: Path, asked: ClipAsked, draw_window: DrawView, show_window: ShowFrame) -> Iterator[Film]:
    """The film of a recording, while it is made. EngineError if it cannot be.

    draw_window, show_window: draw the whole window, of which nothing is known here, and bring it to the next frame.
    """
    picture, clock = asked.begins, [BEGINS]
    theme = THEMES[picture.theme].scaled(picture.text)
    with ExitStack() as stack:
        source = stack.enter_context(source_played(Recording(path)))
        stack.enter_context(as_nobody_has_set_it(picture, moves=True))
        stack.enter_context(screen_time(lambda: clock[0]))
        course = ClipCourse(source, asked)
        whole = picture.view == WHOLE_WINDOW
        drawing = stack.enter_context((draw_window if whole else drawing_of)(course.model, picture, theme))
        yield Film(course, drawing, show_window if whole else show_view, clock)


def show_view(of: QWidget) -> None:
    """Brings one view to what its model shows now."""
    if isinstance(of, Diagram):
        of.still_motion = of.in_strokes = False  # its layers are quicker, and here of the screen's very pixels
        of.refresh()
        return
    redraw = getattr(of, "redraw", None)
    if redraw:
        redraw()
        settle_layout()
        leave_out_controls(of)


def pixels_of(image: QImage) -> Pixels:
    """A copy of what was painted."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()
