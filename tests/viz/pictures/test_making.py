"""Each view as a picture: as large as it was asked for, not empty, and the same bytes whatever was painted before."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image

from bellwire.engine.errors import EngineError
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import USUAL_SIZES, PictureAsked
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import Durations, unit_called
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window

NS = unit_called("ns", 1e9)
VIEWS = [view for view in USUAL_SIZES if view != "suppression"]  # which needs a virtqueue


def png_of_view(asked: PictureAsked, scenario: str = "roundtrip") -> bytes:
    """The picture of a shipped recording."""
    application()
    return made_picture(path_of_shipped(scenario), asked, ".png", drawn_window).content


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


@lru_cache
def usual_png(view: str) -> bytes:
    """The view as it is by itself, at a journey."""
    return png_of_view(PictureAsked(view=view, at=Moment.read("#median")))


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_has_its_size_and_something_in_it(view: str) -> None:
    image = Image.open(io.BytesIO(usual_png(view)))
    assert (image.size, image.mode) == (USUAL_SIZES[view], "RGB")
    assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 20


def test_what_a_window_has_been_set_to_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another unit and reduced motion, and another theme that was painted before."""
    for view in ("window", "latency", "diagram"):
        before = usual_png(view)
        monkeypatch.setattr(Durations, "unit", NS)
        monkeypatch.setattr(Turns, "calm", True)
        assert png_of_view(PictureAsked(view=view, at=Moment.read("#median"), theme="print", text=1.5)) != before
        assert png_of_view(PictureAsked(view=view, at=Moment.read("#median"))) == before
        assert (Durations.unit, Turns.calm) == (NS, True)


def test_a_scale_gives_more_pixels_and_not_more_room() -> None:
    small = Image.open(io.BytesIO(png_of_view(PictureAsked(size=(640, 360)))))
    large = Image.open(io.BytesIO(png_of_view(PictureAsked(size=(640, 360), scale=2))))
    assert (small.size, large.size) == ((640, 360), (1280, 720))
    shrunk = np.asarray(large.resize(small.size, Image.Resampling.BOX), np.int16)
    assert np.abs(shrunk - np.asarray(small, np.int16)).mean() < 4


def test_without_a_background_it_can_be_seen_through_around_the_card() -> None:
    image = Image.open(io.BytesIO(png_of_view(PictureAsked(view="timeline", transparent=True))))
    assert (image.mode, image.getpixel((1, 1))) == ("RGBA", (0, 0, 0, 0))
    assert image.getpixel((image.width // 2, image.height // 2))[3] == 255  # type: ignore[index]


def test_a_view_that_the_scenario_has_nothing_for_says_so() -> None:
    assert png_of_view(PictureAsked(view="suppression"), "virtqueue")
    with pytest.raises(EngineError, match="roundtrip has nothing that the view suppression shows"):
        png_of_view(PictureAsked(view="suppression"))


def test_a_part_that_is_chosen_is_seen_and_one_that_is_none_says_which_there_are() -> None:
    assert png_of_view(PictureAsked(at=Moment.read("#median"), part="exit")) != usual_png("diagram")
    for view in ("diagram", "call", "window"):
        with pytest.raises(EngineError, match=r"no part 'nothing'; it has driver, "):
            png_of_view(PictureAsked(view=view, part="nothing"))


def test_a_recording_can_be_compared_with_another_one() -> None:
    other = str(path_of_shipped("doorbell-pio"))
    compared = png_of_view(PictureAsked(view="compare", other=other))
    assert compared != png_of_view(PictureAsked(view="compare"))
    with pytest.raises(EngineError, match="cannot be opened"):
        png_of_view(PictureAsked(view="compare", other="/nonexistent.arrow"))


def test_what_is_hidden_of_the_machine_is_nowhere_in_the_picture() -> None:
    """The host of a shipped recording, and the number of the process that the guest talks with."""

    def written(view: str, scenario: str, hidden: frozenset[str]) -> str:
        asked = PictureAsked(view=view, at=Moment.read("#median"), hidden=hidden)
        made = made_picture(path_of_shipped(scenario), asked, ".svg", drawn_window)
        return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", made.content.decode())) + made.told.alt

    assert "EPYC" in written("diagram", "roundtrip", frozenset())
    assert "EPYC" not in written("diagram", "roundtrip", frozenset({"cpu"}))
    assert "Linux 6" in written("diagram", "roundtrip", frozenset({"cpu"}))
    assert "Linux 6" not in written("diagram", "roundtrip", frozenset({"host"}))
    for view in ("diagram", "sequence", "evidence"):
        (pid,) = set(re.findall(r"(?:pid|process) ([0-9]+)", written(view, "vhost-user-blk", frozenset())))
        assert pid not in written(view, "vhost-user-blk", frozenset({"pid"}))


def test_a_picture_of_the_diagram_imports_no_other_view_and_nothing_that_letters_are_put_into_files_with() -> None:
    others = ("bellwire.viz.panels", "bellwire.viz.plots", "bellwire.viz.timeline", "pyqtgraph", "fontTools")
    code = "import sys, bellwire.viz.pictures.making; print(*sys.modules, sep='\\n')"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in ran.stdout.split() if name.startswith(others)] == []


def test_a_curve_that_is_off_is_not_in_it_and_one_that_is_not_there_is_refused() -> None:
    asked = PictureAsked(view="latency", at=Moment.read("#median"), off=("latency:doorbell",))
    assert png_of_view(asked) != usual_png("latency")
    with pytest.raises(EngineError, match="There is no curve 'latency:nothing' here; there is latency:doorbell, "):
        png_of_view(replace(asked, off=("latency:nothing",)))


def test_what_is_in_front_in_the_window_is_in_its_picture() -> None:
    made = made_picture(
        path_of_shipped("roundtrip"),
        PictureAsked(view="window", at=Moment.read("#40/runnable"), front=("sequence", "events", "extended")),
        ".svg",
        drawn_window,
    ).content.decode()
    assert all(f">{words}<" in made for words in ("work item", "irqfd_wakeup()"))  # of the extended diagram
    assert ">OUT 0x510: doorbell #40<" in made  # a row of the events
    assert ">Doorbell #40<" in made  # the sequence's title
