"""Which annotations are on the journey of a chart, and at which lifeline each one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.annotations.annotation import Annotation, EventPin, StagePin
from bellwire.viz.panels.sequence.parts import GUEST, IO, KVM, PARTNER, VCPU, Chart
from bellwire.viz.stages.anatomy import load_anatomy

LIFELINES_OF_KINDS = {
    EventKind.RING: GUEST,
    EventKind.RUNG: GUEST,
    EventKind.HANDLER: GUEST,
    EventKind.EXIT: VCPU,
    EventKind.ENTRY: VCPU,
}
LIFELINES_OF_PLACES = {"guest": GUEST, "kernel": KVM, "other process": PARTNER}
BY_VCPU = ("exit", "relay", "enters-again")


@dataclass(frozen=True)
class ChartNote:
    """A text at a time (TSC) and a lifeline, in one of the theme's colours."""

    tsc: int
    lifeline: str
    text: str
    ink: str


def chart_notes(chart: Chart, start: int, last: int, annotations: Iterable[Annotation]) -> list[ChartNote]:
    """Those on the journey that began at `start` (TSC), and on events up to `last`; an arrow by what it says."""
    keys = [line.key for line in chart.lifelines]
    found = []
    for one in annotations:
        match one.pin:
            case StagePin(number, began, stage, tsc) if (number, began) == (chart.number, start):
                line = lifeline_of_stage(stage)
            case EventPin(tsc, kind) if start <= tsc <= last:
                line = LIFELINES_OF_KINDS.get(kind, IO)
            case _:
                continue
        if one.text:
            found.append(ChartNote(min(max(tsc, start), last), line if line in keys else keys[0], one.text, one.ink))
    return sorted(found, key=lambda note: note.tsc)


def lifeline_of_stage(stage: str) -> str:
    """Who holds the signal there."""
    known = load_anatomy().stages.get(stage)
    if stage in BY_VCPU:
        return VCPU
    return LIFELINES_OF_PLACES.get(known.place, IO) if known else KVM
