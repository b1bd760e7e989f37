"""A folder that comes into being as a whole: two that are made at a time, and one that was there."""

from __future__ import annotations

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
