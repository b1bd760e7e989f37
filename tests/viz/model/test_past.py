"""The past answers alike from memory and from a recording, and as plain numpy over all events does; what is not held as
a whole is not known, and why."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane, Setting, event
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.gaps import Gap, Gaps
from bellwire.engine.folds.latency import LATENCIES, cycles_of
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.excerpts import excerpt
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.part_words import words
from bellwire.viz.model.filter import Sight
from bellwire.viz.model.filter_language import parse
from bellwire.viz.model.journey_of import as_measured
from bellwire.viz.model.live import LiveModel, in_last_second
from bellwire.viz.model.past import KINDS, HeldPast, Past, RecordedPast, Unknown
from bellwire.viz.model.search import Search
from bellwire.viz.plots.numbers import journeys_label, numbers_of
from bellwire.viz.text.event_words import Wording
from bellwire.viz.text.figures import grouped
from tests.support.fake_source import HZ, FakeSource
from tests.support.models import run
from tests.support.sessions import PATIENCE
from tests.support.small_recording import WallClock

SECONDS = 6
LOST_AT = 3.2  # seconds
NAMES = ("doorbells", "reads", "interrupts", "handlers", "exits", "received", "left", "exit 2", "handler 64")


class Lossy(FakeSource):
    """It loses seven events at LOST_AT."""

    def take(self, most: int | None = None) -> Events:
        events = super().take(most)
        at = 10**12 + round(LOST_AT * HZ)
        if events.size and events["tsc"][0] <= at <= events["tsc"][-1]:
            lost = event(at, EventKind.LOST, Lane.ENGINE, Lane.GUEST, at - HZ // 100, 7)
            events = np.sort(np.concatenate([events, lost]), order="tsc", kind="stable")
        return events


def make_run(path: Path, batches: list[Events]) -> LiveModel:
    """A live model that has seen a run, which is recorded in small batches beside it."""
    source = Lossy()
    source.order(Order.PACE, 300)
    with source:
        source.announce_pace()
        model = LiveModel(source)
        with Recorder(path, Header.of(source, "0")) as recorder:
            for turn in range(SECONDS * 20):
                source.run(0.05)
                if turn in (30, 50):
                    source.order(Order.IOEVENTFD, turn == 50)
                model.tick(0.05)
                batches.append(model.batch)
                recorder.append(model.batch)
                if turn % 7 == 0:
                    recorder.flush()
    return model


@pytest.fixture(scope="module")
def events() -> list[Events]:
    return []


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, events: list[Events]) -> LiveModel:
    """Of which the oldest has left memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bellwire.viz.model.history.CHUNK", 256)
        patch.setattr("bellwire.viz.model.live.EVENT_LIMIT", 9_000)
        return make_run(tmp_path_factory.getbasetemp() / "past.arrow", events)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory, live: LiveModel) -> Iterator[LiveModel]:
    """A replay of the same that was jumped into."""
    assert live.tally.recorded
    wall = WallClock()
    with (
        pytest.MonkeyPatch.context() as patch,
        Replay(Recording(tmp_path_factory.getbasetemp() / "past.arrow"), wall) as source,
    ):
        patch.setattr("bellwire.engine.recordings.replay.PRELUDE", 300)
        source.recording.let_go()  # held by a window, not by all the tests of a module
        source.indexer.wait()
        source.seek(source.recording.first + 2 * HZ)
        model = LiveModel(source)
        for _ in range(20):
            wall.ns += 10**8
            model.tick(0.1)
        assert 0 < len(model.events) < len(source.recording) / 2
        yield model


