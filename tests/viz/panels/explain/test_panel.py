"""The panel Explain: a click chooses the journey and its part, nothing is done while it is hidden, all is read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.folds.latency import begin
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stages_possible
from bellwire.viz.panels.explain.chart import PLACES, Aim
from bellwire.viz.panels.explain.panel import ExplainPanel
from bellwire.viz.panels.explain.shown_bars import NONE_ENDED
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.style.theme import DARK, LIGHT, Theme, load_fonts
from bellwire.viz.text.figures import Durations, unit_called
from tests.support.fake_source import FakeSource


def panel_on(qtbot: QtBot, name: str = "roundtrip", seconds: float = 0.5, theme: Theme = DARK) -> ExplainPanel:
    load_fonts()
    source = FakeSource(name)
    source.start()
    panel = ExplainPanel(LiveModel(source), theme)
    panel.set_theme(theme)
    qtbot.addWidget(panel)
    panel.resize(1500, 260)
    panel.show()
    run(panel, 0.0)
    run(panel, seconds)
    return panel


def run(panel: ExplainPanel, seconds: float) -> None:
    source = panel.model.source
    assert isinstance(source, FakeSource)
    source.run(seconds)
    panel.model.tick(seconds)
    panel._made_at = 0.0  # the second for which bars stand is over
    panel.redraw()


def click(panel: ExplainPanel, bar: int, part: tuple[int, int] | None) -> None:
    where = panel.chart.layout_now.of_aim(bar, part).center().toPoint()
    QTest.mouseClick(panel.chart, Qt.MouseButton.LeftButton, pos=where)


def test_a_click_on_a_bar_chooses_its_journey(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    slowest = panel.bars.bars[2].told
    assert slowest is not None
    click(panel, 2, None)
    assert begin(panel.model.selection.journeys) == begin(slowest.journey)
    assert panel.model.state == "PAUSED"
    chosen = panel.bars.bars[3].told
    assert chosen is not None
    assert begin(chosen.journey) == begin(slowest.journey)


def test_a_click_on_a_part_goes_into_it_so_that_every_view_stands_there(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    bar = panel.bars.bars[0]
    for key, (share, _) in list(bar.parts.items()):
        panel.model.to_newest()
        panel.redraw()
        click(panel, 0, key)
        assert stages_possible(panel.model) & {stop.name for stop in share.stops}, share.title
        assert {stop.name for stop in share.stops} <= stages_possible(panel.model) | {share.stops[0].name}


def test_keys_reach_every_part_and_choose(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    keys = Qt.Key
    for key in (keys.Key_Down, keys.Key_Down, keys.Key_Right):
        QTest.keyClick(panel.chart, key)
    assert panel.chart.aim == Aim(1, next(iter(panel.bars.bars[1].parts)))
    assert "p99 #" in panel.chart.accessibleDescription()
    QTest.keyClick(panel.chart, keys.Key_Return)
    told = panel.bars.bars[3].told
    assert told is not None
    assert begin(panel.model.selection.journeys) == begin(told.journey)


def test_nothing_is_done_while_it_is_hidden_and_bars_stand_for_a_second(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    made, taken = panel.computed, panel.held.taken
    panel.hide()
    source = panel.model.source
    assert isinstance(source, FakeSource)
    for _ in range(5):
        source.run(0.1)
        panel.model.tick(0.1)
        panel._turns._due = 0.0
        panel.refresh()
    assert (panel.computed, panel.held.taken) == (made, taken)
    panel.show()
    panel._made_at = float("inf")  # not a second ago
    panel.redraw()
    assert panel.held.taken > taken
    assert panel.computed == made
    panel._made_at = 0.0
    panel.redraw()
    assert panel.computed == made + 1
    panel.model.transport.pause()
    panel.redraw()
    panel.redraw()
    assert panel.computed == made + 1  # while nothing moves nothing is made anew


def test_where_there_is_nothing_it_says_why(qtbot: QtBot) -> None:
    panel = panel_on(qtbot, seconds=0.0)
    assert panel.bars.why == panel.accessibleDescription() == NONE_ENDED
    assert panel._scroll.isHidden()
    assert panel.chart.aim_at(5, 5) is None
    run(panel, 0.5)
    assert not panel._scroll.isHidden()


def test_of_several_ways_one_can_be_wanted(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    assert panel.ways.isHidden()
    panel.model.source.order(Order.IOEVENTFD, False)
    run(panel, 0.5)
    assert not panel.ways.isHidden()
    newest = panel.bars.way
    panel.ways.activated.emit(1 + next(n for n, way in enumerate(panel.bars.ways) if way != newest))
    assert panel.bars.way != newest
    panel.ways.activated.emit(0)
    assert panel.bars.way == newest


@pytest.mark.parametrize(
    "theme", [DARK, LIGHT.scaled(0.8), DARK.scaled(1.5), LIGHT.scaled(2)], ids=["100", "80", "150", "200"]
)
@pytest.mark.parametrize("size", [(1876, 240), (1236, 200), (1236, 520), (2500, 400), (420, 300)])
def test_texts_have_room_and_do_not_meet(qtbot: QtBot, theme: Theme, size: tuple[int, int]) -> None:
    panel = panel_on(qtbot, theme=theme)
    slowest = panel.bars.bars[2].told
    assert slowest is not None
    panel.model.selection.choose(journeys=slowest.journey)
    panel.resize(*size)
    panel.redraw()
    panel.chart.resize(panel.chart.width(), max(panel.chart.heightForWidth(panel.chart.width()), size[1] - 60))
    where = panel.chart.layout_now
    assert not panel.grab().isNull()
    inside = panel.chart.rect().toRectF()
    for n, cell in enumerate(where.texts):
        assert inside.adjusted(-1, -1, 1, 1).contains(cell.rect), cell.text
        met = [other.text for other in where.texts[n + 1 :] if cell.rect.adjusted(1, 1, -1, -1).intersects(other.rect)]
        assert not met, cell.text
        figure = cell.bar >= 0 and cell.align & Qt.AlignmentFlag.AlignRight
        assert not figure or QFontMetricsF(cell.font).horizontalAdvance(cell.text) <= cell.rect.width() + 1, cell.text
    for cell in where.segments:
        assert not cell.text or QFontMetricsF(cell.font).horizontalAdvance(cell.text) <= cell.rect.width()
    wholes = [sum(cell.rect.width() for cell in where.segments if cell.bar == bar) for bar in range(4)]
    assert max(wholes) - min(wholes) < 1e-6 < wholes[0]


def test_a_chosen_unit_is_that_of_every_time(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_on(qtbot)
    monkeypatch.setattr(Durations, "unit", unit_called("cycles", 2e9))
    panel.redraw()
    figures = [cell.text for cell in panel.chart.layout_now.texts if "100.0 %" in cell.text]
    assert len(figures) == 3
    assert all("cycles" in text for text in figures)


def test_every_place_has_its_colour() -> None:
    stages = load_anatomy().stages.values()
    assert {stage.place for stage in stages} <= set(PLACES)
    assert len(set(PLACES.values())) == len(PLACES)


def test_hovering_tells_the_time_and_the_rule(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    bounded = next(key for key, (share, _) in panel.bars.bars[0].parts.items() if share.bound)
    spot = panel.chart.layout_now.of_aim(0, bounded).center()
    aim = panel.chart.aim_at(spot.x(), spot.y())
    assert aim == Aim(0, bounded)
    assert aim is not None
    told = panel.tell(aim)
    assert panel.bars.bars[0].parts[bounded][0].rule in told
    assert "cycles" in told
    QTest.mouseMove(panel.chart, spot.toPoint() + QPoint(1, 0))
