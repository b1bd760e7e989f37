"""Of each wire of a picture: whether it can be passed at the moment that is looked at, and whether something passed it.

Both are decided here and nowhere else. A blueprint says of a part what it `depends` on, by names of CONDITIONS or of
traits ("!" for not), and what it `carries`, by a name of FLOWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from bellwire.engine.events import OTHER_VECTOR
from bellwire.engine.language import tr
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Interrupt, Scenario
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.viz.wires.plugged import Plugged

Begun = frozenset[tuple[str, int]]


class Passable(StrEnum):
    """Whether a wire can be passed."""

    OPEN = "open"
    UNPLUGGED = "unplugged"  # nothing is registered that would use it
    BLOCKED = "blocked"  # something is, and it does not let this through
    ENDED = "ended"  # there is no guest any more


@dataclass(frozen=True)
class Passage:
    """lit: something passed. differs: at a block the values that are not the same. why: what is missing, a clause."""

    standing: Passable = Passable.OPEN
    lit: bool = False
    differs: str = ""
    why: str = ""

    @property
    def open(self) -> bool:
        """Whether it can be passed."""
        return self.standing is Passable.OPEN


class Way(Protocol):
    """What a part of a picture says of itself; lane: which of several it is, if it is one of `several`."""

    @property
    def depends(self) -> tuple[str, ...]: ...
    @property
    def carries(self) -> str: ...
    @property
    def lane(self) -> int: ...
    @property
    def several(self) -> str: ...


@dataclass(frozen=True)
class Looked:
    """What is looked at.

    count: how many of viz/model/rates.py's names there were in the last second that is over; None: not known. begun: in
    exact slow motion instead the legs, (name, lane), that the journey shown has set out on. sent: the numbers of the
    interrupts of that second, asked for where there are few. before: how things stood since that second began. lane: of
    the way that is asked for.
    """

    scenario: Scenario
    traits: Traits
    plugged: Plugged
    alive: bool
    count: Callable[[str], float | None]
    begun: Begun | None = None
    sent: Callable[[], list[int]] = list
    before: tuple[Plugged, ...] = ()
    lane: int = 0


# -- What can be passed.

OPEN = Passage()


def unplugged(why: str) -> Passage:
    """Nothing would use it."""
    return Passage(Passable.UNPLUGGED, why=why)


def blocked(differs: str, why: str) -> Passage:
    """It ends here."""
    return Passage(Passable.BLOCKED, differs=differs, why=why)


def mismatch(plugged: Plugged) -> str:
    """The two values that differ between what the guest writes and what is registered: "4 B ≠ 2 B"; "" if none do."""
    doorbell = plugged.doorbell
    if doorbell is None:
        return ""
    return {
        "": "",
        "address": f"{doorbell.address:#x} ≠ {doorbell.ioeventfd_address:#x}",
        "length": f"{doorbell.width} B ≠ {doorbell.length} B",
        "value": f"{doorbell.value} ≠ {doorbell.datamatch}",
    }[doorbell.differs]


def by_ioctl(looked: Looked) -> bool:
    """Whether interrupts are sent by an ioctl."""
    never = looked.traits & {Trait.WAITS, Trait.DIRECT, Trait.IO_URING}
    own = Trait.VMM_EXITS in looked.traits or not never
    return Trait.INTERRUPT in looked.traits and not looked.plugged.irqfd and own


def past_the_table(looked: Looked) -> bool:
    """Whether they bring vector and destination along."""
    return by_ioctl(looked) and Trait.SIGNAL_MSI in looked.traits


def registered(looked: Looked) -> Passage:
    """The doorbell's eventfd is an ioeventfd."""
    return OPEN if looked.plugged.ioeventfd else unplugged(tr("No ioeventfd is registered."))


def matching(looked: Looked) -> Passage:
    """And it takes what the guest writes."""
    differs = mismatch(looked.plugged)
    return blocked(differs, tr("What is registered does not match what the guest writes.")) if differs else OPEN


def matched(looked: Looked) -> Passage:
    """The same behind the place where it is compared."""
    return unplugged(tr("Nothing that matches is registered.")) if mismatch(looked.plugged) else registered(looked)


def untaken(looked: Looked) -> Passage:
    """Nothing in the kernel takes the doorbell; a ring of coalesced writes does only while it has room."""
    taken = looked.plugged.ioeventfd and not mismatch(looked.plugged)
    return unplugged(tr("The ioeventfd takes each doorbell.")) if taken else OPEN


def searched(looked: Looked) -> Passage:
    """The doorbell is looked up on the bus that all devices share: what is on the fast MMIO bus is found before."""
    taken = Trait.FAST_MMIO in looked.traits and not untaken(looked).open
    return unplugged(tr("The fast MMIO bus takes each doorbell before.")) if taken else OPEN


def relayed(looked: Looked) -> Passage:
    """The vCPU thread writes the doorbell's eventfd: for what left, and for what it finds in KVM's ring."""
    return OPEN if Trait.COALESCED in looked.traits else untaken(looked)


