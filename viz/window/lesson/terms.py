"""A text in which the field's terms are marked: what one means is shown where the pointer is."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import QCursor, Qt
from PySide6.QtWidgets import QLabel, QToolTip

from bellwire.engine.foreign import shown
from bellwire.viz.lessons.glossary import load_glossary
from bellwire.viz.style.plain import plain_tip


class TermLabel(QLabel):
    """Whatever else its text holds is no HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self.linkHovered.connect(self._explain)
        self.linkActivated.connect(self._explain)  # on a screen that is touched
        self._plain = ""

    def say(self, text: str, color: str) -> None:
        """Shows it, with each term underlined once; color: of the text, as HTML writes it."""
        if (text, color) != (self._plain, self.property("color")):
            self._plain = text
            self.setProperty("color", color)
            self.setText(marked(text, color))
            self.setAccessibleName(text)

    def _explain(self, name: str) -> None:
        terms = load_glossary().terms
        tip = f"{name}: {terms[name].meaning}" if name in terms else ""
        QToolTip.showText(QCursor.pos(), plain_tip(tip), self)


def marked(text: str, color: str) -> str:
    """The text as HTML, each term a link the first time that it comes."""
    parts, end, seen = [], 0, set()
    for start, stop, term in load_glossary().found_in(text):
        if term.name not in seen:
            seen.add(term.name)
            link = f'<a href="{escape(term.name)}" style="color:{color}">{html(text[start:stop])}</a>'
            parts += [html(text[end:start]), link]
            end = stop
    return f'<span style="color:{color}">{"".join((*parts, html(text[end:])))}</span>'


def html(text: str) -> str:
    """A piece of it, in which nothing is HTML and nothing steers."""
    return escape(shown(text, lines=True)).replace("\n", "<br>")
