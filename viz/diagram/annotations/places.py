"""Which part of a picture an annotation is at: its own, that of its stage, or that in which its event happens."""

from __future__ import annotations

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.annotations.annotation import Annotation, EventPin, PartPin, StagePin
from bellwire.viz.diagram.blueprint import Blueprint, Part
from bellwire.viz.diagram.stretches import stages_around

ELSEWHERE = ("vmm",)
STAGES_OF_KINDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.RING: ("guest-write", "guest"),
    EventKind.RUNG: ("guest-write", "guest"),
    EventKind.HANDLER: ("handler", "guest"),
    EventKind.EXIT: ("exit", "kvm"),
    EventKind.ENTRY: ("exit", "kvm"),
    EventKind.DOORBELL: ("waiter", "partner"),
    EventKind.WAIT: ("waiter", "partner"),
    EventKind.IRQFD: ("signaller", "irqfd", "waiter"),
    EventKind.IRQ_IOCTL: ("signaller", "ioctl", "waiter"),
    EventKind.SUBMIT: ("submit", "signaller"),
    EventKind.RESAMPLE: ("resample", "signaller", "waiter"),
    EventKind.BUFFERS: ("waiter",),
    EventKind.WINDOW: ("handler", "guest"),
    EventKind.FETCH: ("coalesced", "exit"),
    EventKind.COUNT: ("eventfd",),
}


def part_annotated(plan: Blueprint, one: Annotation) -> str:
    """The name of the part; "" if this picture has none."""
    match one.pin:
        case PartPin(part):
            return part if plan.part(part) is not None else ""
        case StagePin(_, _, stage):
            return part_at_stage(plan, stage)
        case EventPin(_, kind):
            stages = STAGES_OF_KINDS.get(kind, ELSEWHERE)
            return next((part for stage in (*stages, *ELSEWHERE) if (part := part_at_stage(plan, stage))), "")


def part_at_stage(plan: Blueprint, stage: str) -> str:
    """The part that stands for a stage, else for what that is within; "" if none does."""
    for known in stages_around(stage):
        for table in (plan.nodes, plan.counters, plan.rings, plan.wires, plan.boxes):
            parts: dict[str, Part] = table  # type: ignore[assignment]  # read only
            found = next((name for name, part in parts.items() if part.stage == known), "")
            if found:
                return found
    return ""
