"""Texts that Qt draws as they are. By itself it reads them as HTML where they look like it, and & as a key."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel, QWidget

from bellwire.engine.foreign import shown


class PlainLabel(QLabel):
    """A label without HTML, in which nothing steers: whatever its text is, it is seen."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(shown(text, lines=True), parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(shown(text, lines=True))


def plain_tip(text: str) -> str:
    """A text for a tooltip, which has no format of its own to be set."""
    plain = shown(text, lines=True)
    return paragraph(plain) if Qt.mightBeRichText(plain) else plain


def longer_tip(tip: str, *more: str) -> str:
    """A tooltip that is set, and further texts, each as a paragraph of its own."""
    first = tip if Qt.mightBeRichText(tip) else paragraph(tip)
    return "".join((first, *map(paragraph, more)))


def paragraph(text: str) -> str:
    """A text in Qt's HTML, as it is."""
    return f"<p style='white-space:pre-wrap'>{escape(shown(text, lines=True))}</p>"


def plain_words(text: str) -> str:
    """A text for a button or a line of a menu, where & would underline a letter and a tab begin another column."""
    return shown(text).replace("&", "&&")
