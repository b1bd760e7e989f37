"""A text in which the field's terms are marked: what one means is shown where the pointer is.

Tab goes from term to term, and Enter tells what it means.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QCursor, Qt
from PySide6.QtWidgets import QLabel, QToolTip

from bellwire.viz.style.plain import plain_tip
from bellwire.viz.terms.glossary import Term, load_glossary
from bellwire.viz.terms.linked import as_html, linked_html


class TermLabel(QLabel):
    """Whatever else its text holds is no HTML. term_chosen: the name of a term that was clicked at."""

    term_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.linkHovered.connect(self._explain)
        self.linkActivated.connect(self.term_chosen)
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
        at = QCursor.pos() if self.underMouse() else self.mapToGlobal(self.rect().bottomLeft())
        QToolTip.showText(at, plain_tip(tip), self)


def marked(text: str, color: str) -> str:
    """The text as HTML, each term a link the first time that it comes."""

    def link(term: Term, words: str) -> str:
        return f'<a href="{as_html(term.name)}" style="color:{color}">{words}</a>'

    return f'<span style="color:{color}">{linked_html(text, link, set())}</span>'
