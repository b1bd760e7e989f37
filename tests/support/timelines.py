"""Timelines that are shown."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import DARK, load_fonts
from bellwire.viz.timeline.widget import Timeline


def timeline_of(model: LiveModel, qtbot: QtBot) -> Timeline:
    """A timeline of 1200 x 200 that is on the screen and drawn."""
    load_fonts()
    timeline = Timeline(model, DARK)
    qtbot.addWidget(timeline)
    timeline.resize(1200, 200)
    timeline.show()
    timeline.redraw()
    return timeline
