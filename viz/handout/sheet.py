"""One HTML file that needs no other: its head, its style, and the pieces that handouts and lab sheets are made of.

Whatever comes from a lesson or from a recording is text: it is escaped here, and nothing of it becomes HTML.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from bellwire.engine.language import Spoken, grouped, tr
from bellwire.viz.handout.document import Picture, Seen
from bellwire.viz.lessons.lesson import BULLET
from bellwire.viz.terms.glossary import Term, load_glossary
from bellwire.viz.terms.linked import as_html, linked_html
from bellwire.viz.text.assets import asset
from bellwire.viz.text.verdicts import verdict_words
from bellwire.viz.text.versions import program_version


def sheet(title: str, body: str) -> str:
    """The file. body: HTML, of the pieces below."""
    return f"""<!DOCTYPE html>
<html lang="{as_html(Spoken.name)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="bellwire {as_html(program_version())}">
<title>{as_html(title)}</title>
<style>
{sheet_style()}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def sheet_style() -> str:
    """The style sheet, with the words that it puts on paper: "3 of 9" below each page, "(page 7)" behind a link."""
    between = tr("{page} of {pages}", page="", pages="")
    before, after = tr("(page {page})", page="\0").split("\0")
    words = {"WORDS_BETWEEN_PAGES": between, "WORDS_BEFORE_PAGE": before, "WORDS_AFTER_PAGE": after}
    style = asset("handout.css").read_text()
    for name, word in words.items():
        style = style.replace(name, word.replace("\\", "").replace('"', ""))
    return style


class SheetWords:
    """Texts of one sheet: each term is a link to its meaning where it first comes, and the glossary has those."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def words(self, text: str) -> str:
        """A text as HTML."""
        return linked_html(text, self._link, self.seen)

    def _link(self, term: Term, words: str) -> str:
        return f'<a class="term" href="#{anchor(term)}">{words}</a>'

    def paragraphs(self, texts: Iterable[str]) -> str:
        """Each one as a paragraph; those that begin with a bullet as a list."""
        parts, items = [], list[str]()
        for text in texts:
            if text.startswith(BULLET):
                items.append(text.removeprefix(BULLET))
                continue
            parts += [*self._list(items), f"<p>{self.words(text)}</p>\n"]
            items = []
        return "".join((*parts, *self._list(items)))

    def _list(self, items: list[str]) -> list[str]:
        return [f"<ul>{''.join(f'<li>{self.words(item)}</li>' for item in items)}</ul>\n"] if items else []

    def glossary(self) -> str:
        """What the terms mean that were used, in the order of the alphabet."""
        terms = [term for term in load_glossary().terms.values() if term.name in self.seen]
        entries = (
            f'<dt id="{anchor(term)}">{as_html(term.name)}</dt><dd>{as_html(term.meaning)}</dd>' for term in terms
        )
        return section("glossary", tr("Terms"), f"<dl>{''.join(entries)}</dl>\n") if terms else ""


def anchor(term: Term) -> str:
    """Where in the sheet a term is explained."""
    return "term-" + "".join(letter if letter.isalnum() else "-" for letter in term.name.lower())


def section(name: str, title: str, content: str, kind: str = "") -> str:
    """With a heading. kind: "apart" begins on paper on a page of its own, a "step" is kept on one page."""
    return f'<section id="{name}" class="{kind}">\n<h2>{as_html(title)}</h2>\n{content}</section>\n'


def figure_html(seen: Seen) -> str:
    """Its pictures, and below them of which moment they are."""
    images = "".join(image(picture, "panel" if n else "diagram") for n, picture in enumerate(seen.pictures))
    return f"<figure>\n{images}<figcaption>{caption_html(seen)}</figcaption>\n</figure>\n" if images else ""


def image(picture: Picture, kind: str) -> str:
    """The picture itself, within the file."""
    width, height = picture.size
    data = b64encode(picture.png).decode()
    alt = as_html(picture.alt)
    return f'<img class="{kind}" src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{alt}">\n'


def caption_html(seen: Seen) -> str:
    """What is seen, and where to find it again."""
    replay = f'<span class="replay">{tr("REPLAY")}</span> · ' if seen.replayed else ""
    where = as_html(tr("At {seconds} s in", seconds=grouped(seen.seconds, 2)))
    file = f" {where} <code>{as_html(seen.recording)}</code>." if seen.recording else ""
    return f"{replay}{as_html(seen.caption)}{file}"


VERDICT_CLASSES = {True: "right", False: "wrong", None: "untold"}  # of the style sheet


def verdict_html(right: bool | None, reason: str, words: SheetWords) -> str:
    """Whether a choice is right (None: that cannot be told), in a sign and a word, and why."""
    kind, verdict = VERDICT_CLASSES[right], as_html(verdict_words(right))
    return f'<span class="{kind}">{verdict}.</span> <span class="reason">{words.words(reason)}</span>'
