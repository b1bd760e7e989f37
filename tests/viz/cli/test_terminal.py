"""What is printed: texts as they are, whatever they are, for people and for programs."""

from __future__ import annotations

import json
import os
import pty
import sys

import pytest
from rich.table import Table
from rich.text import Text

from bellwire.viz.cli.tables import Figures
from bellwire.viz.cli.terminal import complain, out, out_json, say, terminal_console

HOSTILE = "[/x][bold]:smile: \x1b[31m\x1b]0;owned \u202e \x9b \udcff"
SEEN = "[/x][bold]:smile: ␛[31m␛]0;owned \\u202e \\x9b \\xff"


def test_no_markup_no_emoji_and_nothing_that_steers(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    ours = Figures(HOSTILE, HOSTILE)
    ours.add_row(HOSTILE, HOSTILE)
    for content in (HOSTILE, Text(HOSTILE), table, ours):
        out(content)
        printed = capsys.readouterr().out
        assert SEEN in printed
        assert printed.endswith("\n")
        assert "\x1b" not in printed


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    out(Text("one\ntwo"))
    assert capsys.readouterr().out.split() == ["one", "two"]


def test_complaints_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain(HOSTILE, 2) == 2
    say(HOSTILE)
    assert capsys.readouterr().err == f"bellwire: {SEEN}\n" * 2


def test_programs_get_the_same_text_and_a_terminal_nothing_that_steers(capsys: pytest.CaptureFixture[str]) -> None:
    out_json({HOSTILE: [HOSTILE, "é"]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {HOSTILE: [HOSTILE, "é"]}
    assert "é" in printed
    assert not any(character in printed for character in "\x1b\u202e\x9b\udcff")


@pytest.mark.parametrize("text", ["", "run.png: [bold] µs …  ", "two\nlines", "\x1b[31mred", "word " * 60])
def test_a_sentence_that_fits_is_printed_as_what_lays_tables_out_prints_it(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out(text)
    alone = capsys.readouterr().out
    monkeypatch.setattr("bellwire.viz.cli.terminal.fits", lambda _: False)
    out(text)
    assert capsys.readouterr().out == alone


@pytest.mark.parametrize("columns", [40, 200])
def test_a_terminal_that_can_do_nothing_is_as_wide_as_it_is(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, end = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((columns, 30)))
    with os.fdopen(end, "w") as stream, os.fdopen(terminal, "rb"):
        monkeypatch.setattr(sys, "stdout", stream)
        assert terminal_console().width == columns
