"""Slides as HTML pages of 16:9, from which the PDF is made: with headings as bookmarks, and texts for pictures."""

from __future__ import annotations

from base64 import b64encode

from bellwire.engine.language import Spoken, tr
from bellwire.viz.handout.slides.arrangement import APART, BOLD, COLORS, LEADING, SLIDE, SlideArea, WordsPlaced, arrange
from bellwire.viz.handout.slides.deck import Deck, DeckSlide
from bellwire.viz.style.theme import Theme
from bellwire.viz.terms.linked import as_html

STYLE = """
@page {{ size: {width}in {height}in; margin: 0; }}
* {{ box-sizing: border-box; margin: 0; }}
body {{ font-family: Inter, sans-serif; font-feature-settings: "calt" 0; line-height: {leading}; color: {text}; }}
section {{ position: relative; width: {width}in; height: {height}in; break-after: page; background: {background}; }}
section > * {{ position: absolute; overflow-wrap: break-word; }}
p {{ margin-bottom: {apart}em; }} h1 {{ font-weight: 700; }}
{kinds}
.code {{ font-family: "JetBrains Mono", monospace; font-size: .9em; }}
.notes {{ left: .5in; top: .35in; width: 12.3in; font-size: 16pt; }}
"""


def slides_html(deck: Deck, theme: Theme, with_notes: bool) -> str:
    """All of them. with_notes: each slide that has some is followed by a page with them."""
    width, height = SLIDE
    kinds = "\n".join(
        f".{kind} {{ color: {getattr(theme, color)}; font-weight: {700 if kind in BOLD else 400}; }}"
        for kind, color in COLORS.items()
    )
    colors = {"background": theme.background, "text": theme.text, "kinds": kinds}
    style = STYLE.format(width=width, height=height, leading=LEADING, apart=APART, **colors)
    pages = "".join(slide_page(slide) + (notes_page(slide) if with_notes else "") for slide in deck.slides)
    return (
        f'<!DOCTYPE html>\n<html lang="{as_html(Spoken.name)}">\n<head><meta charset="utf-8">'
        f"<title>{as_html(deck.title)}</title>\n<style>{style}</style></head>\n<body>\n{pages}</body>\n</html>\n"
    )


def slide_page(slide: DeckSlide) -> str:
    """One slide."""
    arranged = arrange(slide)
    title = f'<h1 style="{place_css(arranged.title)}">{as_html(slide.title)}</h1>\n'
    words = "".join(words_html(one) for one in (arranged.words, arranged.caption) if one)
    shown = ""
    if slide.shown and arranged.picture:
        data = b64encode(slide.shown.picture.png).decode()
        alt, at = as_html(slide.shown.picture.alt), box_css(arranged.picture)
        shown = f'<img style="{at}" alt="{alt}" src="data:image/png;base64,{data}">\n'
    return f"<section>\n{title}{shown}{words}</section>\n"


def words_html(words: WordsPlaced) -> str:
    """Paragraphs where they belong."""
    lines = "".join(f'<p class="{line.kind}">{as_html(line.text)}</p>' for line in words.lines)
    return f'<div style="{place_css(words)}">{lines}</div>\n'


def notes_page(slide: DeckSlide) -> str:
    """What is to be said to a slide; nothing if there is nothing."""
    notes = "".join(f"<p>{as_html(note)}</p>" for note in slide.notes)
    head = as_html(tr("Notes: {title}", title=slide.title))
    return f'<section><div class="notes"><p class="strong">{head}</p>{notes}</div></section>\n' if notes else ""


def place_css(words: WordsPlaced) -> str:
    """Where words are, and how large."""
    return f"{box_css(words.at)};font-size:{words.points}pt"


def box_css(at: SlideArea) -> str:
    """In inches."""
    return f"left:{at.left:.3f}in;top:{at.top:.3f}in;width:{at.width:.3f}in;height:{at.height:.3f}in"
