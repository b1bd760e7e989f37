"""Which way a journey goes: the legs between its stages, as the scenario and what happened to it decide.

A leg has a name that every picture of assets/diagrams knows a line for. No picture here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, JOURNEY, Journeys, select
from bellwire.engine.outlet import rows_by_sort
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.moments import FOREVER, Moments, Times, event_times, first_after, last_before


class LegTimes(NamedTuple):
    """The stages at a leg's ends, and how long it takes the eye in real time (seconds)."""

    start: str
    end: str
    seconds: float


LEGS: dict[str, LegTimes] = {
    # from the guest to whoever works
    "ioeventfd": LegTimes("ring", "doorbell", 0.70),
    "exit": LegTimes("ring", "exit", 0.70),
    "relay": LegTimes("exit", "doorbell", 0.70),
    "noted": LegTimes("ring", "rung", 0.45),  # a coalesced write, into KVM's ring
    "kept": LegTimes("rung", "fetched", 0.25),  # where it waits
    "fetched": LegTimes("fetched", "doorbell", 0.70),
    "answer": LegTimes("doorbell", "irq", 0.20),
    # back to the guest
    "irqfd": LegTimes("irq", "handler", 0.70),
    "requested": LegTimes("irq", "delivered", 0.50),  # until the local APIC has it
    "held": LegTimes("delivered", "window", 0.50),  # until the guest lets it in
    "taken": LegTimes("window", "handler", 0.30),
    "ioctl": LegTimes("irq", "handler", 0.90),
    "completion": LegTimes("irq", "handler", 1.10),  # by way of io_uring
    # from the guest to a guest, no thread of this process in between
    "direct": LegTimes("ring", "handler", 1.00),
    "direct_relay": LegTimes("exit", "handler", 1.00),
    "partner": LegTimes("ring", "handler", 1.60),
    "partner_relay": LegTimes("exit", "handler", 1.60),
    "vmm": LegTimes("ring", "handler", 1.90),  # by way of a VMM that is not this program
    # what is no journey: a device hears that its line is low; an edge ends at a masked pin
    "resample": LegTimes("irq", "handler", 0.80),
    "masked": LegTimes("irq", "handler", 0.60),
}
HEARD = LegTimes("handler", "resampled", 0.80)  # the leg "resample", as the end of a journey's own way
HEAVY_LEGS = ("exit", "relay", "fetched", "ioctl", "direct_relay", "partner_relay", "vmm")
INTERRUPT_LEGS = ("answer", "irqfd", "requested", "held", "taken", "completion", "resample", "masked")


KEY_BITS = (0, 1, 2, 3, 4, 12, 34)  # where each of what a route depends on begins in one number


class Route(NamedTuple):
    """The legs of a journey in order; out, back: which of several doorbells, irqfds, vCPUs or vectors it uses."""

    legs: tuple[str, ...]
    out: int = 0
    back: int = 0

    @property
    def seconds(self) -> float:
        """How long the eye needs."""
        return sum(LEGS[leg].seconds for leg in self.legs)

    def lane(self, leg: str) -> int:
        """Which of several lines the leg is."""
        return self.back if leg in INTERRUPT_LEGS else self.out


class Ways:
    """The routes that journeys of one scenario can take."""

    def __init__(self, scenario: Scenario) -> None:
        self.traits = traits_of(scenario)
        doorbell, interrupt = scenario.doorbell, scenario.interrupt
        self.outs = max(doorbell.queues, doorbell.addresses) if doorbell else 1
        self.backs = interrupt.irqfds if interrupt else 1

    def legs(self, rings: bool, interrupts: bool, heavy: int, kept: bool, held: bool) -> tuple[str, ...]:
        """In the order of the journey. kept: KVM's ring had the doorbell; held: the guest kept the interrupt off."""
        left = bool(heavy & HEAVY_DOORBELL)
        if Trait.VMM_EXITS in self.traits:
            return ("vmm",)
        if Trait.DIRECT in self.traits:
            way = "partner" if Trait.PARTNERED in self.traits else "direct"
            return ("exit", f"{way}_relay") if left else (way,)
        out = ("noted", "kept", "fetched") if kept else ("exit", "relay") if left else ("ioeventfd",)
        both = ("answer",) if rings and interrupts else ()
        return (out if rings else ()) + both + (self._back(heavy, held) if interrupts else ())

    def _back(self, heavy: int, held: bool) -> tuple[str, ...]:
        if heavy & HEAVY_INTERRUPT and Trait.WAITS not in self.traits:
            return ("ioctl",)
        if Trait.IO_URING in self.traits:
            return ("completion",)
        return ("requested", "held", "taken") if held else ("irqfd",)

    def routes(self, journeys: Journeys, moments: Moments) -> list[tuple[Route, npt.NDArray[np.intp]]]:
        """The journeys by the route they took: indices of each."""
        rings, interrupts = journeys["ring"] > 0, journeys["handler"] > 0
        kept, held = moments["fetched"] > 0, moments["window"] > 0
        out = np.where(rings, (journeys["seq"] - rings) % np.uint64(self.outs), 0)
        back = np.where(interrupts, signal_number(journeys) % np.uint64(self.backs), 0)
        if "lane" in moments:
            out = back = moments["lane"]
        columns = (rings, interrupts, kept, held, journeys["heavy"], out, back)
        keys = np.zeros(journeys.size, np.uint64)
        for column, at in zip(columns, KEY_BITS, strict=True):
            keys |= column.astype(np.uint64) << np.uint64(at)
        found = []
        for _, rows in sorted(rows_by_sort(keys)):
            r, i, k, h, heavy, o, b = (int(column[rows[0]]) for column in columns)
            found.append((Route(self.legs(bool(r), bool(i), heavy, bool(k), bool(h)), o, b), rows))
        return found


def signal_number(journeys: Journeys) -> npt.NDArray[np.uint64]:
    """The interrupt's number: the I/O thread writes its irqfds in turn; shape (n,)."""
    numbers: npt.NDArray[np.uint64] = np.where(journeys["interrupt"] > 0, journeys["interrupt"], journeys["seq"])
    return numbers


def echo_events(events: Events, traits: Traits) -> Journeys:
    """What travels and is no journey, as records without a length: edges for a masked pin, words that a line is low."""
    kinds = (EventKind.IRQFD, EventKind.IRQ_IOCTL) if Trait.MASKED in traits else (EventKind.RESAMPLE,)
    chosen = select(events, *kinds)
    return records(chosen["seq"], chosen["tsc"], chosen["tsc"])


def echoes(events: Events, traits: Traits) -> Journeys:
    """The same from a beginning (irq) to an end (handler); shape (n,).

    At a masked pin: an edge, from the I/O thread's write until it has returned. Of a level: the word that the line is
    low, from the newest moment known before it, the handler or the signal, until the I/O thread has read it.
    """
    some = echo_events(events, traits)
    begun = ended = some["irq"]
    if Trait.MASKED in traits:
        ended = first_after(event_times(events, EventKind.WAIT), begun, FOREVER)
    else:
        causes = event_times(events, EventKind.HANDLER, EventKind.IRQFD, EventKind.IRQ_IOCTL)
        begun = last_before(causes, ended, np.ones(ended.size, np.uint64))
    whole = (begun > 0) & (ended > 0)
    return records(some["seq"][whole], begun[whole], ended[whole])


def records(seq: Times, begun: Times, ended: Times) -> Journeys:
    """Echoes in the shape of journeys."""
    made = np.zeros(seq.size, JOURNEY)
    made["seq"], made["irq"], made["handler"] = seq, begun, ended
    return made
