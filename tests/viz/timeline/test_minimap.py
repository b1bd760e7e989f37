"""The minimap shows all that is held, how full that is and what is in view; the playhead is dragged in it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, Ink, PartPin
from bellwire.viz.model import history
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.timeline.minimap import LEAST_FRAME, Minimap, density_picture
from bellwire.viz.timeline.widget import Timeline
from tests.support.fake_source import HZ
from tests.support.models_at_20_hz import model_of, run
from tests.support.timelines import timeline_of


def mapped(timeline: Timeline) -> Minimap:
    """The minimap, having looked just now."""
    timeline.minimap._looked_at = 0.0
    timeline.redraw()
    return timeline.minimap


def drag(minimap: Minimap, start: float, end: float) -> None:
    y = minimap.height() / 2
    QTest.mousePress(minimap, Qt.MouseButton.LeftButton, pos=QPointF(start, y).toPoint())
    QTest.mouseMove(minimap, QPointF((start + end) / 2, y).toPoint())
    QTest.mouseMove(minimap, QPointF(end, y).toPoint())
    QTest.mouseRelease(minimap, Qt.MouseButton.LeftButton, pos=QPointF(end, y).toPoint())


def test_every_event_that_is_held_is_in_it(qtbot: QtBot) -> None:
    model, source = model_of()
    minimap = mapped(timeline_of(model, qtbot))
    assert minimap._span == (model.events.first, model.now)
    shown = {lane: counts.sum() for lane, counts in minimap.counts.items()}
    lanes = model.window(0, 2**62)["lane"]
    for lane in (Lane.GUEST, Lane.IO_THREAD):
        assert shown[lane] == pytest.approx((lanes == lane).sum(), rel=0.02)
    assert minimap.held_text == "1.00 s held"
    assert "full" in minimap.full_text
    run(model, source, 1.0)
    assert minimap.held_text == "2.00 s held"


def test_it_says_when_the_oldest_leaves(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 1024)
    model, source = model_of(seconds=0.1)
    timeline = timeline_of(model, qtbot)
    assert model.dropped_from_memory == 0
    model.events.limit = 4096
    run(model, source, 0.3)
    assert 0.8 < model.fill <= 1
    run(model, source, 1.0)
    minimap = mapped(timeline)
    assert minimap.full_text == "full: the oldest leaves"
    assert model.dropped_from_memory == model.events.total - len(model.events) > 0
    assert "only in a recording" in minimap.toolTip()


def test_dragging_in_it_moves_the_playhead_and_the_timeline_follows(qtbot: QtBot) -> None:
    model, source = model_of()
    timeline = timeline_of(model, qtbot)
    minimap = mapped(timeline)
    bar = minimap.bar
    drag(minimap, bar.left() + 200, bar.center().x())
    assert model.state == "PAUSED"
    assert model.playhead == pytest.approx((model.events.first + model.now) / 2, abs=0.01 * HZ)
    assert timeline.view.start <= model.playhead <= timeline.view.end
    total = model.journeys.total
    run(model, source, 0.1)
    assert model.journeys.total > total


def test_the_frame_is_what_the_timeline_shows_and_can_be_dragged(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    minimap = mapped(timeline)
    assert minimap.frame.width() == pytest.approx(LEAST_FRAME, abs=1)
    timeline.view.fit(model.events.first + round(0.5 * HZ), model.events.first + round(0.7 * HZ))
    timeline.redraw()
    before, frame = timeline.view.start, minimap.frame
    assert frame.width() == pytest.approx(minimap.bar.width() * 0.26, rel=0.02)
    drag(minimap, frame.center().x(), frame.center().x() - 100)
    moved = 100 * (minimap._span[1] - minimap._span[0]) / minimap.bar.width()
    assert before - timeline.view.start == pytest.approx(moved, rel=0.02)
    assert model.transport.following  # only the timeline has moved
    assert not timeline.view.following


def test_losses_and_markers_are_painted(qtbot: QtBot) -> None:
    model, _ = model_of()
    lost = event(model.now - HZ // 2, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 7)
    model._fold(lost)
    assert [(loss.lane, loss.count) for loss in model.losses] == [(Lane.VCPU, 7)]
    timeline = timeline_of(model, qtbot)
    minimap = mapped(timeline)
    assert "7 events lost" in minimap.toolTip()
    place = QPointF(minimap.scale.x(model.losses[0].tsc), minimap.bar.top() + 3).toPoint()
    assert minimap.grab().toImage().pixelColor(place).name() == DARK.color("heavy").name()
    model.markers.put("A", model.events.first + HZ // 4)
    for theme in (LIGHT, DARK):
        timeline.set_theme(theme)
        assert not timeline.grab().isNull()


def test_a_column_is_as_high_as_the_root_of_its_count(qtbot: QtBot) -> None:
    model, _ = model_of(seconds=0.1)
    minimap = mapped(timeline_of(model, qtbot))
    counts = {lane: value[:4] * 0 for lane, value in minimap.counts.items()}
    counts[Lane.GUEST][:] = [0, 1, 25, 100]
    picture = density_picture(counts, 20, DARK)
    heights = [sum(picture.pixelColor(x, y).alpha() > 0 for y in range(20)) for x in range(4)]
    assert heights == [0, 2, 10, 20]


def test_where_the_timeline_is_low_the_lanes_get_the_room(qtbot: QtBot) -> None:
    model, _ = model_of(seconds=0.1)
    timeline = timeline_of(model, qtbot)
    assert timeline.minimap.isVisible()
    timeline.resize(1200, 150)
    assert not timeline.minimap.isVisible()
    assert timeline.area.height() > 60
    timeline.redraw()
    assert "% full" in timeline.facts


def test_it_shows_where_somebody_has_written_something(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    minimap = mapped(timeline)
    tsc = model.now - HZ // 2
    before = minimap.grab().toImage()
    model.annotations.add(Annotation(AnnotationKind.NOTE, "here", PartPin("driver", tsc), Ink.HEAVY))
    after, at = minimap.grab().toImage(), QPointF(minimap.scale.x(tsc), minimap.bar.bottom() - 4).toPoint()
    assert before.pixelColor(at) != after.pixelColor(at) == DARK.color("heavy")
