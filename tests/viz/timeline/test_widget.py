"""The timeline: what is in view, how it moves, and that its lanes hold what happened."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bellwire.engine.events import Lane
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model.live import journey_span
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.timeline.lane_painter import KIND_OF, column_picture, lane_rects
from bellwire.viz.timeline.view import LEAD, LONGEST, SHORTEST, TimeView, rounded_step
from bellwire.viz.timeline.widget import NAME_SIZE, Timeline
from tests.support.batch_source import drained
from tests.support.fake_source import HZ
from tests.support.models_at_20_hz import model_of, run
from tests.support.shifted import shifted_run
from tests.support.shipped_models import shipped_model
from tests.support.timelines import timeline_of


def place(timeline: Timeline, tsc: int, lane: str) -> QPointF:
    """Where a time is on the screen, in a lane."""
    share = (tsc - timeline.scene.start) / (timeline.scene.end - timeline.scene.start)
    area = timeline.area
    rect = lane_rects(area, timeline.scene.lanes)[f"{lane}0"]
    return QPointF(area.left() + share * area.width(), rect.center().y())


def wheel(timeline: Timeline, at: QPointF, turn: int, shift: bool = False) -> None:
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    none = QPointF().toPoint()
    timeline.wheelEvent(
        QWheelEvent(
            at, at, none, QPointF(0, turn).toPoint(), Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
        )
    )


def on_the_screen(timeline: Timeline) -> QImage:
    """What its window holds after all that was to be painted anew has been."""
    QApplication.processEvents()
    image = timeline.screen().grabWindow(timeline.winId()).toImage()
    return image.convertToFormat(QImage.Format.Format_RGB32)


def wholly_painted(timeline: Timeline) -> QImage:
    """The same, painted from nothing."""
    return timeline.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


# -- the view


def test_following_keeps_the_first_journey_in_one_place() -> None:
    model, source = model_of()
    view = TimeView(model)
    shares = []
    for _ in range(20):
        run(model, source, 0.05)
        view.advance()
        starts, ends = journey_span(model.journeys.window(view.start, view.end))
        shares.append((int(starts[0]) - view.start) / view.span)
        assert int(ends[-1]) <= view.end
        assert int(ends[-1]) == model.journeys.last
    assert shares == pytest.approx([LEAD] * 20, abs=0.01)


def test_in_slow_motion_pages_turn_no_faster_than_one_reads() -> None:
    for factor in (2.0, 100.0, 1e4, 1e6):
        model, source = model_of()
        view = TimeView(model)
        model.transport.set_factor(factor)
        pages = set()
        for _ in range(120):
            source.run(1 / 60)
            model.tick(1 / 60)
            view.advance()
            assert view.start <= model.playhead <= view.end
            pages.add(view.start)
        assert len(pages) <= 6, factor


def test_zoom_keeps_the_moment_at_the_pointer() -> None:
    model, _ = model_of()
    view = TimeView(model)
    view.advance()
    moment = view.start + 0.3 * view.span
    view.zoom(0.5, 0.3)
    assert view.start + 0.3 * view.span == pytest.approx(moment, abs=2)
    for _ in range(60):
        view.zoom(0.1)
    assert view.span == round(SHORTEST * HZ)
    for _ in range(60):
        view.zoom(10)
    assert view.span == LONGEST * HZ


def test_what_is_panned_stays() -> None:
    model, source = model_of()
    view = TimeView(model)
    view.advance()
    view.pan(-0.5)
    start = view.start
    run(model, source, 0.5)
    view.advance()
    assert view.start == start
    view.back_to_live()
    view.advance()
    assert view.end > model.journeys.last > view.start


def test_round_up_rises_and_is_round() -> None:
    values = [rounded_step(v) for v in np.geomspace(1e-7, 10, 200)]
    assert all(b >= a for a, b in pairwise(values))
    assert {f"{v:.1e}"[:3] for v in values} <= {"1.0", "1.5", "2.0", "3.0", "5.0", "7.0"}


# -- the widget


def test_what_is_painted_anew_is_all_that_has_changed(qtbot: QtBot) -> None:
    """The readout, where it was and where it is, with the lanes; the names of the lanes, which it may cover, too."""
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    first = timeline.scene.journeys[-1]
    for turn, tsc in ((0, first["ring"]), (120, first["ring"]), (-240, first["ring"]), (0, first["handler"])):
        at = place(timeline, int(tsc), "guest")
        QTest.mouseMove(timeline, at.toPoint())
        wheel(timeline, at, turn)
        assert timeline.pointer is not None
        assert timeline.journey_at(timeline.pointer).size
        assert on_the_screen(timeline) == wholly_painted(timeline), turn
        timeline.view.pan(0.02)
        timeline.redraw()
        assert on_the_screen(timeline) == wholly_painted(timeline)
    QTest.mouseMove(timeline, place(timeline, int(first["handler"]), "guest").toPoint())
    told = on_the_screen(timeline)
    QApplication.sendEvent(timeline, QEvent(QEvent.Type.Leave))
    assert on_the_screen(timeline) == wholly_painted(timeline) != told


def test_a_click_chooses_a_journey_in_all_views_and_holds(qtbot: QtBot) -> None:
    model, source = model_of()
    timeline = timeline_of(model, qtbot)
    journey = timeline.scene.journeys[-1]
    called = []
    model.selection.changed.append(lambda: called.append(1))
    middle = (int(journey["irq"]) + int(journey["handler"])) // 2
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place(timeline, middle, "kvm").toPoint())
    assert model.selection.journeys["seq"].tolist() == [journey["seq"]]
    assert called == [1]
    start = timeline.view.start
    run(model, source, 0.3)
    timeline.redraw()
    assert timeline.view.start == start
    assert timeline.live.isVisible()
    timeline.live.click()
    assert timeline.view.following
    assert not timeline.live.isVisible()


def test_a_click_beside_all_journeys_chooses_none(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    model.selection.choose(journeys=timeline.scene.journeys[-1:])
    rect = lane_rects(timeline.area, timeline.scene.lanes)["vcpu0"]
    nowhere = QPointF(timeline.area.right() - 2, rect.center().y())
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=nowhere.toPoint())
    assert model.selection.journeys.size == 0


def test_dragging_pans_and_does_not_choose(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    start, middle = timeline.view.start, timeline.area.center()
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    QTest.mouseMove(timeline, (middle + QPointF(100, 0)).toPoint())
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=(middle + QPointF(100, 0)).toPoint())
    moved = 100 * timeline.view.span / timeline.area.width()
    assert start - timeline.view.start == pytest.approx(moved, rel=0.05)
    assert model.selection.journeys.size == 0
    assert "standing still" in timeline.facts


def test_the_wheel_zooms_and_with_shift_it_pans(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    span = timeline.view.span
    wheel(timeline, timeline.area.center(), 120)
    assert timeline.view.span == pytest.approx(0.8 * span, rel=0.01)
    assert timeline.view.following
    start = timeline.view.start
    wheel(timeline, timeline.area.center(), -120, shift=True)
    assert timeline.view.start > start
    assert not timeline.view.following


def test_commands_zoom_pan_and_go_back_to_live(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    span = timeline.view.span
    timeline.zoom(0.5)
    assert timeline.view.span == pytest.approx(span / 2, abs=1)
    timeline.zoom(2.0)
    assert timeline.view.span == pytest.approx(span, abs=2)
    timeline.zoom(7.0)
    timeline.zoom_usual()
    assert timeline.view.span == pytest.approx(span, rel=0.5)
    timeline.pan(-0.2)
    assert not timeline.view.following
    timeline.back_to_live()
    assert timeline.view.following


def test_a_zoom_keeps_the_playhead_where_it_is(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    model.step(-1)
    timeline.redraw()
    x = timeline.scale.x(model.playhead)
    timeline.zoom(0.3)
    assert timeline.scale.x(model.playhead) == pytest.approx(x, abs=1)


def test_a_journey_longer_than_the_view_is_brought_into_it_whole(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    timeline.view.zoom(1e-6 * HZ / timeline.view.span)
    model.to_slowest(model.whole_latency)
    timeline.redraw()
    start, end = (int(times[0]) for times in journey_span(model.selection.journeys))
    assert timeline.view.start < start < end < timeline.view.end


def test_the_chosen_event_is_marked_in_its_lane(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    for _ in range(8):
        model.step_event(-1)
        timeline.redraw()
        event = model.selection.events[0]
        kind = KIND_OF.get(Lane(int(event["lane"])))
        if kind:
            at = place(timeline, int(event["tsc"]), kind) + QPointF(3, 0)
            assert timeline.grab().toImage().pixelColor(at.toPoint()) == DARK.color("selection"), event


def test_everything_held_fits(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    timeline.fit_all()
    assert timeline.view.start < model.events.first < model.events.last < timeline.view.end


# -- playhead and markers


def drag(timeline: Timeline, start: QPointF, end: QPointF) -> None:
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(timeline, ((start + end) / 2).toPoint())
    QTest.mouseMove(timeline, end.toPoint())
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=end.toPoint())


def test_the_playhead_is_dragged_above_the_lanes_and_below(qtbot: QtBot) -> None:
    model, source = model_of()
    timeline = timeline_of(model, qtbot)
    middle, area = timeline.area.center(), timeline.area
    for y in (area.top() - 8, area.bottom() + 8):
        model.to_newest()
        timeline.redraw()
        start = timeline.view.start
        drag(timeline, QPointF(middle.x() - 200, y), QPointF(middle.x(), y))
        assert model.state == "PAUSED"
        assert timeline.scale.x(model.playhead) == pytest.approx(middle.x(), abs=1)
        assert timeline.view.start == start
    held = model.journeys.total
    run(model, source, 0.2)
    assert model.journeys.total > held  # the capture goes on
    assert timeline.live.isVisible()


def test_what_is_not_held_cannot_be_scrubbed_to() -> None:
    model, _ = model_of(seconds=0.2)
    model.scrub(0)
    assert model.playhead == model.events.first
    model.scrub(2**62)
    assert model.playhead == model.now


def test_markers_stand_where_they_are_dragged_and_say_what_lies_between(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    journey = timeline.scene.journeys[-1]
    model.markers.put("A", int(journey["ring"]))
    model.markers.put("B", int(journey["doorbell"]))
    timeline.redraw()
    assert "A to B" in timeline.facts
    assert "1 doorbell, no interrupt" in timeline.facts
    top = timeline.area.top() - 8
    there = QPointF(timeline.scale.x(int(journey["handler"])) + 3, top)
    drag(timeline, QPointF(timeline.scale.x(int(journey["doorbell"])), top), there)
    assert model.markers.places["B"] == int(journey["handler"])  # an event is near
    assert "1 doorbell, 1 interrupt" in timeline.facts
    assert model.transport.following
    timeline.fit()
    assert timeline.view.span == pytest.approx(1.3 * (int(journey["handler"]) - int(journey["ring"])), rel=0.01)


@pytest.mark.parametrize("name", ["roundtrip", "roundtrip-userspace", "doorbell-mmio-exit", "irq-ioapic", "vm-to-vm"])
@pytest.mark.parametrize("seconds", [2e-6, 2e-4, 2e-2, 1.0, 10.0])
def test_paints_any_scenario_at_any_zoom(name: str, seconds: float, qtbot: QtBot) -> None:
    model, _ = model_of(name)
    timeline = timeline_of(model, qtbot)
    for theme in (LIGHT, DARK):
        timeline.set_theme(theme)
        timeline.view.zoom(seconds * HZ / timeline.view.span)
        timeline.refresh()
        timeline.redraw()
        assert not timeline.grab().isNull()
    assert (timeline.scene.shares is not None) == (seconds >= 0.1)
    assert timeline.scene.lanes


def test_selecting_elsewhere_brings_the_journey_into_view(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    assert model.step(-1)
    for _ in range(30):
        model.step(-1)
    timeline.redraw()
    start, end = (int(times[0]) for times in journey_span(model.selection.journeys))
    assert timeline.view.start <= start < end <= timeline.view.end
    timeline.fit()
    assert timeline.view.span == pytest.approx(1.3 * (end - start), rel=0.01)


def test_the_bins_miss_nothing_when_frames_are_skipped(qtbot: QtBot) -> None:
    model, source = model_of(seconds=0.1)
    timeline = timeline_of(model, qtbot)
    for span, skip in ((2.0, 1), (0.001, 2), (0.001, 5), (2.0, 3)):
        run(model, source, 0.05 * skip)
        timeline.view.zoom(span * HZ / timeline.view.span)
        timeline.redraw()
    start, end = model.events.first - HZ, model.events.last + HZ
    journeys = model.journeys.newest(model.journeys.total)
    busy = timeline.past.busy(["instruction0"], start, end, 5000)["instruction0"].mean() * (end - start)
    assert busy == pytest.approx(float((journeys["rung"] - journeys["ring"]).sum()), rel=1e-6)


def test_columns_are_as_high_as_their_share() -> None:
    picture = column_picture(np.array([0.0, 0.01, 0.5, 1.0]), 20, DARK.color("kvm"))
    heights = [sum(picture.pixelColor(x, y).alpha() > 0 for y in range(20)) for x in range(4)]
    assert heights == [0, 2, 10, 20]


def test_lanes_do_not_overlap(qtbot: QtBot) -> None:
    timeline = timeline_of(shipped_model("two-vcpus-doorbell"), qtbot)
    rects = list(lane_rects(timeline.area, timeline.scene.lanes).values())
    assert all(above.bottom() < below.top() for above, below in pairwise(rects))
    assert rects[-1].bottom() == pytest.approx(timeline.area.bottom())


@pytest.mark.parametrize("height", [120, 150, 200, 400])
def test_the_names_of_many_lanes_do_not_meet(height: int, qtbot: QtBot) -> None:
    timeline = timeline_of(shipped_model("two-vcpus-doorbell"), qtbot)
    timeline.resize(1200, height)
    timeline.redraw()
    lanes = timeline.scene.lanes
    assert len(lanes) == 6
    name = DARK.font(NAME_SIZE * timeline.label_scale, 600)
    rects = [lane_rects(timeline.area, lanes)[lane.key] for lane in lanes]
    apart = min(after.center().y() - before.center().y() for before, after in pairwise(rects))
    assert QFontMetricsF(name).tightBoundingRect("vCPU I/O 0").height() <= apart
    assert timeline.label_scale <= 1


def test_an_annotation_has_a_flag_that_leads_to_its_moment(qtbot: QtBot) -> None:
    model, _ = model_of()
    timeline = timeline_of(model, qtbot)
    model.transport.pause()
    timeline.redraw()
    before = timeline.grab().toImage()
    tsc = timeline.scene.start + (timeline.scene.end - timeline.scene.start) // 3
    model.annotations.all = (
        Annotation(AnnotationKind.NOTE, "always", PartPin("driver")),
        Annotation(AnnotationKind.NOTE, "here", PartPin("driver", tsc)),
    )
    timeline.redraw()
    flag = QPointF(timeline.scale.x(tsc), timeline.area.top() - 9).toPoint()
    assert before.copy(flag.x() - 8, flag.y() - 8, 80, 16) != timeline.grab().toImage().copy(
        flag.x() - 8, flag.y() - 8, 80, 16
    )
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=flag)
    assert (model.playhead, model.annotations.chosen) == (tsc, 1)


def test_of_clocks_that_are_apart_the_readout_gives_no_way_a_time(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    timeline = timeline_of(model, qtbot)
    monkeypatch.setattr(timeline, "journey_at", lambda _position: model.journeys.newest(1))
    timeline.pointer = QPointF(1, 1)
    told = [line.value for line in timeline._readout()]
    assert told.count("–") == 2
    assert sum("µs" in value for value in told) == 2  # what the guest alone has stamped
