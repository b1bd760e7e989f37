"""Texts that Qt draws as they are. By itself it reads them as HTML where they look like it, and & as a key.

This is the door of every sentence that is shown: a command in it, which a terminal has between backticks, is quoted.
"""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel, QWidget

from bellwire.engine.foreign import shown
from bellwire.viz.text.commands import commands_quoted


class PlainLabel(QLabel):
    """A label without HTML, in which nothing steers: whatever its text is, it is seen."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(said_plainly(text), parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(said_plainly(text))


def said_plainly(text: str) -> str:
    """A text of one or more lines: nothing in it steers, and commands are quoted."""
    return commands_quoted(shown(text, lines=True))


def plain_tip(text: str) -> str:
    """A text for a tooltip, which has no format of its own to be set."""
    plain = said_plainly(text)
    return paragraph(plain) if Qt.mightBeRichText(plain) else plain


def longer_tip(tip: str, *more: str) -> str:
    """A tooltip that is set, and further texts, each as a paragraph of its own."""
    first = tip if Qt.mightBeRichText(tip) else paragraph(tip)
    return "".join((first, *map(paragraph, more)))


def paragraph(text: str) -> str:
    """A text in Qt's HTML, as it is."""
    return f"<p style='white-space:pre-wrap'>{escape(said_plainly(text))}</p>"


def plain_words(text: str) -> str:
    """A text for a button or a line of a menu, where & would underline a letter and a tab begin another column."""
    return commands_quoted(shown(text)).replace("&", "&&")
