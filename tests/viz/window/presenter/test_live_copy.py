"""The copy of the audience's view is that view, and what is clicked at in it is clicked at there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.course import Course
from bellwire.viz.panels.evidence import EvidencePanel
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.presenter.live_copy import LiveCopy
from tests.support.asking import asking
from tests.support.shipped_models import shipped_model


@pytest.fixture
def copy(qtbot: QtBot) -> LiveCopy:
    """Half as large as the audience's window, which is hidden, as on one screen."""
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    audience.resize(1280, 720)
    audience.grab()  # it has its size
    audience.say(None)
    made = LiveCopy(DARK)
    qtbot.addWidget(made)
    made.audience = audience
    made.resize(640, 360)
    made.show()
    return made


def half(image: QImage) -> QImage:
    made = QImage(640, 360, QImage.Format.Format_RGB32)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(made.rect(), image)
    painter.end()
    return made


@pytest.mark.parametrize("panel", ["", "evidence"])
def test_it_shows_what_the_audience_sees(copy: LiveCopy, panel: str) -> None:
    assert copy.audience is not None
    copy.audience.say(Course(asking()), panel)
    seen, shown = half(copy.audience.grab().toImage()), copy.grab().toImage()
    places = [(x, y) for x in range(8, 632, 8) for y in range(8, 352, 8)]
    alike = [abs(seen.pixelColor(*place).lightness() - shown.pixelColor(*place).lightness()) < 24 for place in places]
    assert sum(alike) > 0.97 * len(places)
    assert any(shown.pixelColor(x, y).lightness() > 150 for x in range(400, 600) for y in range(150, 340))


def test_a_click_in_it_is_one_at_the_audiences(copy: LiveCopy) -> None:
    audience = copy.audience
    assert audience is not None
    model = audience.picture.model
    for name in ("driver", "answers"):
        outline = next(outline for part, _, outline in audience.picture._stage.outlines() if part == name)
        at = (outline.boundingRect().center() + QPointF(audience.picture.pos())) * copy.scale
        QTest.mouseClick(copy, Qt.MouseButton.LeftButton, pos=at.toPoint())
        assert model.selection.part == name
    QTest.keyClick(copy, Qt.Key.Key_Up)
    assert model.selection.part not in ("", "answers")
    model.selection.choose(part="")


def test_a_click_at_the_panel_is_one_at_the_audiences(copy: LiveCopy) -> None:
    audience = copy.audience
    assert audience is not None
    audience.say(Course(asking()), "evidence")
    audience.grab()
    panel = audience.panel.panel
    assert isinstance(panel, EvidencePanel)
    row, heard = panel.rows[0], list[str]()
    row.clicked.connect(lambda: heard.append(row.claim))
    at = row.mapTo(audience, row.rect().center())
    QTest.mouseClick(copy, Qt.MouseButton.LeftButton, pos=(QPointF(at) * copy.scale).toPoint())
    assert heard == [row.claim]
    audience.picture.model.transport.to_newest()
    audience.panel.clear()


def test_whoever_leads_it_goes_on_seeing_what_the_audience_does_not(copy: LiveCopy) -> None:
    assert copy.audience is not None
    before = copy.grab().toImage()
    copy.audience.show_blank(Blank.BLACK)
    veiled = copy.grab().toImage()
    assert veiled != before
    colors = {veiled.pixelColor(x, y).name() for x in range(0, 640, 3) for y in range(0, 360, 3)}
    assert len(colors) > 20
    copy.audience.show_blank(None)
    assert copy.grab().toImage() == before
