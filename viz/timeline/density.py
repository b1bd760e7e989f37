"""How busy each lane was, and how much happened, in bins: fed with events as they come, however they are cut."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events, chosen, each_of, end_to_end, no_events, vms_in
from bellwire.engine.events import Lane as Where
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.spans import Spans, awake, flights, instruction, user_space
from bellwire.viz.timeline.lanes import Shares, cover

# -- Sums over time, from the newest milliseconds to hours back: what a zoomed-out timeline is drawn from.
#
# Each row has rings of bins of several widths. The finest holds the newest moments, each coarser one four times as
# much.
# Bounded: a megabyte a row; a look-up touches the bins of one ring that are in view.

FINEST_SECONDS = 1e-4
COARSER = 4  # times as wide as the ring before
RINGS = 8  # the coarsest bins are 1.6 s wide
BINS = 1 << 14  # in a ring
OVERLAPPING = 2  # times as many pieces as there are spans and bins, and they are no longer counted one by one

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Times = npt.NDArray[np.uint64]


class Bins:
    """Rows of sums by name. `width` is that of the finest bins, in TSC cycles; time must be rolled on before adding."""

    def __init__(self, hz: float) -> None:
        self.width = round(hz * FINEST_SECONDS)
        self.newest = -1  # number of the newest finest bin, counted from TSC 0
        self._rows: dict[str, list[Floats]] = {}

    def roll_to(self, tsc: int) -> None:
        """Moves on to a time: what is too old for a ring leaves it."""
        newest = max(tsc // self.width, self.newest)
        for ring in range(RINGS):
            last, now = self.newest // COARSER**ring, newest // COARSER**ring
            if last < now:
                fresh = np.arange(max(last + 1, now - BINS + 1), now + 1) % BINS
                for row in self._rows.values():
                    row[ring][fresh] = 0
        self.newest = newest

    def add(self, name: str, numbers: Numbers, amounts: Floats) -> None:
        """Adds to some of the finest bins, by their numbers; both of shape (n,). What is too old for a ring is left."""
        if name not in self._rows:
            self._rows[name] = [np.zeros(BINS) for _ in range(RINGS)]
        order = np.argsort(numbers, kind="stable")
        numbers, amounts = numbers[order], amounts[order]
        for ring, row in enumerate(self._rows[name]):
            numbers, amounts = amounts_of_each(numbers, amounts)
            kept = numbers > self.newest // COARSER**ring - BINS
            row[numbers[kept] % BINS] += amounts[kept]
            numbers = numbers // COARSER

    def add_spans(self, name: str, spans: Spans) -> None:
        """Adds how many cycles of the spans lie in each bin.

        What is longer than the finest ring holds is spread over each ring by itself, so that the wide bins have all
        of it.
        """
        long = spans.end - spans.start >= np.uint64((BINS - 1) * self.width)
        self.add(name, *cycles_by_bin(Spans(spans.start[~long], spans.end[~long]), self.width))
        for ring in range(RINGS if long.any() else 0):
            width = self.width * COARSER**ring
            numbers, cycles = spread_over_bins(spans.start[long], spans.end[long], width)
            kept = numbers > self.newest // COARSER**ring - BINS
            np.add.at(self._rows[name][ring], numbers[kept] % BINS, cycles[kept])

    def sums(self, name: str, t0: int, t1: int, pixels: int) -> Floats:
        """What lies in each of `pixels` equal parts of t0..t1 (TSC), shape (pixels,); 0 where nothing is held."""
        if name not in self._rows or self.newest < 0:
            return np.zeros(pixels)
        ring = self._ring_for(t0, (t1 - t0) / max(pixels, 1))
        width, newest = self.width * COARSER**ring, self.newest // COARSER**ring
        edges = np.linspace(t0, t1, pixels + 1) / width
        first, end = max(int(edges[0]), newest - BINS + 1, 0), min(int(edges[-1]) + 1, newest + 1)
        if first >= end:
            return np.zeros(pixels)
        bins = self._rows[name][ring][np.arange(first, end) % BINS]
        total = np.concatenate([[0.0], np.cumsum(bins)])
        return np.diff(np.interp(edges, np.arange(first, end + 1), total))

    def _ring_for(self, t0: int, wanted: float) -> int:
        """The coarsest ring with bins no wider than `wanted` cycles, or the next that reaches back to t0."""
        narrow = [ring for ring in range(RINGS) if self.width * COARSER**ring <= wanted] or [0]
        reaching = [ring for ring in range(narrow[-1], RINGS) if self._reaches(ring, t0)]
        return reaching[0] if reaching else RINGS - 1

    def _reaches(self, ring: int, tsc: int) -> bool:
        width = self.width * COARSER**ring
        return bool(tsc // width > self.newest // COARSER**ring - BINS)


def amounts_of_each(numbers: Numbers, amounts: Floats) -> tuple[Numbers, Floats]:
    """Each of the numbers (rising) once, with the sum of its amounts."""
    if not numbers.size:
        return numbers, amounts
    first = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    return numbers[first], np.add.reduceat(amounts, first)


def cycles_by_bin(spans: Spans, width: int) -> tuple[Numbers, Floats]:
    """The bins that the spans cover, and how many of their cycles lie in each.

    Of spans that cover each other many times over (one handler may end fifty thousand interrupts) all are counted
    at once, at the bins' edges, instead of each in each of its bins.
    """
    first, last = (tsc // np.uint64(width) for tsc in spans)
    pieces = int((last - first).sum()) + first.size
    low, high = (int(first.min()), int(last.max())) if first.size else (0, 0)
    if pieces <= OVERLAPPING * (first.size + high - low):
        return spread_over_bins(*spans, width)
    numbers = np.arange(low, high + 1)
    cycles = cover(spans, (np.arange(low, high + 2) * width).astype(np.uint64))
    return numbers[cycles > 0], cycles[cycles > 0]


def spread_over_bins(start: Times, end: Times, width: int, most: int = BINS) -> tuple[Numbers, Floats]:
    """The bins that stretches of time cover, and how many cycles of each; of a stretch the newest `most` bins."""
    last = (end // np.uint64(width)).astype(np.int64)
    first = np.maximum((start // np.uint64(width)).astype(np.int64), last - most + 1)
    covered = last - first + 1
    of = np.repeat(np.arange(start.size), covered)
    numbers = np.arange(of.size) - np.repeat(np.cumsum(covered) - covered, covered) + first[of]
    edge = (numbers * width).astype(np.uint64)
    until = np.minimum(end[of], edge + np.uint64(width))
    return numbers, (until - np.maximum(start[of], edge)).astype(np.float64)


class Carry:
    """The events of one kind of lane since the last one that closes a stretch, for the next batch to go on with."""

    def __init__(self, *opening: EventKind) -> None:
        self._opening = opening  # a stretch begins with one of these
        self._kept = no_events()

    def join(self, events: Events) -> Events:
        """The batch, behind what was left open."""
        joined = end_to_end(self._kept, events)
        last = joined[-1:]
        self._kept = last if last.size and last["kind"][0] in self._opening else no_events()
        return joined


class Occupancy:
    """Busy cycles by the names of lanes.stretches, and numbers of events by the lane where they happened."""

    def __init__(self, hz: float) -> None:
        self.bins = Bins(hz)
        self._words = no_events()  # the I/O thread's first since its last WAIT
        self._rings: dict[int, Carry] = {}  # by VM
        self._exits: dict[int, Carry] = {}

    def feed(self, events: Events, journeys: Journeys) -> None:
        """Adds the next events and the journeys that they completed."""
        flying = flights(journeys)
        self.bins.roll_to(int(max(events["tsc"].max(initial=0), flying.end.max(initial=0))))
        self._add("flight", flying)
        self._add("awake", awake(self._with_words(events)))
        for vm, own in each_of(events, "vm", vms_in(events)):
            self._feed_vm(vm, own)

    def _feed_vm(self, vm: int, events: Events) -> None:
        kind = events["kind"]
        rings = self._rings.setdefault(vm, Carry(EventKind.RING))
        exits = self._exits.setdefault(vm, Carry(EventKind.EXIT))
        stamps = chosen(events, (kind == EventKind.RING) | (kind == EventKind.RUNG))
        self._add(f"instruction{vm}", instruction(rings.join(stamps)))
        self._add(f"user{vm}", user_space(exits.join(chosen(events, events["lane"] == Where.VCPU))))

    def _with_words(self, events: Events) -> Events:
        words = chosen(events, events["lane"] == Where.IO_THREAD)
        joined = end_to_end(self._words, words)
        waits = np.flatnonzero(joined["kind"] == EventKind.WAIT)
        rest = joined[waits[-1] + 1 :] if waits.size else joined
        self._words = rest[:1]  # when it awoke
        return joined

    def _add(self, row: str, spans: Spans) -> None:
        self.bins.add_spans(row, spans)

    def share(self, row: str, t0: int, t1: int, pixels: int) -> Shares:
        """The busy share (0..1) of each of `pixels` equal parts of t0..t1; 0 where nothing is held."""
        cycles = self.bins.sums(row, t0, t1, pixels)
        return np.asarray(np.clip(cycles * pixels / max(t1 - t0, 1), 0.0, 1.0))


class Density:
    """How many events came, by the lane where they happened."""

    def __init__(self, hz: float) -> None:
        self.bins = Bins(hz)

    def feed(self, events: Events) -> None:
        """Adds the next events."""
        if not events.size:
            return
        self.bins.roll_to(int(events["tsc"].max()))
        for where in np.flatnonzero(np.bincount(events["lane"])).tolist():
            numbers = (events["tsc"][events["lane"] == where] // np.uint64(self.bins.width)).astype(np.int64)
            self.bins.add(Where(where).name, numbers, np.ones(numbers.size))

    def counts(self, t0: int, t1: int, pixels: int) -> dict[Where, Shares]:
        """How many in each of `pixels` equal parts of t0..t1."""
        return {where: self.bins.sums(where.name, t0, t1, pixels) for where in Where}
