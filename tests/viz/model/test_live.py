"""One fold, a bounded history, and a view that can go anywhere in it without touching the capture."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Switch
from bellwire.engine.folds.journeys import JOURNEY
from bellwire.engine.folds.latency import begin
from bellwire.engine.source import Order
from bellwire.viz.diagram.captions import together, usual_then
from bellwire.viz.model import history
from bellwire.viz.model.history import History
from bellwire.viz.model.live import LiveModel, event_span, in_last_second, journey_span
from bellwire.viz.model.ways import LEGS
from bellwire.viz.text.figures import duration
from tests.support.models import FRAME, run, running


def counted(model: LiveModel) -> int:
    return model.travel.launcher.launched + model.travel.launcher.aggregated + model.travel.launcher.waiting


def test_everything_is_folded_and_every_journey_is_in_one_token() -> None:
    _, model = running()
    assert model.tally.doorbells_rung > 1900
    assert model.tally.settled
    assert model.latencies.journeys == model.journeys.total == counted(model) == model.tally.doorbells_rung


def test_pause_stops_the_view_and_not_the_capture() -> None:
    source, model = running()
    model.transport.pause()
    playhead, shown, rung = model.playhead, model.tokens(), model.tally.doorbells_rung
    run(source, model, 0.5)
    assert (model.playhead, model.tokens(), model.state) == (playhead, shown, "PAUSED")
    assert model.tally.doorbells_rung == rung
    assert model.present.tally.doorbells_rung > rung
    assert model.journeys.total == model.present.tally.doorbells_rung
    model.transport.play()
    run(source, model, 0.1)
    assert model.playhead == model.now
    assert counted(model) == model.latencies.journeys


def test_slow_motion_shows_each_journey_that_was_and_in_order() -> None:
    source, model = running()
    model.transport.set_factor(1e5)
    seen: list[int] = []
    for _ in range(600):
        source.run(FRAME)
        model.tick(FRAME)
        seen += [token.seq for token in model.tokens()]
    assert seen == sorted(seen)
    assert len(set(seen)) >= 4
    assert list(dict.fromkeys(seen)) == list(range(seen[0], seen[-1] + 1))


def test_a_token_takes_as_long_on_each_leg_as_was_measured_times_the_factor_to_a_frame() -> None:
    for factor, scenario in ((2e4, "roundtrip"), (1e5, "roundtrip"), (5e4, "roundtrip-userspace")):
        _, model = running(0.3, scenario)
        model.scrub(0)
        model.transport.set_factor(factor)
        model.transport.play()
        frames: dict[tuple[int, str], int] = {}
        places: dict[tuple[int, str], list[float]] = {}
        for _ in range(500):
            model.tick(FRAME)
            for token in model.tokens():
                key = token.seq, token.leg
                frames[key] = frames.get(key, 0) + 1
                places.setdefault(key, []).append(token.at)
        journeys = {int(one["seq"]): one for one in model.journeys.newest(model.journeys.total)}
        newest = max(seq for seq, _ in frames)
        finished = {seq for seq, _ in frames} - {newest}  # which is still on its way
        assert len(finished) >= 2
        for (seq, leg), seen in frames.items():
            if seq not in finished:
                continue
            start, end, _ = LEGS[leg]
            seconds = model.clock.ns(int(journeys[seq][end]) - int(journeys[seq][start])) / 1e9 * factor
            assert abs(seen - seconds / FRAME) <= 1, (leg, seen, seconds / FRAME)
            steps = np.diff(places[seq, leg])
            assert steps == pytest.approx(FRAME / seconds, rel=0.01)


def test_slow_motion_that_is_too_quick_for_the_eye_counts_every_journey_that_it_passes() -> None:
    for factor in (2.0, 20.0, 1000.0):
        source, model = running(1.0)
        model.transport.set_factor(factor)
        start = model.playhead
        for _ in range(300):
            source.run(FRAME)
            model.tick(FRAME)
        assert model.transport.together
        assert not model.transport.exact
        passing = model.travel.passing
        starts = begin(model.journeys.newest(model.journeys.total))
        passed = int(((starts > start) & (starts <= model.playhead)).sum())
        assert passing.launched + passing.aggregated + passing.waiting == passed > 0
        assert model.tokens()
        if factor < 1000:
            assert model.playhead - start == pytest.approx(300 * FRAME * model.clock.hz / factor, rel=0.05)
        assert counted(model) == model.present.latencies.journeys  # those that set out in real time


def test_a_pause_in_quick_slow_motion_freezes_the_tokens_and_a_step_shows_the_moment() -> None:
    source, model = running(1.0)
    model.transport.set_factor(50.0)
    run(source, model, 2.0)
    model.transport.pause()
    shown = model.tokens()
    run(source, model, 0.2)
    assert model.tokens() == shown
    playhead = model.playhead
    assert model.step(+1)
    assert model.transport.exact
    assert model.playhead > playhead  # from where the view was, not from the present
    assert len(model.tokens()) == 1
    model.transport.play()
    run(source, model, 0.1)
    assert model.transport.together
    assert model.travel.passing.aggregated < 100  # begun anew


def test_first_step_from_live_goes_to_the_newest_journey() -> None:
    _, model = running()
    assert model.step(+1)
    newest = int(model.journeys.newest(1)["seq"][0])
    assert int(model.selection.journeys["seq"][0]) == newest
    assert model.transport.paused
    assert [token.seq for token in model.tokens()] == [newest]


def test_steps_forward_and_back_return_to_the_same_state() -> None:
    source, model = running(0.5)
    chance = random.Random(11)
    model.to_start()
    for _ in range(1000):
        direction = chance.choice((+1, -1))
        before = (model.playhead, int(model.selection.journeys["seq"][0]), model.tokens())
        if model.step(direction):
            assert model.playhead != before[0]
            assert model.step(-direction)
        assert (model.playhead, int(model.selection.journeys["seq"][0]), model.tokens()) == before
        model.step(chance.choice((+1, -1)))
    assert source.commands == []


def test_stepping_visits_every_journey_once() -> None:
    _, model = running(0.2)
    model.to_start()
    seqs = [int(model.selection.journeys["seq"][0])]
    while model.step(+1):
        seqs.append(int(model.selection.journeys["seq"][0]))
    assert seqs == list(range(1, model.journeys.total + 1))


def test_back_to_the_present_clears_the_choice() -> None:
    source, model = running()
    model.step(-1)
    model.to_newest()
    run(source, model, 0.1)
    assert model.playhead == model.now
    assert not model.selection.journeys.size


def test_a_change_of_the_wiring_is_noted_once_and_the_first_word_is_none() -> None:
    source, model = running()
    assert model.changes == []
    assert model.wired(Switch.IOEVENTFD)
    source.order(Order.IOEVENTFD, False)
    run(source, model, 0.2)
    assert [change.text for change in model.changes] == ["ioeventfd off"]
    assert not model.wired(Switch.IOEVENTFD)


def test_last_second_counts_what_happened_then() -> None:
    source, model = running(3)
    source.order(Order.IOEVENTFD, False)
    run(source, model, 1.2)
    per_second = in_last_second(model, "doorbells")
    assert per_second == pytest.approx(2000, abs=1)
    assert in_last_second(model, "left") == pytest.approx(per_second, abs=1)
    assert in_last_second(model, "exit 2") == in_last_second(model, "left")
    model.scrub(model.now - model.clock.cycles(2.5))
    assert in_last_second(model, "left") == 0
    model.to_newest()
    source.order(Order.PACE, 0)
    run(source, model, 1.2)
    assert in_last_second(model, "doorbells") == 0


def test_selection_tells_whoever_asked() -> None:
    _, model = running()
    told: list[int] = []
    model.selection.changed.append(lambda: told.append(model.selection.journeys.size))
    model.step(-1)
    model.selection.choose()
    assert told == [1, 0]


def test_history_is_bounded_and_holds_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 16)
    kept = History(EVENT, 100, event_span)
    for start in range(0, 1000, 7):
        batch = np.zeros(7, EVENT)
        batch["tsc"] = np.arange(start, start + 7)
        kept.append(batch)
        assert len(kept) <= 100 + 16
    assert kept.total == 1001
    assert kept.last == 1000
    assert kept.newest(30)["tsc"].tolist() == list(range(971, 1001))
    assert kept.window(950, 960)["tsc"].tolist() == list(range(950, 961))
    assert np.concatenate(list(kept))["tsc"].tolist() == list(range(kept.first, 1001))


def test_history_finds_neighbours_even_if_starts_are_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 8)
    chance = random.Random(5)
    starts = chance.sample(range(1000, 5000), 200)
    kept = History(JOURNEY, 1000, journey_span)
    for start in starts:
        one = np.zeros(1, JOURNEY)
        one["ring"], one["doorbell"] = start, start + 5000
        kept.append(one)
    for t in range(900, 5100, 37):
        assert kept.start_after(t) == min((s for s in starts if s > t), default=None)
        assert kept.start_before(t) == max((s for s in starts if s < t), default=None)
    assert int(begin(kept.starting_at(starts[0]))[0]) == starts[0]


def test_an_interrupt_of_the_host_is_a_journey_too() -> None:
    _, model = running(1, "irq-msi")
    assert model.tally.irqs_handled > 900
    assert counted(model) == model.tally.irqs_handled
    assert {token.leg for token in model.tokens()} == {"irqfd"}


def test_events_are_held_as_they_came() -> None:
    _, model = running(0.1)
    rings = model.window(0, 2**63)
    assert (rings["kind"] == EventKind.RING).sum() == model.tally.doorbells_rung
    assert (np.diff(rings["tsc"].astype(np.int64)) >= 0).all()


def test_records_are_found_by_their_position_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 16)
    kept = History(EVENT, 40, event_span)
    events = np.zeros(100, EVENT)
    events["tsc"] = 10 * np.arange(100)
    for part in np.array_split(events, 7):
        kept.append(part)
    assert kept.oldest == 100 - len(kept) == 48
    assert kept.at(0, 51)["tsc"].tolist() == [480, 490, 500]
    assert kept.at(95, 200)["tsc"].tolist() == [950, 960, 970, 980, 990]
    assert kept.pick(np.array([48, 63, 64, 99]))["tsc"].tolist() == [480, 630, 640, 990]
    assert kept.starting(np.array([0, 640, 645, 990], np.uint64)).tolist() == [64, 99]
    assert kept.starting(np.array([], np.uint64)).size == 0


def test_a_second_is_counted_once_however_many_words_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    source, model = running(3)
    asked, count = list[str](), model.past.sum

    def counting(name: str, first: int, end: int) -> float | None:
        asked.append(name)
        return count(name, first, end)

    monkeypatch.setattr(model.past, "sum", counting)
    first = [in_last_second(model, "doorbells") for _ in range(3)]
    assert (asked, first) == (["doorbells"], [count("doorbells", *model.second)] * 3)
    run(source, model, 0.5)
    assert in_last_second(model, "doorbells") == count("doorbells", *model.second)
    assert asked == ["doorbells"] * 2


def test_slow_motion_says_how_long_journeys_took_then_and_not_at_the_end_of_what_has_come() -> None:
    """Its caption had the median of the newest of the source, which goes on while the view is far behind."""
    source, model = running(1.0)
    model.transport.set_factor(20.0)
    for _ in range(60):
        source.run(FRAME)
        model.tick(FRAME)
    assert model.transport.together
    then = model.latencies.since["round_trip"].known_percentile(50)
    assert then is not None
    assert duration(then) in together(model)
    source.order(Order.IOEVENTFD, False)
    source.run(1.0)
    model.tick(FRAME)
    assert model.usual_seconds is not None
    assert usual_then(model) * 1e9 == pytest.approx(then, rel=0.05)
    assert model.usual_seconds * 1e9 > 1.2 * then
