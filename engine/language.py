"""In which language the program speaks: the code says everything in English, and a catalogue may say it otherwise.

A message is a whole sentence, or a part that can stand alone, with the names of what is filled in: another language
has another order of words, so none is put together from pieces of a sentence.

    tr("{who} adds 1 to the eventfd's count.", who=who)
    tr_n("{n} doorbell left", "{n} doorbells left", count)
    tr_as("decimal sign", ".")

What a table holds is marked by tr_later() where it is written, and said by tr() when it is shown: only then is the
language known. The messages of a language are assets/languages/LANGUAGE.po, which Qt Linguist opens as well.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

MINUS = "−"  # before a number below 0, in whatever people read
THIN = "\u202f"  # between the thousands of a number: thin, and does not break
ENGLISH = gettext.NullTranslations()

P = ParamSpec("P")
R = TypeVar("R")


class Spoken:
    """The catalogue that is in force, one for the whole process. listeners: called when it has become another."""

    catalogue: gettext.NullTranslations = ENGLISH
    name = "en"
    decimal_sign = "."
    listeners: tuple[Callable[[], None], ...] = ()


class Untold:
    """What is not told: facts of a machine, "pid", "host", "cpu", and "annotations" of a run. A picture for others may
    leave them out."""

    facts: frozenset[str] = frozenset()


def told_pid(pid: int) -> str:
    """A process's number, unless it is not told."""
    return "…" if "pid" in Untold.facts else str(pid)


def speak(name: str, catalogue: gettext.NullTranslations = ENGLISH) -> None:
    """From now on every sentence is that of this catalogue; what it does not have is said in English."""
    Spoken.name, Spoken.catalogue = name, catalogue
    Spoken.decimal_sign = tr_as("decimal sign", ".")
    for listener in Spoken.listeners:
        listener()


def read_catalogue(path: Path) -> gettext.NullTranslations:
    """A language's messages, as the build has packed them; OSError if there are none."""
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


def kept_while_spoken(size: int | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A cache of so many results for what reads texts: it is empty again once another language is spoken."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = lru_cache(size)(function)
        Spoken.listeners += (cached.cache_clear,)
        return cached  # type: ignore[return-value]  # its arguments are those of the function

    return decorate


def tr(message: str, /, **values: Any) -> str:
    """A message in the language that is spoken, `values` in the places that it names."""
    said = Spoken.catalogue.gettext(message) if message else ""
    return said.format_map(values) if values else said


def tr_n(one: str, many: str, number: int, /, **values: Any) -> str:
    """The message that is right for so many; {n} is the number, its thousands set apart."""
    return Spoken.catalogue.ngettext(one, many, number).format_map({"n": grouped(number), **values})


def tr_as(meaning: str, message: str, /, **values: Any) -> str:
    """A message of which English has two that read the same; the meaning tells a translator which one it is."""
    said = Spoken.catalogue.pgettext(meaning, message)
    return said.format_map(values) if values else said


def tr_n_later(one: str, many: str) -> tuple[str, str]:
    """The two messages themselves: tr_n() says the right one where it is shown."""
    return one, many


def tr_table(value: Any, keys: frozenset[str], key: str = "") -> Any:
    """A table of a file with its texts in the language that is spoken: what stands under `keys`, however deep."""
    match value:
        case dict():
            return {name: tr_table(inner, keys, name) for name, inner in value.items()}
        case list():
            return [tr_table(inner, keys, key) for inner in value]
        case str() if key in keys:
            return tr(" ".join(value.split()))
    return value


def tr_later(message: str) -> str:
    """The message itself: tr() says it where it is shown."""
    return message


def grouped(number: float, places: int = 0) -> str:
    """1204311 as 1 204 311, with so many digits behind the point: the one way in which long numbers are written."""
    if not places:
        return f"{round(number):,}".replace(",", THIN).replace("-", MINUS)
    whole, _, rest = f"{number:,.{places}f}".replace("-", MINUS).partition(".")
    return f"{whole.replace(',', THIN)}{Spoken.decimal_sign}{rest}"
