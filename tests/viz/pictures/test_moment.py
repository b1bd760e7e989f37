"""A moment is read from words and said in the same; a model looks at it, or a sentence says what there is instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.moment import KINDS, Moment, MomentError, moment_of
from bellwire.viz.pictures.played import played_model, source_played


@contextmanager
def model_at(text: str, scenario: str = "roundtrip") -> Iterator[LiveModel]:
    """A model of a shipped recording, at that moment."""
    with source_played(Recording(path_of_shipped(scenario))) as source:
        yield played_model(source, Moment.read(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *[
            ("", ""),
            ("2.5", "2.5s"),
            ("300ms", "0.3s"),
            ("20 µs", "0.00002s"),
            (".5s", "0.5s"),
            ("0", "0s"),
            ("@1.5", "@1.5s"),
        ],
        *[("#17", "#17"), ("#0017", "#17"), ("#48,213", "#48213"), ("#median/runnable", "#median/runnable")],
        *[("exit", "exit:1"), ("IRQFD:3", "irqfd:3"), ("irq_ioctl", "irq-ioctl:1")],
    ],
)
def test_a_moment_is_said_as_it_is_read(text: str, said: str) -> None:
    moment = Moment.read(text)
    assert str(moment) == said
    assert Moment.read(said) == moment


@pytest.mark.parametrize("text", ["#", "#x", "#17/", "2.5 h", "-1s", "nonsense", "exit:0", "exit:-1", "exit:x", "1e9s"])
def test_what_is_no_moment_says_what_one_is(text: str) -> None:
    with pytest.raises(MomentError, match=r"is no moment: name a time \(2\.5s"):
        Moment.read(text)


@pytest.mark.parametrize("text", ["{}s", "@{}", "#{}", "#{}/runnable", "exit:{}", "."])
def test_more_digits_than_any_number_has_are_no_moment(text: str) -> None:
    with pytest.raises(MomentError, match="is no moment"):
        Moment.read(text.format("9" * 5000))


@given(st.text(max_size=12))
def test_any_text_is_a_moment_or_is_refused(text: str) -> None:
    try:
        moment = Moment.read(text)
    except MomentError:
        return
    assert Moment.read(str(moment)) == moment


def test_a_time_is_seen_as_it_was_live() -> None:
    with model_at("2s") as model, model_at("") as at_the_end:
        assert model.clock.ns(model.now - model.recorded.recording.first) == pytest.approx(2e9, abs=2)  # type: ignore[union-attr]
        assert model.transport.following
        assert model.tokens()
        assert model.present.tally.recorded < at_the_end.present.tally.recorded
        assert at_the_end.present.tally.recorded == len(at_the_end.recorded.recording)  # type: ignore[union-attr]


def test_what_travels_is_of_the_seconds_before_however_much_came_at_once() -> None:
    with model_at("10s") as model:
        assert 0 < max(token.count for token in model.tokens()) < 200


@pytest.mark.parametrize("text", ["#40", "#median", "#slowest", "#newest"])
def test_a_journey_is_chosen_in_the_midst_of_its_first_leg(text: str) -> None:
    with model_at(text) as model:
        (journey,) = model.selection.journeys
        assert text[1:] == str(journey["seq"]) or text[1:].isalpha()
        assert model.transport.exact
        assert journey["ring"] < model.playhead < journey["handler"]


def test_a_time_can_be_that_very_moment() -> None:
    with model_at("@2s") as model:
        assert model.transport.exact
        assert model.clock.ns(model.playhead - model.past.first) == pytest.approx(2e9, abs=2)


@pytest.mark.parametrize("text", ["2s", "@2s", "#40", "#40/wait-queue:2", "irqfd:3"])
def test_a_model_tells_the_moment_that_it_looks_at(text: str) -> None:
    with model_at(text) as model:
        said = moment_of(model)
        if said.seconds is None:
            assert str(said) == str(Moment.read(text))
        else:
            assert said.seconds == pytest.approx(2, abs=2e-9)
            assert said.exact == text.startswith("@")


def test_a_stage_of_a_journey_is_told() -> None:
    with model_at("#40/handler") as model:
        assert model.story is not None
        assert model.story.stop_of(model.story.step).name == "handler"
        assert model.story.paused


def test_an_event_is_chosen_with_its_journey() -> None:
    with model_at("irqfd:3") as model:
        (event,) = model.selection.events
        assert (event["kind"], model.playhead) == (KINDS["irqfd"], event["tsc"])
        assert model.selection.journeys["irq"].tolist() == [event["tsc"]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("99s", r"99s is after the end: the recording lasts [0-9.]+ s\."),
        ("#999999", r"There is no journey #999999: they go from #1 to #[0-9]+\."),
        ("#40/nowhere", r"#40/nowhere: that journey passed no such stage; it passed .*handler"),
        ("resample", r"There is no event resample:1: there are 0\."),
    ],
)
def test_a_moment_that_is_not_there_says_which_are(text: str, why: str) -> None:
    with pytest.raises(MomentError, match=why), model_at(text):
        pass


def test_where_nothing_arrives_there_is_no_journey_to_look_at() -> None:
    with pytest.raises(MomentError, match=r"There is no journey"), model_at("#1", "irq-masked"):
        pass


def test_a_recording_that_is_let_go_plays_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with source_played(Recording(path_of_shipped("roundtrip"))) as source:
        played_model(source, Moment.read("1s"))
        stood = source.now()
        clock = [0]
        monkeypatch.setattr(source, "_monotonic_ns", lambda: clock[0])
        source.let_go()
        assert source.now() == stood
        clock[0] = 10**9
        assert source.now() == stood + source.clock.cycles(1)
