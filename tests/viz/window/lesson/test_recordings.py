"""The recordings beside a lesson: what is written on a run is there again when it is seen again."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel
from bellwire.viz.window.files import own_file
from bellwire.viz.window.lesson.recordings import LessonRecordings
from tests.support.models import run, running


def test_a_scenario_may_be_called_as_its_file_may_be() -> None:
    source, model = running(0.2)
    model.scenario = replace(model.scenario, name="🔔" * 62)
    recordings = LessonRecordings()
    recordings.record(model)
    assert recordings.whole(source)
    recordings.end()


def test_what_was_written_on_a_step_is_there_when_one_comes_back() -> None:
    source, model = running(0.2)
    recordings = LessonRecordings()
    recordings.record(model)
    run(source, model, 0.5)
    note, later = (Annotation(AnnotationKind.NOTE, text, PartPin("driver")) for text in ("while it ran", "later"))
    model.annotations.add(note)
    recordings.keep_annotations(model)
    path = recordings.whole(source)
    assert path is not None
    assert Recording(path).annotations == (note,)
    for expected in ((note,), (note, later)):
        replay = recordings.replay(source, model.now)
        assert replay is not None
        seen = LiveModel(replay)
        recordings.bring_annotations(seen)
        assert seen.annotations.all == expected
        assert own_file(seen) is None  # it goes with the lesson
        seen.annotations.all = (note, later)
        recordings.keep_annotations(seen)
        replay.stop()
    recordings.end()
