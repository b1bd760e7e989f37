"""What is held against the pictures that are there: one colour changed fails those that have it, and no other."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bellwire.viz.cli.app import main
from bellwire.viz.pictures.lists.list_file import read_shot_list
from bellwire.viz.style.theme import LIGHT, THEMES

LIST = """
[defaults]
scenario = "roundtrip"
at = "#median"
size = "480x270"
folder = "pictures"
out = "{view}-{theme}.png"

[shot.views]
theme = ["light", "dark"]
view = ["diagram", "numbers", "latency", "exits", "timeline", "events"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, qapp: object) -> Path:
    """A list whose pictures are there."""
    folder = tmp_path_factory.mktemp("manual")
    (folder / "shots.toml").write_text(LIST)
    assert main(["shots", "build", str(folder / "shots.toml"), "--jobs", "1"]) == 0
    return folder


def check(folder: Path, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the state of each picture by its file's name, and what is complained of."""
    capfd.readouterr()
    code = main(["shots", "check", str(folder / "shots.toml"), "--jobs", "1", "--json", *words])
    said, wrong = capfd.readouterr()
    return code, {Path(one["out"]).name: one["state"] for one in json.loads(said)["pictures"]}, wrong


def with_color(path: Path, color: str) -> bool:
    """Whether a picture has a pixel of that very colour."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    return bool((pixels == wanted).all(axis=2).any())


def test_what_has_not_changed_is_the_same(folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, states, wrong = check(folder, capfd, "--report", str(tmp_path / "report"))
    assert (code, set(states.values()), wrong) == (0, {"the same"}, "")
    assert "12 pictures: 12 the same." in (tmp_path / "report/report.html").read_text()


def test_a_report_takes_the_place_of_a_report_and_of_nothing_else(
    folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["shots", "check", str(folder / "shots.toml"), "--jobs", "1", "--report"]
    mine = tmp_path / "report.html"
    mine.write_text("a report of mine")
    assert main([*words, str(tmp_path)]) == 1
    assert "is no report of pictures: name another folder." in capfd.readouterr().err
    assert mine.read_text() == "a report of mine"
    assert main([*words, str(mine)]) == 1
    assert "File exists" in capfd.readouterr().err
    mine.unlink()
    assert [main([*words, str(tmp_path)]) for _ in range(2)] == [0, 0]


def test_one_colour_fails_exactly_the_pictures_that_have_it(
    folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(THEMES, "light", replace(LIGHT, interrupt="#0a6b2d"))
    code, states, wrong = check(folder, capfd, "--report", str(tmp_path))
    changed = {name for name, state in states.items() if state == "changed"}
    assert changed == {path.name for path in folder.glob("pictures/*-light.png") if with_color(path, LIGHT.interrupt)}
    assert code == 1
    assert {"diagram-light.png"} <= changed < {*states}
    assert set(states.values()) == {"changed", "the same"}
    for name in changed:
        marked = tmp_path / f"pictures-{Path(name).stem}.png.difference.png"
        assert Image.open(io.BytesIO(marked.read_bytes())).size == (480, 270)
        assert f"pictures/{name} changed: " in wrong
    assert f"{tmp_path}/report.html shows what differs." in wrong
    assert wrong.splitlines()[-1].endswith("shots.toml --force --only views")


def test_what_is_missing_fails_and_what_is_in_no_list_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture, renamed = folder / "pictures/exits-dark.png", folder / "pictures/old.png"
    picture.rename(renamed)
    (folder / "pictures/mine.png").write_bytes(b"a picture of mine")
    try:
        code, states, wrong = check(folder, capfd)
        assert (code, states["exits-dark.png"]) == (1, "missing")
        assert "bellwire: pictures/old.png is in no list any more." in wrong
        assert "mine.png" not in wrong
        code, states, wrong = check(folder, capfd, "--only", "numbers-*")
        assert (code, len(states), wrong) == (0, 2, "")
    finally:
        renamed.rename(picture)


def test_a_picture_that_cannot_be_made_fails(folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "shots.toml").write_text('[shot.a]\nrecording = "nothing.arrow"\n')
    code, states, wrong = check(tmp_path, capfd)
    assert (code, states) == (1, {"a.png": "failed"})
    assert "nothing.arrow" in wrong
    assert list(tmp_path.iterdir()) == [tmp_path / "shots.toml"]
    assert read_shot_list(tmp_path / "shots.toml").again("a").endswith("shots.toml --force --only a")