def listened(looked: Looked) -> Passage:
    """The interrupt's eventfd is an irqfd."""
    return OPEN if looked.plugged.irqfd else unplugged(tr("No irqfd is registered."))


def by_eventfd(looked: Looked) -> Passage:
    """The interrupt's eventfd is written: the host calls no ioctl instead."""
    return unplugged(tr("No irqfd is registered: an ioctl is called instead.")) if by_ioctl(looked) else OPEN


def called(looked: Looked) -> Passage:
    """The host calls an ioctl for each interrupt."""
    return OPEN if by_ioctl(looked) else unplugged(tr("The irqfd is used, and no ioctl called."))


def unmasked(looked: Looked) -> Passage:
    """The pin lets edges through."""
    if not looked.plugged.masked:
        return OPEN
    return blocked(tr("masked"), tr("The pin is masked: an edge that comes now is lost."))


def delivered(looked: Looked) -> Passage:
    """What the host signals gets as far as the interrupt controllers."""
    return OPEN if by_ioctl(looked) else listened(looked)


def let_in(looked: Looked) -> Passage:
    """And beyond them."""
    return unplugged(tr("The pin is masked.")) if looked.plugged.masked else delivered(looked)


def by_table(looked: Looked) -> Passage:
    """The route of the GSI is asked."""
    if past_the_table(looked):
        return unplugged(tr("KVM_SIGNAL_MSI brings its own message and asks no route."))
    return delivered(looked)


def stormy(looked: Looked) -> Passage:
    """The guest accesses addresses where nothing is."""
    return OPEN if looked.plugged.storm else unplugged(tr("The guest leaves this address alone now."))


def accepted(looked: Looked) -> Passage:
    """The kernel takes another irqfd on the same eventfd: it never does."""
    if looked.plugged.refused:
        return blocked("EBUSY", tr("The kernel refuses it: an eventfd has one irqfd, which takes its count."))
    return unplugged(tr("Nobody has asked for it yet."))


def addressed(looked: Looked) -> Passage:
    """The route leads to this vCPU; where it changes all the time, it does so within the second that is looked at."""
    interrupt = looked.scenario.interrupt
    if interrupt is None or (Trait.REROUTE in looked.traits and looked.begun is None):
        return OPEN
    vcpu = interrupt.vcpu if past_the_table(looked) else looked.plugged.vcpu
    return OPEN if vcpu == looked.lane else unplugged(tr("The message names vCPU {vcpu}.", vcpu=vcpu))


def led_to(looked: Looked) -> Passage:
    """The route leads to this vector; it changes all the time, within the second that is looked at."""
    interrupt = looked.scenario.interrupt
    if interrupt is None or looked.begun is None or looked.plugged.vector == vector_of(interrupt, looked.lane):
        return OPEN
    return unplugged(tr("The route leads to vector {vector:#x}.", vector=looked.plugged.vector))


def vector_of(interrupt: Interrupt, lane: int) -> int:
    """The first or the second vector of a route that changes."""
    return OTHER_VECTOR if lane else interrupt.vector


CONDITIONS: dict[str, Callable[[Looked], Passage]] = {
    "ioeventfd": registered,
    "match": matching,
    "matched": matched,
    "no-ioeventfd": untaken,
    "relayed": relayed,
    "on-bus": searched,
    "irqfd": listened,
    "eventfd": by_eventfd,
    "ioctl": called,
    "unmasked": unmasked,
    "routed": by_table,
    "delivered": delivered,
    "let-in": let_in,
    "storm": stormy,
    "addressed": addressed,
    "led-to": led_to,
    "accepted": accepted,
}


def is_trait(condition: str) -> bool:
    """Whether it asks for one of the scenario's traits."""
    return condition.removeprefix("!") not in CONDITIONS


def fulfilled(looked: Looked, condition: str) -> Passage:
    """Whether one condition lets something through."""
    if not is_trait(condition):
        return CONDITIONS[condition](looked)
    there = condition.removeprefix("!") in looked.traits
    return OPEN if there is not condition.startswith("!") else unplugged("")


def standing(looked: Looked, way: Way) -> Passage:
    """Whether it can be passed; if not, the first of the reasons."""
    if not looked.alive:
        return Passage(Passable.ENDED, why=tr("The guest has ended."))
    looked = replace(looked, lane=way.lane) if way.several else looked
    found = (fulfilled(looked, condition) for condition in way.depends)
    return next((passage for passage in found if not passage.open), OPEN)


# -- What has passed.


@dataclass(frozen=True)
class Flow:
    """What goes along a wire. counts: names of viz/model/rates.py that add up to it, "-" before what is none of it.

    Only what is counted together is subtracted: both count the same events. legs: of a journey (viz/model/ways.py).
    """

    counts: tuple[str, ...]
    legs: tuple[str, ...] = ()


DIRECT = ("direct", "direct_relay", "partner", "partner_relay")
KERNEL_OUT = ("ioeventfd", "direct", "partner")
RELAYED = ("relay", "direct_relay", "partner_relay")
BY_IRQFD = ("irqfd", "requested", "completion", *DIRECT)

