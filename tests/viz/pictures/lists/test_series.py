"""Many pictures in one process: each has the bytes that it has alone, whatever was made before, and after a failure."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.language import Spoken
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import USUAL_SIZES, PictureAsked
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.lists.series import PictureSeries, in_good_order
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import PlayedRecording, played_model
from bellwire.viz.window.picturing.drawn_window import drawn_window
from bellwire.viz.window.picturing.filmed_window import show_window_frame

VIEWS = [view for view in USUAL_SIZES if view not in ("suppression", "window")]


def listed(asked: PictureAsked, suffix: str = ".png", recording: str = "roundtrip") -> ListedPicture:
    """A picture of a shipped recording."""
    return ListedPicture("a", "shots.toml:1:1", Path(f"a{suffix}"), asked, path_of_shipped(recording))


@pytest.fixture
def series(tmp_path: Path, qapp: object) -> Iterator[PictureSeries]:
    """Closed at the end."""
    series = PictureSeries(tmp_path, drawn_window, show_window_frame)
    yield series
    series.close()
    gc.enable()


def alone(one: ListedPicture) -> bytes:
    """As `bellwire shot` makes it."""
    assert isinstance(one.asked, PictureAsked)
    return made_picture(one.recording, one.asked, one.suffix, drawn_window).content


@pytest.mark.parametrize("at", ["#median/runnable", "2.4s"])
def test_each_view_has_the_bytes_that_it_has_alone(at: str, series: PictureSeries) -> None:
    """At one moment, where the model is the same; in any order."""
    pictures = [
        listed(PictureAsked(view, Moment.read(at), theme, USUAL_SIZES[view]), suffix)
        for view, theme, suffix in zip(VIEWS, 2 * len(VIEWS) * ["light", "dark"], 9 * [".png", ".svg"], strict=False)
    ]
    random.Random(7).shuffle(pictures)
    made = {one: series.make(one).contents[0] for one in pictures}
    for one in random.Random(11).sample(pictures, 5):
        assert made[one] == alone(one), one.asked


def test_a_model_is_played_on_to_the_next_moment(series: PictureSeries, monkeypatch: pytest.MonkeyPatch) -> None:
    """In good order it is made anew only where the order goes back."""
    moments = ("#slowest", "irqfd:90", "@1s", "#61/runnable", "1s", "exit", "@2.5s", "#60", "#median/runnable", "2s")
    views = ("extended", "timeline", "latency", "evidence")
    pictures = [listed(PictureAsked(view, Moment.read(at), size=(480, 300))) for at in moments for view in views]
    made, played = dict[ListedPicture, bytes](), list[Moment]()

    def noted(source: PlayedRecording, moment: Moment) -> LiveModel:
        played.append(moment)
        return played_model(source, moment)

    monkeypatch.setattr("bellwire.viz.pictures.lists.series.played_model", noted)
    for one in in_good_order(pictures):
        made[one] = series.make(one).contents[0]
    assert [str(moment) for moment in played] == ["1s", "@1s", "irqfd:90", "#60"]
    for one in random.Random(3).sample(pictures, 8):
        assert made[one] == alone(one), one.asked


def test_what_leaves_its_mark_leaves_none_on_the_next_one(series: PictureSeries) -> None:
    at = Moment.read("#median")
    plain = listed(PictureAsked(at=at))
    marking = [
        listed(PictureAsked(at=at, part="exit")),
        listed(PictureAsked("compare", at, other=str(path_of_shipped("irq-msi")))),
        listed(PictureAsked("window", at, size=(1280, 720))),
        listed(PictureAsked(at=at, language="de", hidden=frozenset({"cpu"}))),
    ]
    before = alone(plain)
    for one in marking:
        assert series.make(one).contents[0] == alone(one)
        assert Spoken.name == "en"
        assert series.make(plain).contents[0] == before


def test_after_a_failure_the_next_one_is_made(series: PictureSeries) -> None:
    good = listed(PictureAsked("numbers"))
    before = series.make(good)
    for bad in (
        listed(PictureAsked("suppression")),
        listed(PictureAsked(at=Moment.read("99s"))),
        listed(PictureAsked(at=Moment.read("#median/nothing"))),
        listed(PictureAsked(part="nothing")),
        listed(PictureAsked(), recording="nothing"),
    ):
        with pytest.raises(EngineError):
            series.make(bad)
        assert series.make(good) == before


def test_in_good_order_what_is_shared_is_together() -> None:
    moments = [Moment.read(at) for at in ("#median", "2s")]
    pictures = [
        listed(PictureAsked(view, at), suffix, recording)
        for recording in ("roundtrip", "irq-msi")
        for view in ("diagram", "numbers")
        for suffix in (".png", ".svg")
        for at in moments
    ]
    ordered = in_good_order(pictures)
    assert sorted(map(id, ordered)) == sorted(map(id, pictures))
    keys = [(one.recording, one.asked.at, one.asked.view) for one in ordered if isinstance(one.asked, PictureAsked)]
    assert len(set(keys)) == sum(one != other for one, other in zip(keys, [None, *keys], strict=False)) == 8
