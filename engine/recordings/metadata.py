"""The door: what a recording says about itself, in JSON, is read here once, into values of known types and ranges.

Guarantees:
- What comes out is what is asked for, or there is a ValueError whose text says in a few words what is wrong; nobody
  behind the door looks again.
- What it costs is bounded before anything is parsed: by MOST_BYTES.
- A text that comes out steers nobody who prints it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bellwire.engine.foreign import shown
from bellwire.engine.language import tr

MOST_BYTES = 1 << 22  # of one JSON text; an outline with all the changes that it may list has less than half of it
MOST_MEMBERS = 256  # of an object that names things
MOST_CYCLES = 2**63 - 1  # a TSC, and any number of things that are counted
MOST_ROWS = 1 << 21  # events of a batch: 64 MB


class Table:
    """A JSON object, whose members are asked for by name and type. ValueError where they are something else."""

    def __init__(self, content: Any, name: str) -> None:
        if type(content) is not dict:
            raise ValueError(tr("{name} is no object", name=name))
        self._content, self._name = content, name

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def names(self, most: int = MOST_MEMBERS) -> list[str]:
        """The names of its members."""
        if len(self._content) > most:
            raise ValueError(tr("{name} has more than {most} members", name=self._name, most=most))
        return list(self._content)

    def _member(self, key: str) -> Any:
        if key not in self._content:
            raise ValueError(tr("{name} has no {member}", name=self._name, member=shown(key, 40)))
        return self._content[key]

    def _wrong(self, key: str, wanted: str) -> ValueError:
        return ValueError(tr("{member} is not {wanted}", member=shown(key, 40), wanted=wanted))

    def whole(self, key: str, least: int = 0, most: int = MOST_CYCLES) -> int:
        """A whole number."""
        value = self._member(key)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(key, tr("a whole number from {least} to {most}", least=least, most=most))
        return value

    def real(self, key: str, least: float, most: float) -> float:
        """A number."""
        value = self._member(key)
        if type(value) not in (int, float) or not least <= value <= most:  # which also holds of no NaN
            raise self._wrong(key, tr("a number from {least:g} to {most:g}", least=least, most=most))
        return float(value)

    def text(self, key: str, most: int) -> str:
        """A text, cut off at `most` characters."""
        value = self._member(key)
        if type(value) is not str:
            raise self._wrong(key, tr("a text"))
        return shown(value, most)

    def table(self, key: str) -> Table:
        """An object in it."""
        return Table(self._member(key), key)

    def plain(self, key: str) -> dict[str, Any]:
        """An object in it, for whoever has rules of his own for what is in it."""
        return dict(self.table(key)._content)

    def choice(self, key: str, of: Iterable[str]) -> str:
        """One of these words."""
        value = self._member(key)
        if type(value) is not str or value not in set(of):
            raise self._wrong(key, tr("one of the words that are known"))
        return value

    def pair(self, key: str, most: int) -> tuple[int, int]:
        """A list of two whole numbers, each from -most to most."""
        value = self._member(key)
        if type(value) is not list or len(value) != 2 or any(type(n) is not int or abs(n) > most for n in value):
            raise self._wrong(key, tr("two whole numbers of at most {most}", most=most))
        return value[0], value[1]

    def wholes(self, key: str, most: int, largest: int) -> tuple[int, ...]:
        """A list of at most `most` whole numbers, each from 0 to `largest`."""
        value = self._list(key, most)
        if any(type(number) is not int or not 0 <= number <= largest for number in value):
            raise self._wrong(key, tr("a list of whole numbers up to {largest}", largest=largest))
        return tuple(value)

    def _list(self, key: str, most: int) -> list[Any]:
        value = self._member(key)
        if type(value) is not list or len(value) > most:
            raise self._wrong(key, tr("a list of at most {most}", most=most))
        return value

    def tables(self, key: str, most: int) -> Iterator[Table]:
        """The elements of a list: objects."""
        for element in self._list(key, most):
            yield Table(element, key)

    def refuse_others(self, *known: str) -> None:
        """ValueError if it has a member that is none of these."""
        other = next((name for name in self._content if name not in known), None)
        if other is not None:
            raise ValueError(
                tr("{name} has {member}, which is nothing that is known", name=self._name, member=shown(other, 40))
            )

    def rows(self, key: str, most: int) -> Iterator[tuple[int, str, int]]:
        """The elements of a list: each a time, a name and a value."""
        for row in self._list(key, most):
            if type(row) is not list or list(map(type, row)) != [int, str, int]:
                raise self._wrong(key, tr("a list of times, names and values"))
            if not (0 <= row[0] <= MOST_CYCLES and 0 <= row[2] < 2**64):
                raise self._wrong(key, tr("a list of times, names and values"))
            yield row[0], row[1], row[2]


def json_table(text: bytes, name: str) -> Table:
    """The JSON object in a text."""
    if len(text) > MOST_BYTES:
        raise ValueError(tr("{name} has more than {most} MB", name=name, most=MOST_BYTES >> 20))
    try:
        content = json.loads(text.decode(), object_pairs_hook=unambiguous, parse_constant=no_number)
    except (ValueError, RecursionError) as error:  # the second of one that is nested too deeply
        raise ValueError(tr("{name} is no JSON: {error}", name=name, error=shown(str(error), 100))) from error
    return Table(content, name)


def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, each of which is named once."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(tr("a member that is named twice"))
    return content


def no_number(word: str) -> float:
    """NaN and Infinity, which JSON does not know."""
    raise ValueError(tr("{word} is no number", word=word))


def whole_text(text: str, most: int) -> bool:
    """Whether a text is a whole number in decimal, from -most to most."""
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= len(str(most)) and int(digits) <= most


# -- What a batch says about itself.


@dataclass(frozen=True)
class BatchFacts:
    """first, last: TSC of its first and its last event. crc32: of its columns; None: an older file does not say it."""

    first: int
    last: int
    events: int
    crc32: int | None = None


def batch_facts(text: bytes) -> BatchFacts:
    """The facts in a batch's metadata."""
    table = json_table(text, "a batch's metadata")
    crc32 = table.whole("crc32", 0, 2**32 - 1) if "crc32" in table else None
    facts = BatchFacts(table.whole("first"), table.whole("last"), table.whole("events", 1, MOST_ROWS), crc32)
    if facts.first > facts.last:
        raise ValueError(tr("a batch that ends before it begins"))
    return facts