FLOWS: dict[str, Flow] = {
    "doorbells": Flow(("doorbells",), ("ioeventfd", "exit", "noted", "direct", "partner", "vmm")),
    "taken": Flow(("taken",), KERNEL_OUT),
    "noted": Flow(("noted",), ("noted",)),
    "left": Flow(("left",), ("exit",)),
    "fetched": Flow(("fetched",), ("fetched",)),
    "returned": Flow(("left", "fetched"), ("exit", "fetched")),  # KVM_RUN did, and a doorbell was found
    "relayed": Flow(("left", "fetched"), (*RELAYED, "fetched")),
    "signalled": Flow(("taken", "left", "fetched"), (*KERNEL_OUT, *RELAYED, "fetched")),  # the doorbell's eventfd
    "received": Flow(("reads",), ("ioeventfd", "relay", "fetched")),
    "accesses": Flow(("exits", "-left")),  # that are no doorbells
    "signals": Flow(("interrupts", "-ioctls"), (*BY_IRQFD, "masked")),
    "routed": Flow(("interrupts", "-ioctls"), (*BY_IRQFD, "masked")),  # by the table
    "delivered": Flow(("interrupts",), (*BY_IRQFD, "ioctl")),
    "interrupts": Flow(("interrupts",), ("answer",)),
    "ioctls": Flow(("ioctls",), ("ioctl",)),
    "injected": Flow(("injected",), ("irqfd", "taken", "completion", *DIRECT)),
    "handled": Flow(("handlers",), ("irqfd", "taken", "completion", "ioctl", "vmm", *DIRECT)),
    "resamples": Flow(("resamples",), ("resample",)),
    "added": Flow(("buffers 0",)),
    "used": Flow(("buffers 1",)),
}


def passed(looked: Looked, way: Way) -> bool:
    """Whether something went along it, in the last second or, in slow motion, of the journey shown."""
    flow = flow_of(looked, "left" if past_the_bus(looked, way) else way.carries)
    if flow is None:
        return False
    if looked.begun is not None:
        return any(leg in flow.legs and (lane == way.lane or not way.several) for leg, lane in looked.begun)
    return amount(looked, flow.counts) > 0 and lane_used(looked, way)


def past_the_bus(looked: Looked, way: Way) -> bool:
    """Whether only doorbells come by that the fast MMIO bus has not taken before: those that leave."""
    return "on-bus" in way.depends and Trait.FAST_MMIO in looked.traits


def flow_of(looked: Looked, carries: str) -> Flow | None:
    """What goes along a wire, as this scenario counts it."""
    flow = FLOWS.get(carries)
    if flow is None or carries not in ("signals", "routed", "delivered"):
        return flow
    if Trait.PARTNERED in looked.traits:  # it alone knows how often it has written
        return Flow(FLOWS["handled"].counts, flow.legs)
    if Trait.DIRECT in looked.traits:  # each doorbell is a signal
        return Flow(FLOWS["signalled"].counts, flow.legs)
    called_by_route = carries == "routed" and Trait.IRQ_LINE in looked.traits
    return Flow(FLOWS["interrupts"].counts, flow.legs) if called_by_route else flow


def amount(looked: Looked, counts: tuple[str, ...]) -> float:
    """How many there were; 0 where that is not known."""
    parts = [(-1 if name.startswith("-") else 1) * (looked.count(name.removeprefix("-")) or 0) for name in counts]
    return sum(parts)


def lane_used(looked: Looked, way: Way) -> bool:
    """Of several: whether it was this one."""
    doorbell, interrupt = looked.scenario.doorbell, looked.scenario.interrupt
    if way.several == "queues":
        return bool(looked.count(f"received {way.lane}"))
    if way.several == "addresses" and doorbell:
        return bool(looked.count(f"ring {doorbell.address + way.lane * ADDRESS_STRIDE}"))
    if way.several == "irqfds" and interrupt:
        few = (looked.count("interrupts") or 0) < interrupt.irqfds
        return not few or way.lane in {number % interrupt.irqfds for number in looked.sent()}
    if way.several == "vectors" and interrupt:
        return bool(looked.count(f"handler {vector_of(interrupt, way.lane)}"))
    if way.several == "vcpus":
        kind = {"left": "left", "relayed": "left", "doorbells": "rings", "taken": "rings"}.get(way.carries, "handlers")
        return bool(looked.count(f"{kind} of {way.lane}"))
    return True


def passages(looked: Looked, ways: Mapping[str, Any]) -> dict[str, Passage]:
    """Both, by the name of the wire. What can be passed no more is lit only if it could within the second."""
    found = {}
    for name, way in ways.items():
        passage = standing(looked, way)
        lit = (passage.open or was_open(looked, way, passage)) and passed(looked, way)
        found[name] = Passage(passage.standing, lit, passage.differs, passage.why)
    return found


def was_open(looked: Looked, way: Way, passage: Passage) -> bool:
    """Whether it could be passed earlier in that second; a block has its mark, and a guest that has ended no wires."""
    unplugged_since = passage.standing is Passable.UNPLUGGED
    return unplugged_since and any(standing(replace(looked, plugged=state), way).open for state in looked.before)
