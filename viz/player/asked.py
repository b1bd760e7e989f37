"""Which part of a recording a page is to carry, and how it is to look at first."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.language import tr
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.text.figures import count_of
from bellwire.viz.text.languages import CODE

MOST_JOURNEYS = 16  # that a page carries by itself; each is some 60 kB
LARGEST = 4_000_000  # bytes of what is carried: then no further journey is
MOST_EVENTS = 800


@dataclass(frozen=True)
class PageAsked:
    """at: where the part begins; None: at the median journey. seconds: how long it is; None: MOST_JOURNEYS.

    theme: "dark", "light", or "" for what whoever looks at it prefers. extended: the diagram with the kernel's parts.
    hidden: facts of the machine that are not shown.
    """

    at: Moment | None = None
    seconds: float | None = None
    theme: str = ""
    extended: bool = False
    language: str = CODE
    hidden: frozenset[str] = frozenset()


def left_out_words(journeys: int, held: int, events: int, across: str, begins: str, whole: str) -> str:
    """What of a recording a page holds. held, events: events of the page, and of all the recording."""
    what = tr("{journeys} and {events}", journeys=count_of(journeys, "journey"), events=count_of(held, "event"))
    if held >= events:
        return tr("This page holds the whole recording: {what}, {whole}.", what=what, whole=whole)
    return tr(
        "This page holds a part of a recording: {what}, {across} of its {whole}, from {begins} on. The other {left} are"
        " left out.",
        what=what,
        across=across,
        whole=whole,
        begins=begins,
        left=count_of(events - held, "event"),
    )
