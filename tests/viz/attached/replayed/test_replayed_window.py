"""A recording of an attached VMM in its window: the picture of the moment, rows, time control; a replay says so."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.attached import seen_rows
from bellwire.engine.recordings.attached.seen_rows import SeenRow, SeenRowKind
from bellwire.engine.recordings.recorder import write_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.attached.replayed.replayed_window import ReplayedWindow
from bellwire.viz.attached.replayed.seen_timeline import lasting
from bellwire.viz.style.theme import THEMES
from tests.support.heard import unnamed, unreached
from tests.support.scrolled import check_scrolled
from tests.support.seen_recordings import FIRST, MS, NOTES, VCPU, attached_header, seen_recording, seen_stream
from tests.support.seen_vmms import VM


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[ReplayedWindow]:
    """Of two seconds, paused at the beginning, all of it read."""
    made = ReplayedWindow(seen_recording(tmp_path / "seen.arrow"), lambda: THEMES["dark"])
    made._timer.stop()
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.density.wait()
    made.playhead.pause()
    made.resize(1280, 720)
    made.show()
    made.refresh()
    yield made
    made.close()


def test_of_an_emulated_cpu_it_says_that_times_mean_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "emulated.arrow"
    with path.open("wb") as file:
        header = attached_header()
        host = {**header.host, "cpu": "QEMU TCG CPU version 2.5+"}
        write_recording(file, replace(header, host=host), [seen_stream(50)], notes=NOTES)
    made = ReplayedWindow(Recording(path, attached=True), lambda: THEMES["dark"])
    qtbot.addWidget(made)
    made.show()
    assert "emulated CPU (TCG)" in made.warning.text()
    assert made.warning.isVisible()
    made.close()


def wire_titles(window: ReplayedWindow) -> list[str]:
    """The wires of the picture."""
    assert window.picture.plan is not None
    return [node.title for name, node in window.picture.plan.blueprint.nodes.items() if name.startswith("guest")]


def test_the_picture_is_of_the_moment(window: ReplayedWindow) -> None:
    window.seek(FIRST + 900 * MS)
    before = wire_titles(window)
    assert any(title.startswith("MMIO 0xfe003000") and title.endswith("/s") for title in before)
    assert window.changes.isHidden()
    window.seek(FIRST + 1500 * MS)
    assert len(wire_titles(window)) == len(before) + 1
    assert "New: ioeventfd at port 0x600" in window.changes.text()
    window.to_the_beginning()
    assert wire_titles(window) == [title.split("  ")[0] for title in before]  # less than a tenth of a second: no rate


def test_what_the_file_no_longer_has_did_not_happen_0_times(window: ReplayedWindow) -> None:
    """Cut off while it is shown: without a word each row and wire had 0 a second."""
    recording = window.recording
    assert window.warning.isHidden()
    os.truncate(recording.path, int(recording.entries["offset"][-1]) + 100)
    recording._cache.clear()
    recording._parts.clear()
    window.to_the_end()
    assert "cut off, replaced or removed" in window.warning.text()
    assert window.warning.isVisible()
    assert window.timeline.rates == {}
    assert not any(title.endswith("/s") for title in wire_titles(window))
    assert recording.unread(recording.first, recording.last)


def test_rows_say_how_often_a_second_at_the_moment(window: ReplayedWindow) -> None:
    window.seek(FIRST + 1500 * MS)
    rates = {row.kind: rate for row, rate in window.timeline.rates.items()}
    assert rates[SeenRowKind.DOORBELL] == pytest.approx(1000, abs=2)
    assert rates[SeenRowKind.THREAD] == pytest.approx(1000, abs=2)
    assert rates[SeenRowKind.VCPU] == pytest.approx(1100, abs=2)  # injected, and each tenth an exit
    assert window.timeline.rows == sorted(window.density.rows)
    window.to_the_beginning()
    assert window.timeline.rates == {}


def test_a_replay_says_so(window: ReplayedWindow) -> None:
    assert window.state.words == "REPLAY, PAUSED"
    window.toggle()
    assert window.state.words == "REPLAY"
    window.playhead.advance(0.25)
    window.refresh()
    assert window.when.words == "250 ms of 2.00 s"
    window.to_the_end()
    assert window.state.words == "REPLAY, ENDED"
    assert "seen from outside" in window.about.text()
    assert "qemu-system-x86_64 · web" in window.windowTitle()


def test_keys_are_the_time_control(window: ReplayedWindow) -> None:
    window.slow.setValue(6)  # 1:100
    assert window.factor.words == "1 : 1"
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.playhead.tsc == pytest.approx(FIRST + 10 * MS, abs=1)
    QTest.keyClick(window, Qt.Key.Key_Left)
    assert window.playhead.tsc == FIRST
    QTest.keyClick(window, Qt.Key.Key_End)
    assert window.playhead.at_the_end
    QTest.keyClick(window, Qt.Key.Key_Home)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert window.playhead.plays
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert not window.playhead.plays


def test_a_program_that_was_stopped_goes_on_where_it_was(window: ReplayedWindow) -> None:
    """By the seconds of a frame, not by those for which it stood still."""
    window.slow.setValue(0)
    QTest.keyClick(window, Qt.Key.Key_Home)
    QTest.keyClick(window, Qt.Key.Key_Space)
    stood = window.playhead.tsc
    window._last -= 2.0
    window.tick()
    assert 0 < window.recording.header.clock.ns(window.playhead.tsc - stood) <= 1e8 + 1e5


def test_the_wheel_zooms_a_drag_pans_and_a_click_moves_the_playhead(window: ReplayedWindow) -> None:
    timeline = window.timeline
    middle = QPointF(timeline.area.center())
    span, start = timeline.span, timeline.start
    turned = QWheelEvent(
        middle, timeline.mapToGlobal(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    timeline.wheelEvent(turned)
    assert timeline.span == pytest.approx(0.8 * span, rel=1e-3)
    at = middle.toPoint()
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(timeline, at - QPoint(100, 0))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=at - QPoint(100, 0))
    assert timeline.start > start
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at)
    assert window.playhead.tsc == pytest.approx(timeline.scale.tsc(at.x()), abs=timeline.span / 500)
    timeline.show_all()
    assert timeline.span == window.playhead.last - window.playhead.first


def test_what_lasts_is_as_long_as_it_took(window: ReplayedWindow) -> None:
    exact = window.density.exact(FIRST, FIRST + 10 * MS)
    assert exact is not None
    thread = next(row for row in exact if row.kind == SeenRowKind.THREAD)
    waits = lasting(thread, exact[thread], FIRST, FIRST + 10 * MS)
    assert {last - first for first, last in waits} == {2500}
    vcpu = SeenRow(SeenRowKind.VCPU, 0, VCPU)
    assert {last - first for first, last in lasting(vcpu, exact[vcpu], FIRST, FIRST + 10 * MS)} == {7000}
    half = exact[vcpu][exact[vcpu]["tsc"] <= FIRST + 100_000]
    assert lasting(vcpu, half, FIRST, FIRST + 200_000) == [(FIRST + 100_000, FIRST + 200_000)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("exact", [200_000, 0])
def test_it_is_painted_in_each_theme_exact_or_not(
    window: ReplayedWindow, monkeypatch: pytest.MonkeyPatch, theme: str, exact: int
) -> None:
    monkeypatch.setattr(seen_rows, "EXACT", exact)
    window._theme = lambda: THEMES[theme]
    window.take_theme()
    timeline = window.timeline
    timeline._looked = (0, 0)
    timeline.refresh()
    assert (timeline.exact is None) == (exact == 0)
    for place in (timeline.area.topLeft() + QPointF(2, 4), timeline.area.center()):
        timeline._pointer = place
        assert not timeline.grab().isNull()
    timeline.show_all()
    picture = timeline.grab().toImage()
    color = THEMES[theme].color("doorbell").rgb()
    row = next(place for row, place in timeline._rows_shown() if row.kind == SeenRowKind.DOORBELL)
    scale = picture.width() / timeline.width()
    pixels = [picture.pixel(round(x * scale), round(row.center().y() * scale)) for x in range(340, 1200)]
    assert np.count_nonzero([abs((pixel & 0xFF) - (color & 0xFF)) < 60 for pixel in pixels]) > 100


def test_rows_that_have_no_room_can_be_scrolled_to(window: ReplayedWindow) -> None:
    timeline = window.timeline
    row = next(iter(window.density.rows))
    many = {SeenRow(SeenRowKind.LINE, 0, n): window.density.rows[row] for n in range(60)}
    window.density.rows = window.density.rows | many
    timeline.refresh()
    assert timeline.scroller.isVisible()
    first = timeline._rows_shown()[0][0]
    QTest.keyClick(timeline, Qt.Key.Key_PageDown)
    assert timeline._rows_shown()[0][0] != first
    assert timeline.accessibleDescription().startswith("64 rows")


def test_all_of_it_has_a_name_and_can_be_reached(window: ReplayedWindow) -> None:
    assert unnamed(window) == []
    assert unreached(window, set()) == []


def test_nothing_goes_on_once_it_is_closed(window: ReplayedWindow) -> None:
    window.close()
    assert "density" not in {thread.name for thread in threading.enumerate()}
    assert window.recording._held == -1
    assert VM.fd == 11


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
def test_on_a_small_screen_it_is_scrolled(window: ReplayedWindow, qtbot: QtBot) -> None:
    check_scrolled(window, qtbot)
