"""Which kinds of events a scenario can tell: whoever waits for another one waits for ever, and is told so."""

from __future__ import annotations

from bellwire.engine.events import EventKind
from bellwire.engine.scenarios.traits import Trait, Traits

NEEDED: dict[EventKind, tuple[Trait, ...]] = {  # one of these traits
    **dict.fromkeys((EventKind.RING, EventKind.RUNG, EventKind.DOORBELL), (Trait.DOORBELL,)),
    **dict.fromkeys((EventKind.HANDLER, EventKind.IRQFD, EventKind.IRQ_IOCTL), (Trait.INTERRUPT,)),
    EventKind.RESAMPLE: (Trait.RESAMPLE, Trait.ACKNOWLEDGED),
    EventKind.SUBMIT: (Trait.IO_URING,),
    EventKind.BUFFERS: (Trait.VIRTQUEUE,),
    EventKind.WINDOW: (Trait.WINDOW,),
    EventKind.FETCH: (Trait.COALESCED,),
}
OF_THE_IO_THREAD = (EventKind.DOORBELL, EventKind.WAIT, EventKind.IRQFD, EventKind.IRQ_IOCTL)
FORBIDDEN: dict[Trait, tuple[EventKind, ...]] = {
    Trait.DIRECT: OF_THE_IO_THREAD,  # there is none
    Trait.REAL_QEMU: (EventKind.EXIT, EventKind.ENTRY),  # its vCPU threads are in another process
    Trait.IO_URING: (EventKind.IRQFD, EventKind.IRQ_IOCTL),  # completions signal
    Trait.WAITS: (EventKind.IRQ_IOCTL,),  # while the irqfd is off the eventfd keeps the count
}


def never_told(kind: EventKind, traits: Traits) -> bool:
    """Whether no event of this kind can come, however its switches stand. What the kernel tells may always come."""
    needed = NEEDED.get(kind)
    missing = needed is not None and not traits.intersection(needed)
    return missing or any(kind in kinds for trait, kinds in FORBIDDEN.items() if trait in traits)
