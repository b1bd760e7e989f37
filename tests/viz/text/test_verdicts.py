"""A verdict is said in one place, and reads the same everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.language import Spoken
from bellwire.viz.text.languages import speak_language
from bellwire.viz.text.verdicts import MARKS, verdict_word, verdict_words

ROOMS = Path(__file__).resolve().parents[3] / "viz"


def test_a_verdict_is_a_sign_and_a_word() -> None:
    assert [verdict_words(right) for right in (True, False, None)] == ["✓ right", "✗ wrong", "– not known"]
    assert len({verdict_word(right) for right in MARKS}) == len(MARKS)


def test_it_is_said_in_the_language_that_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Spoken.name
    try:
        speak_language("de")
        assert [verdict_words(right) for right in (True, False, None)] == ["✓ richtig", "✗ falsch", "– nicht bekannt"]
    finally:
        speak_language(before)


def test_nobody_else_has_signs_of_their_own() -> None:
    said = [path.relative_to(ROOMS).as_posix() for path in ROOMS.rglob("*.py") if '"✗"' in path.read_text()]
    assert said == ["text/verdicts.py"]
