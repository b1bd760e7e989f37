"""All hops of a VMM that is attached to: is fed what the kernel tells and what is registered, and gives figures."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.hops.doorbells import DoorbellFold
from bellwire.engine.attached.hops.exits import ExitFold
from bellwire.engine.attached.hops.figures import (
    DoorbellHops,
    ExitHops,
    HaltHops,
    HopFigures,
    HopLatency,
    InterruptHops,
    InterruptSender,
    WokenThread,
)
from bellwire.engine.attached.hops.halts import HaltFold
from bellwire.engine.attached.hops.interrupts import InterruptFold, InterruptKey
from bellwire.engine.attached.hops.one_at_a_time import OneAtATime, Turn
from bellwire.engine.attached.hops.places import DoorbellKey, HopThreads, SeenPlaces
from bellwire.engine.attached.hops.rows import HopRowsMaker
from bellwire.engine.attached.topology import Topology
from bellwire.engine.events import Clock, Records
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.records import RecordKind

REMEMBERED_SECONDS = 10.0  # how long a thread that does nothing is remembered
RATE_SECONDS = 1.0  # over which counts are told a second
BIN_SECONDS, BINS = 0.1, 150
HOST_ENDS = "kvm_pvm"  # where the host itself writes the EOI of what it injects

Bins = dict[int, list[int]]  # number of the bin -> doorbells, interrupts


class Hops:
    """Of one VMM, since it is listened to. backend: the KVM module that does the work."""

    def __init__(self, clock: Clock, backend: str, threads: HopThreads | None = None) -> None:
        self._clock, self._backend = clock, backend
        self._threads = threads or HopThreads()
        self._rows = HopRowsMaker(clock.cycles(REMEMBERED_SECONDS))
        self.doorbells = DoorbellFold(clock)
        self.interrupts = InterruptFold(clock, self._threads, backend == HOST_ENDS)
        self.halts, self.exits = HaltFold(clock), ExitFold(clock)
        self.one_at_a_time = OneAtATime(clock)
        self._bin, self._bins = clock.cycles(BIN_SECONDS), Bins()
        self._begun = self._complete = self._lost = 0
        self._exits_told = False
        self._counted = deque[tuple[int, Counter[Hashable]]]()

    def feed(self, records: Records, topology: Topology, complete: int, lost: int = 0) -> None:
        """The next batch, rising by tsc. topology: as it is now. complete: TSC up to which everything is there.

        lost: records so far that found no room.
        """
        if not self._begun:  # what the first batch brings has come since it is listened, not since it was taken
            self._begun = int(records["tsc"][0]) if records.size else complete
            self._counted.append((self._begun, Counter()))
        self._complete = max(self._complete, complete)
        if lost != self._lost:
            self.one_at_a_time.forget()
            self._lost = lost
        rows, places = self._rows.rows(records), SeenPlaces(topology)
        doorbell = places.doorbell_of(rows)
        self.doorbells.feed(rows, places, doorbell)
        letters = self.interrupts.feed(rows, places, doorbell)
        self.one_at_a_time.feed(letters)
        self.halts.feed(rows, places)
        self.exits.feed(rows, places)
        self._exits_told |= bool((records["kind"] == RecordKind.EXIT_SERVED).any())
        for letter in letters:
            if letter.turn != Turn.TAKEN:
                self._bins.setdefault(letter.tsc // self._bin, [0, 0])[letter.turn == Turn.SENT] += 1
        self._count()

    def _count(self) -> None:
        """Remembers the counts as they are, and forgets those of long ago."""
        counts = Counter[Hashable](self.doorbells.rung)
        interrupts, halts = self.interrupts, self.halts
        for some in (interrupts.sent, interrupts.messages, halts.slept, halts.polled, self.exits.counts):
            counts.update(some)
        self._counted.append((self._complete, counts))
        second = self._clock.cycles(RATE_SECONDS)
        while len(self._counted) > 2 and self._complete - self._counted[1][0] >= second:
            self._counted.popleft()
        oldest = self._complete // self._bin - BINS
        for number in [number for number in self._bins if number < oldest]:
            del self._bins[number]

    def _in_last_second(self, key: Hashable) -> float:
        """How often a second, in the last one."""
        if len(self._counted) < 2:
            return 0.0
        (first, before), (last, now) = self._counted[0], self._counted[-1]
        return (now[key] - before[key]) * 1e9 / max(self._clock.ns(last - first), 1.0)

    # -- figures -------------------------------------------------------------------------------------------------------

    def figures(self, topology: Topology, error: int = 0) -> HopFigures:
        """As of now. error: cycles by which times may be off."""
        sent = sum(count for (_, sender), count in self.interrupts.senders.items() if sender.thread)
        return HopFigures(
            seconds=self._clock.ns(self._complete - self._begun) / 1e9,
            doorbells=tuple(self._doorbell(key, topology) for key in SeenPlaces(topology).doorbells),
            interrupts=tuple(self._interrupt(key, topology) for key in self._interrupt_keys()),
            halts=self._halts(),
            exits=self._exits(),
            messages={key: self._in_last_second(key) for key in self.interrupts.messages},
            journeys=self._latency(self.one_at_a_time.journeys),
            rung=self.one_at_a_time.rung,
            sent=sent,
            lost=self._lost,
            error_ns=self._clock.ns(error),
            exits_told=self._exits_told,
            backend=self._backend,
            emulated=self._clock.emulated,
            waking=self._latency(*self.doorbells.latencies.values()),
            taking=self._latency(*(self.interrupts.latencies[key] for key in self._from_outside())),
            bin_seconds=BIN_SECONDS,
            rates=self._rates(),
        )

    def _latency(self, *histograms: Histogram) -> HopLatency:
        """Of all of their values; without times where the CPU is emulated."""
        if self._clock.emulated:
            return HopLatency(sum(one.count for one in histograms))
        return HopLatency.of(*histograms)

    def _doorbell(self, key: DoorbellKey, topology: Topology) -> DoorbellHops:
        by = self.doorbells
        threads = sorted((by.woken[one], one[1]) for one in by.woken if one[0] == key)
        woken = tuple(
            WokenThread(self._threads.named(tid, topology), count, self._latency(by.latencies[key, tid]))
            for count, tid in reversed(threads)
        )
        return DoorbellHops(key, by.rung[key], self._in_last_second(key), woken, self.interrupts.direct[key])

    def _interrupt_keys(self) -> list[InterruptKey]:
        keys = {*self.interrupts.sent, *self.interrupts.taken}
        return sorted(keys, key=lambda key: (-1 if key.vm is None else key.vm, key.apic, key.vector))

    def _from_outside(self) -> set[InterruptKey]:
        """Those that anybody but the vCPU itself signals."""
        return {key for key, sender in self.interrupts.senders if sender.thread}

    def _interrupt(self, key: InterruptKey, topology: Topology) -> InterruptHops:
        by = self.interrupts
        senders = tuple(
            InterruptSender(self._threads.named(who.thread, topology) if who.thread else None, who.how, count)
            for (one, who), count in by.senders.most_common()
            if one == key
        )
        taken = by.taken[key] if by.taken and key.vm is not None else None
        return InterruptHops(
            key, by.sent[key], self._in_last_second(key), senders, taken, self._latency(by.latencies[key])
        )

    def _halts(self) -> tuple[HaltHops, ...]:
        by = self.halts
        keys = sorted({*by.slept, *by.polled}, key=lambda key: (key.vm or 0, key.number))
        return tuple(
            HaltHops(key, by.slept[key], by.polled[key], self._in_last_second(key), self._latency(by.latencies[key]))
            for key in keys
        )

    def _exits(self) -> tuple[ExitHops, ...]:
        """Those in which most time was spent come first."""
        by = self.exits
        hops = [
            ExitHops(key, count, self._in_last_second(key), self._latency(by.durations[key]), by.total_ns[key])
            for key, count in by.counts.items()
        ]
        return tuple(sorted(hops, key=lambda one: (one.key.to_user, -one.total_ns, one.key.reason)))

    def _rates(self) -> npt.NDArray[np.int64]:
        """Doorbells and interrupts in each bin that is over, the newest last; shape (2, n)."""
        last, first = self._complete // self._bin, self._begun // self._bin + 1
        numbers = range(max(first, last - BINS), last)
        table = [self._bins.get(number, [0, 0]) for number in numbers]
        return np.array(table, np.int64).reshape(-1, 2).T
