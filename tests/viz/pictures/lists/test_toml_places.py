"""Each key, table and value of a TOML file is where an editor shows it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from bellwire.viz.pictures.lists.toml_places import TomlPath, TomlPlaces

TEXT = '''# [shot.not-one]
title = "a # no comment, [no.table]"  # theme = 1
[defaults]
size = "640x360"
  theme = [ "light", # "dark",
    'print',
  "dark" ]
at.first = 1979-05-27 07:32:00
at."second one" = { deep = [1, [2, 3]], "quoted \\" key" = true }
[ shot . "a b" ]
text = """
[shot.c]
key = "no key"""" # one quote more
path = 'C:\\'
long = \'\'\'
]]\'\'\'
[[film]]
name = 1
[[film]]
name = 2
[film.about]
name = 3
'''
PLACES = {
    (): (1, 1),
    ("title",): (2, 1),
    ("defaults",): (3, 1),
    ("defaults", "size"): (4, 1),
    ("defaults", "theme"): (5, 3),
    ("defaults", "theme", 0): (5, 13),
    ("defaults", "theme", 1): (6, 5),
    ("defaults", "theme", 2): (7, 3),
    ("defaults", "at"): (8, 1),
    ("defaults", "at", "first"): (8, 1),
    ("defaults", "at", "second one", "deep"): (9, 21),
    ("defaults", "at", "second one", "deep", 1, 1): (9, 36),
    ("shot", "a b"): (10, 1),
    ("shot", "a b", "text"): (11, 1),
    ("shot", "a b", "path"): (14, 1),
    ("shot", "a b", "long"): (15, 1),
    ("film", 0, "name"): (18, 1),
    ("film", 1): (19, 1),
    ("film", 1, "name"): (20, 1),
}


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)) or "top")
def test_each_thing_is_where_it_stands(path: TomlPath) -> None:
    assert TomlPlaces(TEXT).of(*path) == PLACES[path]


def test_what_is_nowhere_is_where_its_table_begins() -> None:
    places = TomlPlaces(TEXT)
    assert places.of("defaults", "nothing", "in", "it") == (3, 1)
    assert places.of("nowhere") == (1, 1)


def paths_of(value: Any, path: TomlPath) -> list[TomlPath]:
    """Every key and value in what tomllib has read."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inner for found in paths_of(part, (*path, key)))]


def test_all_that_tomllib_reads_has_a_place() -> None:
    """Everything but the name of an array of tables, and what only comes to be on the way to another table."""
    assert TomlPlaces("").of("nothing") == (1, 1)
    found = set(TomlPlaces(TEXT)._starts)
    missing = [path for path in paths_of(tomllib.loads(TEXT), ()) if path not in found]
    assert missing == [(), ("shot",), ("film",)]
