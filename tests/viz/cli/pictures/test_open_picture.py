"""A picture finds its recording by its hash, wherever it is at hand, and opens at what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.cli.pictures.open_picture import recording_at_hand
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.provenance import read_provenance
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window

SHIPPED = path_of_shipped("roundtrip")


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


def picture_in(folder: Path, recording: Path, view: str = "sequence", at: str = "#40/runnable") -> Path:
    """A picture of a recording, in a folder."""
    application()
    path, asked = folder / "a.svg", PictureAsked(view=view, at=Moment.read(at), theme="dark")
    path.write_bytes(made_picture(recording, asked, ".svg", drawn_window).content)
    return path


def test_a_recording_is_found_by_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture_in(tmp_path, SHIPPED)
    told = read_provenance(path)
    assert recording_at_hand(path, told) == SHIPPED
    (tmp_path / "roundtrip.arrow").write_bytes(b"another one")
    assert recording_at_hand(path, told) == SHIPPED
    (tmp_path / "renamed.arrow").write_bytes(SHIPPED.read_bytes())
    monkeypatch.setattr("bellwire.engine.recordings.shipped.FOLDER", tmp_path / "none")
    assert recording_at_hand(path, told) == tmp_path / "renamed.arrow"


def test_without_its_recording_it_says_where_that_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = picture_in(tmp_path, SHIPPED)
    monkeypatch.setattr("bellwire.engine.recordings.shipped.FOLDER", tmp_path / "none")
    assert main(["open", str(path)]) == 1
    said = capfd.readouterr().err
    assert f"is of the recording roundtrip.arrow (SHA-256 {read_provenance(path).sha256[:12]}…)" in said
    assert f"not in {tmp_path}: put it there." in said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x89PNG\r\n\x1a\n", "is no picture of bellwire's"),
        (b"<svg/>", "is no picture of bellwire's"),
        (b"<bellwire:provenance>{}</bellwire:provenance>", "makes no sense"),
        (b"<bellwire:provenance>[1]</bellwire:provenance>", "makes no sense"),
        (b"<bellwire:provenance>{</bellwire:provenance>", "makes no sense"),
        (b"<bellwire:provenance>" + b"[" * 100_000 + b"</bellwire:provenance>", "makes no sense"),
        (b"<bellwire:provenance>\xff</bellwire:provenance>", "makes no sense"),
        (b"<bellwire:provenance" * 300_000, "is no picture of bellwire's"),  # looked for from each of them, for hours
        (b"<bellwire:provenance>" * 300_000, "is no picture of bellwire's"),
    ],
    ids=["png", "svg", "object", "list", "cut-off", "deep", "no-text", "begun", "not-ended"],
)
def test_what_is_no_picture_of_ours_is_one_sentence(
    content: bytes, why: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.svg"
    path.write_bytes(content)
    assert main([str(path)]) == 1
    said = capfd.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_it_is_shown_with_what_it_was_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Any, ...]] = []

    def show(*arguments: Any, then: object) -> int:
        shown.append(arguments)
        return 0

    monkeypatch.setattr("bellwire.viz.cli.opening.show", show)
    assert main([str(picture_in(tmp_path, SHIPPED))]) == 0
    ((source, _, _, theme, language),) = shown
    assert (source.recording.path, theme, language) == (SHIPPED, "dark", "en")
