"""Makes a picture: plays its recording to the moment, draws the view, writes it in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bellwire.engine.language import Spoken
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import WHOLE_WINDOW, PictureAsked
from bellwire.viz.pictures.drawing import Drawing, drawing_of
from bellwire.viz.pictures.played import PlayedRecording, played_model
from bellwire.viz.pictures.raster import image_of, png_file
from bellwire.viz.style.theme import THEMES, Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import FITTING, Durations
from bellwire.viz.text.languages import speak_language

DrawView = Callable[[LiveModel, PictureAsked, Theme], AbstractContextManager[Drawing]]


@contextmanager
def as_nobody_has_set_it(asked: PictureAsked) -> Iterator[None]:
    """While it is open, what is the same for the whole process is that of the picture."""
    unit, calm, language = Durations.unit, Turns.calm, Spoken.name
    Durations.unit, Turns.calm = FITTING, True
    if language != asked.language:
        speak_language(asked.language)
    try:
        yield
    finally:
        Durations.unit, Turns.calm = unit, calm
        if language != asked.language:
            speak_language(language)


@contextmanager
def drawing_at(path: Path, asked: PictureAsked, draw_window: DrawView) -> Iterator[Drawing]:
    """The drawing of a recording, while it is needed. EngineError if it cannot be made.

    draw_window: draws the whole window, of which nothing is known here.
    """
    theme = THEMES[asked.theme].scaled(asked.text)
    source = PlayedRecording(Recording(path))
    try:
        with as_nobody_has_set_it(asked):
            model = played_model(source, asked.at)
            draw = draw_window if asked.view == WHOLE_WINDOW else drawing_of
            with draw(model, asked, theme) as drawing:
                yield drawing
    finally:
        source.stop()


def picture_file(path: Path, asked: PictureAsked, suffix: str, draw_window: DrawView) -> bytes:
    """The file of a picture of a recording. suffix: one of asked.FORMATS. EngineError if it cannot be made."""
    with drawing_at(path, asked, draw_window) as drawing:
        return png_file(image_of(drawing), {})
