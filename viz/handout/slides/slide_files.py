"""Writes slides: as one PPTX or PDF, or as a folder with both, each picture by itself, and the notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bellwire.engine.language import tr
from bellwire.viz.handout.pdf import pdf_of
from bellwire.viz.handout.slides.deck import Deck, DeckSlide
from bellwire.viz.handout.slides.pptx_file import pptx_of
from bellwire.viz.handout.slides.slides_html import slides_html
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.markdown import as_markdown

SLIDES_NAME, NOTES_NAME = "slides", "notes.md"


def deck_file(deck: Deck, suffix: str, theme: Theme, with_notes: bool = False) -> bytes:
    """As ".pptx", or as ".pdf". EngineError if that cannot be made here."""
    return pptx_of(deck, theme) if suffix == ".pptx" else pdf_of(slides_html(deck, theme, with_notes))


def write_slides(deck: Deck, folder: Path, theme: Theme, with_notes: bool, look: Callable[[], None]) -> None:
    """Into a folder that is there. look: called now and then; what it raises ends the work."""
    for slide in deck.slides:
        if slide.shown:
            (folder / f"{slide.name}.png").write_bytes(slide.shown.picture.png)
            (folder / f"{slide.name}.svg").write_bytes(slide.shown.svg)
    notes = "\n".join([f"# {as_markdown(deck.title)}\n", *map(notes_of, deck.slides)])
    (folder / NOTES_NAME).write_text(notes, encoding="utf-8")
    for suffix in (".pptx", ".pdf"):
        look()
        (folder / f"{SLIDES_NAME}{suffix}").write_bytes(deck_file(deck, suffix, theme, with_notes))


def notes_of(slide: DeckSlide) -> str:
    """A slide in words: what stands on it, what is seen, what is to be said."""
    parts = [f"## {as_markdown(slide.title)}", *(as_markdown(line.text) for line in slide.lines)]
    if slide.shown:
        parts.append(f"![{as_markdown(slide.shown.picture.alt)}]({slide.name}.svg)")
    parts += [f"*{as_markdown(line.text)}*" for line in slide.below]
    if slide.notes:
        parts += [tr("Notes for who speaks:"), *(f"> {as_markdown(note)}" for note in slide.notes)]
    return "\n\n".join(parts) + "\n"
