"""Sentences become cues that follow each other, stay long enough to be read, and are never markup."""

from __future__ import annotations

from bellwire.viz.pictures.clips.subtitles import Cue, Cues


def cues_of(said: list[str], rate: int = 10, least: float = 0.3) -> Cues:
    """Of these sentences, one a frame."""
    cues = Cues(rate, least)
    for text in said:
        cues.add(text)
    return cues


def test_a_sentence_lasts_until_the_next_one() -> None:
    assert cues_of(["a"] * 5 + ["b"] * 4).all == [Cue(0, 5, "a"), Cue(5, 9, "b")]
    assert cues_of([]).all == []


def test_what_changes_too_soon_waits() -> None:
    assert cues_of(["a", "b", "c", "c", "c"]).all == [Cue(0, 3, "a"), Cue(3, 5, "c")]


def test_what_says_nothing_makes_way_at_once() -> None:
    cues = Cues(10, 0.5)
    for text in ("nothing", "nothing", "a", "b", "b", "b", "b", "nothing", "c"):
        cues.add(text, idle=text == "nothing")
    assert cues.all == [Cue(0, 2, "nothing"), Cue(2, 7, "a"), Cue(7, 8, "nothing"), Cue(8, 9, "c")]


def test_where_nothing_is_said_there_is_no_cue() -> None:
    assert cues_of(["a"] * 3 + [""] * 3 + ["b"] * 3).all == [Cue(0, 3, "a"), Cue(6, 9, "b")]


def test_the_file_says_when_and_what() -> None:
    cues = cues_of(["a < b &\nc"] * 36000 + ["--> <i>"] * 15)
    assert cues.webvtt("en") == (
        "WEBVTT\nLanguage: en\n\n"
        "00:00:00.000 --> 01:00:00.000\na &lt; b &amp; c\n\n"
        "01:00:00.000 --> 01:00:01.500\n--&gt; &lt;i&gt;\n"
    )
