"""A note holds all of its words, whatever they are, in each size of text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from bellwire.viz.style.note_paper import BAR, line_between, note_flags, note_padding, note_size
from bellwire.viz.style.theme import DARK, load_fonts

LONG = ("W" * 280, "word " * 56, "𝄞" * 280, "漢字" * 60)
TEXTS = ("a", "two words", "a sentence that is longer than a line of a note", *LONG)
pytestmark = pytest.mark.usefixtures("qapp")


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.5])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:8])
def test_all_words_are_in_it(text: str, scale: float) -> None:
    load_fonts()
    font = DARK.scaled(scale).font(13, 500)
    for widest in (120.0 * scale, 2000.0):
        size = note_size(text, font, widest)
        assert size.width() <= widest + 2
        inner = QRectF(0, 0, size.width() - 2 * note_padding(font) - BAR + 2, size.height())
        words = QFontMetricsF(font).boundingRect(inner, note_flags(text, font, inner.width()), text)
        assert words.width() <= inner.width() + 1
        assert words.height() <= size.height()


def test_a_line_leads_from_edge_to_edge() -> None:
    box, place = QRectF(0, 0, 100, 40), QRectF(200, 10, 50, 20)
    line = line_between(box, place)
    assert (line.pointAtPercent(0), line.pointAtPercent(1)) == (QPointF(100, 20), QPointF(200, 20))
