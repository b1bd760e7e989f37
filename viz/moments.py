"""Moments on a journey's way that its record does not hold, found among the events: where it had to wait. No Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.events import EventKind, Events
from engine.journeys import JOURNEY, Journeys, select
from viz.traits import Traits

Times = npt.NDArray[np.uint64]
Moments = dict[str, Times]  # TSC by stage, each of shape (n,); 0: there is none
MOMENTS = ("fetched", "delivered", "window")


def none_of(journeys: Journeys) -> Moments:
    """No moments."""
    return {name: np.zeros(journeys.size, np.uint64) for name in MOMENTS}


def moments(journeys: Journeys, events: Events, traits: Traits) -> Moments:
    """What the scenario's journeys can have: `events` are those from their time.

    fetched: the vCPU thread, back in user space, takes what KVM's ring keeps; its exit is the last before the doorbell.
    delivered: the I/O thread's write has returned, so the local APIC has the interrupt, and waits for the window.
    """
    found = none_of(journeys)
    if "coalesced" in traits:
        found["fetched"] = last_before(times(events, EventKind.EXIT), journeys["doorbell"], journeys["rung"])
    if "window" in traits:
        window = last_before(times(events, EventKind.WINDOW), journeys["handler"], journeys["irq"])
        delivered = first_after(times(events, EventKind.WAIT), journeys["irq"], window)
        found["window"] = np.where(delivered > 0, window, 0)
        found["delivered"] = np.where(window > 0, delivered, 0)
    return found


def times(events: Events, *kinds: EventKind) -> Times:
    """When events of those kinds happened, rising."""
    chosen: Times = np.sort(select(events, *kinds)["tsc"])
    return chosen


def last_before(times: Times, before: Times, since: Times) -> Times:
    """For each the last of `times` that is not after `before`, if it is after `since`, which is not 0; else 0."""
    if not times.size:
        return np.zeros(before.size, np.uint64)
    at = np.searchsorted(times, before, "right") - 1
    found = times[np.maximum(at, 0)]
    return np.where((at >= 0) & (since > 0) & (found > since), found, np.uint64(0))


def first_after(times: Times, after: Times, until: Times) -> Times:
    """For each the first of `times` that comes after `after` and not after `until`; else 0."""
    if not times.size:
        return np.zeros(after.size, np.uint64)
    at = np.searchsorted(times, after, "right")
    found = times[np.minimum(at, times.size - 1)]
    return np.where((at < times.size) & (found <= until), found, np.uint64(0))


def echo_events(events: Events, traits: Traits) -> Journeys:
    """What travels and is no journey, as records without a length: edges for a masked pin, words that a line is low."""
    chosen = select(events, *((EventKind.IRQFD, EventKind.IRQ_IOCTL) if "masked" in traits else (EventKind.RESAMPLE,)))
    return records(chosen["seq"], chosen["tsc"], chosen["tsc"])


def echoes(events: Events, traits: Traits) -> Journeys:
    """The same from a beginning (irq) to an end (handler); shape (n,).

    At a masked pin: an edge, from the I/O thread's write until it has returned. Of a level: the word that the line is
    low, from the newest moment known before it, the handler or the signal, until the I/O thread has read it.
    """
    some = echo_events(events, traits)
    begun = ended = some["irq"]
    if "masked" in traits:
        ended = first_after(times(events, EventKind.WAIT), begun, np.full(begun.size, 2**64 - 1, np.uint64))
    else:
        causes = times(events, EventKind.HANDLER, EventKind.IRQFD, EventKind.IRQ_IOCTL)
        begun = last_before(causes, ended, np.ones(ended.size, np.uint64))
    whole = (begun > 0) & (ended > 0)
    return records(some["seq"][whole], begun[whole], ended[whole])


def records(seq: Times, begun: Times, ended: Times) -> Journeys:
    """Echoes in the shape of journeys."""
    made = np.zeros(seq.size, JOURNEY)
    made["seq"], made["irq"], made["handler"] = seq, begun, ended
    return made