def answers(past: Past, every: Events, seed: int) -> tuple[int, int]:
    """Asks for random stretches; how many were known, and how many not."""
    chance, gap = np.random.default_rng(seed), 10**12 + round(LOST_AT * HZ)
    known = unknown = 0
    low, high = int(every["tsc"][0]) - HZ // 2, int(every["tsc"][-1]) + HZ // 2
    for t0, length in zip(chance.integers(low, high, 200), chance.integers(0, 2 * HZ, 200), strict=True):
        t0, t1 = int(t0), int(t0 + length)
        kinds, why = past.kinds(t0, t1), past.missing(t0, t1)
        outside = t0 < past.first or t1 > past.last or (gap - HZ // 100 < t1 and gap >= t0)
        assert bool(why) == isinstance(kinds, Unknown) == outside
        unknown, known = unknown + outside, known + (not outside)
        if not isinstance(kinds, Unknown):
            inside = every[(every["tsc"] >= t0) & (every["tsc"] <= t1)]
            assert kinds.tolist() == np.bincount(inside["kind"], minlength=KINDS).tolist()
    return known, unknown


def plain(every: Events, name: str, first: int, end: int, cycles: int) -> list[float]:
    """What viz/model/rates.py calls `name`, by comparing everything with everything."""
    kind, of = (
        every["kind"],
        {
            "doorbells": [EventKind.RING],
            "reads": [EventKind.DOORBELL],
            "received": [EventKind.DOORBELL],
            "interrupts": [EventKind.IRQFD, EventKind.IRQ_IOCTL],
            "handlers": [EventKind.HANDLER],
            "handler 64": [EventKind.HANDLER],
            "exits": [EventKind.EXIT],
            "exit 2": [EventKind.EXIT],
            "left": [EventKind.EXIT],
        },
    )
    some = every[np.isin(kind, of[name])]
    some = some[some["id"] == int(name.split()[1])] if " " in name else some
    some = some[some["seq"] > 0] if name == "left" else some
    amounts = some["arg"] if name == "received" else np.ones(some.size)
    at = (some["tsc"] // np.uint64(cycles)).astype(np.int64)
    return [float(amounts[at == number].sum()) for number in range(first, end)]


@pytest.mark.parametrize("which", ["live", "replay"])
def test_any_stretch_is_counted_or_not_known(which: str, events: list[Events], request: pytest.FixtureRequest) -> None:
    past = request.getfixturevalue(which).past
    assert isinstance(past, RecordedPast if which == "replay" else HeldPast)
    known, unknown = answers(past, np.concatenate(events), 5)
    assert known > 10
    assert unknown > 10


@pytest.mark.parametrize("which", ["live", "replay"])
def test_any_bin_is_counted_or_not_known(which: str, events: list[Events], request: pytest.FixtureRequest) -> None:
    model: LiveModel = request.getfixturevalue(which)
    past, cycles, every = model.past, model.rates.bin_cycles, np.concatenate(events)
    chance, seen = np.random.default_rng(6), 0
    low, high = int(every["tsc"][0]) // cycles - 10, int(every["tsc"][-1]) // cycles + 10
    for first in chance.integers(low, high, 25).tolist():
        end = first + int(chance.integers(1, 40))
        whole = [not past.missing(n * cycles, n * cycles + cycles - 1) for n in range(first, end)]
        for name in NAMES:
            bins = past.bins(name, first, end)
            assert (~np.isnan(bins)).tolist() == whole, name
            wanted = plain(every, name, first, end, cycles)
            assert [n for n, there in zip(bins.tolist(), whole, strict=True) if there] == [
                n for n, there in zip(wanted, whole, strict=True) if there
            ], (name, first)
            seen += sum(whole)
    assert seen > 100


def test_the_kernel_s_counters_are_those_of_a_model_that_saw_it_all(replay: LiveModel, live: LiveModel) -> None:
    """Where the bins are made from events, what a counter was before must be known."""
    first, end = (tsc // live.rates.bin_cycles for tsc in (live.past.first, live.past.last))
    bins, wanted = replay.past.bins("kvm exits", first, end), live.rates.between("kvm exits", first, end)
    there = ~np.isnan(bins)
    assert there.sum() > 40
    assert bins[there].tolist() == wanted[there].tolist()


def test_the_slowest_of_a_recording_is_that_of_the_whole_file(replay: LiveModel, events: list[Events]) -> None:
    every = LiveModel(FakeSource())
    for batch in events:
        every._fold(batch)
    for name in LATENCIES:
        found, why = replay.past.slowest(name, 0)
        wanted, _ = every.past.slowest(name, every.latencies.warmup)
        assert not why
        assert cycles_of(found, name) == cycles_of(wanted, name)


def test_a_live_run_says_that_a_slower_journey_has_left(live: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live.why_not_slowest("round_trip") == ""
    monkeypatch.setattr(live.latencies.histograms["round_trip"], "_max", 10**9)
    monkeypatch.setattr(live.journeys, "total", live.journeys.total + 500)
    assert "are no longer held" in live.why_not_slowest("round_trip")


def test_the_newest_of_a_kind_is_found_wherever_it_is(replay: LiveModel, events: list[Events]) -> None:
    every, assigned = np.concatenate(events), EventKind.SETTING
    played = every[(every["kind"] == assigned) & (every["tsc"] <= replay.now)]
    assert not any((some["kind"] == assigned).any() for some in replay.events)
    assert replay.past.newest(assigned, replay.now).tolist() == played[-1:].tolist()
    assert played["id"][-1] in list(Setting)
    assert replay.past.newest(EventKind.WINDOW, replay.now).size == 0


def test_what_is_said_of_a_replay_that_was_jumped_into_is_of_one_stretch(replay: LiveModel, live: LiveModel) -> None:
    """Its totals are the run's, its evidence and journeys those since the jump; nothing mixes the two."""
    assert replay.jumped
    assert not live.jumped
    assert 0 < replay.told.doorbells_rung < replay.tally.doorbells_rung
    claims = " ".join(finding.claim for finding in findings(replay.told, replay.evidence))
    assert grouped(replay.tally.doorbells_rung) not in claims
    assert journeys_label(replay) == "journeys since the jump"
    for before in (replay.past.first, replay.past.first + HZ // 2):
        replay.scrub(before)
        assert replay.seen.whole_run
        assert journeys_label(replay) == "journeys, since the jump"
        assert numbers_of(replay)[0].label == "doorbell p50, since the jump"
    replay.to_newest()
    live.transport.seek(live.past.first - 1)
    assert journeys_label(live) == "journeys, whole run so far"
    live.to_newest()
    assert replay.changes == [change for change in live.changes if change.tsc <= replay.now]
    assert len(replay.changes) == 2


def test_a_course_before_the_jump_is_whole_however_little_is_read_at_a_time(
    replay: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a stretch with many events it ended where reading did."""
    past, end = replay.past, replay.now
    whole = {name: past.course(name, past.first, end) for name in LATENCIES}
    past._pieces.clear()
    monkeypatch.setattr(excerpt, "AT_A_TIME", past.size // 24)
    monkeypatch.setattr(excerpt, "AROUND", 1)
    for name in LATENCIES:
        course = past.course(name, past.first, end)
        assert course["tsc"][-1] > end - HZ // 5
        assert course.tolist() == whole[name].tolist()


def test_what_is_saved_of_a_replay_is_all_that_it_says_to_hold(replay: LiveModel, events: list[Events]) -> None:
    every, saved = np.concatenate(events), np.concatenate(list(replay.past.stream()))
    assert np.sort(saved).tobytes() == np.sort(every).tobytes()
    assert (replay.past.first, replay.past.last) == (int(every["tsc"][0]), int(every["tsc"].max()))


def test_a_word_on_the_second_before_a_recording_does_not_read_all_of_it(
    replay: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LiveModel(Replay(Recording(replay.past.recording.path)))  # type: ignore[attr-defined]
    read: list[int] = []

    def reading(_: Recording, number: int) -> Events:
        read.append(number)
        raise AssertionError

    monkeypatch.setattr(Recording, "read", reading)
    assert model.past.sum("doorbells", *model.second) is None
    assert words(model, "vcpu")
    assert not read


def cut_off(recording: Recording) -> None:
    os.truncate(recording.path, recording.path.stat().st_size // 2)


def overwritten(recording: Recording) -> None:
    """The bodies of the second half of its batches."""
    with recording.path.open("r+b") as file:
        for entry in recording.entries[recording.entries.size // 2 :]:
            file.seek(int(entry["offset"] + entry["size"] // 2))
            file.write(b"\xff" * int(entry["size"] // 4))


@pytest.mark.parametrize("change", [cut_off, overwritten])
def test_what_a_file_no_longer_has_is_not_known(
    change: Callable[[Recording], None], replay: LiveModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes while it is played: from there on there was none of anything, in the last second and in every bin."""
    monkeypatch.setattr("bellwire.engine.recordings.recording.CACHED", 0)
    path, wall = tmp_path / "changed.arrow", WallClock()
    path.write_bytes(replay.past.recording.path.read_bytes())  # type: ignore[attr-defined]
    with Replay(Recording(path), wall) as source:
        source.indexer.wait()
        model = LiveModel(source)
        wall.ns += HZ
        model.tick(1.0)
        played = int(in_last_second(model, "doorbells") or 0), model.second[1] * model.rates.bin_cycles
        change(source.recording)
        for _ in range(SECONDS * 2):
            wall.ns += HZ // 2
            model.tick(0.5)
        assert in_last_second(model, "doorbells") is None
        assert model.why_unknown
        assert "rang no" not in caption(model)
        end = source.recording.last // model.rates.bin_cycles
        assert np.isnan(model.past.bins("doorbells", end - 10, end)).all()
        assert isinstance(model.past.kinds(source.recording.last - HZ, source.recording.last), Unknown)
        model.scrub(played[1])
        assert in_last_second(model, "doorbells") == played[0] > 0


def test_a_file_that_is_cut_off_ends_its_replay_there(replay: LiveModel, tmp_path: Path) -> None:
    path, wall = tmp_path / "cut.arrow", WallClock()
    path.write_bytes(replay.past.recording.path.read_bytes())  # type: ignore[attr-defined]
    with Replay(Recording(path), wall) as source:
        source.indexer.wait()
        model = LiveModel(source)
        cut_off(source.recording)
        wall.ns += SECONDS * HZ
        model.tick(1.0)
        assert source.error
        assert source.complete < source.now()
        assert "changed since it was opened" in model.why_unknown
        assert source.position == model.events.total


def test_a_large_recording_that_is_still_being_read_says_so(replay: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.model.past.SMALL", 10)
    recording = Recording(replay.past.recording.path)  # type: ignore[attr-defined]
    source = Replay(recording)
    past = LiveModel(source).past
    kinds = past.kinds(recording.first, recording.last)
    assert isinstance(kinds, Unknown)
    assert "still being read" in kinds.why
    assert np.isnan(past.bins("doorbells", recording.first // 10**8 + 2, recording.first // 10**8 + 5)).all()


@pytest.mark.parametrize("text", ["", "kind=exit", "kind=setting", "number=7", "roundtrip>21us kind=ring"])
def test_a_search_goes_through_all_of_a_recording_that_was_until_now(
    text: str, replay: LiveModel, events: list[Events]
) -> None:
    every = np.concatenate(events)
    search = Search(replay, Wording(replay.scenario), parse(text))
    while not search.done:
        search.advance()
    found = replay.rows.pick(search.positions(0, len(search)))
    until = every[every["tsc"] <= replay.now]
    sight = Sight(until, replay.journeys, replay.clock, replay.started_at, Wording(replay.scenario), as_measured)
    wanted = until[parse(text).matches(sight)]
    assert found.tolist() == wanted.tolist()
    assert found.size > 0
    assert len(replay.rows) == until.size > 1.4 * len(replay.events)
    middle = int(until["tsc"][until.size // 2])
    assert replay.rows.until(middle) == np.searchsorted(until["tsc"], middle, "right")
    assert replay.rows.starting(until["tsc"][[100]])[0] == np.searchsorted(until["tsc"], until["tsc"][100])


# -- the last second


def test_the_last_second_is_over_and_whole() -> None:
    """Bursts late in a second that is not over do not thin it out, whenever somebody looks."""
    source = FakeSource()
    source.start()
    source.order(Order.PACE, 100)
    model = LiveModel(source)
    run(source, model, 1.3)
    for _ in range(40):
        source.run(0.013)
        model.tick(0.013)
        assert in_last_second(model, "doorbells") == 100
        assert "100 doorbells" in caption(model)


def test_the_last_second_ends_where_everything_has_come() -> None:
    """A source that holds back what its rings have not told yet."""

    class Behind(FakeSource):
        """It hands everything on 0.12 s later."""

        @property
        def complete(self) -> int:
            return self.now() - round(0.12 * HZ)

        def take(self, most: int | None = None) -> Events:
            ready = sorted(row for row in self._out if row[0] <= self.complete)
            self._out = [row for row in self._out if row[0] > self.complete]
            return np.array(ready, EVENT)

    source = Behind()
    source.start()
    source.order(Order.PACE, 100)
    model = LiveModel(source)
    run(source, model, 1.7)
    for _ in range(30):
        source.run(0.017)
        model.tick(0.017)
        assert in_last_second(model, "doorbells") == 100


def test_a_run_that_is_younger_than_a_second_has_no_last_second() -> None:
    source = FakeSource()
    source.start()
    model = LiveModel(source)
    run(source, model, 0.5)
    assert in_last_second(model, "doorbells") is None
    assert "not known" in caption(model)
    assert words(model, "vcpu") == "KVM_EXIT_IO: –"


def test_a_second_in_which_events_were_lost_is_not_known() -> None:
    source = Lossy()
    source.start()
    model = LiveModel(source)
    run(source, model, LOST_AT + 0.6)
    assert in_last_second(model, "doorbells") is None
    assert "7 events were lost in it" in caption(model)
    run(source, model, 1.5)
    assert in_last_second(model, "doorbells")


def test_what_was_long_ago_is_counted_from_the_events_that_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bins hold two minutes, the history as much as it has room for."""
    monkeypatch.setattr("bellwire.viz.model.rates.BINS", 60)
    source = FakeSource("roundtrip-userspace")
    source.start()
    source.order(Order.PACE, 50)
    model = LiveModel(source)
    run(source, model, 8)
    model.scrub(model.now - 6 * HZ)
    assert in_last_second(model, "exit 2") == 50
    assert words(model, "vcpu") == "KVM_EXIT_IO: 50"
    assert words(model, "heavy_count") == "50 in the last second"


def test_a_gap_without_a_beginning_begins_at_the_lane_s_last_word() -> None:
    gaps, at = Gaps(FakeSource().clock), 10**12
    gaps.feed(event(at, EventKind.RING, Lane.GUEST))
    gaps.feed(event(at + HZ, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 3))
    assert [(gap.start, gap.end, gap.count) for gap in gaps.found] == [(at, at + HZ, 3)]
    assert gaps.within(at + 1, at + 2)
    assert not gaps.within(at - 9, at - 1)
    assert not gaps.within(at + HZ + 1, at + 2 * HZ)


def test_stretches_with_a_gap_are_told_for_many_at_once() -> None:
    chance, gaps = np.random.default_rng(9), Gaps(FakeSource().clock)
    starts = chance.integers(0, 10_000, 40)
    for start in starts.tolist():
        gaps.add(Gap(start, start + int(chance.integers(0, 300)), Lane.GUEST, 1))
    asked = np.arange(0, 11_000, 37)
    touched = gaps.touch(asked, asked + 36)
    assert touched.tolist() == [bool(gaps.within(t, t + 36)) for t in asked.tolist()]
    assert 0 < touched.sum() < touched.size
    assert not Gaps(FakeSource().clock).touch(asked, asked + 36).any()


@pytest.mark.kvm
def test_what_is_said_of_a_second_of_a_real_run_stays_true() -> None:
    """It is that of all events that ever come; but for seconds with an event that its thread published too late."""
    told: dict[tuple[int, int], dict[str, float | None]] = {}
    batches: list[Events] = []
    late: list[int] = []
    names = ("doorbells", "reads", "interrupts", "handlers")
    with Session(load_scenario("roundtrip").with_settings({"pace": "400"})) as session:
        model = LiveModel(session)
        until = time.monotonic() + PATIENCE
        while len(told) < 6 and time.monotonic() < until:
            complete = model.past.complete
            model.tick(0.01)
            late += model.batch["tsc"][model.batch["tsc"] <= np.uint64(complete)].tolist()
            batches.append(model.batch)
            if not model.why_unknown and model.second not in told:
                told[model.second] = {name: in_last_second(model, name) for name in names}
            time.sleep(0.01)
    batches.append(session.take())
    every, cycles = np.concatenate(batches), model.rates.bin_cycles
    assert len(told) == 6
    bins = {tsc // cycles for tsc in late}
    sure = {second: figures for second, figures in told.items() if not bins & set(range(*second))}
    assert sure
    for second, figures in sure.items():
        assert figures == {name: sum(plain(every, name, *second, cycles)) for name in names}
