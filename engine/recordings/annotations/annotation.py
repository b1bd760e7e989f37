"""Notes and arrows on a run, each pinned to an event, to a stage of a journey or to a part of the picture.

A recording keeps them in its last message, beside the outline, under a name of their own: whoever does not know that
name reads the recording as ever. The format is closed: what is not described here is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from bellwire.engine.events import EventKind
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.engine.recordings.metadata import Table, json_table

ANNOTATIONS = b"bellwire.annotations"  # the key in the metadata of a recording's last message
FORMAT = 1
MOST_ANNOTATIONS, MOST_WORDS = 200, 280  # of a recording; characters of a text
LONGEST_PART = 40  # characters of the name of a part or a stage
FARTHEST = 4000  # pixels of the picture's canvas that a text can have been moved by


class AnnotationKind(StrEnum):
    """A text, or a line that leads to a second part."""

    NOTE = "note"
    ARROW = "arrow"


class Ink(StrEnum):
    """Which of a theme's colours it has, by what that colour stands for."""

    SELECTION = "selection"
    DOORBELL = "doorbell"
    INTERRUPT = "interrupt"
    GUEST = "guest"
    KVM = "kvm"
    HEAVY = "heavy"


@dataclass(frozen=True)
class EventPin:
    """To one event: its time (TSC), its kind, its number and its guest."""

    tsc: int
    kind: EventKind
    number: int
    vm: int = 0


@dataclass(frozen=True)
class StagePin:
    """To a stage of one journey. start: TSC of its first stamp; tsc: the earliest at which the stage began."""

    journey: int
    start: int
    stage: str
    tsc: int


@dataclass(frozen=True)
class PartPin:
    """To a part of the picture; at a moment, or, if tsc is None, at all of them."""

    part: str
    tsc: int | None = None


Pin = EventPin | StagePin | PartPin


@dataclass(frozen=True)
class Annotation:
    """One note or arrow. to: the part that an arrow leads to.

    moved: from the middle of what it is pinned to, to that of its text, pixels of the picture's canvas; None: wherever
    there is room.
    """

    kind: AnnotationKind
    text: str
    pin: Pin
    ink: Ink = Ink.SELECTION
    to: str = ""
    moved: tuple[int, int] | None = None

    @property
    def tsc(self) -> int | None:
        """The moment that it belongs to; None: it belongs to all."""
        return self.pin.tsc

    def said(self, text: str) -> Annotation:
        """The same with another text."""
        return replace(self, text=one_line(text))


def one_line(text: str) -> str:
    """What somebody has typed or pasted as the text of an annotation: in one line, with nothing in it that steers."""
    return shown(" ".join(text.split()), MOST_WORDS)


# -- written down


def annotations_to_json(annotations: Iterable[Annotation]) -> str:
    """As a recording keeps them."""
    return json.dumps({"version": FORMAT, "annotations": [annotation_table(one) for one in annotations]})


def annotation_table(one: Annotation) -> dict[str, Any]:
    """A JSON object; what has its usual value is left out."""
    content: dict[str, Any] = {"kind": one.kind, "text": one.text, "ink": one.ink, **pin_table(one.pin)}
    if one.to:
        content["to"] = one.to
    if one.moved:
        content["moved"] = list(one.moved)
    return content


def pin_table(pin: Pin) -> dict[str, Any]:
    """What it is pinned to, under the name of what that is."""
    match pin:
        case EventPin():
            return {"event": {**asdict(pin), "kind": pin.kind.name}}
        case StagePin():
            return {"stage": asdict(pin)}
        case PartPin(part, tsc):
            return {"part": {"part": part} if tsc is None else {"part": part, "tsc": tsc}}


# -- read


def read_annotations(text: bytes) -> tuple[Annotation, ...]:
    """Those that somebody has written down; ValueError, in a few words, for anything else."""
    content = json_table(text, tr("their list"))
    if content.whole("version", 1) > FORMAT:
        raise ValueError(tr("a newer bellwire has written them"))
    content.refuse_others("version", "annotations")
    return tuple(map(annotation_of, content.tables("annotations", MOST_ANNOTATIONS)))


def annotation_of(content: Table) -> Annotation:
    """One of them."""
    content.refuse_others("kind", "text", "ink", "to", "moved", *PINS)
    kind, text = AnnotationKind(content.choice("kind", AnnotationKind)), content.text("text", MOST_WORDS)
    to = content.text("to", LONGEST_PART) if "to" in content else ""
    if (kind is AnnotationKind.ARROW) != bool(to):
        raise ValueError(tr("an arrow that leads nowhere, or a note that leads somewhere"))
    if kind is AnnotationKind.NOTE and not text.strip():
        raise ValueError(tr("a note without a text"))
    moved = content.pair("moved", FARTHEST) if "moved" in content else None
    return Annotation(kind, text, pin_of(content), Ink(content.choice("ink", Ink)), to, moved)


def pin_of(content: Table) -> Pin:
    """What it is pinned to: one thing of three."""
    pinned = [name for name in PINS if name in content]
    if len(pinned) != 1:
        raise ValueError(tr("an annotation that is not pinned to one thing"))
    return PINS[pinned[0]](content.table(pinned[0]))


def event_pin(content: Table) -> EventPin:
    """The event."""
    content.refuse_others("tsc", "kind", "number", "vm")
    kind = EventKind[content.choice("kind", EventKind.__members__)]
    return EventPin(content.whole("tsc"), kind, content.whole("number"), content.whole("vm", 0, 255))


def stage_pin(content: Table) -> StagePin:
    """The stage."""
    content.refuse_others("journey", "start", "stage", "tsc")
    stage = content.text("stage", LONGEST_PART)
    return StagePin(content.whole("journey"), content.whole("start"), stage, content.whole("tsc"))


def part_pin(content: Table) -> PartPin:
    """The part."""
    content.refuse_others("part", "tsc")
    return PartPin(content.text("part", LONGEST_PART), content.whole("tsc") if "tsc" in content else None)


PINS: dict[str, Callable[[Table], Pin]] = {"event": event_pin, "stage": stage_pin, "part": part_pin}
