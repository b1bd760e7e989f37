"""What is held of a run: from when to when, which events, what was lost. Every view asks here how often what happened.

Guarantees: a stretch of time that is not held as a whole, because it has left memory, is not over yet, lies outside of
the run or has a gap in it, is answered by the reason why, or by nan in the bin that it is, never by 0 and never by the
part that is held. A live run, whose newest events are in memory, and a recording, which is on the disk, answer alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import STATS, Clock, EventKind, Events, by_kind, end_to_end, no_events
from bellwire.engine.folds.gaps import Gap, Gaps
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.folds.latency import BIN_SECONDS, Latencies, Series, begin, cycles_of, ends, has, is_counted
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.engine.language import tr, tr_n
from bellwire.viz.model.history import History
from bellwire.viz.model.rates import Counts, Rates
from bellwire.viz.text.figures import count_of, duration

if TYPE_CHECKING:  # a guest need not wait for Arrow
    from bellwire.engine.recordings.contents import Contents
    from bellwire.engine.recordings.replay import Replay

KINDS = max(EventKind) + 1
SMALL = 1 << 18  # events of a recording, or of a stretch of one, that are read while somebody waits
FINE = 1000  # stretches that are not held are one if so small a part of what was asked for lies between them
KEPT = 8  # stretches whose counts are kept once they were made from events
PIECE = 20  # bins of a course that are made from journeys together
PIECES = 32  # of these that are kept

Times = npt.NDArray[np.uint64]
Totals = npt.NDArray[np.int64]
Bins = npt.NDArray[np.void]  # rows as those of Series.rows
NO_TIMES: Times = np.empty(0, np.uint64)


@dataclass(frozen=True)
class Unknown:
    """Not known, and why, as a clause: "the start is no longer held"."""

    why: str


class Past(ABC):
    """Times are TSC. rates: what of it is counted already; series: by latency, what of it is summed up already."""

    def __init__(
        self, clock: Clock, events: History, journeys: History, rates: Rates, series: dict[str, Series]
    ) -> None:
        self.clock, self.records, self.journeys_held = clock, events, journeys
        self.rates, self.series = rates, series
        self._counted: OrderedDict[tuple[int, int], Rates] = OrderedDict()
        self._pieces: OrderedDict[int, dict[str, Bins]] = OrderedDict()  # of courses, by their numbers

    # -- what there is

    @property
    @abstractmethod
    def first(self) -> int:
        """From when on everything is held; 0 if nothing is."""

    @property
    @abstractmethod
    def last(self) -> int:
        """Until when everything is held: what is later may still come; 0 if nothing is."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many events are held."""

    @property
    @abstractmethod
    def gaps(self) -> Gaps | None:
        """Where events were lost; None if that is not known yet."""

    def gaps_in(self, t0: int, t1: int) -> Gaps | None:
        """The same, where those will do that lie between t0 and t1, in whole or in part."""
        return self.gaps

    @abstractmethod
    def _before(self) -> str:
        """Why something before `first` is not held."""

    @abstractmethod
    def _after(self) -> str:
        """Why something after `last` is not held."""

    @abstractmethod
    def _unread(self) -> str:
        """Why the gaps are not known."""

    def missing(self, t0: int, t1: int, *, counts: bool = False) -> str:
        """Why not everything between t0 and t1 is held, as a clause; "" if it is.

        counts: or, of what was passed over, at least told how often it happened.
        """
        if not self.size:
            return tr("no event has come yet")
        if t0 < self.first:
            return self._before()
        if t1 > self.last:
            return self._after()
        gaps = self.gaps_in(t0, t1)
        if gaps is None:
            return self._unread()
        lost = sum(gap.count for gap in gaps.within(t0, t1) if not (counts and gap.sorted))
        return tr_n("{n} event was lost in it", "{n} events were lost in it", lost) if lost else ""

    def unknown(self, t0: int, t1: int) -> list[tuple[int, int]]:
        """The stretches between t0 and t1 of which nothing, or not everything, is held, for who draws them.

        What is to come is none.
        """
        gaps = self.gaps_in(t0, t1)
        return self._stretches(t0, t1, gaps.within(t0, t1) if gaps else [])

    def uncounted(self, t0: int, t1: int) -> list[tuple[int, int]]:
        """The same, less those of which it is told how often what happened."""
        gaps = self.gaps_in(t0, t1)
        return self._stretches(t0, t1, [gap for gap in gaps.within(t0, t1) if not gap.sorted] if gaps else [])

    def _stretches(self, t0: int, t1: int, gaps: list[Gap]) -> list[tuple[int, int]]:
        """What is before everything that is held, and the gaps, as one where they nearly touch."""
        found = [[t0, min(self.first - 1, t1)]] if self.size and t0 < self.first else []
        for gap in gaps:
            if found and gap.start <= found[-1][1] + (t1 - t0) // FINE:
                found[-1][1] = min(gap.end, t1)
            else:
                found.append([max(gap.start, t0), min(gap.end, t1)])
        return [(start, end) for start, end in found]

    # -- events and journeys, as far as they are held

    def events(self, t0: int, t1: int) -> Events:
        """Those between t0 and t1."""
        return self.records.window(max(t0, 0), max(t1, 0))

    def journeys(self, t0: int, t1: int) -> Journeys:
        """Those that were under way between t0 and t1."""
        return self.journeys_held.window(max(t0, 0), max(t1, 0))

    def about(self, t0: int, t1: int) -> float:
        """How many events lie between, about."""
        return self.records.about(t0, t1)

    @abstractmethod
    def newest(self, kind: EventKind, until: int) -> Events:
        """The newest event of a kind, until a time; shape (1,), or (0,) if none is held."""

    @abstractmethod
    def slowest(self, name: str, warmup: int, left_out: Times = NO_TIMES) -> tuple[Journeys, str]:
        """The journey with the longest latency `name` (shape (1,) or (0,)), and why there may be a longer one, or "".

        warmup: how many of the run's first journeys are left out; left_out: when others began that are in no figure.
        """

    @abstractmethod
    def stream(self) -> Iterable[Events]:
        """All events that are held, as a stream of its own; it may be read in another thread."""

    # -- how often what happened

    def kinds(self, t0: int, t1: int) -> Totals | Unknown:
        """How many events of each kind lie between t0 and t1 (both included); shape (KINDS,)."""
        why = self.missing(t0, t1)
        return Unknown(why) if why else self._kinds(t0, t1)

    @abstractmethod
    def _kinds(self, t0: int, t1: int) -> Totals | Unknown:
        """The same of a stretch that is held as a whole."""

    def bins(self, name: str, first: int, end: int) -> Counts:
        """How many of viz/model/rates.py's `name` in the bins first..end-1 (TSC // rates.bin_cycles).

        Shape (end - first,); nan: not known, as the bin is not over, or not held as a whole.
        """
        counts = self.rates.between(name, first, end)
        edges = np.arange(first, max(first, end) + 1) * self.rates.bin_cycles
        starts, ends_ = edges[:-1], edges[1:] - 1
        counted_from, counted_to = self._counted_stretch()
        counts[(starts < counted_from) | (ends_ > counted_to)] = np.nan
        known = (starts >= self.first) & (ends_ <= self.last) & bool(self.size)
        if (np.isnan(counts) & known).any() and name != "tokens":
            counts = self._from_events(name, first, end)
        if known.any():  # or all of a recording is read for a word on a second before it
            known &= ~self._lost(starts, ends_)
        return np.where(known, counts, np.nan)

    def sum(self, name: str, first: int, end: int) -> float | None:
        """The same in all these bins together; None if it is not known."""
        counts = self.bins(name, first, end)
        return None if np.isnan(counts).any() else float(counts.sum())

    @abstractmethod
    def _counted_stretch(self) -> tuple[int, int]:
        """From when to when everything has been counted into `rates`, and summed up in `series`."""

    def _lost(self, starts: npt.NDArray[np.int64], ends_: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which bins have a gap in them; all of them if that is not known."""
        gaps = self.gaps_in(int(starts[0]), int(ends_[-1])) if starts.size else self.gaps
        return np.ones(starts.size, bool) if gaps is None else gaps.touch(starts, ends_)

    def _from_events(self, name: str, first: int, end: int) -> Counts:
        """The counts of bins that are not held as such, from the events that are."""
        t0, t1 = self._inside(first, end)
        if (t0, t1) not in self._counted:
            counted = Rates(self.clock, self._stats_before(t0))
            counted.feed(self.events(t0, t1), t1)
            counted.first = first
            self._counted[t0, t1] = counted
            if len(self._counted) > KEPT:
                self._counted.popitem(last=False)
        self._counted.move_to_end((t0, t1))
        return self._counted[t0, t1].between(name, first, end)

    def _inside(self, first: int, end: int) -> tuple[int, int]:
        """From when to when the bins first..end-1 are, as far as anything is held."""
        cycles = self.rates.bin_cycles
        return max(first * cycles, self.first), min(end * cycles - 1, self.last)

    def names(self, first: int, end: int) -> list[str]:
        """All names that have been counted, in these bins or elsewhere."""
        self.bins("doorbells", first, end)
        counted = self._counted.get(self._inside(first, end))
        return sorted({*self.rates.names, *(counted.names if counted else ())})

    @abstractmethod
    def _stats_before(self, tsc: int) -> dict[int, int]:
        """The kernel's counters, by index into STATS, as they were last seen before a moment."""

    def course(self, name: str, t0: int, t1: int) -> Bins:
        """The course of the latency `name` from t0 to t1 in bins that are over then."""
        series = self.series[name]
        rows, width = series.between(t0, t1), np.uint64(series.bin_cycles)
        start, end = self._counted_stretch()
        whole_from = max(series.whole_from, start and start + 2 * series.bin_cycles)  # what was under way is in none
        if max(t0, self.first) < whole_from:
            rows = self._course_of(name, t0, t1)
            end = self.last
        over = np.uint64(max(min(end, t1), 0) + 1)
        known: Bins = rows[rows["tsc"] + width <= over]
        return known

    def _course_of(self, name: str, t0: int, t1: int) -> Bins:
        """From the journeys, in pieces that are kept."""
        width = self.series[name].bin_cycles
        first, last = max(t0, self.first) // width, t1 // width
        pieces = (self._piece(number)[name] for number in range(first // PIECE, last // PIECE + 1))
        rows = end_to_end(Series(self.clock).rows, *pieces)
        inside: Bins = rows[(rows["tsc"] >= np.uint64(first * width)) & (rows["tsc"] <= np.uint64(max(t1, 0)))]
        return inside

    def _piece(self, number: int) -> dict[str, Bins]:
        """PIECE bins of the course of each latency; kept where all of it is held, and nothing more comes."""
        if number in self._pieces:
            self._pieces.move_to_end(number)
            return self._pieces[number]
        first, end = number * PIECE, (number + 1) * PIECE
        width = self.clock.cycles(BIN_SECONDS)
        t0, t1 = first * width, end * width - 1
        journeys = self.journeys(t0, t1)
        piece = {name: self._ended(name, journeys, t0, t1) for name in self.series}
        if self.first <= first * width and end * width <= self.last and self._known_who_is_out():
            self._pieces[number] = piece
            if len(self._pieces) > PIECES:
                self._pieces.popitem(last=False)
        return piece

    @abstractmethod
    def _left_out(self) -> Times:
        """When journeys began that are in no figure, as far as that is known."""

    def _known_who_is_out(self) -> bool:
        """Whether it is known of all of them."""
        return True

    def _ended(self, name: str, journeys: Journeys, t0: int, t1: int) -> Bins:
        """The course of a latency in the journeys that ended between t0 and t1."""
        some = journeys[is_counted(journeys, name) & ~np.isin(begin(journeys), self._left_out())]
        end = ends(some, name)[1]
        inside = (end >= np.uint64(t0)) & (end <= np.uint64(t1))
        order = np.argsort(end[inside], kind="stable")
        some = some[inside][order]
        series = Series(self.clock)
        series.record(ends(some, name)[1], self.clock.ns_array(cycles_of(some, name)))
        return series.rows


class HeldPast(Past):
    """Of a source whose newest events are in memory. `complete`: up to when everything has come."""

    def __init__(
        self, clock: Clock, events: History, journeys: History, rates: Rates, series: dict[str, Series]
    ) -> None:
        super().__init__(clock, events, journeys, rates, series)
        self.complete = 0
        self.latencies: Latencies | None = None  # those that are counted as the events come
        self.forgotten = Tally()  # of the events that are no longer held
        self._gaps = Gaps(clock)
        events.forgotten = lambda records: self.forgotten.feed(records)

    def feed(self, events: Events, complete: int) -> None:
        """The next batch has come, and everything until `complete`."""
        if by_kind(events).counts[EventKind.LOST]:
            self._counted.clear()
        self._gaps.feed(events)
        self.complete = max(self.complete, complete)

    @property
    def first(self) -> int:
        return self.records.whole_from or self.records.first

    @property
    def last(self) -> int:
        return self.complete if self.size else 0

    @property
    def size(self) -> int:
        return len(self.records)

    @property
    def gaps(self) -> Gaps | None:
        return self._gaps

    def _before(self) -> str:
        if not self.records.whole_from:
            return tr("it begins before the run does")
        kept = duration(self.clock.ns(max(self.last - self.first, 0)))
        return tr("its start is no longer held, memory goes back {time}", time=kept)

    def _after(self) -> str:
        return tr("not all of it has come yet")

    def _unread(self) -> str:
        return ""

    def newest(self, kind: EventKind, until: int) -> Events:
        for events in reversed(list(self.records)):
            found = np.flatnonzero((events["kind"] == kind) & (events["tsc"] <= np.uint64(max(until, 0))))
            if found.size:
                return events[found[-1:]]
        return no_events()

    def slowest(self, name: str, warmup: int, left_out: Times = NO_TIMES) -> tuple[Journeys, str]:
        found, longest, held = no_journeys(), -1, self.journeys_held
        number = held.total - len(held)
        why = ""
        if number > warmup:
            why = tr("{journeys} of the run are no longer held", journeys=count_of(number, "older journey"))
        for some in held:
            counted = some[max(warmup - number, 0) :]
            number += some.size
            counted = counted[has(counted, name) & ~np.isin(begin(counted), left_out)]
            cycles = cycles_of(counted, name)
            if cycles.size and int(cycles.max()) > longest:
                longest = int(cycles.max())
                found = counted[[int(cycles.argmax())]]
        return found, why

    def stream(self) -> Iterable[Events]:
        return [prologue(self.forgotten, self.records.first), *self.records]

    def _left_out(self) -> Times:
        return NO_TIMES if self.latencies is None else self.latencies.left_out

    def _kinds(self, t0: int, t1: int) -> Totals | Unknown:
        return self.records.count_by("kind", KINDS, t0, t1)

    def _counted_stretch(self) -> tuple[int, int]:
        return 0, self.complete

    def _stats_before(self, tsc: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for events in reversed(list(self.records)):
            stats = events[(events["kind"] == EventKind.STAT) & (events["tsc"] < np.uint64(max(tsc, 0)))]
            for id_, value in zip(stats["id"].tolist()[::-1], stats["arg"].tolist()[::-1], strict=True):
                found.setdefault(id_, value)
            if len(found) == len(STATS):
                break
        return stats_of(self.forgotten) | found


class RecordedPast(HeldPast):
    """Of a recording: all that is in its file, whatever of it has been played."""

    def __init__(
        self,
        replay: Replay,
        events: History,
        journeys: History,
        rates: Rates,
        series: dict[str, Series],
    ) -> None:
        super().__init__(replay.clock, events, journeys, rates, series)
        self.replay, self.recording = replay, replay.recording
        self._contents: Contents | None = None

    @property
    def contents(self) -> Contents | None:
        """What is in each of its batches; None while a large one is still being read."""
        if self._contents is None and self.replay.indexer.index is not None:
            self._contents = self.replay.indexer.index.contents
        if self._contents is None and self.size <= SMALL:
            from bellwire.engine.recordings.contents import Contents

            self._contents = Contents.of(self.recording)
        return self._contents

    @property
    def first(self) -> int:
        return self.recording.first

    @property
    def last(self) -> int:
        return self.recording.last

    @property
    def size(self) -> int:
        return len(self.recording)

    @property
    def gaps(self) -> Gaps | None:
        contents = self.contents
        if contents is None:
            return None
        contents.note_gone()
        return contents.gaps

    def missing(self, t0: int, t1: int, *, counts: bool = False) -> str:
        if self.recording.lacks(t0, t1) and not self._in_memory(t0, t1):
            return tr("its file has changed since it was opened")
        return super().missing(t0, t1, counts=counts)

    def gaps_in(self, t0: int, t1: int) -> Gaps | None:
        """None where all has been played of a file whose end says that nothing was lost: not all of it is read."""
        amiss = self._gaps.found or self.recording.damaged
        if amiss or not self.recording.lost_nothing or not self._played(t0, t1):
            return self.gaps
        return self.gaps if self.recording.gone and not self._in_memory(t0, t1) else self._gaps

    def _played(self, t0: int, t1: int) -> bool:
        start, end = self._counted_stretch()
        return start <= t0 and min(t1, self.last) <= end

    def _in_memory(self, t0: int, t1: int) -> bool:
        """Whether all of it was played and is held still, whatever becomes of the file."""
        return self._played(t0, t1) and self.records.whole_from <= t0

    def _before(self) -> str:
        return tr("the recording begins later")

    def _after(self) -> str:
        return tr("the recording ends before") if self.recording.whole else tr("the recording was cut off before")

    def _unread(self) -> str:
        return tr("the recording is still being read, {share:.0%} so far", share=self.replay.indexer.share)

    def newest(self, kind: EventKind, until: int) -> Events:
        """The newest that the replay has come to."""
        until = min(until, self.replay.now())
        contents = self.contents
        if contents is None:
            return super().newest(kind, until)
        entries = self.recording.entries
        there = np.flatnonzero(contents.kinds[:, kind])
        played = there[entries["first"][there] <= np.uint64(max(until, 0))]
        for number in played[::-1].tolist():
            events = self.recording.read(number)
            found = events[(events["kind"] == kind) & (events["tsc"] <= np.uint64(max(until, 0)))]
            if found.size:
                newest: Events = found[-1:]
                return newest
        return no_events()

    def slowest(self, name: str, warmup: int, left_out: Times = NO_TIMES) -> tuple[Journeys, str]:
        contents = self.contents
        if contents is None:
            why = tr("{unread}, and only what was played is compared", unread=self._unread())
            return super().slowest(name, 0, left_out)[0], why
        return contents.slowest_by(name), ""

    def stream(self) -> Iterable[Events]:
        return self._read_all()

    def _read_all(self) -> Iterator[Events]:
        for number in range(self.recording.entries.size):
            yield self.recording.read_once(number)

    def _left_out(self) -> Times:
        return super()._left_out() if self.contents is None else self.contents.left_out

    def _known_who_is_out(self) -> bool:
        return self.contents is not None

    def _kinds(self, t0: int, t1: int) -> Totals | Unknown:
        contents = self.contents
        return Unknown(self._unread()) if contents is None else contents.counts(t0, t1)

    def _counted_stretch(self) -> tuple[int, int]:
        return self.replay.yields_from, min(self.complete, self.replay.complete)

    def _stats_before(self, tsc: int) -> dict[int, int]:
        index, entries = self.replay.indexer.index, self.recording.entries
        batch = int(np.searchsorted(np.maximum.accumulate(entries["last"]), np.uint64(max(tsc, 0))))
        number, tally = index.tally_before(batch) if index else (0, Tally())
        if index is None and self.size > SMALL:
            number = batch
        for earlier in range(number, batch):
            tally.feed(self.recording.read(earlier))
        before = self.events(int(entries["first"][batch]), tsc - 1) if batch < entries.size else no_events()
        tally.feed(before)
        return stats_of(tally)


def stats_of(tally: Tally) -> dict[int, int]:
    """The kernel's counters, by index into STATS, as a tally has seen them last."""
    return {
        index: tally.counter(index)
        for index, name in enumerate(STATS)
        if name in tally.kvm or index in tally.kvm_from or index in tally.began.stats
    }
