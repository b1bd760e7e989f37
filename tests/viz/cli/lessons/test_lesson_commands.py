"""Lessons on the command line: a wrong name or file is a sentence, and the command was called wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.cli.app import main


@pytest.mark.parametrize(
    ("what", "why"),
    [("round-tripp", "did you mean round-trip?"), ("no.md", "cannot be read"), ("bad.md", "bad.md:1: ")],
)
def test_what_is_no_lesson_is_a_wrong_call(
    what: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.md").write_text("# No lesson\n")
    assert main(["lesson", what]) == 2
    told = capsys.readouterr().err
    assert why in told
    assert told.count("\n") == 1
