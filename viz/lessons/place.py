"""Where in a lesson's file something stands, so that mistakes can be pointed at; tables with a closed set of keys."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bellwire.engine.errors import LessonError
from bellwire.engine.foreign import shown
from bellwire.engine.host.text_files import toml_tables
from bellwire.engine.scenarios.scenario import did_you_mean

LONGEST_VALUE = 60  # characters of a wrong value that are quoted
LONGEST_TEXT = 2000  # characters
LONGEST_LINE = 8000  # characters: a key with thousands of dots is read for minutes
DEEPEST = 8  # tables and lists in one another
LARGEST_NUMBER = 2**63 - 1  # as TOML has it
TOML_LINE = re.compile(r" ?\(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class PlaceInFile:
    """A stretch of the file that begins at `line` (from 1)."""

    path: Path
    line: int
    text: str = ""

    def wrong(self, what: str, key: str = "") -> LessonError:
        """One sentence with file and line: of the key, if it is there."""
        found = re.search(rf"(?:^|(?<=[\s{{,\[])){re.escape(key)}\s*[=.\]]", self.text) if key else None
        line = self.line + (self.text.count("\n", 0, found.start()) if found else 0)
        return LessonError(f"{self.path}:{line}: {what}")

    def table(self, key: str, number: int) -> PlaceInFile:
        """From the table number `number` (from 0) of that name on."""
        found = [match.start() for match in re.finditer(rf"^\s*\[\[{re.escape(key)}\]\]", self.text, re.MULTILINE)]
        start = found[number] if number < len(found) else 0
        return PlaceInFile(self.path, self.line + self.text.count("\n", 0, start), self.text[start:])

    def toml(self) -> dict[str, Any]:
        """What it holds; LessonError if it is not TOML, or more than any lesson needs."""
        for number, text in enumerate(self.text.split("\n")):
            if len(text) > LONGEST_LINE:
                raise LessonError(f"{self.path}:{self.line + number}: a line has at most {LONGEST_LINE} characters.")
        try:
            values = toml_tables(self.text)
        except tomllib.TOMLDecodeError as error:
            at = TOML_LINE.search(str(error))
            line = self.line + (int(at[1]) - 1 if at else 0)
            raise LessonError(f"{self.path}:{line}: not TOML: {TOML_LINE.sub('', str(error))}.") from error
        except ValueError as error:
            raise self.wrong(f"not TOML: {error}.") from error
        self._check(values)
        return values

    def _check(self, values: dict[str, Any]) -> None:
        """LessonError for what would be trouble to whoever prints it."""
        left = [(key, value, 1) for key, value in values.items()]
        while left:
            key, value, depth = left.pop()
            if depth > DEEPEST:
                raise self.wrong(f"{shown(key, LONGEST_VALUE)}: has too many tables and lists in one another.", key)
            if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
                raise self.wrong(f"{shown(key, LONGEST_VALUE)}: a number is at most {LARGEST_NUMBER}.", key)
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            left += [(key, part, depth + 1) for part in inner]


class LessonTable:
    """A table of the file: each value is asked for once, by its key and what it may be; what is left over is wrong."""

    def __init__(self, place: PlaceInFile, values: Mapping[str, Any], name: str) -> None:
        """name: as a mistake calls the table: "scene"."""
        self.place, self.values, self.name = place, values, name
        self._asked: set[str] = set()

    def _take(self, key: str, kind: type, what: str, default: Any) -> Any:
        self._asked.add(key)
        if key not in self.values:
            if default is None:
                raise self.place.wrong(f"the {self.name} has no {key}; {what} is needed.")
            return default
        value = self.values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, what)
        return value

    def wrong(self, key: str, allowed: str) -> LessonError:
        """That a value is not what is allowed."""
        value = shown(str(self.values.get(key)), LONGEST_VALUE)
        return self.place.wrong(f"{key}: {value!r} is not allowed; allowed is {allowed}.", key)

    def words(self, key: str, default: str | None = None) -> str:
        """A text in one line, which steers nobody who prints it; without a default it is needed."""
        return self._short(key, str(self._take(key, str, "a text", default)))

    def _short(self, key: str, text: str) -> str:
        if len(text) > LONGEST_TEXT:
            raise self.place.wrong(f"{key}: a text has at most {LONGEST_TEXT} characters.", key)
        return shown(" ".join(text.split()))

    def one_of(self, key: str, allowed: list[str], default: str) -> str:
        """One of these words."""
        word = str(self._take(key, str, "one of " + ", ".join(allowed), default))
        if word != default and word not in allowed:
            hint = did_you_mean(word, allowed)
            raise self.place.wrong(f"{key}: there is no {shown(word, LONGEST_VALUE)!r}; {hint}", key)
        return word

    def number(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number in a range."""
        allowed = f"a whole number from {least} to {most}"
        value = int(self._take(key, int, allowed, default))
        if not least <= value <= most:
            raise self.wrong(key, allowed)
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """A list of texts; one alone needs no brackets."""
        self._asked.add(key)
        values = self.values.get(key, default)
        values = [values] if isinstance(values, str) else values
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise (
                self.wrong(key, "a list of texts")
                if key in self.values
                else self.place.wrong(f"the {self.name} has no {key}; a list of texts is needed.")
            )
        return tuple(self._short(key, value) for value in values)

    def table(self, key: str) -> dict[str, Any]:
        """A table in the table."""
        return dict(self._take(key, dict, "a table", {}))

    def tables(self, key: str) -> list[dict[str, Any]]:
        """Several tables of one name."""
        values = self._take(key, list, "a list of tables", [])
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "a list of tables")
        return list(values)

    def close(self) -> None:
        """LessonError if it has what nobody asked for."""
        for key in self.values:
            if key not in self._asked:
                allowed = ", ".join(sorted(self._asked))
                raise self.place.wrong(
                    f"{self.name}: {shown(key, LONGEST_VALUE)!r} is unknown; allowed are {allowed}.", key
                )
