"""Stamps on a journey's way that its record does not hold, found among the events around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import OTHER_VECTOR, EventKind, Events, Lane, Switch
from bellwire.engine.folds.journeys import Journeys, select
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.viz.stages.traced import TRACED, traced

Times = npt.NDArray[np.uint64]
Moments = dict[str, Times]  # TSC by stamp, each of shape (n,); 0: there is none
MOMENTS = ("fetched", "delivered", "window", "returned", "resampled", "unheard", *TRACED)
FOREVER = np.uint64(2**64 - 1)


def none_of(journeys: Journeys) -> Moments:
    """No moments."""
    return {name: np.zeros(journeys.size, np.uint64) for name in MOMENTS}


def those(found: Moments, index: npt.NDArray[np.intp]) -> Moments:
    """Of those journeys alone."""
    return {name: times[index] for name, times in found.items()}


def moments(journeys: Journeys, events: Events, traits: Traits) -> Moments:
    """What the scenario's journeys can have: `events` are those from their time.

    fetched: the vCPU thread, back in user space, takes what KVM's ring keeps; its exit is the last before the doorbell.
    delivered: the I/O thread's write has returned, so the local APIC has the interrupt, and waits for the window.
    window: the guest lets interrupts in. returned: the thread that signalled does the next thing, so its call is over.
    unheard: the engine's last word before the irqfd was assigned for which the signal has waited in its eventfd.
    resampled: the device has heard that the guest has ended the interrupt. lane: no time, but which of two vCPUs, or of
    the two vectors of a route that changes, it was. The others are of viz/stages/traced.py.
    """
    found = none_of(journeys) | traced(journeys, events)
    if Trait.COALESCED in traits:
        found["fetched"] = last_before(event_times(events, EventKind.EXIT), journeys["doorbell"], journeys["rung"])
    if Trait.WINDOW in traits:
        window = last_before(event_times(events, EventKind.WINDOW), journeys["handler"], journeys["irq"])
        delivered = first_after(event_times(events, EventKind.WAIT), journeys["irq"], window)
        found["window"] = np.where(delivered > 0, window, 0)
        found["delivered"] = np.where(window > 0, delivered, 0)
    if Trait.INTERRUPT in traits:
        own = np.sort(events["tsc"][events["lane"] == Lane.IO_THREAD])
        found["returned"] = if_there(journeys["irq"] > 0, first_after(own, journeys["irq"], FOREVER))
    if Trait.WAITS in traits:
        found["unheard"] = unheard_until(events, journeys["irq"])
    if Trait.RESAMPLE in traits:
        heard = heard_at(events, journeys["interrupt"])
        found["resampled"] = if_there((journeys["handler"] > 0) & (heard > journeys["handler"]), heard)
    if Trait.TWO_VCPUS in traits:
        rang = vcpu_at(events, EventKind.RING, journeys["ring"])
        ran = vcpu_at(events, EventKind.HANDLER, journeys["handler"])
        found["lane"] = np.where(journeys["handler"] > 0, ran, rang)
    elif Trait.REROUTE in traits and Trait.IRQFDS not in traits:
        found["lane"] = vector_at(events, journeys["handler"]) == OTHER_VECTOR
    return found


def heard_at(events: Events, interrupts: Times) -> Times:
    """When the device has heard that each of the interrupts (by number) is over; 0 where it has not."""
    resamples = np.sort(select(events, EventKind.RESAMPLE), order=["seq", "tsc"])
    if not resamples.size:
        return np.zeros(interrupts.size, np.uint64)
    at = np.minimum(np.searchsorted(resamples["seq"], interrupts), resamples.size - 1)
    return if_there(resamples["seq"][at] == interrupts, resamples["tsc"][at])


def unheard_until(events: Events, signalled: Times) -> Times:
    """The engine's last event before it assigned the irqfd, if that was the next change after a signal; else 0."""
    wires = events[(events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IRQFD)]
    wires = np.sort(wires, order="tsc")
    if not wires.size:
        return np.zeros(signalled.size, np.uint64)
    at = np.searchsorted(wires["tsc"], signalled, "right")
    then = wires[np.minimum(at, wires.size - 1)]
    waited = (at < wires.size) & (then["arg"] > 0)
    engine = np.sort(events["tsc"][events["lane"] == Lane.ENGINE])
    return if_there(
        waited, np.maximum(last_before(engine, then["tsc"] - np.uint64(1), signalled), signalled + np.uint64(1))
    )


def vector_at(events: Events, times: Times) -> Times:
    """The vector of the handler that ran at each of the times; 0 where none did."""
    return at_event(events, EventKind.HANDLER, times, "id")


def vcpu_at(events: Events, kind: EventKind, times: Times) -> Times:
    """The vCPU of the event of this kind at each of the times; 0 where there is none."""
    return at_event(events, kind, times, "vm")


def at_event(events: Events, kind: EventKind, times: Times, column: str) -> Times:
    """What the event of this kind at each of the times says in a column; 0 where there is none."""
    some = np.sort(select(events, kind), order="tsc")
    if not some.size:
        return np.zeros(times.size, np.uint64)
    at = np.minimum(np.searchsorted(some["tsc"], times), some.size - 1)
    return if_there(some["tsc"][at] == times, some[column][at].astype(np.uint64))


def if_there(there: npt.NDArray[np.bool_], times: Times) -> Times:
    """The times, 0 where there is none; shape (n,)."""
    found: Times = np.where(there, times, np.uint64(0))
    return found


def event_times(events: Events, *kinds: EventKind) -> Times:
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


def first_after(times: Times, after: Times, until: Times | np.uint64) -> Times:
    """For each the first of `times` that comes after `after` and not after `until`; else 0."""
    if not times.size:
        return np.zeros(after.size, np.uint64)
    at = np.searchsorted(times, after, "right")
    found = times[np.minimum(at, times.size - 1)]
    return np.where((at < times.size) & (found <= until), found, np.uint64(0))
