"""`bellwire shots`: what is out of date is made, what cannot be made is told, and the rest is made all the same."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.pictures.provenance import read_provenance

LIST = """
[defaults]
recording = "runs/one.arrow"
view = "numbers"
size = "320x96"

[shot.plain]
theme = ["light", "dark"]
folder = "pictures"

[shot.told]
out = ["told.svg", "told.pdf"]
sidecar = true

[shot.moving]
view = "diagram"
size = "160x90"
seconds = 0.2
fps = 10
out = "moving.gif"
"""
ALL = ["plain-light.png", "plain-dark.png", "told.svg", "told.pdf", "moving.gif"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> Path:
    """Somebody's manual, with a recording beside its list; one looks at it from elsewhere."""
    manual = tmp_path / "manual"
    (manual / "runs").mkdir(parents=True)
    shutil.copy(path_of_shipped("roundtrip"), manual / "runs/one.arrow")
    (manual / "shots.toml").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    return manual


def shots(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code of a command, and what it printed."""
    code = main(["shots", *shlex.split(words)])
    return code, *capfd.readouterr()


def states(folder: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, str]:
    """How it stands with each file, as --json has it."""
    code, said, _ = shots("list manual/shots.toml --json", capfd)
    assert code == 0
    return {Path(one["out"]).name: one["state"] for one in json.loads(said)}


def test_what_is_out_of_date_is_made_and_nothing_else(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert states(folder, capfd) == dict.fromkeys(ALL, "missing")
    code, said, wrong = shots("build manual/shots.toml", capfd)
    assert (code, wrong, said.splitlines()[-1]) == (0, "", "5 pictures: 5 made.")
    made = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert made == sorted(
        [
            *("shots.toml", "runs/one.arrow", "told.svg", "told.pdf", "told.json", "moving.gif", "moving.vtt"),
            *("pictures/plain-light.png", "pictures/plain-dark.png"),
        ]
    )
    assert json.loads((folder / "told.json").read_text())["sha256"] == read_provenance(folder / "told.svg").sha256
    assert states(folder, capfd) == dict.fromkeys(ALL, "up to date")
    assert shots("build manual/shots.toml", capfd) == (0, "5 pictures: 5 up to date.\n", "")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    code, said, _ = shots("build manual/shots.toml --force", capfd)
    assert said.splitlines()[-1] == "5 pictures: 5 made again."
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")} == before
    (folder / "shots.toml").write_text(LIST.replace("320x96", "330x96").replace("fps = 10", "fps = 5"))
    (folder / "told.json").unlink()
    (folder / "told.svg").touch()
    assert states(folder, capfd) == dict.fromkeys(ALL, "out of date")
    assert shots("build manual/shots.toml --only plain --only '*.pdf'", capfd)[1].endswith("3 pictures: 3 made.\n")
    shutil.copy(path_of_shipped("irq-msi"), folder / "runs/one.arrow")
    assert states(folder, capfd) == dict.fromkeys(ALL, "out of date")


def test_a_picture_that_cannot_be_made_keeps_no_other_from_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "shots.toml").write_text(
        """[defaults]
scenario = "roundtrip"
view = "numbers"
size = "320x96"
[shot.good]
[shot.late]
at = "99s"
[shot.lost]
recording = "nothing.arrow"
[shot.none]
view = "suppression"
[shot.mine]
[shot.pipe]
[shot.under]
folder = "mine.png"
"""
    )
    (folder / "mine.png").write_text("a picture of mine")
    os.mkfifo(folder / "pipe.png")
    code, said, wrong = shots("build manual/shots.toml --json", capfd)
    told = {one["name"]: one for one in json.loads(said)["pictures"]}
    assert (code, told["good"]["state"]) == (1, "made")
    assert {name for name, one in told.items() if one["state"] == "failed"} == {*told} - {"good"}
    assert wrong.count("\n") == len(told) - 1
    for line, name, why in (
        (6, "late", "99s is after the end"),
        (8, "lost", "nothing.arrow"),
        (10, "none", "roundtrip has nothing that the view suppression shows."),
        (12, "mine", "mine.png is there already, and is no picture of bellwire's: name another file, or add --force"),
        (13, "pipe", "pipe.png is there already, and is no picture"),
        (14, "under", "File exists"),
    ):
        (sentence,) = [one for one in wrong.splitlines() if f": {name}: " in one]
        assert sentence.startswith(f"bellwire: manual/shots.toml:{line}:1: {name}: "), sentence
        assert why in sentence
    assert (folder / "mine.png").read_text() == "a picture of mine"
    assert shots("build manual/shots.toml --only mine --force", capfd)[0] == 0
    assert read_provenance(folder / "mine.png").scenario == "roundtrip"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("build nothing.toml", "nothing.toml: cannot be read: No such file or directory."),
        ("build", "shots.toml: cannot be read: No such file or directory."),
        ("list manual/shots.toml --only tolt", "--only tolt: manual/shots.toml has no such shot; did you mean told?"),
        ("build manual/shots.toml --jobs 0", "--jobs"),
    ],
)
def test_a_wrong_call_is_one_sentence(words: str, why: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, said, wrong = shots(words, capfd)
    assert (code, said, wrong.count("\n")) == (2, "", 1)
    assert why in wrong


def test_a_recording_that_is_none_any_more_is_waited_for_by_nobody(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert shots("build manual/shots.toml --only plain", capfd)[0] == 0
    (folder / "runs/one.arrow").unlink()
    os.mkfifo(folder / "runs/one.arrow")
    assert states(folder, capfd)["plain-light.png"] == "out of date"
    code, _, wrong = shots("build manual/shots.toml --only plain", capfd)
    assert (code, "runs/one.arrow cannot be opened as a recording: it is not a file." in wrong) == (1, True)
