"""What is asked for is read from words, and said again in words that ask for the same."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from bellwire.viz.pictures.asked import (
    FORMATS,
    USUAL_SIZES,
    PictureAsked,
    PictureError,
    format_of,
    picture_asked,
    read_asked,
    read_hidden,
    read_scale,
    read_size,
    read_text_size,
    read_view,
)
from bellwire.viz.pictures.moment import Moment


def test_a_command_has_what_is_not_usual() -> None:
    asked = PictureAsked(
        view="extended",
        at=Moment.read("#17/runnable"),
        theme="print",
        size=(800, 600),
        scale=2,
        text=1.2,
        part="exit",
        transparent=True,
        hidden=frozenset({"cpu", "pid"}),
    )
    line = asked.command("my run.arrow", "a.png")
    assert line == (
        "bellwire shot 'my run.arrow' -o a.png --view extended --at '#17/runnable' --theme print --size 800x600"
        " --scale 2 --text 120% --part exit --transparent --hide pid,cpu"
    )
    assert shlex.split(PictureAsked().command("a", "b"))[5:] == [
        *("--view", "diagram", "--theme", "light", "--size", "1280x720")
    ]


@pytest.mark.parametrize("text", ["1280x720", "1280X720", "1280×720"])
def test_a_size_has_two_sides(text: str) -> None:
    assert read_size(text) == (1280, 720)


@pytest.mark.parametrize(
    "text", ["", "1280", "x", "1280x", "-5x5", "1.5x2", "99999x10", "63x64", "nanxnan", "9" * 5000 + "x9"]
)
def test_what_is_no_size_says_what_one_is(text: str) -> None:
    with pytest.raises(PictureError, match=r"as 1280x720|64 to 16384 pixels"):
        read_size(text)


@pytest.mark.parametrize("text", ["", "large", "nan%", "79%", "501", "1e3%"])
def test_what_is_no_size_of_text_says_what_one_is(text: str) -> None:
    with pytest.raises(PictureError, match="from 80% to 500%"):
        read_text_size(text)


def test_text_is_in_per_cent() -> None:
    assert (read_text_size("120%"), read_text_size("100")) == (1.2, 1.0)


@pytest.mark.parametrize("scale", [0, -1, 9, float("nan"), float("inf")])
def test_what_is_no_scale_says_what_one_is(scale: float) -> None:
    with pytest.raises(PictureError, match=r"from 0\.25 to 8"):
        read_scale(scale, (100, 100))


def test_a_scale_that_makes_too_many_pixels_is_refused() -> None:
    assert read_scale(8, (2048, 100)) == 8
    with pytest.raises(PictureError, match="more than 16384 pixels"):
        read_scale(8, (2049, 100))


def test_views_formats_and_what_is_hidden_are_named() -> None:
    assert read_view("timeline") == "timeline"
    assert read_hidden("pid, cpu") == {"pid", "cpu"}
    assert [format_of(Path(f"a{suffix.upper()}")) for suffix in FORMATS] == list(FORMATS)
    with pytest.raises(PictureError, match=", ".join(USUAL_SIZES)):
        read_view("nothing")
    with pytest.raises(PictureError, match="--hide takes pid, host, cpu, annotations, not 'x'"):
        read_hidden("pid,x")
    with pytest.raises(PictureError, match=r"\.png, \.svg, \.pdf"):
        format_of(Path("a.jpg"))


def test_what_is_in_front_is_said_again_and_else_refused() -> None:
    asked = picture_asked("window", front="events, extended", off="latency:doorbell")
    assert asked.options()[-4:] == ["--front", "events,extended", "--off", "latency:doorbell"]
    assert read_asked(asked.options()).front == ("events", "extended")
    with pytest.raises(PictureError, match=r"--front takes sequence, stages, .*, not 'nothing'"):
        picture_asked("window", front="nothing")
    with pytest.raises(PictureError, match="--front is for --view window"):
        picture_asked("diagram", front="events")
