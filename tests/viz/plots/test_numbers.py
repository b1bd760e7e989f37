"""The strip of numbers: every one computed from the model, a dash for what a scenario does not have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.plots.numbers import NOTHING, Number, Numbers, help_of, numbers_of, reconciled
from bellwire.viz.style.theme import DARK, LIGHT, load_fonts
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import duration
from tests.support.batch_source import drained
from tests.support.fake_source import FakeSource
from tests.support.models_at_20_hz import model_of, run
from tests.support.shifted import shifted_run
from tests.support.small_recording import WallClock


@pytest.fixture(autouse=True)
def own_turns() -> Iterator[None]:
    Turns._queue.clear()
    Turns.begin_frame()
    yield
    Turns._queue.clear()


def values(model: LiveModel) -> dict[str, str]:
    return {number.label: f"{number.value} {number.unit}".replace("\u202f", "").strip() for number in numbers_of(model)}


def test_every_number_is_the_models() -> None:
    model, _ = model_of(seconds=2.0)
    shown = values(model)
    for label, name in (("doorbell p50", "doorbell"), ("injection p50", "injection"), ("round trip p50", "round_trip")):
        assert shown[label] == duration(model.latencies.since[name].percentile(50))
    assert int(shown["doorbells"].split()[0]) == pytest.approx(2000, abs=1)
    assert shown["exits to user space"] == "0 /s"
    assert shown["journeys, all reconciled"] == str(model.tally.doorbells_received)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("vm-to-vm+irqfd=off", "Not known: no irqfd listens, so what is rung waits in the eventfd."),
        ("irq-masked", "Not known: the interrupts were lost, so no journey comes to its end."),
    ],
)
def test_what_is_not_known_says_why(name: str, why: str) -> None:
    """Though hundreds of signals had come, nothing had been measured "yet"."""
    wall = WallClock()
    with Replay(Recording(path_of_shipped(name)), wall) as replay:
        model = LiveModel(replay)
        assert help_of(numbers_of(model)[0]).endswith(("Nothing has been measured yet.", "there is none."))
        while replay.alive:
            wall.ns += 10**8
            model.tick(0)
        told = {number.label: help_of(number) for number in numbers_of(model) if number.value == NOTHING}
        has = "doorbell p50" if name.startswith("vm") else "injection p50"
        assert told[has].endswith(why)
        others = [text for label, text in told.items() if label != has]
        assert others
        assert all(text.endswith("Not known: in this scenario there is none.") for text in others)


def test_that_clocks_are_apart_is_why_no_way_is_known() -> None:
    """Of 399 values nothing had been measured "yet"."""
    model = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    told = {number.label: help_of(number) for number in numbers_of(model)}
    assert "Not known: guest and host clocks are apart: " in told["injection p50"]
    assert "Not known: guest and host clocks are apart: " in told["doorbell p50"]
    assert "Not known" not in told["round trip p50"]


def test_the_warm_up_is_why_nothing_is_known_while_there_is_nothing_else() -> None:
    source = FakeSource()
    source.order(Order.PACE, 200)
    source.start()
    model = LiveModel(source)
    source.run(0.05)
    model.tick(0.05)
    told = {number.label: help_of(number) for number in numbers_of(model)}
    assert told["round trip p50"].endswith("Not known: each journey so far belongs to the warm-up.")


def test_numbers_follow_a_switch() -> None:
    model, source = model_of(seconds=2.0)
    light = model.latencies.now("doorbell")
    source.order(Order.IOEVENTFD, False)
    run(model, source, 1.2)
    heavy = model.latencies.now("doorbell")
    assert light is not None
    assert heavy is not None
    assert heavy > 2 * light
    assert values(model)["exits to user space"] == values(model)["doorbells"] != "0 /s"


@pytest.mark.parametrize(
    ("scenario", "missing"),
    [("doorbell-pio", {"injection p50", "round trip p50"}), ("irq-msi", {"doorbell p50", "round trip p50"})],
)
def test_what_a_scenario_does_not_have_is_a_dash(scenario: str, missing: set[str]) -> None:
    model, _ = model_of(scenario, 2.0)
    assert {number.label for number in numbers_of(model) if number.value == NOTHING} == missing


def test_interrupt_scenarios_count_interrupts() -> None:
    model, _ = model_of("irq-msi", 2.0)
    assert "interrupts" in values(model)
    assert "doorbells" not in values(model)


def test_before_the_first_journey_nothing_is_claimed() -> None:
    model = LiveModel(FakeSource("roundtrip"))
    assert numbers_of(model)[-1].label == "journeys"
    assert {number.value for number in numbers_of(model)[:3]} == {NOTHING}


def test_says_what_is_not_reconciled() -> None:
    model, _ = model_of(seconds=2.0)
    assert reconciled(model) == "all reconciled"
    model.latencies.tracker.given_up = 3
    assert reconciled(model) == "3 incomplete"
    lossy, _ = model_of(seconds=2.0)
    lossy.latencies.tracker.given_up = 3
    lossy.tally.feed(event(1, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 12))
    assert reconciled(lossy) == "12 events dropped"


def test_a_paused_view_stands_still(qtbot: QtBot) -> None:
    load_fonts()
    model, source = model_of(seconds=2.0)
    strip = Numbers(model, DARK)
    qtbot.addWidget(strip)
    model.transport.pause()
    before = strip.numbers
    run(model, source, 1.0)
    strip.refresh()
    assert strip.numbers == before
    model.transport.play()
    strip.refresh()
    assert strip.numbers != before


def test_a_paused_view_takes_in_what_has_yet_to_come_to_its_moment(qtbot: QtBot) -> None:
    """As of a recording that was sent to a moment, and comes to it frame by frame."""
    load_fonts()
    wall = WallClock()
    replay = Replay(Recording(path_of_shipped("irq-msi")), wall)
    replay.start()
    model = LiveModel(replay)
    strip = Numbers(model, DARK)
    qtbot.addWidget(strip)
    strip._turns = Turns(every=0, light=True)
    model.transport.seek(replay.recording.first + model.clock.cycles(1.0))
    for _ in range(20):
        wall.ns += 10**8
        model.drain()
        strip.refresh()
    assert model.transport.paused
    assert model.seen.latencies.journeys > 0
    assert strip.numbers == numbers_of(model)
    replay.stop()


def test_paints_in_both_themes_and_any_width(qtbot: QtBot) -> None:
    load_fonts()
    model, _ = model_of("roundtrip", 0.5)
    strip = Numbers(model, DARK)
    qtbot.addWidget(strip)
    for theme in (DARK, LIGHT, DARK.scaled(1.5)):
        strip.set_theme(theme)
        strip.redraw()
        for width in (480, 1920):
            strip.resize(width, strip.sizeHint().height())
            assert not strip.grab().isNull()
    assert "doorbell p50" in strip.accessibleName()


def test_exits_are_red_only_if_there_are_some() -> None:
    exits = [Number(value, "/s", "exits to user space", "heavy").shown_color for value in ("0", NOTHING, "1", "10")]
    assert exits == ["text_muted", "text_muted", "heavy", "heavy"]
    assert Number("0", "/s", "doorbells", "doorbell").shown_color == "doorbell"


def test_a_label_too_long_for_its_cell_is_smaller_and_not_cut_off(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_fonts()
    numbers = Numbers(LiveModel(FakeSource("roundtrip")), DARK)
    qtbot.addWidget(numbers)
    long = numbers.numbers[-1]._replace(label="journeys, 16 163 846 events only counted")
    numbers.numbers = (*numbers.numbers[:-1], long)
    widths = list[float]()

    def noted(_self: Numbers, _painter: object, cell: QRectF, number: Number, _scale: float, label: QFont) -> None:
        widths.append(cell.width() - QFontMetricsF(label).horizontalAdvance(number.label))

    monkeypatch.setattr(Numbers, "_paint", noted)
    for width in range(1100, 1300, 7):
        numbers.resize(width, 64)
        numbers.grab()
    assert min(widths) >= 0
