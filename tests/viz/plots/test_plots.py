"""The plots: what they draw is what the model holds, in every scenario, size and theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind, Lane, Switch, event
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.source import Order
from bellwire.viz.model.live import Change, LiveModel
from bellwire.viz.model.rates import BAR
from bellwire.viz.plots import PLOTS
from bellwire.viz.plots.distribution import DistributionPlot, density_outline
from bellwire.viz.plots.exits import ExitsPlot, layers, rounded_top, sampled
from bellwire.viz.plots.latency import LatencyPlot, spread_apart, with_gaps
from bellwire.viz.plots.overtime import SWITCH_COLORS
from bellwire.viz.plots.plot import Plot, beside, on_a_side, thinned
from bellwire.viz.style.curves import LogRange, curves_of, latency_ticks, tick
from bellwire.viz.style.readout import paint_readout
from bellwire.viz.style.theme import DARK, LIGHT, load_fonts
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.assets import asset
from bellwire.viz.text.figures import Durations, unit_called
from tests.support.fake_source import HZ, FakeSource
from tests.support.painted_text import clashes, texts_painted
from tests.support.plots import amount, has_color, model_of, shown

EVERY = pytest.mark.parametrize("plot_class", PLOTS, ids=lambda plot_class: plot_class.name)


@pytest.fixture(autouse=True)
def fonts(qtbot: QtBot) -> None:
    load_fonts()


@pytest.fixture
def no_turns() -> Iterator[None]:
    Turns._queue.clear()
    Turns.begin_frame()
    yield
    Turns._queue.clear()
    Turns.begin_frame()


def suited(plot_class: type[Plot], name: str) -> str:
    """A scenario that the plot suits: this one, or the first that there is."""
    scenarios = [load_scenario(name), *list_scenarios()]
    return next(scenario.name for scenario in scenarios if plot_class.suits(scenario))


@lru_cache(maxsize=1)
def a_second_of(scenario: str) -> LiveModel:
    """For one plot after the other, which only read it."""
    return model_of(scenario, 1.0)


@pytest.mark.parametrize(
    ("plot_class", "scenario"),
    [(plot, scenario.name) for scenario in list_scenarios() for plot in PLOTS if plot.suits(scenario)],
)
def test_draws_every_scenario_that_it_suits(plot_class: type[Plot], scenario: str, qtbot: QtBot) -> None:
    plot = plot_class(a_second_of(scenario), DARK)
    image = shown(plot, qtbot)
    empty = {
        "irq-masked": "No journey: the pin is masked, every interrupt is lost",
        "lab-early-signal": "No journey yet",  # until the irqfd is assigned
    }
    assert plot.empty == ("" if plot_class is ExitsPlot else empty.get(scenario, ""))
    assert has_color(image, "surface")
    assert has_color(image, "text")


def test_another_reason_why_it_is_empty_is_painted(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource()
    source.clock = replace(source.clock, emulated=True)
    model, painted = LiveModel(source), list[str]()
    plot = LatencyPlot(model, DARK)
    monkeypatch.setattr(plot, "paint_reason", lambda painter, reason: painted.append(reason))
    qtbot.addWidget(plot)
    plot.show()
    qtbot.waitUntil(lambda: painted[-1:] == ["No journey yet"])
    plot.prepare()
    source.start()
    source.run(0.5)
    model.tick(0.5)
    plot.redraw()
    qtbot.waitUntil(lambda: painted[-1].endswith("times mean nothing, so no latency is given."))


@EVERY
def test_says_so_when_there_is_nothing(plot_class: type[Plot], qtbot: QtBot) -> None:
    plot = plot_class(LiveModel(FakeSource(suited(plot_class, "roundtrip"))), DARK)
    shown(plot, qtbot)
    assert plot.empty
    assert plot.canvas.isHidden()


@EVERY
def test_a_plot_that_has_not_looked_yet_does_not_say_that_there_is_nothing(
    plot_class: type[Plot], qtbot: QtBot
) -> None:
    plot = plot_class(model_of(suited(plot_class, "roundtrip-userspace"), 1.0), DARK)
    qtbot.addWidget(plot)
    plot.prepare()
    assert not plot.says_why_empty
    plot.redraw()
    assert plot.says_why_empty


@EVERY
def test_a_theme_leaves_no_color_of_the_other(plot_class: type[Plot], qtbot: QtBot) -> None:
    plot = plot_class(model_of(suited(plot_class, "roundtrip-userspace"), 1.0), DARK)
    shown(plot, qtbot)
    plot.set_theme(LIGHT)
    image = shown(plot, qtbot)
    assert has_color(image, "surface", LIGHT, near=3)
    for field in fields(DARK):
        value = getattr(DARK, field.name)
        if str(value).startswith("#") and QColor(value).lightness() < 60:
            assert amount(image, field.name, DARK, near=1) < 20, field.name


@EVERY
@pytest.mark.parametrize("size", [(262, 122), (480, 150), (1900, 900)])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5])
def test_any_size_and_text(plot_class: type[Plot], size: tuple[int, int], scale: float, qtbot: QtBot) -> None:
    plot = plot_class(model_of(suited(plot_class, "roundtrip"), 0.5), DARK.scaled(scale))
    shown(plot, qtbot, *size)
    plot.canvas.pointer = plot.canvas.area().center()
    assert not plot.grab().isNull()
    assert plot.canvas.area().width() > 50


@EVERY
def test_nothing_of_pyqtgraphs_menu_or_mouse(plot_class: type[Plot], qtbot: QtBot) -> None:
    plot = plot_class(model_of(suited(plot_class, "roundtrip"), 0.5), DARK)
    shown(plot, qtbot)
    assert plot.canvas.box.state["mouseEnabled"] == [False, False]
    assert not plot.canvas.box.menuEnabled()
    before = plot.canvas.box.viewRange()
    QTest.mousePress(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=plot.canvas.area().center().toPoint())
    QTest.mouseMove(plot.canvas.viewport(), plot.canvas.area().topLeft().toPoint())
    QTest.mouseRelease(plot.canvas.viewport(), Qt.MouseButton.LeftButton)
    assert plot.canvas.box.viewRange() == before


# -- latency over time


@pytest.mark.parametrize("plot_class", [LatencyPlot, DistributionPlot])
@pytest.mark.parametrize("size", [(400, 130), (900, 400)])
def test_every_curve_can_be_seen_until_it_is_switched_off(
    plot_class: type[LatencyPlot], size: tuple[int, int], qtbot: QtBot
) -> None:
    plot = plot_class(model_of("roundtrip"), DARK)
    shown(plot, qtbot, 300, 200)
    shown(plot, qtbot, *size)
    for curve in plot.curves:
        for entry in plot.legend.values():
            entry.setChecked(entry is plot.legend[curve.name])
        inside = plot.canvas.area().adjusted(2, 2, -2, -2).translated(plot.canvas.pos().toPointF()).toRect()
        lit = amount(plot.grab(inside).toImage(), curve.color, DARK, near=60)
        assert lit > 15, curve.name
        plot.lines[curve.name].setVisible(False)
        plot.canvas.viewport().update()
        assert amount(plot.grab(inside).toImage(), curve.color, DARK, near=60) < lit, curve.name


def test_latency_lines_are_the_series(qtbot: QtBot) -> None:
    plot = LatencyPlot(model_of("roundtrip"), DARK)
    shown(plot, qtbot)
    for curve in plot.curves:
        rows = plot.model.latencies.series[curve.name].rows
        x, y = plot.lines[curve.name].getData()
        assert 10 ** y[-1] == pytest.approx(rows["p50"][-1], rel=1e-3)
        assert x[-1] <= 0
        assert np.count_nonzero(np.isfinite(y)) == rows.size


def test_the_legend_switches_curves(qtbot: QtBot) -> None:
    plot = LatencyPlot(model_of("roundtrip"), DARK)
    shown(plot, qtbot)
    assert [entry.label for entry in plot.legend.values()] == ["doorbell", "injection", "round trip", "store cost"]
    QTest.mouseClick(plot.legend["doorbell"], Qt.MouseButton.LeftButton)
    assert not plot.lines["doorbell"].isVisible()
    assert plot.lines["injection"].isVisible()
    plot.legend["doorbell"].setFocus()
    QTest.keyClick(plot.legend["doorbell"], Qt.Key.Key_Space)
    assert plot.lines["doorbell"].isVisible()


def test_a_switch_is_marked(qtbot: QtBot) -> None:
    plot = LatencyPlot(model_of("irq-msi", switch=Order.IRQFD), DARK)
    image = shown(plot, qtbot)
    assert [change.text for change in plot.model.changes] == ["irqfd off"]
    x = plot.canvas.area().left() + plot.canvas.area().width() * (10 - 1.5) / 10
    left = plot.canvas.x() + x
    column = image.copy(round(left) - 4, plot.canvas.y() + 10, 9, 100)
    assert has_color(column, "interrupt")


class Inked(QPainter):
    """Keeps which words it writes, and in which colour."""

    def __init__(self, image: QImage) -> None:
        super().__init__(image)
        self.words = list[tuple[str, str]]()

    def drawText(self, *given: Any) -> None:  # type: ignore[override]  # whichever of its forms
        self.words.append((given[-1], self.pen().color().name()))
        super().drawText(*given)


@pytest.mark.parametrize(("wide", "words"), [(400, ["ioeventfd off", "irqfd on"]), (90, ["off", "on"]), (20, [])])
def test_each_switch_is_named_in_its_colour_and_shortly_where_there_is_little_room(
    wide: int, words: list[str], qtbot: QtBot
) -> None:
    """A label without room was left out, and of two at one line both had the colour of the first."""
    plot = LatencyPlot(model_of("roundtrip"), DARK)
    shown(plot, qtbot)
    now = plot.model.playhead
    changes = [Change(now - 5 * HZ, Switch.IOEVENTFD, False), Change(now - 5 * HZ, Switch.IRQFD, True)]
    plot.model.changes = changes
    image = QImage(400, 200, QImage.Format.Format_ARGB32)
    painter = Inked(image)
    plot.paint_changes(painter, QRectF(0, 0, wide, 200))
    painter.end()
    colors = [DARK.color(SWITCH_COLORS[change.switch]).name() for change in changes]
    assert painter.words == list(zip(words, colors, strict=False))


def test_the_readout_names_every_curve(qtbot: QtBot) -> None:
    plot = LatencyPlot(model_of("roundtrip"), DARK)
    shown(plot, qtbot)
    lines = plot.readout(QPointF(plot.canvas.area().right() - 5, plot.canvas.area().center().y()))
    assert [line.name for line in lines] == [*(curve.label for curve in plot.curves), "clock error"]


def test_gaps_break_a_line() -> None:
    x, y = with_gaps(np.array([-9.0, -8.5, -1.0]), np.array([3.0, 3.0, 4.0]))
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [False, False, True, False]


def test_names_are_spread_apart_inside_the_area() -> None:
    placed = spread_apart([10.0, 12.0, 98.0, 99.0], 14.0, QRectF(0, 0, 50, 100))
    assert all(b - a >= 14.0 for a, b in pairwise(placed))
    assert placed[0] >= 7.0
    assert placed[-1] <= 93.0
    assert len(spread_apart([1.0, 2.0, 3.0], 14.0, QRectF(0, 0, 50, 30))) == 2


def test_labels_cover_neither_each_other_nor_the_edge() -> None:
    area, taken = QRectF(0, 0, 200, 80), list[QRectF]()
    for x in (96.0, 100.0, 150.0, 190.0):
        place = beside(x, QRectF(0, 0, 50, 20), area, taken)
        assert place is not None
        assert area.contains(place)
        assert not any(place.intersects(other) for other in taken)
        taken.append(place)
    assert [place.left() for place in taken] == [101.0, 105.0, 95.0, 135.0]
    assert [place.top() for place in taken] == [0.0, 20.0, 40.0, 60.0]
    assert beside(100.0, QRectF(0, 0, 50, 20), area, taken) is None
    assert beside(100.0, QRectF(0, 0, 120, 20), area, []) is None  # it would begin left of the area, over the axis


def test_a_label_goes_to_the_other_side_of_its_line_rather_than_across_another() -> None:
    area, label = QRectF(0, 0, 190, 90), QRectF(0, 0, 50, 20)
    line = [QRectF(129, 0, 2, 90)]
    places = [on_a_side(x, label, area, [], line) for x in (60.0, 100.0, 20.0)]
    assert [place.left() for place in places if place] == [65.0, 45.0, 25.0]
    assert on_a_side(20.0, label, area, [], [QRectF(40, 0, 2, 90)]) is None  # it would read as the other line's


def test_ticks_lose_their_text_rather_than_cover_each_other() -> None:
    ticks = [(float(n), str(n)) for n in range(5)]
    assert thinned(ticks, 9) == ticks
    assert [text for _, text in thinned(ticks, 3)] == ["0", "", "2", "", "4"]
    assert [text for _, text in thinned(ticks, 0)] == ["0", "", "", "", ""]


# -- distribution


def test_distribution_counts_journeys_since_the_change(qtbot: QtBot) -> None:
    plot = DistributionPlot(model_of("roundtrip", switch=Order.IOEVENTFD), DARK)
    shown(plot, qtbot)
    since, before = plot.model.latencies.since["round_trip"], plot.model.latencies.before["round_trip"]
    assert since.count > 100
    assert before.count > 100
    assert plot.facts.replace("\u202f", "") == f"{since.count} journeys"
    assert plot.lines["round_trip"].isVisible()
    assert plot.ghosts["round_trip"].isVisible()
    peak = plot.lines["round_trip"].getData()[0][np.argmax(plot.lines["round_trip"].getData()[1])]
    assert 10**peak == pytest.approx(since.percentile(50), rel=0.3)


def test_an_outline_holds_every_value() -> None:
    histogram = Histogram()
    histogram.record(np.random.default_rng(1).lognormal(10, 0.5, 5000))
    x, y = density_outline(histogram, 2.0, 6.0)
    assert y.max() == pytest.approx(0.8)
    assert (y >= 0).all()
    assert 10 ** np.average(x, weights=y) == pytest.approx(np.exp(10), rel=0.1)


def test_percentiles_of_the_first_shown_curve_are_marked(qtbot: QtBot) -> None:
    plot = DistributionPlot(model_of("roundtrip"), DARK)
    shown(plot, qtbot)
    assert plot.marked is not None
    assert plot.marked.name == "round_trip"
    plot.legend["round_trip"].setChecked(False)
    assert plot.marked is not None
    assert plot.marked.name == "doorbell"


def test_a_maximum_at_the_left_edge_is_named_beside_it_and_meets_no_other_name(qtbot: QtBot) -> None:
    """As where the few journeys since a change are the quickest that there are."""
    plot = DistributionPlot(model_of("roundtrip", 4.0), DARK)
    shown(plot, qtbot)
    assert plot.marked is not None
    quick = Histogram()
    quick.record(np.array([round(10**plot.range.low * 1.2)]))
    plot.model.latencies.since[plot.marked.name] = quick
    pieces = texts_painted(plot)
    assert [piece.text for piece in pieces if piece.text.startswith("max")]
    assert clashes(pieces, []) == []


# -- exits


def test_exits_name_who_handled_them(qtbot: QtBot) -> None:
    plot = ExitsPlot(model_of("roundtrip", 4.0, switch=Order.IOEVENTFD), DARK)
    shown(plot, qtbot)
    assert ("user", "IO") in {(layer.handler, layer.reason) for layer in plot.layers}
    user = next(layer for layer in plot.layers if layer.handler == "user")
    assert np.nansum(user.bars[: user.bars.size - 12]) == 0
    exits = plot.model.tally.exits_to_userspace["IO"]
    assert np.nansum(user.bars) * 0.25 == pytest.approx(exits, abs=exits * 0.2)
    plot.legend["user"].setChecked(False)
    assert {layer.handler for layer in plot.layers} == {"kernel"}


def test_what_a_guest_in_qemu_leaves_for_is_user_spaces() -> None:
    """KVM counts an exit for MMIO as one that goes there; by our own events, which are none, it had stayed in KVM."""
    wall = [1]
    with Replay(Recording(asset("recordings/qemu-virtio-blk-exit.arrow")), lambda: wall[0]) as source:
        model = LiveModel(source)
        for _ in range(40):
            wall[0] += 50_000_000
            model.tick(0.05)
        end = model.second[1] // BAR
        handlers = {layer.reason: layer.handler for layer in layers(model.past, end - 4, end, seen=False)}
    assert handlers["MMIO"] == "user"
    assert handlers["HLT"] == "kernel"


def test_a_counter_looked_at_now_and_then_is_spread_evenly() -> None:
    model = model_of("roundtrip", 5.0)
    end = model.second[1] // BAR
    bars = sampled(model.past, "kvm exits", end - 15, end)
    assert bars.min() == pytest.approx(bars.max(), rel=0.05)
    assert bars.mean() == pytest.approx(2 * 2000, rel=0.05)


def test_layers_of_nothing_are_none() -> None:
    assert layers(LiveModel(FakeSource()).past, 0, 40) == []


def test_round_up() -> None:
    assert [rounded_top(v) for v in (1, 1.1, 3, 9, 35_000)] == [1, 2, 4, 10, 40_000]


# -- axes


def test_a_log_range_grows_at_once_and_shrinks_late() -> None:
    log_range = LogRange(patience=3)
    assert log_range.fit(2_000, 60_000)
    assert (log_range.low, log_range.high) == (3.0, 5.0)
    assert log_range.fit(2_000, 2_000_000)
    assert log_range.high == 6.5
    assert [log_range.fit(2_000, 60_000) for _ in range(4)] == [False, False, True, False]
    assert (log_range.low, log_range.high) == (3.0, 5.0)


def test_ticks_have_units_and_fit() -> None:
    assert [tick(v) for v in (100, 1e3, 3e4, 1e6, 2e9)] == ["100 ns", "1 µs", "30 µs", "1 ms", "2 s"]
    major, minor = latency_ticks(2.0, 4.0, 5)
    assert [text for _, text in major] == ["100 ns", "1 µs", "10 µs"]
    assert [text for _, text in minor] == ["300 ns", "3 µs"]
    assert [text for _, text in latency_ticks(2.0, 7.0, 5)[1]] == [""] * 5


def test_curves_are_those_that_the_scenario_has() -> None:
    shipped = ("doorbell-pio", "irq-msi", "vm-to-vm")
    names = {name: [curve.name for curve in curves_of(load_scenario(name))] for name in shipped}
    one_way = ["doorbell", "store_cost"]
    assert names == {"doorbell-pio": one_way, "irq-msi": ["injection"], "vm-to-vm": one_way}


# -- turns


def test_turns_come_one_at_a_time_and_to_everybody(monkeypatch: pytest.MonkeyPatch, no_turns: None) -> None:
    clock = [100.0]
    monkeypatch.setattr("bellwire.viz.style.turns.time.monotonic", lambda: clock[0])
    every = [Turns(), Turns(), Turns(every=2)]
    came = [0, 0, 0]
    for _ in range(600):
        Turns.begin_frame()
        now = [turns.come() for turns in every]
        assert sum(now) <= 1
        came = [count + one for count, one in zip(came, now, strict=True)]
        clock[0] += 0.016
    assert came[0] == pytest.approx(came[1], abs=2)
    assert came[0] > came[2] > 50


def test_a_view_that_is_gone_does_not_hold_the_queue(monkeypatch: pytest.MonkeyPatch, no_turns: None) -> None:
    clock = [100.0]
    monkeypatch.setattr("bellwire.viz.style.turns.time.monotonic", lambda: clock[0])
    first, gone, other = Turns(), Turns(), Turns()
    assert [first.come(), gone.come(), other.come()] == [True, False, False]
    came = 0
    for _ in range(100):
        clock[0] += 0.016
        Turns.begin_frame()
        came += other.come()
    assert came > 5


def redraws(plot: Plot) -> Callable[[], int]:
    """Counts how often the plot draws from now on."""
    count = [0]
    draw = plot.draw

    def counted() -> str:
        count[0] += 1
        return draw()

    plot.draw = counted  # type: ignore[method-assign]
    return lambda: count[0]


def test_a_hidden_plot_does_not_draw(qtbot: QtBot, no_turns: None) -> None:
    plot = LatencyPlot(model_of("roundtrip", 0.2), DARK)
    shown(plot, qtbot)
    count = redraws(plot)
    plot.refresh()
    assert count() == 1
    plot.hide()
    plot._turns._due = 0.0
    plot.refresh()
    assert count() == 1


def test_ticks_are_round_in_the_unit_that_was_chosen() -> None:
    Durations.unit = unit_called("cycles", 2e9)
    major, _ = latency_ticks(2.0, 4.0, 5)
    assert [text for _, text in major] == ["1k cyc", "10k cyc"]
    assert [at for at, _ in major] == pytest.approx(np.log10([500, 5000]))
    assert [tick(v) for v in (15, 150e3, 15e6)] == ["30 cyc", "300k cyc", "30M cyc"]
    Durations.unit = unit_called("ns", 2e9)
    assert [text for _, text in latency_ticks(2.0, 4.0, 5)[0]] == ["100 ns", "1k ns", "10k ns"]


@pytest.mark.parametrize("kind", [LatencyPlot, DistributionPlot])
def test_axes_follow_the_unit(kind: type[LatencyPlot | DistributionPlot], qtbot: QtBot) -> None:
    plot, side = kind(model_of("roundtrip", 1.0), DARK), "left" if kind is LatencyPlot else "bottom"
    shown(plot, qtbot)
    assert any("µs" in text for _, text in plot._ticks[side][0])
    Durations.unit = unit_called("cycles", plot.model.clock.hz)
    plot.redraw()
    assert all("cyc" in text for _, text in plot._ticks[side][0])


def test_the_tooltips_say_what_is_left_out_corrected_and_uncertain(qtbot: QtBot) -> None:
    model = model_of("roundtrip", 1.0)
    plot = DistributionPlot(model, DARK)
    shown(plot, qtbot)
    assert "Without a pace nothing is corrected" in plot.toolTip()
    assert "Guest and host clocks agree to within −" in plot.toolTip()
    assert isinstance(model.source, FakeSource)
    model.source.announce_pace()
    model.source.run(0.5)
    model.tick(0.05)
    plot.redraw()
    assert "The round trip corrected for coordinated omission, expected interval 500 µs: p99 " in plot.toolTip()
    latency = LatencyPlot(model, DARK)
    shown(latency, qtbot)
    assert f"Left out: {model.latencies.warmup} journeys of warm-up." in latency.toolTip()
    model.transport.seek(model.playhead)
    for past in (plot, latency):
        past.redraw()
        assert f"Left out (whole run so far): {model.latencies.warmup} journeys" in past.toolTip()


def test_the_readout_leaves_out_what_has_no_room(qtbot: QtBot) -> None:
    plot = DistributionPlot(model_of("roundtrip", 1.0), DARK)
    shown(plot, qtbot, 480, 400)
    lines = plot.readout(plot.canvas.area().center())
    assert [line.name for line in lines][-2:] == ["p99 round trip", "clock error"]
    image = QImage(300, 60, QImage.Format.Format_ARGB32)
    image.fill(DARK.color("background"))
    painter = QPainter(image)
    paint_readout(painter, DARK, QRectF(20, 5, 260, 50), QPointF(150, 30), lines)
    painter.end()
    outside = [image.pixelColor(x, y) for x in range(300) for y in (*range(4), *range(57, 60))]
    assert set(map(QColor.name, outside)) == {DARK.background.lower()}


def test_the_thin_curve_says_what_it_is_from(qtbot: QtBot) -> None:
    model = model_of("roundtrip", 1.0, Order.IOEVENTFD)
    plot = DistributionPlot(model, DARK)
    shown(plot, qtbot)
    image = QImage(480, 200, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    assert plot.marked is not None
    area = plot.canvas.area()
    boxes = plot._places_of_before(painter, area, plot.marked, QRectF(), [])
    beside = plot._places_of_before(painter, area, plot.marked, QRectF(), [boxes[0].center().x()])
    painter.end()
    assert not beside[0].left() <= boxes[0].center().x() <= beside[0].right(), "a percentile's line is in its way"
    assert model.exits.switched == "ioeventfd off"
    assert len(boxes) == 1
    assert plot.canvas.area().adjusted(-1, -1, 1, 1).contains(boxes[0])


def test_what_is_not_known_is_veiled_and_not_drawn_as_nothing(qtbot: QtBot) -> None:
    """Of a run that is younger than the plot is wide, and where events were lost."""
    model = model_of("roundtrip", 4.0)
    start, end = model.now - 10 * HZ, model.now
    assert model.past.unknown(start, end) == [(start, model.events.first - 1)]
    model.past.feed(event(model.now - HZ, EventKind.LOST, Lane.ENGINE, Lane.GUEST, model.now - 2 * HZ, 5), model.now)
    assert model.past.unknown(start, end)[1:] == [(end - 2 * HZ, end - HZ)]
    for plot in (ExitsPlot(model, DARK), LatencyPlot(model, DARK)):
        image = shown(plot, qtbot)
        area = plot.canvas.area()
        place = plot.canvas.mapTo(plot, QPoint(round(area.left() + area.width() * 0.05), round(area.top()) + 3))
        known = plot.canvas.mapTo(plot, QPoint(round(area.left() + area.width() * 0.7), round(area.top()) + 3))
        assert image.pixelColor(place).lightness() > image.pixelColor(known).lightness()
    at = ExitsPlot(model, DARK)
    shown(at, qtbot)
    area = at.canvas.area()
    assert "5 events were lost" in at.readout(QPointF(area.left() + area.width() * 0.85, area.center().y()))[0].name
