"""Pictures of a run on an emulated CPU: each says that its times mean nothing, and those of latencies give none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bellwire.viz.pictures.asked import USUAL_SIZES, PictureAsked
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.provenance import read_provenance
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window
from tests.support.emulated import SAID, emulated_recording

VIEWS = [view for view in USUAL_SIZES if view != "suppression"]  # which needs a virtqueue
WITHOUT_TIMES = ("diagram", "latency", "distribution", "numbers", "sequence", "stages")
TIME = re.compile(r"\d\s?(?:ns|µs|ms)\b")


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once."""
    return emulated_recording(tmp_path_factory.mktemp("emulated") / "run.arrow")


@pytest.mark.parametrize("view", VIEWS)
def test_each_says_that_its_times_mean_nothing(view: str, recording: Path, tmp_path: Path) -> None:
    application()
    asked, path = PictureAsked(view=view, at=Moment.read("#median")), tmp_path / "picture.svg"
    path.write_bytes(made_picture(recording, asked, ".svg", drawn_window).content)
    written = " ".join(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text())).split())
    assert SAID in written
    told = read_provenance(path)
    assert told.caption.endswith(f"on {SAID}.")
    if view in WITHOUT_TIMES:
        assert not TIME.findall(f"{written} {told.alt.removeprefix(told.caption)}")
