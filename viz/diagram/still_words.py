"""Everything that the diagram's still layer says; equal words need no new painting."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from bellwire.viz.diagram import counter_words, part_words
from bellwire.viz.diagram.blueprint import Blueprint, Part
from bellwire.viz.diagram.looked import looked_at, not_reached
from bellwire.viz.model.live import LiveModel
from bellwire.viz.wires.passable import Passage, passages

# -- How full the rings of the diagram are, from events.

VIRTQUEUE_SIZE = 64  # buffers: what the guests' drivers set up
COALESCED_ROOM = 170  # writes: a page of struct kvm_coalesced_mmio


@dataclass(frozen=True)
class RingFill:
    """tail, head: of a ring of `size` slots, both counted from the start; what lies between them is in use."""

    tail: int
    head: int
    size: int

    @property
    def used(self) -> int:
        """Slots in use."""
        return min(max(self.head - self.tail, 0), self.size)

    @property
    def text(self) -> str:
        """How many."""
        return str(self.used)

    def used_slices(self, slices: int) -> set[int]:
        """Which of `slices` equal parts of the ring have a slot in use."""
        return {(self.tail + n) % self.size * slices // self.size for n in range(self.used)}


def ring_fill(model: LiveModel, of: str) -> RingFill:
    """The fill of "virtqueue" or of "coalesced" writes."""
    tally = model.tally
    if of == "virtqueue":
        return RingFill(tally.buffers_used, tally.buffers_added, VIRTQUEUE_SIZE)
    return RingFill(tally.doorbells_received, tally.doorbells_rung, COALESCED_ROOM)


NOTE = "note "  # before the name of one, in `Words.facts`


@dataclass(frozen=True)
class Words:
    """By the name of the part. names: of counters; passages: of whatever can be passed."""

    host: str
    rate: str
    facts: dict[str, str]  # of boxes, nodes and notes
    pills: dict[str, str]
    rings: dict[str, RingFill]
    names: dict[str, str]
    passages: dict[str, Passage]
    alive: bool  # whether the guest is
    chosen: str  # the part that is

    @property
    def plate(self) -> tuple[object, ...]:
        """What the layer of boxes and wires depends on."""
        return tuple(self.passages.items()), self.alive, self.chosen

    def names_layer(self, lively: Collection[str]) -> tuple[object, ...]:
        """What the layer above that depends on: all words but the rate, latencies, notes and those of `lively`."""
        facts = {name: words for name, words in self.facts.items() if not (name.startswith(NOTE) or name in lively)}
        rings = {name: fill for name, fill in self.rings.items() if name not in lively}
        return self.plate, self.host, facts, rings, self.names, lively

    def changed_since(self, before: Words) -> frozenset[str]:
        """The parts that hold other words, or another fill."""
        facts, rings = self.facts.items() - before.facts.items(), self.rings.items() - before.rings.items()
        return frozenset(name for name, _ in (*facts, *rings))

    @classmethod
    def of(cls, model: LiveModel, plan: Blueprint) -> Words:
        """What is to be said now."""
        looked = looked_at(model)
        return cls(
            part_words.words(model, "host"),
            part_words.words(model, "rate"),
            {
                name: part_words.words(model, part.says or plain(name), part.lane)
                for name, part in speaking(plan).items()
            },
            {name: part_words.latency_text(model, pill.of) for name, pill in plan.pills.items()},
            {name: ring_fill(model, ring.of) for name, ring in plan.rings.items()},
            {name: counter_words.counter_name(looked, counter) for name, counter in plan.counters.items()},
            unlit(passages(looked, plan.ways), not_reached(model, plan)),
            looked.alive,
            model.selection.part,
        )


def unlit(found: dict[str, Passage], ahead: frozenset[str]) -> dict[str, Passage]:
    """The passages, those ahead of the signal without light."""
    return {name: replace(one, lit=one.lit and name not in ahead) for name, one in found.items()}


def speaking(plan: Blueprint) -> dict[str, Part]:
    """The parts that say something, by name."""
    return {**plan.boxes, **plan.nodes, **{f"{NOTE}{name}": note for name, note in plan.notes.items()}}


def plain(name: str) -> str:
    """The name without the kind before it and the lane behind it."""
    return name.removeprefix(NOTE).partition(".")[0]
