"""The panel Compare: two sets over each other, told apart by line and letter, in the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from pytestqt.qtbot import QtBot

from bellwire.viz.model.baseline import Baseline
from bellwire.viz.panels.compare.painter import ComparePainter
from bellwire.viz.panels.compare.panel import ComparePanel
from bellwire.viz.panels.compare.rows import NOTHING_YET, FigureRow
from bellwire.viz.style.theme import DARK, LIGHT, Theme, load_fonts
from bellwire.viz.text.figures import Durations, unit_called
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.compared import model_at_switch, recorded
from tests.support.fake_source import FakeSource
from tests.support.painted_text import texts_painted


def shown(qtbot: QtBot, switch: bool = True, theme: Theme = DARK, size: tuple[int, int] = (1500, 200)) -> ComparePanel:
    load_fonts()
    panel = ComparePanel(model_at_switch(switch), theme)
    panel.set_theme(theme)
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    panel.redraw()
    return panel


def image(panel: ComparePanel) -> QImage:
    return panel.grab().toImage()


def test_a_switch_is_what_there_is_to_compare(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    assert panel.pair is not None
    assert [entry.label for entry in panel.legend.values()] == ["A: before ioeventfd off", "B: after ioeventfd off"]
    assert [entry.dashed for entry in panel.legend.values()] == [True, False]
    assert [row.name for row in panel.rows][:3] == ["p50", "p50, drift within", "p99"]
    assert "p50: A" in panel.accessibleDescription()
    assert panel.latency.currentText() == "round trip"
    panel.latency.setCurrentIndex(0)
    assert panel.pair.color == "doorbell"


def test_without_one_it_says_what_to_do(qtbot: QtBot) -> None:
    panel = shown(qtbot, switch=False)
    assert panel.pair is None
    assert panel.accessibleDescription() == NOTHING_YET
    assert all(entry.isHidden() for entry in panel.legend.values())
    assert panel.latency.isHidden()


def test_each_side_can_be_switched_off(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    pictures = [image(panel)]
    for entry in panel.legend.values():
        entry.click()
        pictures.append(image(panel))
    charts = [picture.copy(10, 44, 600, 120) for picture in pictures]
    assert charts[0] != charts[1] != charts[2]


@pytest.mark.parametrize("theme", [DARK, LIGHT, DARK.scaled(1.5)], ids=["dark", "light", "large"])
@pytest.mark.parametrize("size", [(1500, 200), (900, 110), (400, 90), (2500, 500)])
def test_it_can_be_painted_at_any_size(qtbot: QtBot, theme: Theme, size: tuple[int, int]) -> None:
    panel = shown(qtbot, theme=theme, size=size)
    assert not image(panel).isNull()
    assert panel.legend["b"].geometry().right() <= panel.latency.x() or panel.legend["b"].isHidden()


@pytest.mark.parametrize("unit", ["fitting", "ns", "cycles"])
def test_every_figure_has_room(qtbot: QtBot, unit: str) -> None:
    Durations.unit = unit_called(unit, 2e9)
    panel = shown(qtbot)
    painter = ComparePainter(QPainter(), panel.theme, panel.body)
    for row in panel.rows:
        for column, width in enumerate(painter._widths(panel.rows)):
            assert QFontMetricsF(painter._font(row, column)).horizontalAdvance(str(row[column])) + 12 <= width


@pytest.mark.parametrize("width", [700, 800, 960])
def test_where_there_is_little_room_words_give_way_and_no_figure_is_cut(qtbot: QtBot, width: int) -> None:
    """An interval lost its end's digits, beside words that were cut as well."""
    panel = shown(qtbot, size=(width, 400))
    texts = {piece.text for piece in texts_painted(panel)}
    assert {row.difference for row in panel.rows} - {""} <= texts


def test_what_has_no_words_has_their_room(qtbot: QtBot) -> None:
    panel = shown(qtbot, size=(800, 400))
    said = "a difference of which there is much to say"
    panel.rows = [*panel.rows, FigureRow("other host", "", "", said)]
    panel.update()
    assert said in {piece.text for piece in texts_painted(panel)}


@pytest.mark.parametrize(("faster", "tick"), [(1.0, "cyc"), (1.5, "µs")])
def test_an_axis_of_both_is_in_cycles_only_where_those_are_equally_long(
    qtbot: QtBot, tmp_path: Path, faster: float, tick: str
) -> None:
    panel = shown(qtbot)
    baseline = Baseline(recorded(tmp_path / "a.arrow"))
    baseline.wait()
    assert baseline.side is not None
    baseline.side = replace(baseline.side, hz=faster * baseline.side.hz)
    panel.model.baseline = baseline
    Durations.unit = unit_called("cycles", panel.model.clock.hz)
    panel.redraw()
    ticks = [piece.text for piece in texts_painted(panel) if re.fullmatch(r"[\d.]+k? (cyc|ns|µs)", piece.text)]
    assert ticks
    assert {text.split()[-1] for text in ticks} == {tick}


def test_paused_the_figures_stand_still(qtbot: QtBot) -> None:
    panel = shown(qtbot)
    source = panel.model.source
    assert isinstance(source, FakeSource)
    panel.model.transport.pause()
    before = panel.rows
    source.run(0.5)
    panel.model.tick(0.05)
    panel._turns._due = 0.0
    panel.refresh()
    assert panel.rows is before


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = make_window(FakeSource(), theme=DARK, make_source=FakeSource)
    qtbot.addWidget(made)
    made.resize(1600, 900)
    made.show()
    yield made
    made.close()


def test_a_recording_beside_this_run(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """It stays the one to compare with when another scenario is run; the other action leads back to the switch."""
    panel = window.views.panel("compare")
    window.commands.compare_with(recorded(tmp_path / "a.arrow"))
    assert panel.isVisible()
    baseline = window.model.baseline
    assert baseline is not None
    qtbot.waitUntil(lambda: baseline.side is not None)
    source = window.model.source
    assert isinstance(source, FakeSource)
    source.run(0.5)
    window.model.tick(0.05)
    panel.redraw()
    assert panel.legend["a"].label == "A: a.arrow"
    other = FakeSource()
    other.start()
    window.shown.show_source(other)
    assert window.model.baseline is baseline
    window.run_action(BY_NAME["compare_at_switch"])
    assert window.model.baseline is None
