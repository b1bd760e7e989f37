"""Everything that the diagram's still layer says; equal words need no new painting. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Switch
from viz import facts
from viz.blueprint import Blueprint, Part
from viz.counts import counted
from viz.fills import RingFill, ring_fill
from viz.model import LiveModel

SWITCHES = {"ioeventfd": Switch.IOEVENTFD, "irqfd": Switch.IRQFD}


@dataclass(frozen=True)
class Words:
    """By the name of the part. plugged: of wires and counters with a switch; lit: of heavy ways that are taken."""

    host: str
    rate: str
    facts: dict[str, str]  # of boxes, nodes and notes
    pills: dict[str, str]
    rings: dict[str, RingFill]
    lit: dict[str, bool]
    plugged: dict[str, bool]
    chosen: str  # the part that is

    @property
    def plate(self) -> tuple[object, ...]:
        """What the layer of boxes and wires depends on."""
        return tuple(self.lit.items()), tuple(self.plugged.items()), self.chosen

    @classmethod
    def of(cls, model: LiveModel, plan: Blueprint) -> Words:
        """What is to be said now."""
        wired = {name: model.wired(switch) for name, switch in SWITCHES.items()}
        return cls(
            facts.words(model, "host"),
            facts.words(model, "rate"),
            {name: facts.words(model, part.says or plain(name), part.lane) for name, part in speaking(plan).items()},
            {name: facts.latency_text(model, pill.of) for name, pill in plan.pills.items()},
            {name: ring_fill(model, ring.of) for name, ring in plan.rings.items()},
            {name: counted(model, wire.heavy) > 0 for name, wire in plan.wires.items() if wire.heavy},
            {name: wired[switch] for name, switch in plan.switches.items()},
            model.selection.part,
        )


def speaking(plan: Blueprint) -> dict[str, Part]:
    """The parts that say something, by name."""
    return {**plan.boxes, **plan.nodes, **{f"note {name}": note for name, note in plan.notes.items()}}


def plain(name: str) -> str:
    """The name without the kind before it and the lane behind it."""
    return name.removeprefix("note ").partition(".")[0]
