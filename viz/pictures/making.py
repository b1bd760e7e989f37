"""Makes a picture: plays its recording to the moment, draws the view, writes it in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bellwire.engine.language import Spoken, Untold
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import WHOLE_WINDOW, PictureAsked
from bellwire.viz.pictures.drawing import Drawing, drawing_of
from bellwire.viz.pictures.played import played_model, source_played
from bellwire.viz.pictures.provenance import KEY, Provenance, provenance_of
from bellwire.viz.pictures.raster import image_of, png_file
from bellwire.viz.pictures.words import caption_and_alt
from bellwire.viz.style.theme import THEMES, Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import FITTING, Durations
from bellwire.viz.text.languages import speak_language

DrawView = Callable[[LiveModel, PictureAsked, Theme], AbstractContextManager[Drawing]]


@contextmanager
def as_nobody_has_set_it(asked: PictureAsked, moves: bool = False) -> Iterator[None]:
    """While it is open, what is the same for the whole process is that of the picture; moves: views glide in it."""
    unit, calm, language = Durations.unit, Turns.calm, Spoken.name
    Durations.unit, Turns.calm, Untold.facts = FITTING, not moves, asked.hidden
    if language != asked.language:
        speak_language(asked.language)
    try:
        yield
    finally:
        Durations.unit, Turns.calm, Untold.facts = unit, calm, frozenset()
        if language != asked.language:
            speak_language(language)


@dataclass(frozen=True)
class MadePicture:
    """A picture's file, and what is told of it."""

    content: bytes
    told: Provenance


def made_picture(path: Path, asked: PictureAsked, suffix: str, draw_window: DrawView, named: str = "") -> MadePicture:
    """A picture of a recording. EngineError if it cannot be made.

    suffix: one of asked.FORMATS. draw_window: draws the whole window, of which nothing is known here. named: what the
    recording is called in the command that makes it again; by default by its file's name.
    """
    theme, recording = THEMES[asked.theme].scaled(asked.text), Recording(path)
    with source_played(recording) as source, as_nobody_has_set_it(asked):
        model = played_model(source, asked.at)
        draw = draw_window if asked.view == WHOLE_WINDOW else drawing_of
        with draw(model, asked, theme) as drawing:
            said = caption_and_alt(drawing, model)
            told = provenance_of(recording, asked, named or path.name, suffix, said)
            return MadePicture(file_content(drawing, told, suffix), told)


def file_content(drawing: Drawing, told: Provenance, suffix: str) -> bytes:
    """The file in the format of a suffix."""
    if suffix == ".svg":
        from bellwire.viz.pictures.svg import svg_file

        return svg_file(drawing, told)
    if suffix == ".pdf":
        from bellwire.viz.pictures.pdf import pdf_file

        return pdf_file(drawing, told)
    texts = {"Title": told.title, "Description": told.alt, "Software": told.program, "Source": told.command}
    return png_file(image_of(drawing), texts | {KEY: told.as_json()})
