"""Windows of VMMs that are none of our own, on a screen that has no room for all that they hold."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from bellwire.viz.attached.seen_window import SeenWindow
from bellwire.viz.style.scroll import ScarceArea
from tests.support.painted_text import clashes, scrolled_areas, texts_painted


def check_scrolled(window: SeenWindow, qtbot: QtBot) -> None:
    """On 1024x768 with doubled pixels, less what a desktop keeps for itself, all of it is there, and scrolled."""
    window.resize(512, 352)
    area = window.findChild(ScarceArea)
    assert area is not None
    qtbot.waitUntil(lambda: area.horizontalScrollBar().maximum() > 0)
    assert window.size().toTuple() == (512, 352)
    seen, all_of_it = area.viewport().size(), window.inside.size()
    assert area.horizontalScrollBar().maximum() == all_of_it.width() - seen.width()
    assert area.verticalScrollBar().maximum() == all_of_it.height() - seen.height()
    assert clashes(texts_painted(window.inside), scrolled_areas(window.inside)) == []
