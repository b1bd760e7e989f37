"""Options that several commands have: what every one of a kind refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bellwire.viz.cli.app import UsageError, main, whole_command_line

NUMBERS = ("float", "float range")


def options(command: Any, path: str = "bellwire") -> Iterator[tuple[str, Any, Any]]:
    """(path and option, its command, the option) of every command there is."""
    for name, below in getattr(command, "commands", {}).items():
        yield from options(below, f"{path} {name}")
    for option in command.params:
        yield f"{path} {option.opts[0]}", command, option


def accepted(command: Any, option: Any, text: str) -> object:
    """What the command is called with if the option says this; UsageError."""
    context = command.make_context("bellwire", [], resilient_parsing=True)
    context.resilient_parsing = False
    return option.process_value(context, text)


NUMBERED = [
    pytest.param(command, option, id=path)
    for path, command, option in options(whole_command_line())
    if option.type.name in NUMBERS
]


def test_there_are_such_options() -> None:
    assert len(NUMBERED) >= 8


@pytest.mark.parametrize(("command", "option"), NUMBERED)
def test_what_is_no_number_is_none_for_any_option(command: Any, option: Any) -> None:
    """It is in every range, and every comparison with it is false: a run of nan seconds never ended."""
    with pytest.raises(UsageError, match="nan is no number"):
        accepted(command, option, "nan")


@pytest.mark.parametrize("words", ["replay {file} --at inf", "replay {file} --at 1e300", "run roundtrip --seconds inf"])
def test_what_no_clock_can_tell_is_one_sentence(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.format(file="roundtrip").split()) == 2
    assert "is not in the range" in capsys.readouterr().err
