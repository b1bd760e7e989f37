"""Text from elsewhere: what steers is seen, and a name for a file leads nowhere else."""

from __future__ import annotations

import os
import subprocess
import unicodedata
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError, KvmError, RecordingError, ScenarioError
from bellwire.engine.foreign import LONGEST_NAME, file_name, shell_line, shown

STEERING = {"Cc", "Cs", "Zl", "Zp"}  # categories of Unicode; and of Cf, the bidirectional ones below
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_no_character_that_steers_is_left_of_all_there_are() -> None:
    for code in range(0x110000):
        character = chr(code)
        steers = unicodedata.category(character) in STEERING or unicodedata.bidirectional(character) in DIRECTIONS
        if steers:
            seen = shown(character)
            assert seen != character
            assert seen.isprintable()
            assert seen.encode()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Round trip, µs – 往復 é́ 👩\u200d💻", "Round trip, µs – 往復 é́ 👩\u200d💻"),
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("a\r\nb\tc\x7f", "a␍␊b␉c␡"),
        ("\x9b31m", "\\x9b31m"),
        ("exe\u202etxt.\u2066", "exe\\u202etxt.\\u2066"),
        ("byte \udcff, half \ud83d", "byte \\xff, half \\ud83d"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_steers_is_seen_and_all_else_is_as_it_was(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_a_text_may_have_lines_and_a_length() -> None:
    assert shown("a\nb\x1b", lines=True) == "a\nb␛"
    assert shown("abcdef", 4) == "abc…"
    assert shown("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    "word", ["a", "a b", "a'b\\", "\udcff\udcfe.arrow", "a\n\x1b[31m'\\\u202e", "=1", "", "\udcffa1"]
)
def test_a_line_for_a_shell_is_read_as_it_was_meant_and_steers_nobody(word: str) -> None:
    line = shell_line(["printf", "%s", word])
    assert shown(line) == line
    ran = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert ran.stdout == os.fsencode(word)


@pytest.mark.parametrize("kind", [EngineError, RecordingError, ScenarioError])
def test_what_an_error_quotes_steers_nobody(kind: type[EngineError]) -> None:
    assert str(kind("a \x1b[31m \u202e \udcff")) == "a ␛[31m \\u202e \\xff"
    assert len(str(kind("x" * 10**6))) < 10**4


def test_an_error_of_kvm_as_well() -> None:
    assert "\x1b" not in str(KvmError("KVM_IRQFD \x1b", 22, "do \x1b"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("roundtrip", "roundtrip"),
        ("../../etc/passwd", "etc-passwd"),
        ("/absolute", "absolute"),
        ("..", "recording"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("", "recording"),
        ("a\x00b\x1bc\nd\ud800", "a-b-c-d"),
        ("con:nul*?", "con-nul"),
        ("é" * 500, "é" * (LONGEST_NAME // 2)),
    ],
)
def test_a_name_for_a_file_is_one(text: str, name: str) -> None:
    assert file_name(text) == name
    assert Path(name).name == name
