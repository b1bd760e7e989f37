"""The bars add up, and say what `bellwire explain` says; as of the moment that is looked at, or why there are none."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane, Setting, no_events
from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Order, Source
from bellwire.viz.cli.explain.of_recording import ExplainedRecording, chosen_ones
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.explain.held import WholesHeld
from bellwire.viz.panels.explain.shown_bars import (
    ANOTHER_WAY,
    CLOCKS,
    NAMES,
    NO_SUCH_PART,
    NONE_BY_THEN,
    NONE_CHOSEN,
    NONE_ENDED,
    TimeBars,
    bars_in_words,
    part_name,
    part_tip,
    time_bars_of,
)
from bellwire.viz.stages.moments import moments
from bellwire.viz.stages.shares import RunShares, whole_latency_of
from bellwire.viz.stages.way import StageWay
from bellwire.viz.text.figures import count_of
from tests.support.fake_source import FakeSource


class ShippedInBatches(Source):
    """A shipped recording as it was written: a batch at each look. How a run is cut decides which are its warm-up."""

    alive = True

    def __init__(self, name: str) -> None:
        recording = Recording(path_of_shipped(name))
        super().__init__(recording.header.scenario, dict(recording.header.host), recording.header.clock)
        self.batches = [recording.read_once(number) for number in range(recording.entries.size)]

    def take(self, most: int | None = None) -> Events:
        return self.batches.pop(0) if self.batches else no_events()


SCENARIOS = [scenario.name for scenario in list_scenarios()]


def shown(model: LiveModel, wanted: StageWay | None = None) -> TimeBars:
    held = WholesHeld(model)
    while not held.complete:
        held.take()
    return time_bars_of(model, held, wanted)


def model_of(name: str = "roundtrip", seconds: float = 0.5) -> tuple[LiveModel, FakeSource]:
    source = FakeSource(name)
    source.start()
    model = LiveModel(source)
    run(model, source, 0.0)
    run(model, source, seconds)
    return model, source


def run(model: LiveModel, source: FakeSource, seconds: float) -> None:
    source.run(seconds)
    model.tick(seconds)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_bars_add_up_and_are_those_of_the_terminal(name: str) -> None:
    source, told = ShippedInBatches(name), ExplainedRecording(path_of_shipped(name))
    model = LiveModel(source)
    while source.batches:
        model.drain()
    assert (shown(model).way is None) == bool(told.why_none)
    for of_way in told.run.told if not told.why_none else ():
        bars = shown(model, of_way.way)
        assert bars.way == of_way.way
        assert bars.facts == f"{whole_latency_of(of_way.way).replace('_', ' ')} of " + (
            f"{of_way.whole.count:,} journeys".replace(",", "\u202f") if of_way.whole.count > 1 else "1 journey"
        )
        for bar, (row, one) in zip(bars.bars, chosen_ones(of_way), strict=False):
            assert bar.name == row
            assert (bar.told is None) == (one is None)
            if bar.told is None or one is None:
                continue
            shares = [share for share, _ in bar.parts.values()]
            assert begin(bar.told.journey) == begin(one.journey)
            assert shares == list(one.shares)
            assert sum(share.cycles for share in shares) == bar.told.cycles == one.cycles
            assert round(sum(percent for _, percent in bar.parts.values()), 6) == 100
            assert all(part_tip(model, bars, bar, key).count("\n") >= 2 for key in bar.parts)


def test_each_part_has_a_letter_of_its_own_and_a_row_says_what_a_bar_lacks() -> None:
    model, _ = model_of()
    bars = shown(model)
    assert tuple(bar.name for bar in bars.bars) == NAMES
    assert list(bars.letters.values()) == list("ABCDEFGH"[: len(bars.letters)])
    assert bars.bars[3].why == NONE_CHOSEN
    for key in bars.letters:
        for bar in bars.bars:
            assert (bar.why_not(key) == "") == (key in bar.parts)
            if bar.told is not None and key not in bar.parts:
                assert NO_SUCH_PART in part_tip(model, bars, bar, key)
    several = [share for share in bars.titles.values() if len(share.stops) > 1 and not share.bound]
    assert all(part_name(share).startswith("between: ") for share in several)
    assert bars_in_words(model, bars).count("journey #") == 3


def test_after_a_switch_the_bars_are_of_the_new_way_and_of_the_chosen_journeys() -> None:
    model, source = model_of()
    before = shown(model).way
    old = model.journeys.newest(1)
    source.order(Order.IOEVENTFD, False)
    run(model, source, 0.5)
    after = shown(model)
    assert after.way is not None
    assert "exit" in after.way.names
    assert set(after.ways) == {before, after.way}
    model.steps.to_journey(old)
    model.transport.to_newest()
    model.selection.choose(journeys=old)
    assert shown(model).way == before
    assert shown(model, after.way).bars[3].why == ANOTHER_WAY


class Watched(FakeSource):
    """Whose kernel tells of each interrupt's message, while it is watched."""

    watched = False

    def watch(self, on: bool) -> None:
        self.watched = on
        self.tell(EventKind.SETTING, Setting.KERNEL, int(on))

    def _interrupt(self, at: int, answers: int) -> None:
        super()._interrupt(at, answers)
        if self.watched:
            self._put(at + 1_000, EventKind.MSI, Lane.KVM, 0, self._signalled)


