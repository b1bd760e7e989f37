"""Two files of a picture: what differs to the eye is told and marked; who made it makes no difference."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures import provenance
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked, ClipPace
from bellwire.viz.pictures.lists import comparing
from bellwire.viz.pictures.lists.comparing import MARK, Likeness, compared_beside, compared_files
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.lists.series import PictureSeries
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.window.picturing.drawn_window import drawn_window
from bellwire.viz.window.picturing.filmed_window import show_window_frame

ASKED = PictureAsked("numbers", size=(400, 96))
LATER = replace(ASKED, at=Moment.read("2s"))
CLIP = ClipAsked(PictureAsked(size=(160, 90)), ClipPace(), 5, 0.4)


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


@lru_cache
def made(suffix: str, asked: PictureAsked | ClipAsked = ASKED) -> bytes:
    """A picture's file."""
    one = ListedPicture("a", "shots.toml:1:1", Path(f"a{suffix}"), asked, path_of_shipped("roundtrip"))
    series = PictureSeries(Path(), drawn_window, show_window_frame)
    try:
        return series.make(one).contents[0]
    finally:
        series.close()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".gif", ".webm", ".mp4", ".apng"])
def test_which_version_made_it_makes_no_difference(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = CLIP if suffix not in (".png", ".svg", ".pdf") else ASKED
    before = made(suffix, asked)
    assert compared_files(before, before, suffix).likeness is Likeness.SAME
    monkeypatch.setattr(provenance, "program_version", lambda: "12.34.5-much-later")
    made.cache_clear()
    after = made(suffix, asked)
    made.cache_clear()
    assert before != after
    found = compared_files(before, after, suffix)
    assert (found.likeness, found.difference) == (Likeness.RETOLD, b"")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_what_differs_is_counted_and_marked(suffix: str) -> None:
    found = compared_files(made(suffix), made(suffix, LATER), suffix)
    assert found.likeness is Likeness.CHANGED
    assert " of 38\u202f400 pixels (" in found.what
    assert found.what.endswith("What it says of itself differs: caption, alt, command.")
    marked = np.asarray(Image.open(io.BytesIO(found.difference)).convert("RGBA"))
    if suffix == ".png":
        one, other = (
            np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")) for png in (made(".png"), made(".png", LATER))
        )
        assert ((marked == MARK).all(axis=2) == (one != other).any(axis=2)).all()
    assert 0 < (marked == MARK).all(axis=2).mean() < 0.5


def test_without_another_program_a_vector_picture_is_told_by_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "png_of_vectors", lambda content, suffix: b"")
    found = compared_files(made(".svg"), made(".svg", LATER), ".svg")
    assert (found.likeness, found.difference) == (Likeness.CHANGED, b"")
    assert found.what.startswith("Of its file's lines ")


def test_another_size_and_what_is_no_picture_are_told() -> None:
    other = made(".png", replace(ASKED, size=(400, 100)))
    assert compared_files(made(".png"), other, ".png").what.startswith("400 × 96 pixels have become 400 × 100.")
    assert compared_files(b"\x89PNG\r\n\x1a\nno", other, ".png").what.startswith("It is no picture any more.")
    assert compared_files(b"GIF89a", made(".gif", CLIP), ".gif").what.startswith("It is no clip any more.")


def test_words_alone_make_another_picture_too() -> None:
    """Which recording it is of is what a reader may have to know."""
    content = made(".png")
    changed = content.replace(b"kvm_pvm", b"kvm_amd")
    found = compared_files(content, changed, ".png")
    assert (found.likeness, found.what) == (Likeness.CHANGED, "What it says of itself differs: caption, alt, backend.")


def test_the_first_frame_that_differs_is_told() -> None:
    other = replace(CLIP, picture=replace(CLIP.picture, theme="dark"))
    found = compared_files(made(".gif", CLIP), made(".gif", other), ".gif")
    assert found.what.startswith("Frame 1: ")
    assert found.difference.startswith(b"\x89PNG")
    longer = replace(CLIP, seconds=0.6)
    assert compared_files(made(".gif", CLIP), made(".gif", longer), ".gif").what.startswith(
        "The number of frames was 2 and is 3."
    )


def test_a_file_beside_it_counts_but_for_who_made_it() -> None:
    assert compared_beside(b'{"program": "a", "alt": "x"}', b'{"program": "b", "alt": "x"}', "a.json") == ""
    assert compared_beside(b'{"alt": "x"}', b'{"alt": "y"}', "a.json") == "a.json differs."
    assert compared_beside(b"WEBVTT", b"WEBVTT\n", "a.vtt") == "a.vtt differs."
