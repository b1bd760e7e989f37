"""A text as HTML in which terms are links; nothing else of it is HTML, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from bellwire.engine.foreign import shown
from bellwire.viz.terms.glossary import Term, load_glossary

MakeLink = Callable[[Term, str], str]  # a term, and how it is written here, as HTML: the link as HTML


def term_pieces(text: str, seen: set[str]) -> Iterator[tuple[str, Term | None]]:
    """The text in pieces: a term where it first comes, and what is between. seen: the terms so far, added to."""
    end = 0
    for start, stop, term in load_glossary().found_in(text):
        if term.name not in seen:
            seen.add(term.name)
            yield text[end:start], None
            yield text[start:stop], term
            end = stop
    yield text[end:], None


def linked_html(text: str, link: MakeLink, seen: set[str]) -> str:
    """The text as HTML with the links that `link` makes of terms; seen: those that need none any more, added to."""
    return "".join(link(term, as_html(piece)) if term else as_html(piece) for piece, term in term_pieces(text, seen))


def as_html(text: str) -> str:
    """A piece of text, in which nothing is HTML and nothing steers."""
    return escape(shown(text, lines=True)).replace("\n", "<br>")