def test_of_a_kernel_that_was_watched_for_a_while_the_journeys_that_it_told_of_are_explained() -> None:
    source = Watched()
    source.start()
    model = LiveModel(source)
    run(model, source, 0.0)
    run(model, source, 0.5)
    before = shown(model)
    assert "left out" not in before.facts
    source.watch(True)
    run(model, source, 0.5)
    bars, later = shown(model), model.now - model.clock.cycles(0.5)
    told = [bar.told for bar in bars.bars if bar.told]
    assert len(told) == 3
    assert all(begin(one.journey)[0] > later for one in told)
    assert len({tuple(bar.parts) for bar in bars.bars if bar.told}) == 1
    all_of_them = model.present.latencies.journeys - model.present.latencies.warmup
    counted, left = (int("".join(filter(str.isdigit, part))) for part in bars.facts.split(", "))
    assert counted + left == all_of_them
    assert 0 < left < all_of_them
    assert bars.facts.endswith("journeys of which the kernel told nothing left out")
    terminal = RunShares(model.travel.stages, model.clock)
    journeys = model.journeys.at(0, model.journeys.total)
    journeys = journeys[~np.isin(begin(journeys), model.present.latencies.left_out)]
    terminal.feed(journeys, moments(journeys, model.events.window(0, model.now), traits_of(model.scenario)))
    (way,) = terminal.told
    assert (way.whole.count, terminal.left_out(way)) == (counted, left)
    source.watch(False)
    run(model, source, 0.1)
    assert [bar.number for bar in shown(model).bars] == [bar.number for bar in bars.bars]


def test_in_the_past_only_what_had_ended_by_then_counts() -> None:
    model, source = model_of()
    then = shown(model)
    tsc = model.now
    run(model, source, 0.5)
    assert shown(model).facts != then.facts
    model.scrub(tsc)
    again = shown(model)
    assert again.facts == f"{then.facts}, until this moment"
    for one, other in zip(again.bars, then.bars, strict=True):
        assert (one.told and int(begin(one.told.journey)[0])) == (other.told and int(begin(other.told.journey)[0]))
    model.scrub(model.started_at)
    assert shown(model).why == NONE_BY_THEN


def test_of_nothing_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = model_of(seconds=0.0)
    assert shown(model).why == NONE_ENDED
    model, _ = model_of(seconds=0.02)
    assert "of the warm-up" in shown(model).why
    model, _ = model_of()
    held = WholesHeld(model)
    assert "looked at so far" in time_bars_of(model, held, None).why
    monkeypatch.setattr(type(model.present.latencies.clock_error), "apart", True)
    assert shown(model).why == CLOCKS


def test_what_is_no_longer_held_is_let_go_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.model.history.CHUNK", 1 << 7)
    model, source = model_of()
    held = WholesHeld(model)
    held.take()
    model.journeys.limit = 0
    run(model, source, 0.5)
    assert model.journeys.oldest
    held.take()
    assert held.taken == model.journeys.total
    assert held._first == model.journeys.oldest
    assert count_of(model.journeys.oldest, "older one") in time_bars_of(model, held, None).facts
