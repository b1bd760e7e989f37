"""What the engine costs the thing that it measures: the same round trip with and without instrumentation.

Both loops run the same guest program; the bare one is compiled without stamps and answered by plain blocking read() and
write() in C (engine/core/bare.c). What is compared is the period of the loop, flat out, seen by the answering thread on
one clock, in short turns one after the other, so that the machine's moods fall on both. Whoever starts the bare loop
sleeps until it is over.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, replace

import numpy as np

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import check
from bellwire.engine.events import Clock, EventKind
from bellwire.engine.kernel.program import KernelSightError
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.live.session import Session
from bellwire.engine.machines.one_guest import IO_RING, OneGuest
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario

FLAT_OUT = Pace(math.inf, 1, "hlt")
WARM_UP = 200  # rounds left out at the begin of each turn


@dataclass(frozen=True)
class Ratio:
    """Two ways of doing the same, in turns: the median of each in ns, and the ratios of the pairs of turns."""

    first_ns: float
    second_ns: float
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios, first / second."""
        return statistics.median(self.ratios)


def flat_out(name: str) -> Scenario:
    """A scenario that waits for nothing but its answers."""
    return replace(load_scenario(name), pace=FLAT_OUT)


def median_period_ns(tsc: np.ndarray[tuple[int], np.dtype[np.uint64]], clock: Clock) -> float:
    """The median time between two of these, after the warm-up."""
    return clock.ns(float(np.median(np.diff(tsc[WARM_UP:].astype(np.int64)))))


def bare_period_ns(rounds: int) -> float:
    """The round trip's period with nothing in the way."""
    scenario = replace(flat_out("roundtrip"), guest="roundtrip-bare")
    machine = OneGuest(scenario)
    try:
        tsc = np.zeros(rounds, np.uint64)
        machine.guest.start(machine.cpus[0])
        machine.wait_until_ready()
        machine.set_pace(FLAT_OUT, running=True)
        done = lib.bw_bare_loop(
            machine.doorbells.eventfds[0].fd,
            machine.interrupts.eventfds[0].fd,
            machine.guest.memory.pointer,
            rounds,
            ffi.cast("uint64_t *", ffi.from_buffer(tsc)),
            machine.cpus[1],
        )
        check(done, "the bare loop")
        return median_period_ns(tsc, machine.clock)
    finally:
        machine.close()


def instrumented_period_ns(rounds: int, *, kernel: bool = False) -> float:
    """The same in a Session: stamps, rings, engine thread and all. kernel: whether its inside is watched as well."""
    batches, received = [], 0
    with Session(flat_out("roundtrip"), limit=rounds, kernel=kernel) as session:
        while received < rounds and session.alive:
            time.sleep(0.01)
            events = session.take()
            batches.append(events[events["kind"] == EventKind.DOORBELL])
            received += len(batches[-1])
        clock = session.clock
    if session.error:
        raise session.error
    if session.unseen:
        raise KernelSightError(session.unseen)
    return median_period_ns(np.concatenate(batches)["tsc"], clock)


def instrumentation_ratios(turns: int = 9, rounds: int = 8000) -> Ratio:
    """Instrumented against bare, in turns."""
    pairs = [(instrumented_period_ns(rounds), bare_period_ns(rounds)) for _ in range(turns)]
    first, second = zip(*pairs, strict=True)
    return Ratio(statistics.median(first), statistics.median(second), tuple(a / b for a, b in pairs))


def watching_ratios(turns: int = 9, rounds: int = 8000) -> Ratio:
    """With the inside of the kernel watched against without, in turns. KernelSightError where it cannot be."""
    pairs = [(instrumented_period_ns(rounds, kernel=True), instrumented_period_ns(rounds)) for _ in range(turns)]
    first, second = zip(*pairs, strict=True)
    return Ratio(statistics.median(first), statistics.median(second), tuple(a / b for a, b in pairs))


class SyntheticProducer:
    """A C thread that fills a ring at a rate; drain() is the consumer's side."""

    def __init__(self, events: int, per_second: int, capacity: int = IO_RING) -> None:
        self._ring = Ring(capacity)
        self._out = ffi.new("struct bw_event[]", capacity)
        self._capacity = capacity
        self.drained = 0
        self._handle = lib.bw_synthetic_start(self._ring.handle, events, per_second)

    def drain(self) -> int:
        """Takes what there is. Returns how many events."""
        count = self._ring.drain(self._out, self._capacity)
        self.drained += count
        return count

    @property
    def running(self) -> bool:
        """Whether it still pushes."""
        return bool(lib.bw_synthetic_running(self._handle))

    @property
    def dropped(self) -> int:
        """Events that found the ring full."""
        return self._ring.dropped

    def close(self) -> None:
        """Ends the thread and frees the ring."""
        lib.bw_synthetic_free(self._handle)
        self._ring.close()
