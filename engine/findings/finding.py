"""One thing that a run shows: a sentence, the numbers that it rests on, the events that show it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bellwire.engine.events import EventKind

THIN = "\u202f"  # thin, and does not break
COMMAS = re.compile(r"(?<=\d),(?=\d{3})")  # between the thousands of a number


@dataclass(frozen=True)
class Finding:
    """One thing that happened. numbers: what the claim rests on. kinds: the events that show it."""

    claim: str
    numbers: dict[str, int]
    kinds: tuple[EventKind, ...]

    def __post_init__(self) -> None:
        """Claims are written with Python's commas and said with thin spaces, as all other numbers are."""
        object.__setattr__(self, "claim", COMMAS.sub(THIN, self.claim))

    def as_json(self) -> dict[str, object]:
        """Ready for JSON."""
        return {"claim": self.claim, "numbers": self.numbers, "events": [kind.name for kind in self.kinds]}


# -- words -------------------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """ "250 of 250", "none of 7"."""
    return f"{part:,} of {whole:,}" if part else f"none of {whole:,}"


def plural(count: int, noun: str) -> str:
    """ "1 signal", "3 signals"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def often(count: int) -> str:
    """ "once", "7 times"."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def bytes_of(length: int) -> str:
    """ "4 bytes"."""
    return plural(length, "byte")
