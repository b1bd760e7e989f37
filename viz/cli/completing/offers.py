"""All that can stand in place of the last word of a command line, which may have been begun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import typer

from bellwire.viz.cli.completing.place_of_word import (
    WordPlace,
    option_called,
    options_of,
    place_after,
    subcommands,
    takes_value,
)
from bellwire.viz.cli.completing.values import Asked, Offered, values_offered


def offers(program: Any, words: Sequence[str]) -> list[Offered]:
    """What fits, in order, and patterns of files. words: those behind the program's name; the last may be empty.

    Of a word with "=", as --theme=dark or pace=flat-out, only what comes behind it: so shells take words apart.
    """
    *before, word = words or [""]
    place = place_after(program, before)
    done = word.rpartition("=")[0]
    found: dict[str, Offered] = {}
    for offered in all_in_place(place, word):
        if offered.word.startswith("*"):
            found.setdefault(offered.word, offered)
        elif offered.word.startswith(word):
            rest = offered.word.removeprefix(f"{done}=" if done else "")
            found.setdefault(rest, offered._replace(word=rest))
    return list(found.values())


def all_in_place(place: WordPlace, word: str) -> Iterator[Offered]:
    """Whatever there is in that place, whether it begins like the word or not."""
    if place.waiting is not None:
        yield from values_at(place, place.waiting, word)
    elif place.options and word.startswith("-"):
        name, equals, begun = word.partition("=")
        option = option_called(place.inner, name)
        if equals and option is not None and takes_value(option):
            for offered in values_at(place, option, begun):
                yield offered if offered.word.startswith("*") else offered._replace(word=f"{name}={offered.word}")
        elif not equals:
            yield from options_offered(place)
    else:
        if place.begins:
            yield from (
                Offered(name, first_sentence(command.help))
                for name, command in subcommands(place.command).items()
                if not command.hidden
            )
        if place.arguments:
            yield from values_at(place, place.arguments[0], word)


def options_offered(place: WordPlace) -> Iterator[Offered]:
    """Those that have not come yet; the program's own while there is no command."""
    commands = [place.inner] if place.inner is place.command or not place.begins else [place.inner, place.command]
    for option in (option for command in commands for option in options_of(command)):
        names = [*option.opts, *option.secondary_opts]
        if option.multiple or not place.named.intersection(names):
            yield from (Offered(name, option.help or "") for name in names)
    yield Offered("--help", "Show what it does, and its options.")


def values_at(place: WordPlace, parameter: Any, word: str) -> Iterator[Offered]:
    """Of one parameter."""
    shown = parameter.get_help_record(typer.Context(place.inner)) or ("", "")
    return values_offered(Asked(word, parameter, place.given), shown[0])


def first_sentence(text: str | None) -> str:
    """What a command does."""
    return " ".join((text or "").split("\n\n")[0].split())
