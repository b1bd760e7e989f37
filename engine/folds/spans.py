"""Stretches of time between two events: a guest's instruction, a thread in user space, awake, a signal's way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import ROLE_BITS, EventKind, Events, Lane, ThreadRole, chosen
from bellwire.engine.folds.journeys import Journeys

Times = npt.NDArray[np.uint64]


class Spans(NamedTuple):
    """Stretches of time, TSC; both of shape (n,)."""

    start: Times
    end: Times


def paired(events: Events, start: EventKind, end: EventKind) -> Spans:
    """From each `start` to the `end` that is the next of either kind."""
    kind = events["kind"]
    around = chosen(events, (kind == start) | (kind == end))
    pair = (around["kind"][:-1] == start) & (around["kind"][1:] == end)
    return Spans(around["tsc"][:-1][pair], around["tsc"][1:][pair])


def instruction(events: Events) -> Spans:
    """One guest in its doorbell instruction."""
    return paired(events, EventKind.RING, EventKind.RUNG)


def user_space(events: Events) -> Spans:
    """One vCPU thread outside KVM_RUN: from each EXIT to the ENTRY that follows it."""
    return paired(events, EventKind.EXIT, EventKind.ENTRY)


def awake(events: Events) -> Spans:
    """The I/O thread from its first word after a WAIT to the next WAIT."""
    words = chosen(events, events["lane"] == Lane.IO_THREAD)
    waits = words["kind"] == EventKind.WAIT
    first = ~waits & np.concatenate([[True], waits[:-1]])[: waits.size]
    begun, ended = np.flatnonzero(first), np.flatnonzero(waits)
    at = np.searchsorted(ended, begun)
    begun = begun[at < ended.size]
    return Spans(words["tsc"][begun], words["tsc"][ended[at[at < ended.size]]])


def queued(events: Events, role: ThreadRole) -> Spans:
    """Threads of this role in a run queue: from when one is woken until it has a CPU, as the scheduler tells."""
    told = chosen(events, (events["kind"] == EventKind.WAKING) | (events["kind"] == EventKind.RUNS))
    return paired(chosen(told, told["id"] & np.uint32((1 << ROLE_BITS) - 1) == role), EventKind.WAKING, EventKind.RUNS)


def flights(journeys: Journeys) -> Spans:
    """Doorbells and interrupts on their way through KVM and the scheduler."""
    light = np.where(journeys["doorbell"] > 0, journeys["doorbell"], journeys["handler"] * (journeys["irq"] == 0))
    out = Spans(journeys["ring"], np.where(journeys["exit"] > 0, journeys["exit"], light))
    rings = (out.start > 0) & (out.end > 0)
    back = (journeys["irq"] > 0) & (journeys["handler"] > 0)
    starts = np.concatenate([out.start[rings], journeys["irq"][back]])
    return Spans(starts, np.concatenate([out.end[rings], journeys["handler"][back]]))
