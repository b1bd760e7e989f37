"""The bench of pictures makes what it says, and each picture needs only what the one before has not read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.events import Events
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.bench import many_pictures
from bellwire.viz.bench.pictures import EMPTY_WINDOW, FULL_HD, python_for
from bellwire.viz.cli.pictures.shot_command import shot
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.lists.series import MadeFiles, PictureSeries


@pytest.fixture
def _garbage_is_looked_for_afterwards() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.usefixtures("qapp", "_garbage_is_looked_for_afterwards")
def test_pictures_of_one_recording_read_each_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, pictures = list[int](), list[bytes]()
    read_once, make = Recording.read_once, PictureSeries.make

    def noted(self: Recording, number: int) -> Events:
        reads.append(number)
        return read_once(self, number)

    def kept(self: PictureSeries, one: ListedPicture) -> MadeFiles:
        made = make(self, one)
        pictures.extend(made.contents)
        return made

    monkeypatch.setattr(Recording, "read_once", noted)
    monkeypatch.setattr(PictureSeries, "make", kept)
    monkeypatch.setattr(many_pictures, "PICTURES", 3)
    monkeypatch.setattr(many_pictures, "make_qt_plain", lambda: None)
    monkeypatch.setattr("bellwire.viz.window.application.keep_large_blocks", lambda: None)
    assert many_pictures.make_pictures() > 0
    assert len({*pictures}) == len(pictures) == 4  # the first of them warms up
    again = reads.index(0, 1)  # it was of the recording's end
    assert reads[again:] == sorted({*reads[again:]})


def test_the_window_that_a_picture_is_compared_with_opens(tmp_path: Path) -> None:
    assert python_for(["-c", EMPTY_WINDOW], tmp_path)[1] == ""
    assert FULL_HD[0] == shot.__name__
