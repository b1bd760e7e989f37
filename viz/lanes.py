"""What each lane of the timeline did when: stretches of time, out of journeys and events. No Qt.

Honest to what is measured: between the guest's doorbell instruction and the host's awaking lie KVM *and the scheduler*,
and so they do between the irqfd's write and the handler; no event tells the two apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.events import EventKind, Events, Lane, no_events
from engine.journeys import Journeys

Times = npt.NDArray[np.uint64]


class Spans(NamedTuple):
    """Stretches of time, TSC; both of shape (n,)."""

    start: Times
    end: Times


def between(journeys: Journeys, start: str, end: str) -> Spans:
    """The stretches between two stages, of the journeys that have both."""
    has = (journeys[start] > 0) & (journeys[end] > 0)
    return Spans(journeys[start][has], journeys[end][has])


def instruction(journeys: Journeys) -> Spans:
    """The guest in its doorbell instruction."""
    return between(journeys, "ring", "rung")


def flights(journeys: Journeys) -> tuple[Spans, Spans]:
    """A doorbell, an interrupt on its way through KVM and the scheduler."""
    heavy = journeys["exit"] > 0
    out = Spans(journeys["ring"], np.where(heavy, journeys["exit"], journeys["doorbell"]))
    rings = (journeys["ring"] > 0) & (out.end > 0)
    return Spans(out.start[rings], out.end[rings]), between(journeys, "irq", "handler")


def wakings(journeys: Journeys) -> Spans:
    """A doorbell that user space relays: from the exit until the I/O thread is awake."""
    return between(journeys, "exit", "doorbell")


def user_space(events: Events) -> Spans:
    """The vCPU thread outside KVM_RUN: from each EXIT to the ENTRY that follows it."""
    kind = events["kind"]
    around = events[(kind == EventKind.EXIT) | (kind == EventKind.ENTRY)]
    pair = (around["kind"][:-1] == EventKind.EXIT) & (around["kind"][1:] == EventKind.ENTRY)
    return Spans(around["tsc"][:-1][pair], around["tsc"][1:][pair])


def awake(events: Events) -> Spans:
    """The I/O thread from its first word after a WAIT to the next WAIT."""
    words = events[events["lane"] == Lane.IO_THREAD]
    waits = words["kind"] == EventKind.WAIT
    first = ~waits & np.concatenate([[True], waits[:-1]])[: waits.size]
    begun, ended = np.flatnonzero(first), np.flatnonzero(waits)
    at = np.searchsorted(ended, begun)
    begun = begun[at < ended.size]
    return Spans(words["tsc"][begun], words["tsc"][ended[at[at < ended.size]]])


def cover(spans: Spans, edges: Times) -> npt.NDArray[np.float64]:
    """How many cycles of the spans lie between neighbours of `edges` (rising, shape (n,)); shape (n - 1,)."""
    return np.diff(since_start(spans.start, edges) - since_start(spans.end, edges))


def since_start(times: Times, edges: Times) -> npt.NDArray[np.float64]:
    """For each edge the sum of (edge - time) over the times before it."""
    if not times.size or not edges.size:
        return np.zeros(edges.size)
    origin = min(int(times.min()), int(edges[0]))
    sorted_ = np.sort(times - np.uint64(origin)).astype(np.float64)
    places = (edges - np.uint64(origin)).astype(np.float64)
    count = np.searchsorted(sorted_, places)
    total = np.concatenate([[0.0], np.cumsum(sorted_)])
    return np.asarray(places * count - total[count])


class Occupancy:
    """How busy each lane was, in bins of 100 µs, for the last ten seconds: what a timeline of seconds is drawn from.

    Bounded: 4 x 800 kB; work by the batch.
    """

    LANES = ("guest", "vcpu", "kvm", "io")
    BIN_SECONDS = 1e-4
    BINS = 100_000

    def __init__(self, hz: float) -> None:
        self.bin_cycles = round(hz * self.BIN_SECONDS)
        self.newest = -1
        self._busy = {lane: np.zeros(self.BINS) for lane in self.LANES}
        self._words = no_events()  # the I/O thread's, since its last WAIT
        self._exit = no_events()  # the vCPU thread's last EXIT, if it has not returned

    def feed(self, events: Events, journeys: Journeys) -> None:
        """Adds the next events and the journeys that they completed."""
        if not events.size:
            return
        self._roll_to(int(events["tsc"][-1]) // self.bin_cycles)
        out, back = flights(journeys)
        for lane, spans in (("guest", instruction(journeys)), ("kvm", out), ("kvm", back)):
            self._add(lane, spans)
        self._add("vcpu", user_space(self._with_exit(events)))
        self._add("io", awake(self._with_words(events)))

    def _with_exit(self, events: Events) -> Events:
        around = events[events["lane"] == Lane.VCPU]
        joined = np.concatenate([self._exit, around], dtype=events.dtype)
        self._exit = joined[-1:] if joined.size and joined["kind"][-1] == EventKind.EXIT else no_events()
        return joined

    def _with_words(self, events: Events) -> Events:
        words = events[events["lane"] == Lane.IO_THREAD]
        joined = np.concatenate([self._words, words], dtype=events.dtype)
        waits = np.flatnonzero(joined["kind"] == EventKind.WAIT)
        rest = joined[waits[-1] + 1 :] if waits.size else joined
        self._words = rest[:1]  # when it awoke
        return joined

    def _roll_to(self, newest: int) -> None:
        fresh = np.arange(max(self.newest + 1, newest - self.BINS + 1), newest + 1) % self.BINS
        for busy in self._busy.values():
            busy[fresh] = 0
        self.newest = max(self.newest, newest)

    def _add(self, lane: str, spans: Spans) -> None:
        if not spans.start.size:
            return
        first = max(int(spans.start.min()) // self.bin_cycles, self.newest - self.BINS + 1)
        bins = np.arange(first, min(int(spans.end.max()) // self.bin_cycles, self.newest) + 1)
        edges = np.arange(first, first + bins.size + 1).astype(np.uint64) * np.uint64(self.bin_cycles)
        self._busy[lane][bins % self.BINS] += cover(spans, edges)

    def share(self, lane: str, t0: int, t1: int, pixels: int) -> npt.NDArray[np.float64]:
        """The busy share (0..1) of each of `pixels` equal parts of t0..t1; 0 where nothing is held."""
        edges = np.linspace(t0, t1, pixels + 1) / self.bin_cycles
        first = max(int(edges[0]), self.newest - self.BINS + 1, 0)
        end = min(int(edges[-1]) + 1, self.newest + 1)
        if first >= end:
            return np.zeros(pixels)
        busy = np.roll(self._busy[lane], -(first % self.BINS))[: end - first]
        total = np.concatenate([[0.0], np.cumsum(busy)])
        cycles = np.diff(np.interp(edges, np.arange(first, end + 1), total))
        return np.asarray(np.clip(cycles * pixels / max(t1 - t0, 1), 0.0, 1.0))
