"""Where in a TOML file each table, key and value stands, which tomllib does not say: a mistake can be pointed at."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

TomlPath = tuple[str | int, ...]  # ("shot", "window", "theme", 1): the second value of that key

BETWEEN = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")  # what separates things
SPACES = re.compile(r"[ \t]*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
BASIC = re.compile(r'"((?:[^"\\]|\\.)*)"')
LITERAL = re.compile(r"'([^']*)'")
TEXTS = (  # the long ones first: they begin as an empty short one does
    re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    BASIC,
    LITERAL,
)
OTHER_VALUE = re.compile(r"[^,\]}#\n]*")  # a number, a date, true


class TomlPlace(NamedTuple):
    """Both from 1."""

    line: int
    column: int


class TomlPlaces:
    """The places of a text that tomllib has read without complaint."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._starts = dict[TomlPath, int]()
        self._tables = dict[TomlPath, int]()  # of [[name]]: how many there have been
        self._read()

    def of(self, *path: str | int) -> TomlPlace:
        """Of a key or value or, if it is written nowhere, of the nearest table that it would be in."""
        while path and path not in self._starts:
            path = path[:-1]
        start = self._starts.get(path, 0)
        line = self._text.count("\n", 0, start) + 1
        return TomlPlace(line, start - self._text.rfind("\n", 0, start))

    def _read(self) -> None:
        table: TomlPath = ()
        while self._skip(BETWEEN) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> TomlPath:
        """[name] or [[name]]."""
        start, several = self._at, self._text.startswith("[[", self._at)
        self._at += 1 + several
        path = self._key(())
        if several:
            number = self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, number)
        self._note(path, start)
        self._at += 1 + several
        return path

    def _pair(self, table: TomlPath) -> None:
        """key = value."""
        start = self._at
        path = self._key(table)
        for length in range(len(table) + 1, len(path) + 1):  # a.b = 1 makes a table a
            self._note(path[:length], start)
        self._at += 1
        self._skip(SPACES)
        self._value(path)

    def _key(self, table: TomlPath) -> TomlPath:
        """A name, or several with dots between; in a table of an array those of its newest one."""
        path = table
        while True:
            self._skip(SPACES)
            found = next(filter(None, (kind.match(self._text, self._at) for kind in (BARE_KEY, BASIC, LITERAL))), None)
            if found is None:
                return path
            self._at = found.end()
            path = (*path, name_in(found[0]))
            self._skip(SPACES)
            if not self._text.startswith(".", self._at):
                return path
            self._at += 1
            if path in self._tables:
                path = (*path, self._tables[path])

    def _value(self, path: TomlPath) -> None:
        start = self._text[self._at : self._at + 1]
        if start == "[":
            self._several(path)
        elif start == "{":
            self._at += 1
            while self._skip(BETWEEN) < len(self._text) and self._text[self._at] != "}":
                self._pair(path)
            self._at += 1
        else:
            found = next(filter(None, (kind.match(self._text, self._at) for kind in (*TEXTS, OTHER_VALUE))))
            self._at = found.end()

    def _several(self, path: TomlPath) -> None:
        """A list."""
        self._at += 1
        number = 0
        while self._skip(BETWEEN) < len(self._text) and self._text[self._at] != "]":
            self._note((*path, number), self._at)
            self._value((*path, number))
            number += 1
        self._at += 1

    def _note(self, path: TomlPath, start: int) -> None:
        self._starts.setdefault(path, start)

    def _skip(self, what: re.Pattern[str]) -> int:
        """Goes on behind it; where that is."""
        found = what.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at


def name_in(key: str) -> str:
    """A key's name, which may be in quotes."""
    return str(tomllib.loads(f"name = {key}")["name"]) if key[0] in "\"'" else key
