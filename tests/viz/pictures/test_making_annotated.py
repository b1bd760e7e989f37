"""Pictures of an annotated recording: what is written on the moment is in them, whatever they show it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, EventPin, PartPin
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window

NOTE = AnnotationKind.NOTE
EVENT, ANOTHER, PART = "Onthehandler", "Ofajourneybefore", "Onthepart"  # words that no line breaks


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a shipped recording with notes on the handlers of two journeys and on a part."""
    recording = Recording(path_of_shipped("roundtrip"))
    tracker = JourneyTracker(recording.header.scenario)
    journeys = {int(one["seq"]): one for events in recording.batches() for one in tracker.feed(events)}
    notes = [
        Annotation(NOTE, text, EventPin(int(one["handler"]), EventKind.HANDLER, int(one["interrupt"])))
        for text, one in ((ANOTHER, journeys[39]), (EVENT, journeys[40]))
    ]
    path = tmp_path_factory.mktemp("annotated") / "run.arrow"
    notes.append(Annotation(NOTE, PART, PartPin("driver")))
    save_recording(path, recording.header, recording.batches(), annotations=notes)
    return path


def svg(path: Path, view: str, hidden: frozenset[str] = frozenset()) -> str:
    application()
    asked = PictureAsked(view=view, at=Moment.read("#40/handler"), hidden=hidden)
    return made_picture(path, asked, ".svg", drawn_window).content.decode()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    ("view", "shown"),
    [("window", {EVENT, PART}), ("diagram", {EVENT, PART}), ("extended", {EVENT, PART}), ("sequence", {EVENT})],
)
def test_what_is_written_on_the_moment_is_in_the_picture(annotated: Path, view: str, shown: set[str]) -> None:
    made = svg(annotated, view)
    assert {text for text in (EVENT, ANOTHER, PART) if text in made} == shown


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("view", ["diagram", "sequence"])
def test_what_is_written_on_a_run_may_be_left_out(annotated: Path, view: str) -> None:
    made = svg(annotated, view, frozenset({"annotations"}))
    assert [text for text in (EVENT, ANOTHER, PART) if text in made] == []
    assert "<text" in made
