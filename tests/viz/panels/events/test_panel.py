"""The event table in its panel: one choice in all views, a filter that is typed, rows to take along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.steps import begin_and_end
from bellwire.viz.panels.events.filter_line import FilterLine
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.style.theme import DARK, LIGHT
from tests.support.fake_source import FakeSource

KEYS = Qt.Key


class Stage:
    """A panel on a running source."""

    def __init__(self, qtbot: QtBot, seconds: float = 0.5) -> None:
        self.source = FakeSource()
        self.source.start()
        self.model = LiveModel(self.source)
        self.panel = EventsPanel(self.model, DARK)
        qtbot.addWidget(self.panel)
        self.panel.resize(1200, 320)
        self.panel.set_theme(DARK)
        self.panel.show()
        self.run(seconds)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 20)):
            self.source.run(1 / 20)
            self.model.tick(1 / 20)
        self.panel.redraw()

    @property
    def positions(self) -> list[int]:
        return [row.position for row in self.panel.table.page.rows]

    def find(self, text: str) -> None:
        self.panel.line.say(text)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.panel.table, key, modifiers)

    def click(self, row: int) -> None:
        table = self.panel.table
        height = table.verticalHeader().defaultSectionSize()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, row * height + 5))


@pytest.fixture
def stage(qtbot: QtBot) -> Stage:
    return Stage(qtbot)


def test_it_follows_and_holds_no_more_rows_than_it_shows(stage: Stage) -> None:
    panel = stage.panel
    assert stage.positions[-1] == stage.model.events.total - 1
    assert len(stage.positions) == panel.table.room < 20
    first = stage.positions
    stage.run(0.2)
    assert stage.positions != first
    assert "following" in panel.says.text()
    assert panel.live.isHidden()


def test_scrolling_away_holds_the_rows_and_a_button_leads_back(stage: Stage) -> None:
    nowhere = QPoint()
    keys, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), nowhere, QPoint(0, 120), Qt.MouseButton.NoButton, keys, phase, False
    )
    stage.panel.table.wheelEvent(turn)
    held = stage.positions
    assert held[-1] == stage.model.events.total - 4
    stage.run(0.3)
    assert stage.positions == held
    assert not stage.panel.live.isHidden()
    stage.panel.live.click()
    assert stage.positions[-1] == stage.model.events.total - 1
    assert stage.panel.live.isHidden()


def test_choosing_a_row_chooses_event_and_journey_everywhere_and_pauses_only_the_view(stage: Stage) -> None:
    stage.find("kind=irqfd")
    stage.click(2)
    chosen = stage.model.selection
    event = stage.panel.table.page.rows[2].event
    assert chosen.events[0] == event
    assert event["kind"] == EventKind.IRQFD
    assert int(chosen.journeys["irq"][0]) == int(event["tsc"])
    assert stage.model.playhead == int(event["tsc"])
    assert stage.model.state == "PAUSED"
    held, total = stage.positions, stage.model.events.total
    stage.run(0.3)
    assert stage.model.events.total > total
    assert stage.positions == held
    assert stage.panel.list.chosen in held


def test_what_is_chosen_elsewhere_comes_into_view(stage: Stage) -> None:
    journey = stage.model.journeys.newest(200)[:1]
    stage.model.transport.seek(begin_and_end(journey)[0])
    stage.model.selection.choose(journeys=journey)
    row = next(row for row in stage.panel.table.page.rows if row.position == stage.panel.list.chosen)
    assert (row.event["kind"], row.event["seq"]) == (EventKind.RING, journey["seq"][0])
    assert sum(row.of_choice for row in stage.panel.table.page.rows) >= 4
    stage.model.to_newest()
    stage.run(0.1)
    assert stage.panel.list.chosen == -1
    assert stage.positions[-1] == stage.model.events.total - 1


def test_what_came_since_the_last_look_can_be_chosen_elsewhere(stage: Stage) -> None:
    for _ in range(3):
        stage.source.run(1 / 20)
        stage.model.tick(1 / 20)
    stage.model.step(-1)
    assert stage.panel.list.chosen in stage.positions
    assert sum(row.of_choice for row in stage.panel.table.page.rows) >= 2


def test_of_many_rows_it_is_said_which_are_copied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.panels.events.panel.MOST_COPIED", 2)
    stage.find("kind=ring")
    stage.key(KEYS.Key_Up)
    stage.key(KEYS.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    stage.key(KEYS.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "copied" not in stage.panel.says.text()
    stage.key(KEYS.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    marked = stage.panel.list.marked()
    assert marked.size == 3
    assert sum(row in stage.panel.table.page.marked for row in marked.tolist()) == 3
    stage.key(KEYS.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert stage.panel.says.text().endswith("copied: the last 2 of 3 rows")
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2
    stage.key(KEYS.Key_Up)
    assert "copied" not in stage.panel.says.text()


def test_keys_move_the_choice_and_copy_it(stage: Stage) -> None:
    stage.find("kind=ring")
    stage.key(KEYS.Key_Up)
    last = stage.panel.list.chosen
    stage.key(KEYS.Key_Up)
    stage.key(KEYS.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert stage.panel.list.marked().size == 2
    stage.key(KEYS.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 2
    assert all("\tring\tOUT 0x510: doorbell #" in line for line in lines)
    stage.key(KEYS.Key_Home)
    assert stage.panel.list.chosen == stage.positions[0] == int(stage.panel.list.search.positions(0, 1)[0])
    stage.key(KEYS.Key_PageDown)
    assert stage.panel.list.chosen in stage.positions
    stage.key(KEYS.Key_End)
    assert stage.panel.list.chosen >= last


def test_mistakes_are_said_and_the_last_good_filter_holds(stage: Stage) -> None:
    stage.find("kind=ring")
    rings = len(stage.panel.list)
    assert {int(row.event["kind"]) for row in stage.panel.table.page.rows} == {EventKind.RING}
    stage.find("kind=rang")
    assert stage.panel.says.text().startswith("✗ There is no kind rang")
    assert len(stage.panel.list) == rings
    stage.find("")
    assert len(stage.panel.list) == stage.model.events.total


def test_a_filter_that_nothing_fits_says_so(stage: Stage) -> None:
    stage.find("number=999999999")
    assert stage.panel.table.isHidden()
    assert not stage.panel.grab().isNull()
    stage.find("")
    assert not stage.panel.table.isHidden()


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of the list of words
def test_a_word_that_is_being_typed_is_completed_and_is_no_mistake(qtbot: QtBot) -> None:
    line = FilterLine()
    qtbot.addWidget(line)
    line.show()
    line.setFocus()
    QTest.keyClicks(line, "not (kind=exi")
    line._complete("kind=exit")
    popup = line._completer.popup()
    assert popup is not None
    popup.hide()
    assert line.text() == "not (kind=exit"
    QTest.keyClicks(line, ")")
    line._ask()
    assert line.trouble == ""
    QTest.keyClick(line, KEYS.Key_Escape)
    assert line.text() == ""


def test_the_filtered_rows_are_saved_piece_by_piece(stage: Stage) -> None:
    stage.find("kind=handler")
    content = stage.panel.content(Path("events.csv"))
    head = next(content)
    stage.panel._say()
    assert stage.panel.says.text() == "saving 0%"
    lines = (head + b"".join(content)).decode().splitlines()
    stage.panel._say()
    assert "saving" not in stage.panel.says.text()
    handlers = stage.model.events.at(0, stage.model.events.total)["kind"] == EventKind.HANDLER
    assert len(lines) == 1 + np.count_nonzero(handlers)


@pytest.mark.parametrize("theme", [DARK, LIGHT.scaled(1.5)])
def test_it_fits_a_small_window(stage: Stage, theme: object) -> None:
    stage.panel.resize(916, 190)
    stage.panel.set_theme(theme)  # type: ignore[arg-type]
    stage.panel.redraw()
    assert stage.panel.line.width() >= 150
    assert stage.panel.table.geometry().right() <= stage.panel.width()
    assert len(stage.positions) >= 2
