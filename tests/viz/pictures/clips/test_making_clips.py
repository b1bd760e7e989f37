"""Other programs read the clips: every frame is in them, at its time, with the sentences; a GIF is small."""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from html import unescape

import av
import numpy as np
import pytest
from PIL import Image

from bellwire.engine.errors import EngineError
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import CLIP_FORMATS, ClipAsked, ClipPace
from bellwire.viz.pictures.clips.encoding import encoder_refusals_told, pyav
from bellwire.viz.pictures.clips.making_clips import MadeClip, made_clip
from bellwire.viz.pictures.provenance import json_told, provenance_from, told_in
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window
from bellwire.viz.window.picturing.filmed_window import show_window_frame

SIZE, RATE, FRAMES = (640, 360), 5, 8


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


def clip_in(suffix: str, asked: ClipAsked) -> MadeClip:
    """Of the shipped round trip."""
    application()
    return made_clip(path_of_shipped("roundtrip"), asked, suffix, drawn_window, show_window_frame)


@lru_cache
def short_clip(suffix: str) -> MadeClip:
    """Four stages of a story."""
    return clip_in(suffix, ClipAsked(PictureAsked(size=SIZE), ClipPace.read("story:0.5"), RATE, FRAMES / RATE))


@pytest.mark.parametrize("suffix", CLIP_FORMATS)
def test_every_frame_is_there_at_its_time(suffix: str) -> None:
    made = short_clip(suffix)
    with av.open(io.BytesIO(made.content), "r") as read:
        frames = list(read.decode(video=0))
    assert (made.frames, len(frames)) == (FRAMES, FRAMES)
    assert [round(float(frame.time or 0), 2) for frame in frames] == [n / RATE for n in range(FRAMES)]
    assert {(frame.width, frame.height) for frame in frames} == {SIZE}


def test_all_formats_show_the_same() -> None:
    shown = []
    for suffix in CLIP_FORMATS:
        with av.open(io.BytesIO(short_clip(suffix).content), "r") as read:
            shown.append([frame.to_ndarray(format="rgb24").astype(int) for frame in read.decode(video=0)])
    for frames in shown[1:]:
        for one, other in zip(shown[0], frames, strict=True):
            assert np.abs(one - other).mean() < 3


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
def test_what_is_said_is_beside_it_and_in_it(suffix: str) -> None:
    made = short_clip(suffix)
    beside = [line for line in made.sentences.splitlines() if line and "-->" not in line][2:]
    with av.open(io.BytesIO(made.content), "r") as read:
        about = {key.lower(): text for key, text in read.metadata.items()}
        assert about["title"] == "roundtrip: diagram"
        assert about["comment"].startswith("bellwire clip roundtrip.arrow -o ")
        packets = [packet for packet in read.demux() if packet.stream.type == "subtitle"]
    within = [bytes(packet)[2 * (suffix == ".mp4") :].decode() for packet in packets]
    assert [text for text in within if text] == [line.replace("&gt;", ">") for line in beside]
    assert len(beside) == 3
    assert beside[0].startswith("The guest's OUT #")


@pytest.mark.parametrize("suffix", CLIP_FORMATS)
def test_for_whoever_does_not_see_it_there_is_a_text_in_it(suffix: str) -> None:
    told = provenance_from(json_told(told_in(short_clip(suffix).content)))
    assert told.caption.startswith("A clip of 1.60 s, from here on: Diagram of host, QEMU and guest of “")
    assert told.alt.startswith(told.caption)
    said = [line for line in short_clip(suffix).sentences.splitlines()[4:] if line and "-->" not in line]
    assert said
    assert all(" ".join(unescape(line).split()) in told.alt for line in said)


def test_it_is_the_same_file_each_time() -> None:
    for suffix in (".webm", ".gif"):
        short_clip.cache_clear()
        first = short_clip(suffix)
        short_clip.cache_clear()
        assert short_clip(suffix) == first


def test_a_whole_story_is_a_gif_for_a_readme() -> None:
    """Under 2 MB, at a size and a pace at which it can be read."""
    made = clip_in(".gif", ClipAsked(PictureAsked(size=(960, 540)), ClipPace.read("story:2"), 2))
    image = Image.open(io.BytesIO(made.content))
    assert len(made.content) < 2_000_000
    assert (image.size, image.n_frames, image.info["loop"]) == ((960, 540), made.frames, 0)  # type: ignore[attr-defined]
    assert made.frames >= 40


def test_two_seconds_in_motion_are_small_too() -> None:
    made = clip_in(".gif", ClipAsked(PictureAsked(size=(800, 450)), ClipPace.read("20000"), 15, 2))
    assert 10_000 < len(made.content) < 2_000_000


def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(EngineError, match=r"A clip is encoded by PyAV, which cannot be loaded \(.*\): pip install av"):
        pyav()


@pytest.mark.parametrize("kind", ["BlockingIOError", "EOFError", "MemoryError"])
def test_what_pyav_refuses_is_said_of_the_clip_and_of_no_file(kind: str) -> None:
    refused = getattr(pyav().error, kind)
    with (
        pytest.raises(EngineError, match=r"^PyAV cannot encode the clip \(of threads\)\. ") as met,
        encoder_refusals_told(),
    ):
        raise refused(11, "of threads")
    assert "[Errno" not in str(met.value)
    with pytest.raises(KeyError), encoder_refusals_told():
        raise KeyError
