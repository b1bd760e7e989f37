"""`bellwire export-html`: a file, or one sentence where there can be none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.commands import SOMEBODY_ELSES, bellwire
from tests.support.forked import Forked
from tests.support.refusals import refused
from tests.support.x_server import x_server

SHIPPED = path_of_shipped("roundtrip")
SHORT = Path(__file__).resolve().parents[3] / "support/short.md"


def test_it_writes_one_file_and_says_how_large_it_is(tmp_path: Path, forked: Forked) -> None:
    words = ["export-html", str(SHIPPED), "-o", f"{tmp_path}/run.html", "--seconds", "0.001", "--theme", "dark"]
    ran = forked.command((*words, "--at", "#20"), tmp_path)
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", f"{tmp_path}/run.html: 0.2 MB.\n")
    page = (tmp_path / "run.html").read_text()
    assert page.startswith('<!doctype html>\n<html lang="en" data-theme="dark">')
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]
    ran = forked.command((*words, "--at", "#999999", "--force"), tmp_path)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "There is no journey #999999" in ran.stderr


@pytest.mark.xcb
@pytest.mark.parametrize("words", [f"{SHIPPED} --at #20 --seconds 0.001", f"{SHORT} --replay"], ids=["run", "lesson"])
def test_the_bytes_are_the_same_on_another_machine_and_on_a_screen(words: str, tmp_path: Path) -> None:
    command = ["export-html", *words.split(), "--language", "en", "-o"]
    ran = bellwire(*command, f"{tmp_path}/a.html", QT_QPA_PLATFORM="")
    assert (ran.returncode, ran.stderr) == (0, "")
    with x_server() as display:
        ran = bellwire(*command, f"{tmp_path}/b.html", QT_QPA_PLATFORM="xcb", DISPLAY=display, **SOMEBODY_ELSES)
        assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (f"export-html {SHIPPED} -o x.html --at nothing", 2, "is no moment: name a time"),
        (f"export-html {SHIPPED} -o x.html --theme print", 2, "'print' is not one of"),
        (f"export-html {SHIPPED} -o /nonexistent/x.html", 1, "cannot be written"),
        ("export-html round-trip -o x.html --seconds 1", 2, "of a lesson no part can be chosen"),
        ("export-html roundtrop -o x.html", 2, "roundtrip"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: str, code: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found, said = refused(words, tmp_path, monkeypatch, capfd)
    assert found == code
    assert said.startswith("bellwire: ")
    assert why in said
