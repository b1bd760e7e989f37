"""A clip goes through a recording by its frames' time: a story stage by stage, the rest as its clock did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

import pytest

from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked, ClipPace
from bellwire.viz.pictures.clips.course import ClipCourse
from bellwire.viz.pictures.moment import Moment, MomentError
from bellwire.viz.pictures.played import source_played


@contextmanager
def course_of(
    pace: str, at: str = "", rate: int = 15, seconds: float | None = None, scenario: str = "roundtrip"
) -> Iterator[ClipCourse]:
    """The course of such a clip of a shipped recording."""
    with source_played(Recording(path_of_shipped(scenario))) as source:
        yield ClipCourse(source, ClipAsked(PictureAsked(at=Moment.read(at)), ClipPace.read(pace), rate, seconds))


@pytest.mark.parametrize("rate", [15, 30, 7])
def test_each_stage_of_a_story_has_as_many_frames(rate: int) -> None:
    with course_of("story", rate=rate) as course:
        story = course.model.story
        assert story is not None
        assert course.frames == len(story.steps) * 2 * rate
        steps = [story.step for _ in range(course.frames) if course.go_on()]
        told = [len(list(some)) for _, some in groupby([0, *steps[:-1]])]
        assert told == [2 * rate] * len(story.steps)


def test_a_story_may_begin_at_a_stage_and_end_early() -> None:
    with course_of("story", "#40/handler", seconds=0.4) as course:
        assert course.model.story is not None
        assert (course.model.story.stop_of(course.model.story.step).name, course.frames) == ("handler", 6)


def test_slow_motion_begins_shortly_before_its_journey_and_goes_on_to_the_next() -> None:
    with course_of("20000", "#40", seconds=4) as course:
        model, numbers = course.model, list[int]()
        before = model.playhead
        while len(numbers) < 60 and course.go_on():
            numbers += model.under_way()["seq"].tolist()[:1]
        assert [number for number, _ in groupby(numbers)][:2] == [40, 41]
        first = model.journeys.window(before, before + model.clock.cycles(0.001))[:1]
        assert before < int(begin(first)[0]) < before + model.clock.cycles(0.4 / 20000) * 1.01


@pytest.mark.parametrize(("pace", "together"), [("10", True), ("20000", False)])
@pytest.mark.parametrize("at", ["", "#40"])
def test_the_first_frame_shows_journeys_as_the_next_ones_do(pace: str, at: str, together: bool) -> None:
    """It told of a journey where all others say that journeys are too short to be seen."""
    with course_of(pace, at) as course:
        shown = [course.model.transport.together for _ in range(4) if course.go_on()]
    with course_of(pace, at) as course:
        assert [course.model.transport.together, *shown] == [together] * 5


def test_real_time_is_the_recordings() -> None:
    with course_of("live", "1s", seconds=0.5) as course:
        stood = course.model.now
        assert all(course.go_on() for _ in range(15))
        assert course.model.clock.ns(course.model.now - stood) / 1e9 == pytest.approx(1.0, abs=1e-6)


def test_it_is_over_where_the_recording_ends() -> None:
    with course_of("live", "12.2s", seconds=60) as course:
        frames = 0
        while course.go_on():
            frames += 1
        assert 0 < frames < 15
        assert course.source.now() == course.source.recording.last


def test_where_nothing_arrives_there_is_no_story() -> None:
    with pytest.raises(MomentError, match="There is no journey #median"), course_of("story", scenario="irq-masked"):
        pass
    with pytest.raises(MomentError, match="no journey whose story"), course_of("story", "1s", scenario="irq-masked"):
        pass
