"""Each frame of a clip is the same bytes whenever it is made, whatever the clock on the wall says."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from itertools import groupby

import pytest
from PySide6.QtWidgets import QPushButton

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked, ClipPace
from bellwire.viz.pictures.clips.filming import filmed
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.style.turns import ScreenClock, Turns
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window
from bellwire.viz.window.picturing.filmed_window import show_window_frame

NOTHING_TRAVELS = "Nothing travels at this moment."


def hashes(view: str, pace: str, at: str) -> list[str]:
    """Of each frame of half a second, by what is painted in it."""
    application()
    picture = PictureAsked(view=view, at=Moment.read(at), size=(1280, 800) if view == "window" else (640, 360))
    asked = ClipAsked(picture, ClipPace.read(pace), 10, 0.5)
    with filmed(path_of_shipped("roundtrip"), asked, drawn_window, show_window_frame) as film:
        return [hashlib.sha256(frame.pixels.tobytes()).hexdigest() for frame in film]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock on the wall that runs away."""
    hours = iter(range(10**6))
    usual = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: usual() + 3600 * next(hours))
    yield
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("view", "pace", "at"),
    [
        ("diagram", "20000", "#40"),
        ("diagram", "live", "2s"),
        ("window", "live", "2s"),
        ("timeline", "20000", "#40"),
        ("sequence", "20000", "#40"),
        ("latency", "live", "2s"),
    ],
)
def test_frames_are_the_same_bytes_each_time(
    view: str, pace: str, at: str, qapp: object, request: pytest.FixtureRequest
) -> None:
    before = hashes(view, pace, at)
    request.getfixturevalue("hasty")
    assert hashes(view, pace, at) == before
    assert len(before) == 5
    assert len(set(before)) > 1  # they move


def test_the_sentence_below_the_picture_goes_with_what_is_on_its_way(qapp: object) -> None:
    """From the first frame in which a signal is seen to the last: none says of another that it travels, or nothing."""
    application()
    asked = ClipAsked(PictureAsked(at=Moment.read("#40"), size=(640, 360)), ClipPace.read("20000"), 15, 3)
    seen = []
    with filmed(path_of_shipped("roundtrip"), asked, drawn_window, show_window_frame) as film:
        diagram = film.drawing.of
        assert isinstance(diagram, Diagram)
        for frame in film:
            seen.append((not frame.idle, diagram.caption != NOTHING_TRAVELS))
    assert [travels for travels, _ in seen] == [speaks for _, speaks in seen]
    assert len(list(groupby(seen))) >= 3


@pytest.mark.parametrize("view", ["timeline", "events"])
def test_no_frame_has_a_button_in_it(view: str, qapp: object) -> None:
    """In slow motion a view has one that leads back to the present."""
    application()
    asked = ClipAsked(PictureAsked(view=view, at=Moment.read("#40")), ClipPace.read("20000"), 10, 0.3)
    with filmed(path_of_shipped("roundtrip"), asked, drawn_window, show_window_frame) as film:
        buttons = film.drawing.of.findChildren(QPushButton)
        assert [[one for one in buttons if not one.isHidden()] for _ in film] == [[]] * 3
    assert buttons


def test_nothing_of_it_stays(qapp: object) -> None:
    clock, calm, queue = ScreenClock.now, Turns.calm, [*Turns._queue]
    assert hashes("diagram", "story", "")
    assert (ScreenClock.now, Turns.calm, Turns._queue) == (clock, calm, queue)
