"""The sequence chart: where its parts are, that it shows the journey that the view is about, and its files."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import NothingToSaveError
from bellwire.viz.panels.sequence.chart import chart_of, span_of
from bellwire.viz.panels.sequence.layout import Layout
from bellwire.viz.panels.sequence.painter import SequencePainter
from bellwire.viz.panels.sequence.panel import SequencePanel, chart_in_words, provenance
from bellwire.viz.panels.sequence.parts import Chart
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.text.figures import grouped
from tests.support.accented import accented, in_accents
from tests.support.batch_source import drained
from tests.support.fake_source import HZ, FakeSource
from tests.support.models_at_20_hz import model_of, run
from tests.support.shifted import shifted_run

ONE_QUEUE = [some.name for some in list_scenarios() if not some.doorbell or some.doorbell.queues == 1]


def newest_chart(model: LiveModel) -> Chart:
    journey = model.journeys.newest(1)
    return chart_of(journey, model.window(*span_of(journey)), model.scenario)


def panel_on(qtbot: QtBot, scenario: str = "roundtrip") -> tuple[SequencePanel, FakeSource]:
    model, source = model_of(scenario, 0.5)
    panel = SequencePanel(model, DARK)
    qtbot.addWidget(panel)
    panel.resize(460, 520)
    panel.show()
    panel.redraw()
    return panel, source


def test_a_picture_says_what_ran_on_what_in_the_language_that_is_spoken() -> None:
    model, _ = model_of(seconds=0.1)
    with in_accents():
        assert provenance(model).startswith(f"{accented(model.scenario.title)} · ")


def test_of_clocks_that_are_apart_only_the_whole_is_told() -> None:
    """Below "one-way latencies are not given" each was."""
    model = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    told = chart_in_words(newest_chart(model), model)
    assert re.search(r", round trip [\d.]+ µs: ", told)
    assert len(re.findall(r"–[,.]", told)) == len(newest_chart(model).segments) == len(re.findall("µs|–", told)) - 1
    model = drained(shifted_run(load_scenario("doorbell-pio"), 25_000), "doorbell-pio")
    assert not re.search("µs|ns", chart_in_words(newest_chart(model), model))


# -- the layout


def test_to_scale_a_step_is_as_high_as_it_was_long() -> None:
    chart = newest_chart(model_of(seconds=0.5)[0])
    layout = Layout(chart, 60, 460, 50, 450, even=False)
    pixel = 400 / (layout.times[-1] - layout.times[0])
    for segment in chart.segments:
        assert layout.y(segment.end) - layout.y(segment.start) == pytest.approx(segment.cycles * pixel)


def test_in_even_steps_all_are_equally_high() -> None:
    layout = Layout(newest_chart(model_of(seconds=0.5)[0]), 60, 460, 50, 450, even=True)
    places = [layout.y(tsc) for tsc in layout.times]
    assert places[0] == 50
    assert places[-1] == 450
    assert [b - a for a, b in pairwise(places)] == pytest.approx([400 / (len(places) - 1)] * (len(places) - 1))


def test_lifelines_share_the_width() -> None:
    chart = newest_chart(model_of("roundtrip-userspace", 0.5)[0])
    layout = Layout(chart, 0, 400, 0, 100, even=True)
    assert [layout.x(line.key) for line in chart.lifelines] == [50, 150, 250, 350]


# -- painting


@pytest.mark.parametrize("scenario", ONE_QUEUE)
def test_every_label_has_its_place_and_covers_no_other(scenario: str, qtbot: QtBot) -> None:
    model, _ = model_of(scenario, 0.5)
    if not model.journeys.total:
        pytest.skip("no journey comes")
    image = QImage(460, 520, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for theme in (DARK, LIGHT.scaled(1.5)):
        chart = newest_chart(model)
        painting = SequencePainter(painter, theme, QRectF(8, 40, 444, 470), chart, model.clock, even=True)
        painting.paint()
        words = painting._taken
        assert len(words) >= len(chart.segments)
        for n, one in enumerate(words):
            assert painting.area.left() <= one.left()
            assert one.right() <= painting.area.right() + 1
            assert not any(one.intersects(other) for other in words[n + 1 :])
    painter.end()


# -- the panel


def test_it_follows_the_newest_at_a_readable_pace(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, source = panel_on(qtbot)
    first = panel.title
    assert re.fullmatch(r"Doorbell #[\d\u202f]+", first)
    run(panel.model, source, 0.2)
    panel.redraw()
    assert panel.title == first
    monkeypatch.setattr("bellwire.viz.panels.sequence.panel.READABLE_SECONDS", 0)
    panel.redraw()
    assert panel.title != first


def test_it_shows_the_chosen_journey_at_once(qtbot: QtBot) -> None:
    panel, source = panel_on(qtbot)
    run(panel.model, source, 0.2)
    panel.model.step(-1)
    chosen = panel.model.selection.journeys
    panel.redraw()
    assert panel.title == f"Doorbell #{grouped(int(chosen['seq'][0]))}"
    assert panel.chart is not None
    assert panel.chart.cycles == int(chosen["handler"][0]) - int(chosen["ring"][0])
    assert panel.facts == f"round trip {panel.chart.cycles / HZ * 1e6:.3g} µs"
    assert "I/O thread awake → irqfd written" in panel.accessibleDescription()


@pytest.mark.parametrize("scenario", ["roundtrip", "irq-masked"])
def test_before_the_first_journey_it_says_why_it_is_empty(scenario: str, qtbot: QtBot) -> None:
    source = FakeSource(scenario)
    panel = SequencePanel(LiveModel(source), DARK)
    qtbot.addWidget(panel)
    panel.resize(460, 520)
    panel.redraw()
    assert panel.chart is None
    assert not panel.grab().isNull()
    with pytest.raises(NothingToSaveError, match="no journey"):
        panel.content(Path("nowhere.svg"))


def test_behind_another_panel_the_journey_that_is_shown_is_saved_in_a_size_that_can_be_read(qtbot: QtBot) -> None:
    model, source = model_of("roundtrip", 0.5)
    panel = SequencePanel(model, DARK)
    qtbot.addWidget(panel)
    for _ in range(2):  # the second one less than READABLE_SECONDS after the first
        run(model, source, 0.2)
        (whole,) = panel.content(Path("chart.svg"))
        assert panel.chart is not None
        assert panel.chart.number == newest_chart(model).number
        assert QSvgRenderer(whole).defaultSize().height() >= 520


def test_it_is_saved_as_it_is_shown_with_the_machine_that_it_is_from(qtbot: QtBot) -> None:
    panel, _ = panel_on(qtbot)
    (whole,) = panel.content(Path("chart.svg"))
    svg = whole.decode()
    # In pixels: whoever shows it takes them for its own, where millimetres would depend on a resolution.
    assert '<svg width="460" height="520"\n viewBox="0 0 460 520"' in svg
    assert QSvgRenderer(whole).defaultSize() == panel.size()
    for words in ("kvm_fake", "I/O thread", "write(irqfd)", panel.facts, DARK.interrupt.lower()):
        assert words in svg
    (picture,) = panel.content(Path("chart.png"))
    assert QImage.fromData(picture).size() == panel.size()
