"""What is painted of a VM that is seen from outside: all words have room, in every theme and size."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from bellwire.engine.attached.topology import Topology
from bellwire.viz.attached.picture import SeenPicture, paint_plan
from bellwire.viz.attached.plan import seen_plan
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import Sketch
from bellwire.viz.style.theme import THEMES
from tests.support.seen_vmms import RATES, SEEN, VM, crowded


def sketched(topology: Topology, width: int, height: int, theme: str) -> Sketch:
    """What has painted it."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    plan = seen_plan(topology.vms[0], topology, RATES)
    painter = QPainter(image)
    sketch = Sketch(painter, Geometry.fit(width, height, (0, 0, *plan.blueprint.size), THEMES[theme]))
    paint_plan(sketch, plan)
    painter.end()
    return sketch


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(920, 600), (1280, 720), (2560, 1440)])
@pytest.mark.usefixtures("qtbot")
def test_all_words_have_room(theme: str, size: tuple[int, int]) -> None:
    for topology in (SEEN, crowded(9, 2)):
        assert [words for _, words in sketched(topology, *size, theme).shortened] == []


def test_it_is_painted_anew_where_something_has_changed(qtbot: QtBot) -> None:
    picture = SeenPicture(THEMES["dark"])
    qtbot.addWidget(picture)
    picture.resize(800, 450)
    blank = picture.grab().toImage()
    picture.show_vm(VM, SEEN, RATES)
    shown = picture.grab().toImage()
    assert shown != blank
    assert "2 doorbells" in picture.accessibleDescription()
    picture.set_theme(THEMES["light"])
    assert picture.grab().toImage() != shown
    picture.show_vm(None, SEEN, RATES)
    assert picture.plan is None
    picture.show_vm(VM, SEEN, RATES)
    picture.clear()
    assert picture.plan is None
