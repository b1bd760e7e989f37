"""`bellwire quiz`: numbers name, letters ask, the end of the input gives up; over recordings and over guests."""

from __future__ import annotations

import re

import pytest

from bellwire.viz.cli.app import main


def played(monkeypatch: pytest.MonkeyPatch, lines: list[str], *arguments: str) -> int:
    typed = iter(lines)

    def read(_: str) -> str:
        line = next(typed, None)
        if line is None:
            raise EOFError
        return line

    monkeypatch.setattr("builtins.input", read)
    return main(["quiz", *arguments])


def test_the_cause_is_told_once_it_was_named_and_not_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["", "nonsense", "99", "a", "a", "c"]
    assert played(monkeypatch, [*asked, "1", "2", "3", "4"], "--lab", "masked-edge", "--seed", "5", "--replay") == 0
    printed = capsys.readouterr().out
    before = printed.partition("Yes: ")[0]
    assert "REPLAY on" in before
    assert "lab-masked-edge" not in before
    assert "A number from 1 to 4" in before
    assert before.count("Left: 9 points.") == 2  # what was asked for once costs no more
    assert "Left: 8 points." in before
    assert "It was lab-masked-edge" in printed
    assert "--seed 5" in printed


def test_the_end_of_the_input_gives_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert played(monkeypatch, [], "--seed", "7", "--replay") == 1
    assert re.search(r"It was: .*\n\n|0 points", capsys.readouterr().out)


def test_a_lab_that_is_none_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quiz", "--lab", "no-eio"]) == 2
    assert "did you mean lab-no-eoi?" in capsys.readouterr().err


@pytest.mark.kvm
def test_over_a_guest_the_same_cause_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played(monkeypatch, ["1", "2", "3", "4"], "--lab", "second-irqfd", "--seed", "5") == 0
    printed = capsys.readouterr().out
    assert "LIVE on" in printed
    assert "Yes: KVM refused an irqfd for GSI 25" in printed


def test_it_speaks_as_the_desktop_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    spoken: list[str] = []
    monkeypatch.setattr("bellwire.viz.text.languages.language_wanted", lambda: "xx")
    monkeypatch.setattr("bellwire.viz.text.languages.speak_language", spoken.append)
    assert played(monkeypatch, [], "--seed", "7", "--replay", "--language", "en") == 1
    assert played(monkeypatch, [], "--seed", "7", "--replay") == 1
    assert spoken == ["en", "xx"]
