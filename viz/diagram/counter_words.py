"""What the diagram's counters are called and show: an eventfd and its count, interrupts that wait."""

from __future__ import annotations

from bellwire.engine.events import EventfdRole
from bellwire.engine.language import tr
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.blueprint import Counter
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.travel import Token
from bellwire.viz.stages.standpoint import in_count, in_irq_count, in_local_apic
from bellwire.viz.text.figures import grouped, listed
from bellwire.viz.wires.passable import Looked, fulfilled

NOT_KNOWN = "–"
FDS = {"doorbell": EventfdRole.DOORBELL, "irq": EventfdRole.IRQ}


def counter_name(looked: Looked, counter: Counter) -> str:
    """An eventfd, and as what it is registered: "eventfd as irqfd"."""
    roles = [role for role in counter.roles if fulfilled(looked, role).open]
    return tr("{name} as {roles}", name=counter.name, roles=listed(roles)) if roles and counter.name else counter.name


def counter_text(model: LiveModel, of: str, lane: int, tokens: list[Token]) -> str:
    """What a counter shows: an eventfd's count, the value that a queue's one waits for, interrupts that wait.

    tokens: the model's, of this moment.
    """
    if of in FDS and {Trait.REAL_QEMU, Trait.PARTNERED} <= model.traits:
        return NOT_KNOWN  # the eventfd is another process's
    if of in FDS and not model.transport.exact and model.story is None and FDS[of] not in model.tally.eventfd_counts:
        return NOT_KNOWN  # nobody could tell, or nobody has since the moment that a replay was sent to
    if of in FDS:
        return count_between(*eventfd_count(model, of, tokens))
    if of == "waiting":
        return count_between(*waiting(model, tokens))
    return f"={lane}" if of == "queue" else ""


def eventfd_count(model: LiveModel, of: str, tokens: list[Token]) -> tuple[int, int]:
    """The count of "doorbell" or "irq", at least and at most: as sampled last; in slow motion by the stages of those
    under way, of a story by those that were read with the one that it tells. An irqfd takes its count at once."""
    if not model.transport.exact and model.story is None:
        return (model.tally.eventfd_counts.get(FDS[of], 0),) * 2
    if Trait.KERNEL_WORKER in model.traits and of == "doorbell":  # the worker reads no count: none is ever taken
        sampled = model.tally.eventfd_counts.get(FDS[of], 0)
        return sampled, max(sampled, model.tally.doorbells_rung)
    if Trait.DIRECT in model.traits:
        return 0, 0
    counted = in_count if of == "doorbell" else in_irq_count
    each = [(counted(t.way, t.first, t.last), t.count) for t in tokens if t.way]
    if model.story is not None:  # it tells of one of those that one read() took
        together = max(int(model.story.whole.journey["batch"][0]), 1)
        return sum(least for (least, _), _ in each), sum(most for (_, most), _ in each) * together
    return sum(least * count for (least, _), count in each), sum(most * count for (_, most), count in each)


def count_between(least: int, most: int) -> str:
    """A count, or what it lies between."""
    if least == most:
        return grouped(most)
    return f"≤{grouped(most)}" if not least else f"{grouped(least)}–{grouped(most)}"


def waiting(model: LiveModel, tokens: list[Token]) -> tuple[int, int]:
    """Interrupts that the local APIC has and the guest has not taken, at least and at most: as of the playhead; in slow
    motion by the stages of those under way."""
    if not model.transport.exact and model.story is None:
        return (model.tally.irqs_pending,) * 2
    each = [(in_local_apic(t.way, t.first, t.last), t.count) for t in tokens if t.way]
    return sum(least * count for (least, _), count in each), sum(most * count for (_, most), count in each)
