"""What is painted can be read: in each theme the pixels of every text in a few windows have the contrast that is asked.

Colours are compared by pairs where they are set; here whatever lies below a text, or over it, counts as it is painted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import THEMES
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.window import MainWindow
from tests.support.contrast import contrast
from tests.support.painted_text import Piece, texts_painted
from tests.support.windows import on_whole_run, settle

AAA, AA = 7.0, 4.5
SMOOTH = 0.75  # of the contrast that a text's colour has is left where its lines are thinner than a pixel
TEXT = 1.5  # so large is text here that most of its lines are not
# What is in front at the side and below, and what is done.
LOOKS = (("", "", ""), ("sequence", "events", ""), ("evidence", "explain", "story"), ("calls", "compare", "extended"))
Pixels = npt.NDArray[np.uint32]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """On all of a recorded run, with its newest journey chosen."""
    with on_whole_run(qtbot, 1920, 1080) as made:
        made.look.size_text(TEXT)
        made.model.selection.choose(journeys=made.model.journeys.newest(1))
        yield made


def pixels_of(widget: QWidget) -> Pixels:
    """As 0xffrrggbb, of shape (height, width)."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return rows[:, : image.width()].copy()


def measured(pixels: Pixels, place: QRect) -> float:
    """The contrast between what most of a place is painted in, and what differs from it most."""
    some = pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1]
    colors, counts = np.unique(some, return_counts=True)
    ground = QColor.fromRgb(int(colors[counts.argmax()]))
    return max(contrast(ground, QColor.fromRgb(int(color))) for color in colors)


def is_judged(top: QWidget, piece: Piece) -> bool:
    """All of it is seen, and it can be worked if it is a control: WCAG leaves out what cannot."""
    widget = top.childAt(piece.ink.center().toPoint())
    return piece.room.contains(piece.ink) and (widget is None or widget.isEnabled())


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_each_text_is_readable_as_it_is_painted(theme: object, window: MainWindow) -> None:
    name = str(getattr(theme, "name", ""))
    window.commands.set_theme(name)
    wanted = (AAA if name == "projector" else AA) * SMOOTH
    found: dict[str, float] = {}
    judged = 0
    for side, below, action in LOOKS:
        for front in filter(None, (side, below)):
            window.views.bring_panel(front)
        if action:
            BY_NAME[action].run(window.commands)
        settle(window)
        pixels = pixels_of(window.middle)
        for piece in texts_painted(window.middle):
            if is_judged(window.middle, piece):
                judged += 1
                ratio = measured(
                    pixels, piece.ink.toAlignedRect().adjusted(-2, -2, 2, 2).intersected(window.middle.rect())
                )
                if ratio < wanted:
                    found[f"{side} {below} {action}: {piece.text}"] = round(ratio, 2)
    assert judged > 400
    assert found == {}


def test_a_text_that_cannot_be_read_is_found() -> None:
    pixels = np.full((20, 60), 0xFFFFFFFF, np.uint32)
    pixels[5:15, 10:50:3] = 0xFFAAAAAA
    assert measured(pixels, QRect(0, 0, 60, 20)) == pytest.approx(contrast("#ffffff", "#aaaaaa"))
