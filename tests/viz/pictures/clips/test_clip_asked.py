"""What clip is asked for is read from words, said again in words that ask for the same, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.pictures.asked import PictureAsked, PictureError
from bellwire.viz.pictures.clips.clip_asked import (
    CLIP_FORMATS,
    ClipAsked,
    ClipPace,
    clip_format_of,
    read_clip_seconds,
    read_rate,
    refuse_clip,
)
from bellwire.viz.pictures.moment import Moment


@pytest.mark.parametrize(
    ("text", "said", "pace"),
    [
        ("story", "story", ClipPace(2.0)),
        ("Story:1.5", "story:1.5", ClipPace(1.5)),
        ("live", "live", ClipPace(0.0)),
        ("1", "live", ClipPace(0.0)),
        ("20000", "20000", ClipPace(0.0, 20000.0)),
        ("1:1e6", "1000000", ClipPace(0.0, 1e6)),
    ],
)
def test_a_pace_is_said_as_it_is_read(text: str, said: str, pace: ClipPace) -> None:
    assert (ClipPace.read(text), str(pace)) == (pace, said)
    assert ClipPace.read(said) == pace


@pytest.mark.parametrize("text", ["", "story:0.1", "story:x", "0.5", "1e8", "nan", "live:2", "quick"])
def test_what_is_no_pace_says_what_one_is(text: str) -> None:
    with pytest.raises(PictureError, match="A pace is story, story:SECONDS"):
        ClipPace.read(text)


def test_a_command_makes_it_again() -> None:
    asked = ClipAsked(PictureAsked(at=Moment.read("#7")), ClipPace.read("5000"), 24, 3)
    assert asked.command("a run.arrow", "a.gif") == (
        "bellwire clip 'a run.arrow' -o a.gif --view diagram --at '#7' --theme light --size 1280x720"
        " --pace 5000 --fps 24 --seconds 3"
    )


def test_it_begins_where_there_is_something_to_see() -> None:
    begins = [str(ClipAsked(pace=ClipPace.read(pace)).begins.at) for pace in ("story", "100", "live")]
    assert begins == ["#median", "#median", "0s"]
    assert str(ClipAsked(PictureAsked(at=Moment.read("#7"))).begins.at) == "#7"


def test_formats_rates_and_lengths_are_named() -> None:
    assert [clip_format_of(Path(f"a{suffix.upper()}")) for suffix in CLIP_FORMATS] == list(CLIP_FORMATS)
    assert [read_rate(None, suffix) for suffix in CLIP_FORMATS] == [30, 30, 15, 15]
    assert (read_clip_seconds(None), read_clip_seconds(600)) == (None, 600)
    with pytest.raises(PictureError, match=r"\.webm, \.mp4, \.gif, \.apng"):
        clip_format_of(Path("a.avi"))
    with pytest.raises(PictureError, match="A gif has 1 to 50 frames a second"):
        read_rate(51, ".gif")
    with pytest.raises(PictureError, match=r"A clip lasts 0\.1 to 600 s"):
        read_clip_seconds(float("nan"))


@pytest.mark.parametrize(
    ("asked", "suffix", "why"),
    [
        (ClipAsked(PictureAsked(size=(641, 360))), ".mp4", "A mp4 has an even number of pixels each way"),
        (ClipAsked(PictureAsked(size=(5000, 360))), ".gif", "A clip has 64 to 4096 pixels each way"),
        (
            ClipAsked(PictureAsked(at=Moment.read("#7")), ClipPace.read("live")),
            ".gif",
            "In real time a clip begins at a",
        ),
    ],
)
def test_what_a_format_cannot_show_is_refused(asked: ClipAsked, suffix: str, why: str) -> None:
    with pytest.raises(PictureError, match=why):
        refuse_clip(asked, suffix)


def test_a_gif_may_be_odd() -> None:
    refuse_clip(ClipAsked(PictureAsked(size=(641, 361))), ".gif")
