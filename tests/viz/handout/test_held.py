"""The handout of a lecture that is held: over recordings and over guests; whole or not at all, beside the lecture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Source
from bellwire.viz.handout.held import at_position, held_handout
from bellwire.viz.handout.walk import walked, window_for
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.application import application
from bellwire.viz.window.shown import live_session
from bellwire.viz.window.window import MainWindow
from tests.support.asking import ASKING, asking
from tests.support.playing import WHY, in_place_of

TEXT = (
    ASKING.replace('until = "rung >= 40"', 'until = "rung >= 40"\npanel = "evidence"').replace(
        'reveal = { until = "rung >= 20" }', 'reveal = { time = "median", stage = "handler", until = "rung >= 20" }'
    )
    + """
## Another machine

```scene
scenario = "doorbell-pio-exit"
until = "exits >= 5"
```

It left {exits} times.
"""
)


@contextmanager
def given(lesson: Lesson, make_source: Callable[[Scenario], Source], steps: int) -> Iterator[MainWindow]:
    """A lecture that has come to its position number `steps`, with hands for what was asked."""
    with window_for(lesson, make_source, DARK) as window:
        way = walked(window, lesson, lambda: None)
        for _ in range(steps):
            course = next(way)
            if course.asks:
                course.hands = {(course.step.name, 0): 17, (course.step.name, 1): 4}
                course.chosen[course.step.name] = 1
        yield window


def write(window: MainWindow, folder: Path) -> int:
    """In turns with frames; how many pieces it took."""
    pieces = 0
    for _ in held_handout(window.lessons, window.model, folder):
        window.frame.tick()
        pieces += 1
    return pieces


def finish(window: MainWindow) -> None:
    while window.lecture_handout.busy:
        application().processEvents()
        window.frame.tick()


def said_in(folder: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", (folder / "handout.html").read_text().partition("</style>")[2]))


def check(window: MainWindow, folder: Path) -> None:
    """Its texts are those of the lecture, its pictures are there, and its recordings hold the moments that it names."""
    course, said = window.lessons.course, said_in(folder)
    assert course is not None
    page = (folder / "handout.html").read_text()
    assert "Many (17 hands): ✓ right" in said
    assert "None (4 hands) – chosen in the lecture: ✗ wrong" in said
    left = [at_position(course, at) for at in course.visits if at < course.at and not course.positions[at].revealed]
    assert all(" ".join(text.split()) in said for there in left for text in there.told(there.step.text))
    assert page.count("data:image/png") == 4  # two diagrams and a panel of the first step, a diagram of the second
    moments = re.findall(r"At ([\d.]+) s in <code>([\w-]+\.arrow)</code>", page)
    assert len(moments) == 3
    for seconds, name in moments:
        recording = Recording(folder / name)
        span = recording.header.clock.ns(recording.last - recording.first) / 1e9
        assert 0 <= float(seconds) <= span + 1
    assert (folder / "handout.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("qapp")
def test_what_was_seen_told_and_counted_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with given(asking(TEXT), in_place_of, 3) as window:
        assert write(window, folder) > 5
        assert window.lessons.on
        check(window, folder)
        assert "REPLAY" in said_in(folder)
        assert WHY in said_in(folder)


@pytest.mark.kvm
@pytest.mark.usefixtures("qapp")
def test_of_a_guest_its_recording_goes_on_beside_it(tmp_path: Path) -> None:
    with given(asking(TEXT), live_session, 3) as window:
        write(window, tmp_path / "out")
        check(window, tmp_path / "out")
        assert "REPLAY" not in said_in(tmp_path / "out")
        path = window.lessons.path_of(window.model.source)
        assert path is not None
        before = path.stat().st_size
        for _ in range(2000):
            window.frame.tick()
            application().processEvents()
            if path.stat().st_size > before:
                break
        assert path.stat().st_size > before


@pytest.mark.usefixtures("qapp")
def test_what_has_not_been_come_to_is_not_in_it(tmp_path: Path) -> None:
    with given(asking(TEXT), in_place_of, 1) as window:
        write(window, tmp_path / "out")
    said = said_in(tmp_path / "out")
    assert "The doorbell rang" in said
    assert "Another machine" not in said
    assert "✓" not in said


@pytest.mark.usefixtures("qapp")
def test_an_error_is_a_notice_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").touch()
    with given(asking(TEXT), in_place_of, 1) as window:
        handout = window.lecture_handout
        handout.write(tmp_path / "used")
        assert "bellwire handout" in window.notice.words.text()  # nobody writes here
        handout.write_pieces = held_handout
        handout.write(tmp_path / "used")
        finish(window)
        assert "not empty" in window.notice.words.text()
        handout.write(tmp_path / "new")
        while len(list(tmp_path.iterdir())) == 1:
            application().processEvents()
        assert handout.busy
        handout.end()  # as a window does that closes
        assert [path.name for path in tmp_path.iterdir()] == ["used"]
        handout.write(tmp_path / "new")
        finish(window)
        assert "handout of this lecture is in" in window.notice.words.text()
        window.lessons.end()
        handout.ask()
        assert "no lesson" in window.notice.words.text()
    assert {path.suffix for path in (tmp_path / "new").iterdir()} == {".html", ".pdf", ".arrow"}
