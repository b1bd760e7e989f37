"""The filter's language: what it means, what it says of mistakes; it agrees with a plain reading of each event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.folds.journeys import STAGES
from bellwire.viz.model.filter import Everything, Sight
from bellwire.viz.model.filter_language import KINDS, LANES, FilterError, parse, suggestions
from bellwire.viz.model.journey_of import STAGE_KINDS, as_measured
from bellwire.viz.text.event_words import Wording
from tests.support.batch_source import HZ, drained, world

MODEL = drained(world(5, 600))
WORDING = Wording(MODEL.scenario)
EVENTS = MODEL.events.at(0, MODEL.events.total)
SIGHT = Sight(EVENTS, MODEL.journeys, MODEL.clock, MODEL.started_at, WORDING, as_measured)


def matching(text: str) -> list[bool]:
    return list(parse(text).matches(SIGHT).tolist())


def expected(fits: Callable[[Any], bool]) -> list[bool]:
    return [fits(event) for event in EVENTS]


def round_trip(event: Any) -> float:
    """The longest round trip that the event is a stage of, the slow way."""
    found = [-1.0]
    for journey in MODEL.journeys.newest(10**6):
        stages = [stage for stage in STAGES if journey[stage] == event["tsc"] and event["kind"] in STAGE_KINDS[stage]]
        if stages and journey["ring"] and journey["handler"]:
            found.append(float(journey["handler"]) - float(journey["ring"]))
    return max(found)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("kind=exit", lambda e: e["kind"] == EventKind.EXIT),
        ("KIND=Exit,entry", lambda e: e["kind"] in (EventKind.EXIT, EventKind.ENTRY)),
        ("kind!=exit", lambda e: e["kind"] != EventKind.EXIT),
        ("lane = io", lambda e: e["lane"] == Lane.IO_THREAD),
        ("id=0x510", lambda e: e["id"] == 0x510),
        ("number>=20 and number<30", lambda e: 20 <= e["seq"] < 30),
        ("number=#7", lambda e: e["seq"] == 7),
        ("vm=300", lambda e: False),
        ("not kind=ring number<=5", lambda e: e["kind"] != EventKind.RING and e["seq"] <= 5),
        ("kind=ring or kind=rung number=3", lambda e: e["kind"] == 1 or (e["kind"] == 2 and e["seq"] == 3)),
        ("(kind=ring or kind=rung) number=3", lambda e: e["kind"] in (1, 2) and e["seq"] == 3),
        ("time<1us", lambda e: e["tsc"] - MODEL.started_at < 1000 * HZ / 1e9),
        ("doorbell", lambda e: "doorbell" in WORDING.text(e)),
        ('"read() returned 1"', lambda e: e["kind"] == EventKind.DOORBELL and e["arg"] == 1),
        (r"/#1\d\b/ kind=ring", lambda e: e["kind"] == EventKind.RING and 10 <= e["seq"] < 20),
        ("roundtrip>150ns", lambda e: round_trip(e) > 150),
        ("roundtrip<=150ns", lambda e: 0 <= round_trip(e) <= 150),
    ],
)
def test_meanings(text: str, fits: Callable[[Any], bool]) -> None:
    found = matching(text)
    assert found == expected(fits)
    if text != "vm=300":
        assert any(found)
        assert not all(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind=foo", "There is no kind foo"),
        ("kind=", "kind=exit,entry"),
        ("latency>200", "200 what"),
        ("latency>fast", "no time"),
        ("latency=3us", "above or below"),
        ("foo=3", "foo is none of"),
        ("number>x", "no number"),
        ("number=18446744073709551616", "no number"),
        ("kind>exit", "kind=exit"),
        ("> 3", "Before >"),
        ("(kind=exit", "A ) is missing"),
        ("kind=exit)", "without its ("),
        ("not", "missing at the end"),
        ("/(/", "no regular expression: missing )"),
        ("a " * 300, "more than"),
    ],
)
def test_mistakes_are_explained_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=r"[.]$") as error:
        parse(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_typed_is_everything() -> None:
    assert parse("  ") == Everything()
    assert all(matching(""))


WORDS = ["kind=exit", "lane=io", "number>3", "latency>1us", "doorbell", '"#1', "/read/", "/[/", "and", "or", "not"]
SIGNS = ["!", "(", ")", "=", ",", "kind", "\u202f", "/", '"', "\\", "0x", "id=", "µs", "\0"]
PIECES = st.sampled_from(WORDS + SIGNS)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map(" ".join)))
def test_whatever_is_typed_is_understood_or_explained(text: str) -> None:
    try:
        found = parse(text).matches(SIGHT)
    except FilterError:
        return
    assert found.shape == EVENTS.shape


CLAUSES: dict[str, Callable[[Any], bool]] = {
    "kind=ring": lambda e: e["kind"] == EventKind.RING,
    "lane=io": lambda e: e["lane"] == Lane.IO_THREAD,
    "number>7": lambda e: e["seq"] > 7,
    "answers": lambda e: "answers" in WORDING.text(e),
    "id!=0": lambda e: e["id"] != 0,
}
TREES = st.recursive(
    st.sampled_from(sorted(CLAUSES)),
    lambda inner: st.one_of(
        inner.map(lambda one: ("not", one)),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    ),
    max_leaves=6,
)


def written(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    return f"not ({written(tree[1])})" if len(tree) == 2 else f"({written(tree[1])}) {tree[0]} ({written(tree[2])})"


def holds(tree: Any, event: Any) -> bool:
    if isinstance(tree, str):
        return bool(CLAUSES[tree](event))
    if len(tree) == 2:
        return not holds(tree[1], event)
    parts = [holds(part, event) for part in tree[1:]]
    return all(parts) if tree[0] == "and" else any(parts)


@settings(max_examples=50)
@given(TREES)
def test_and_or_not_mean_what_they_say(tree: Any) -> None:
    assert matching(written(tree))[:60] == [holds(tree, event) for event in EVENTS[:60]]


def test_completions_go_on_from_the_last_word() -> None:
    assert suggestions("ki") == ["kind="]
    assert suggestions("kind=exit,e") == ["kind=exit,exit", "kind=exit,entry", "kind=exit,eventfd_signal"]
    assert suggestions("(lane=") == [f"lane={name}" for name in LANES]
    assert suggestions("not kind=") == [f"kind={name}" for name in KINDS]
    for text in ("latency>2", "", "a ", "foo=", "i!"):
        assert suggestions(text) == []


@given(st.text(max_size=20))
def test_a_completion_only_adds_to_the_last_word(text: str) -> None:
    for word in suggestions(text):
        assert word.lower().startswith(text.replace("(", " ").split()[-1].lower())


def test_a_latency_that_is_not_known_yet_fits_neither_above_nor_below() -> None:
    model = drained(EVENTS[EVENTS["kind"] == EventKind.RING])
    sight = Sight(model.events.newest(10), model.journeys, model.clock, 0, WORDING, as_measured)
    assert sight.events.size == 10
    assert not parse("latency>0ns or latency<=9s").matches(sight).any()


LONG = ("id=" + "9" * 5000, "kind=" + "x" * 5000, "(" * 199, "latency>" + "1" * 9000, "/[/", "a b " * 200)
DEEP = ("(" * 60 + "kind=exit" + ")" * 60, "not " * 150 + "kind=exit", "latency>" + "9" * 400 + "s")


@pytest.mark.parametrize("text", LONG)
def test_what_is_wrong_with_a_long_filter_is_a_short_sentence(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize("text", DEEP)
def test_a_deep_or_absurd_filter_is_one(text: str) -> None:
    assert parse(text)
