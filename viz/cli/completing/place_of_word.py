"""Which part of a command a word is: one of its options, what an option is to be, an argument. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

END_OF_OPTIONS = "--"
DEFAULT_COMMAND = "open"  # what is meant where the first word is no command


@dataclass
class WordPlace:
    """What stands before a word, and what the word can be. Commands and parameters are Click's."""

    command: Any  # the one that was named; the program itself, if none was
    inner: Any  # whose options and arguments may come: it, or the one that is meant where none was named
    arguments: list[Any]  # those that may still come, in their order
    given: list[str] = field(default_factory=list)  # arguments that have come
    named: set[str] = field(default_factory=set)  # options that have come
    waiting: Any = None  # the option whose value the word is
    options: bool = True  # whether it can be an option

    @property
    def begins(self) -> bool:
        """Whether the word can still be a command."""
        return bool(subcommands(self.command)) and not self.given and not self.named and self.options


def place_after(program: Any, before: Sequence[str]) -> WordPlace:
    """Where the word behind these is."""
    command, words = program, list(before)
    while words and words[0] in subcommands(command):
        command, words = subcommands(command)[words[0]], words[1:]
    inner = subcommands(program)[DEFAULT_COMMAND] if command is program else command
    place = WordPlace(command, inner, own_arguments(inner))
    for word in words:
        pass_word(place, word)
    return place


def pass_word(place: WordPlace, word: str) -> None:
    """Goes on behind a word."""
    if place.waiting is not None:
        place.waiting = None
    elif place.options and word == END_OF_OPTIONS:
        place.options = False
    elif place.options and word.startswith("-") and word != "-":
        name, equals, _ = word.partition("=")
        place.named.add(name)
        option = option_called(place.inner, name)
        place.waiting = option if option is not None and takes_value(option) and not equals else None
    else:
        place.given.append(word)
        if place.arguments and place.arguments[0].nargs != -1:
            place.arguments.pop(0)


def subcommands(command: Any) -> dict[str, Any]:
    """By their names; of a command that has none, none."""
    return getattr(command, "commands", {})


def own_arguments(command: Any) -> list[Any]:
    """In their order."""
    return [one for one in command.params if one.param_type_name == "argument"]


def options_of(command: Any) -> Iterator[Any]:
    """Those that help shows."""
    return (one for one in command.params if one.param_type_name == "option" and not one.hidden)


def option_called(command: Any, name: str) -> Any:
    """The option; None if there is none."""
    return next((one for one in options_of(command) if name in (*one.opts, *one.secondary_opts)), None)


def takes_value(option: Any) -> bool:
    """Whether a word comes behind it."""
    return not (option.is_flag or option.count)
