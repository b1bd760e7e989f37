"""One thing that a run shows: a sentence, the numbers that it rests on, the events that show it."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.counted import Thing, number_of
from bellwire.engine.events import EventKind
from bellwire.engine.language import grouped, tr, tr_n


@dataclass(frozen=True)
class Finding:
    """One thing that happened. numbers: what the claim rests on. kinds: the events that show it."""

    claim: str
    numbers: dict[str, int]
    kinds: tuple[EventKind, ...]

    def as_json(self) -> dict[str, object]:
        """Ready for JSON."""
        return {"claim": self.claim, "numbers": self.numbers, "events": [kind.name for kind in self.kinds]}


# -- words -------------------------------------------------------------------------------------------------------------


def share(part: int, whole: int, of: Thing | None = None) -> str:
    """ "250 of 250", "none of 7"; of things: "1 of 1 doorbell". The part decides on a verb behind it: see tr_n()."""
    all_ = number_of(whole, of) if of else grouped(whole)
    if not part:
        return tr("none of {whole}", whole=all_)
    return tr("{part} of {whole}", part=grouped(part), whole=all_)


def or_more(words: str, missing: int) -> str:
    """The words of a count, which is no more than a bound where events are missing that it is made of."""
    return tr("at least {count}", count=words) if missing else words


def begun_large(claim: str) -> str:
    """With its first letter large, whatever word it begins with."""
    return claim[:1].upper() + claim[1:]


def often(count: int) -> str:
    """ "once", "7 times"."""
    match count:
        case 1:
            return tr("once")
        case 2:
            return tr("twice")
    return tr_n("{n} time", "{n} times", count)
