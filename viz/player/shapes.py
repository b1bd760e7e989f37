"""What many pictures have in common is kept once: a picture is the numbers of its shapes, in the order of painting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from PySide6.QtGui import QPainter

from bellwire.viz.pictures.svg import painted_as_svg
from bellwire.viz.player.inks import by_variable

Strip = tuple[tuple[str, ...], ...]  # value, unit, label, colour of each number

REFERENCE = re.compile(r"url\(#(d[0-9]+)\)")


class SharedShapes:
    """All shapes of all pictures and all strips of numbers, each once; defs: what shapes refer to."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}  # by the shape's markup
        self._names: dict[str, str] = {}  # of definitions, by their markup, in which the name is left out
        self.size = 0  # characters of all shapes
        self._strips: dict[Strip, int] = {}

    @property
    def shapes(self) -> list[str]:
        """Their markup, by number."""
        return list(self._numbers)

    @property
    def defs(self) -> str:
        """The markup of all definitions."""
        return "".join(markup.replace("{name}", name) for markup, name in self._names.items())

    def painted(self, width: int, height: int, paint: Callable[[QPainter], None]) -> list[int]:
        """The numbers of what is painted, as runs: first, how many, first, how many ..."""
        engine = painted_as_svg(width, height, paint)
        names = {name: self._name(by_variable(markup)) for markup, name in engine.defs.items()}
        return runs(self._number(shape, names) for shape in whole_groups(engine.parts))

    def strip(self, numbers: Strip) -> int:
        """The number of a strip of numbers."""
        return self._strips.setdefault(numbers, len(self._strips))

    def as_table(self) -> dict[str, Any]:
        """All of it, as a page carries it."""
        return {"shapes": self.shapes, "defs": self.defs, "numbers": list(self._strips)}

    def _name(self, markup: str) -> str:
        return self._names.setdefault(markup, f"d{len(self._names)}")

    def _number(self, shape: str, names: dict[str, str]) -> int:
        markup = by_variable(REFERENCE.sub(lambda found: f"url(#{names[found[1]]})", shape))
        if markup not in self._numbers:
            self.size += len(markup)
        return self._numbers.setdefault(markup, len(self._numbers))


def whole_groups(parts: Iterable[str]) -> Iterator[str]:
    """The parts, a group and what is in it as one."""
    group: list[str] = []
    for part in parts:
        if group or part.startswith("<g "):
            group.append(part)
            if part == "</g>":
                yield "".join(group)
                group = []
        else:
            yield part


def runs(numbers: Iterable[int]) -> list[int]:
    """Numbers as runs of successive ones: 4, 5, 6, 9 is 4, 3, 9, 1."""
    found: list[int] = []
    for number in numbers:
        if found and number == found[-2] + found[-1]:
            found[-1] += 1
        else:
            found += [number, 1]
    return found
