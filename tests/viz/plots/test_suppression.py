"""Signals per buffer: doorbells by buffers added, interrupts by buffers used, and only where there are buffers."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from bellwire.engine.events import BUFFERS_ADDED, BUFFERS_USED, Switch
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.rates import BAR
from bellwire.viz.plots.suppression import SIGNALS, SuppressionPlot, newest_ratio, ratios_per_buffer
from bellwire.viz.style.theme import DARK, load_fonts
from bellwire.viz.window.views import Views
from tests.support.fake_source import FakeSource
from tests.support.plots import has_color, model_of, shown


@pytest.fixture(autouse=True)
def fonts(qtbot: QtBot) -> None:
    load_fonts()


def test_a_quarter_of_a_kick_and_an_eighth_of_an_interrupt_per_buffer() -> None:
    """As the fake device has it: four buffers a kick, every second kick an interrupt."""
    model = model_of("virtqueue", 3.0)
    tally, end = model.tally, model.second[1] // BAR
    kicks, irqs = (ratios_per_buffer(model.past, signal, end - 7, end) for signal in SIGNALS)
    assert kicks == pytest.approx(np.full(7, 0.25), abs=0.02)
    assert irqs == pytest.approx(np.full(7, 0.125), abs=0.02)
    assert tally.doorbells_rung / tally.buffers_used == pytest.approx(0.25, abs=0.01)


def test_rates_count_both_indices_of_a_virtqueue() -> None:
    model = model_of("virtqueue", 1.0)
    first, last = model.rates.oldest, model.rates.newest + 1
    for index, counted in ((BUFFERS_ADDED, model.tally.buffers_added), (BUFFERS_USED, model.tally.buffers_used)):
        assert model.rates.between(f"buffers {index}", first, last).sum() == counted > 0


def test_without_a_buffer_there_is_no_ratio() -> None:
    past = LiveModel(FakeSource("virtqueue")).past
    assert np.isnan(ratios_per_buffer(past, SIGNALS[0], 0, 3)).all()
    assert newest_ratio(ratios_per_buffer(past, SIGNALS[0], 0, 3)) == 0
    assert newest_ratio(np.array([0.5, 0.25, np.nan])) == 0.25


def test_lines_in_both_colours_and_a_legend_that_hides_them(qtbot: QtBot) -> None:
    plot = SuppressionPlot(model_of("virtqueue-event-idx"), DARK)
    image = shown(plot, qtbot)
    assert all(has_color(image, signal.color) for signal in SIGNALS)
    area = plot.canvas.area()
    pointer = QPointF(area.right() - area.width() * 0.1, area.center().y())
    words = {line.name: line.value for line in plot.readout(pointer)}
    assert words == {"kicks": "0.25 per buffer", "interrupts": "0.12 per buffer"}
    plot.legend["interrupts"].setChecked(False)
    assert [line.name for line in plot.readout(pointer)] == ["kicks"]
    assert not plot.lines["interrupts"].isVisible()


def test_more_than_one_signal_a_buffer_is_in_the_range(qtbot: QtBot) -> None:
    model = model_of("virtqueue", 1.0)
    plot = SuppressionPlot(model, DARK)
    shown(plot, qtbot)
    assert plot.canvas.box.viewRange()[1][1] == pytest.approx(1.15)
    plot.ratios = {signal.name: np.array([0.5, 7.0]) for signal in SIGNALS}
    plot._fit()
    assert plot.canvas.box.viewRange()[1][1] > 7


def test_only_where_this_program_is_the_device(qtbot: QtBot) -> None:
    assert {scenario.name for scenario in list_scenarios() if SuppressionPlot.suits(scenario)} == {
        "virtqueue",
        "virtqueue-event-idx",
    }
    for name, there in (("virtqueue", True), ("roundtrip", False), ("vhost-user-blk", False)):
        views = Views(model_of(name, 0.2), DARK)
        qtbot.addWidget(views)
        assert any(isinstance(plot, SuppressionPlot) for plot in views.plots) is there


def test_a_change_of_the_wiring_is_marked(qtbot: QtBot) -> None:
    plot = SuppressionPlot(model_of("virtqueue", 2.0, switch=Order.IOEVENTFD), DARK)
    shown(plot, qtbot)
    assert [change.switch for change in plot.model.changes] == [Switch.IOEVENTFD]
