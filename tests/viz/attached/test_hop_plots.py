"""The live plots of a VMM that is attached to: what they draw, what they read out, and why they are empty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from bellwire.engine.attached.hops.figures import CURVE_EDGES, HopFigures, HopLatency
from bellwire.viz.attached.hop_plots import HopPlot, RatePlot, TimesPlot, nice_top, rate_ticks, smoothed
from bellwire.viz.style.theme import THEMES
from tests.support.seen_hops import HOPS


def shown(plot: HopPlot, hops: HopFigures | None, qtbot: QtBot) -> HopPlot:
    """A plot on the screen, of these."""
    qtbot.addWidget(plot)
    plot.resize(320, 190)
    plot.show()
    plot.show_hops(hops)
    return plot


def test_rates_are_counts_a_second(qtbot: QtBot) -> None:
    plot = shown(RatePlot(THEMES["dark"]), HOPS, qtbot)
    x, y = plot.lines["doorbells"].getData()
    assert set(y) == {400.0}
    assert x[-1] == pytest.approx(-0.05)
    assert plot.facts == "400/s"
    told = plot.readout(QPointF(plot.canvas.pixel(-1.0, 0)))
    assert [line.value for line in told] == ["−1.0 s", "400/s", "410/s"]
    before = plot.grab().toImage()
    plot.set_theme(THEMES["light"])
    assert plot.grab().toImage() != before


def test_times_are_curves_with_percentiles_of_the_first(qtbot: QtBot) -> None:
    plot = shown(TimesPlot(THEMES["dark"]), HOPS, qtbot)
    assert {name for name, line in plot.lines.items() if line.isVisible()} == {"waking", "taking", "journeys"}
    assert max(plot.lines["waking"].getData()[1]) == pytest.approx(0.8)
    (name, _), *rest = [(line.name, line.value) for line in plot.readout(QPointF(plot.canvas.pixel(9.0, 0)))]
    assert name == "below"
    assert rest == [("woken", "100.0%"), ("taken", "100.0%"), ("journey", "100.0%")]
    plot.legend["waking"].setChecked(False)
    plot.show_hops(replace(HOPS, journeys=HopLatency()))
    assert {name for name, line in plot.lines.items() if line.isVisible()} == {"taking"}


@pytest.mark.parametrize("kind", [RatePlot, TimesPlot])
def test_a_plot_without_figures_says_why(kind: type[HopPlot], qtbot: QtBot) -> None:
    plot = shown(kind(THEMES["light"]), None, qtbot)
    assert plot.empty
    plot.show_hops(HOPS)
    assert plot.empty == ""
    plot.show_hops(
        replace(HOPS, rates=np.zeros((2, 0), np.int64), waking=HopLatency(), taking=HopLatency(), journeys=HopLatency())
    )
    assert plot.empty


def test_an_axis_ends_at_a_round_number() -> None:
    assert [nice_top(most) for most in (0, 11, 20, 30, 600)] == [10, 20, 20, 30, 600]
    assert rate_ticks(1000) == [(0.0, "0"), (500.0, "500"), (1000.0, "1 k")]


def test_smoothing_keeps_how_many_there_are() -> None:
    counts = np.zeros(CURVE_EDGES.size - 1)
    counts[50] = 10.0
    assert smoothed(counts).sum() == pytest.approx(10.0)
