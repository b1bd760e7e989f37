"""A folder that comes into being as a whole: two that are made at a time, and one that was there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bellwire.engine.errors import RecordingError
from bellwire.viz.handout.folder import folder_or_nothing


def test_who_comes_second_is_told_and_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "handout"
    second = folder_or_nothing(path)
    (second.__enter__() / "page").write_text("second")
    with folder_or_nothing(path) as first:
        (first / "page").write_text("first")
    with pytest.raises(RecordingError, match="another program has made it meanwhile; that is what is there now"):
        second.__exit__(None, None, None)
    assert (path / "page").read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "handout"
    path.mkdir()
    with folder_or_nothing(path) as folder:
        (folder / "page").write_text("")
    with pytest.raises(RecordingError, match="the folder is not empty"), folder_or_nothing(path):
        pass


def test_what_one_that_was_killed_has_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    """Neither a file of the user's with such a name, nor a folder in which something was written just now, goes."""
    left, new, own = (tmp_path / f".bellwire-{name}.part" for name in ("left", "new", "own"))
    for folder in (left, new):
        folder.mkdir()
        (folder / "page").write_text("")
    own.write_text("")
    with folder_or_nothing(tmp_path / "slow"):
        used = set(tmp_path.iterdir()) - {left, new, own}
        for path in (left, own, *used):
            os.utime(path, (0, 0))
        with folder_or_nothing(tmp_path / "handout") as folder:
            (folder / "page").write_text("")
        assert set(tmp_path.iterdir()) == {new, own, *used, tmp_path / "handout"}
    assert set(tmp_path.iterdir()) == {new, own, tmp_path / "slow", tmp_path / "handout"}
    assert [path.name for path in (tmp_path / "handout").iterdir()] == ["page"]
    assert not list((tmp_path / "slow").iterdir())
