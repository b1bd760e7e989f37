"""A search finds each event that fits, once, in its place, however events come and whenever journeys are complete."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model import history, search
from bellwire.viz.model.filter import Sight
from bellwire.viz.model.filter_language import parse
from bellwire.viz.model.journey_of import as_measured
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.search import Found, Search
from bellwire.viz.text.event_words import Wording
from tests.support.batch_source import cut_world, drained, model_of, world
from tests.support.shifted import shifted_run
from tests.support.shipped_models import shipped_model

FILTERS = (
    "",
    "kind=exit,handler",
    "latency>200ns",
    "not latency<=200ns kind=ring",
    "kind=wire",
    "answers or roundtrip<100ns",
)


def everything_that_fits(model: LiveModel, text: str) -> list[int]:
    events = model.events.at(0, model.events.total)
    sight = Sight(events, model.journeys, model.clock, model.started_at, Wording(model.scenario), as_measured)
    return [int(n) + model.events.oldest for n in np.flatnonzero(parse(text).matches(sight))]


def positions(found: Search) -> list[int]:
    return list(found.positions(0, len(found)).tolist())


@pytest.mark.parametrize("text", FILTERS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_it_finds_the_same_live_as_afterwards(text: str, seed: int) -> None:
    batches = cut_world(seed)
    model = model_of(batches)
    live = Search(model, Wording(model.scenario), parse(text))
    for _ in batches:
        model.drain()
        live.advance()
    assert live.done
    assert positions(live) == everything_that_fits(model, text)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_what_is_new_is_told_once(seed: int) -> None:
    batches = cut_world(seed)
    model = model_of(batches)
    live, told = Search(model, Wording(model.scenario), parse("latency>150ns or kind=wait")), []
    for _ in batches:
        model.drain()
        told += live.advance().tolist()
    assert sorted(told) == positions(live)
    assert len(set(told)) == len(told)


def test_a_large_history_is_searched_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PIECE", 100)
    model = drained(world(3, 900))
    found, shares = Search(model, Wording(model.scenario), parse("kind=ring")), []
    while not found.done:
        found.advance()
        shares.append(found.share)
    assert len(shares) == -(-model.events.total // 100)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert positions(found) == everything_that_fits(model, "kind=ring")


@pytest.mark.parametrize("text", ["", "kind=ring"])
def test_it_forgets_with_the_history(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(history, "CHUNK", 64)
    batches = [rings(1 + 100 * n, 100) for n in range(20)]
    model = model_of(batches)
    model.events.limit = 300
    found = Search(model, Wording(model.scenario), parse(text))
    for _ in batches:
        model.drain()
        found.advance()
    assert model.events.oldest > 0
    assert positions(found) == list(range(model.events.oldest, 2000))
    assert found.index(model.events.oldest + 5) == 5
    assert found.index(0) == 0


def rings(first: int, count: int) -> Events:
    """Doorbells that nobody answers."""
    numbers = range(first, first + count)
    return np.array([(1000 + n, EventKind.RING, Lane.GUEST, 0, 0x510, n, 0) for n in numbers], EVENT)


def test_it_can_begin_at_the_present() -> None:
    model = model_of([rings(1, 50), rings(51, 50)])
    model.drain()
    found = Search(model, Wording(model.scenario), parse(""), start=model.events.total)
    model.drain()
    assert found.advance().tolist() == list(range(50, 100))
    assert positions(found) == list(range(50, 100))


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 200)), st.lists(st.integers(0, 200)), st.integers(0, 50)), max_size=5)
)
def test_found_is_a_sorted_set(steps: list[tuple[list[int], list[int], int]]) -> None:
    found, truth, end, low = Found(), set[int](), 0, 0
    for add, known, forget in steps:
        fresh = sorted({end + n for n in add})
        found.add(np.array(fresh, np.int64))
        truth |= set(fresh)
        end = max([end, *(n + 1 for n in fresh)])
        low = max(low, forget)
        found.forget_before(low)
        again = np.array(sorted({n for n in known if low <= n < end}), np.int64)
        right = again[::2]
        new = found.correct(again, right)
        truth = {n for n in truth if n >= low}
        assert set(new.tolist()) == set(right.tolist()) - truth
        truth = (truth - set(again.tolist())) | set(right.tolist())
        assert found.values.tolist() == sorted(truth)


def found(model: LiveModel, text: str) -> int:
    search = Search(model, Wording(model.scenario), parse(text))
    while not search.done:
        search.advance()
    return len(search)


def test_latencies_that_cannot_be_told_are_not_found() -> None:
    """As in every figure: how long an emulated CPU took says nothing, and of clocks that are apart no way does."""
    emulated = shipped_model("roundtrip@kvm_amd")
    assert [found(emulated, f"{name}>0ns") for name in ("latency", "roundtrip", "doorbell", "store")] == [0] * 4
    assert found(emulated, "kind=ring") == found(emulated, "kind=ring and not latency>0ns") > 0
    apart = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    assert [found(apart, f"{name}>0ns") for name in ("doorbell", "injection")] == [0, 0]
    assert found(apart, "roundtrip>0ns") > 0
