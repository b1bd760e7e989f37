"""Slides as a PPTX file, by python-pptx: titles are titles, texts can be changed, notes are on the notes pages.

The same slides are the same bytes: each time in the file is that of what is shown.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.foreign import shown
from bellwire.engine.language import Spoken, tr
from bellwire.viz.handout.slides.arrangement import APART, BOLD, COLORS, SLIDE, SlideArea, WordsPlaced, arrange
from bellwire.viz.handout.slides.deck import Deck, DeckSlide, LineKind
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.faults import library_remedy

SANS, MONO = "Arial", "Courier New"  # which every machine has, or something as wide
LANGUAGES = {"en": "en-US", "de": "de-DE"}  # as a program for slides calls them, which checks their spelling
TITLE_ONLY = 5  # of the layouts in python-pptx's own template
LONGEST_PROPERTY = 255  # characters that a program for slides reads
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # that a ZIP file can say


def pptx() -> Any:
    """The library; EngineError if it is not there."""
    try:
        import pptx as library
    except ImportError as error:
        raise EngineError(
            tr(
                "A PPTX is written by python-pptx, which cannot be loaded ({why}): {remedy}",
                why=answer_of(error),
                remedy=library_remedy(error, "pip install python-pptx."),
            )
        ) from error
    return library


def pptx_of(deck: Deck, theme: Theme) -> bytes:
    """The file."""
    from pptx.util import Inches

    made = pptx().Presentation()
    made.slide_width, made.slide_height = map(Inches, SLIDE)
    about = made.core_properties
    about.title, about.author, about.language = shown(deck.title, LONGEST_PROPERTY), "bellwire", Spoken.name
    about.last_modified_by, about.comments = about.author, ""  # the template's are of its own maker
    about.created = about.modified = deck.shown.replace(tzinfo=None)
    for slide in deck.slides:
        PptxSlide(made.slides.add_slide(made.slide_layouts[TITLE_ONLY]), theme).fill(slide)
    buffer = io.BytesIO()
    made.save(buffer)
    return packed_at(max(deck.shown, EARLIEST), buffer.getvalue())


def packed_at(time: datetime, file: bytes) -> bytes:
    """The same ZIP file, as if all in it had been written then."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/app.xml":
                content = re.sub(rb"<Application>[^<]*<", b"<Application>bellwire<", content)
            new.writestr(zipfile.ZipInfo(name, time.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class PptxSlide:
    """One slide of the file."""

    def __init__(self, slide: Any, theme: Theme) -> None:
        self._slide, self._theme = slide, theme

    def fill(self, slide: DeckSlide) -> None:
        """With all that it holds."""
        arranged = arrange(slide)
        background = self._slide.background.fill
        background.solid()
        background.fore_color.rgb = self._color("background")
        title = self._slide.shapes.title
        self._put(title, arranged.title.at)
        self._write(title.text_frame, arranged.title)
        for words in filter(None, (arranged.words, arranged.caption)):
            box = self._slide.shapes.add_textbox(*self._lengths(words.at))
            self._write(box.text_frame, words)
        if slide.shown and arranged.picture:
            file = io.BytesIO(slide.shown.picture.png)
            placed = self._slide.shapes.add_picture(file, *self._lengths(arranged.picture))
            placed._element.nvPicPr.cNvPr.set("descr", slide.shown.picture.alt)
        self._slide.notes_slide.notes_text_frame.text = "\n\n".join(slide.notes)

    def _lengths(self, at: SlideArea) -> Iterator[Any]:
        from pptx.util import Inches

        return map(Inches, (at.left, at.top, at.width, at.height))

    def _put(self, shape: Any, at: SlideArea) -> None:
        shape.left, shape.top, shape.width, shape.height = self._lengths(at)

    def _write(self, frame: Any, words: WordsPlaced) -> None:
        from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, MSO_ANCHOR.TOP
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        for number, line in enumerate(words.lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment, paragraph.space_after = PP_ALIGN.LEFT, Pt(words.points * APART)
            run = paragraph.add_run()
            run.text = line.text
            run._r.get_or_add_rPr().set("lang", LANGUAGES.get(Spoken.name, Spoken.name))
            font = run.font
            font.name, font.size = MONO if line.kind is LineKind.CODE else SANS, Pt(words.points)
            font.bold = line.kind in BOLD
            font.color.rgb = self._color(COLORS[line.kind])

    def _color(self, name: str) -> Any:
        from pptx.dml.color import RGBColor

        return RGBColor.from_string(getattr(self._theme, name).removeprefix("#"))  # type: ignore[no-untyped-call]
