"""What is known of a VMM's hops at a moment, for who shows it: plain figures that nobody changes any more."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.hops.exits import ExitKey
from bellwire.engine.attached.hops.halts import VcpuKey
from bellwire.engine.attached.hops.interrupts import InterruptKey, MessageKey, SignalledBy
from bellwire.engine.attached.hops.places import DoorbellKey, HopThread
from bellwire.engine.folds.histogram import Histogram

CURVE_EDGES: npt.NDArray[np.float64] = np.logspace(2, 10, 193)  # ns, 24 to a decade


@dataclass(frozen=True)
class HopLatency:
    """count: how many were measured. p50, p99, max: ns; None: too few for it.

    curve: how many lie between neighbours of CURVE_EDGES.
    """

    count: int = 0
    p50: int | None = None
    p99: int | None = None
    max: int | None = None
    curve: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(CURVE_EDGES.size - 1), compare=False)

    @classmethod
    def of(cls, *histograms: Histogram) -> HopLatency:
        """Of the values of all of these."""
        some = [one for one in histograms if one.count]
        if not some:
            return cls()
        whole = some[0]
        if len(some) > 1:
            whole = some[0].copy()
            for one in some[1:]:
                whole.merge(one)
        percentiles = whole.known_percentile(50), whole.known_percentile(99)
        return cls(whole.count, *percentiles, whole.max, whole.density(CURVE_EDGES))


@dataclass(frozen=True)
class WokenThread:
    """A thread that a doorbell wakes. count: how often. latency: from the guest's store to its having a CPU."""

    thread: HopThread
    count: int
    latency: HopLatency


@dataclass(frozen=True)
class DoorbellHops:
    """A doorbell. rung: how often since it is listened to; last_second: how often a second, in the last one.

    woken: whom it wakes, the most frequent first. direct: how often it was an interrupt at once.
    """

    key: DoorbellKey
    rung: int
    last_second: float
    woken: tuple[WokenThread, ...] = ()
    direct: int = 0


@dataclass(frozen=True)
class InterruptSender:
    """Who signals an interrupt, how, and how often. thread: None: the vCPU itself."""

    thread: HopThread | None
    how: SignalledBy
    count: int


@dataclass(frozen=True)
class InterruptHops:
    """A vector at a local APIC. latency: from the message to its being taken. taken: None: this KVM does not tell."""

    key: InterruptKey
    sent: int
    last_second: float
    senders: tuple[InterruptSender, ...] = ()
    taken: int | None = None
    latency: HopLatency = HopLatency()

    @property
    def from_outside(self) -> bool:
        """Whether anybody but the vCPU itself signals it."""
        return any(sender.how != SignalledBy.ITSELF for sender in self.senders)


@dataclass(frozen=True)
class HaltHops:
    """A vCPU's halts. latency: from its waking to its having a CPU; of those in which it slept."""

    key: VcpuKey
    slept: int
    polled: int
    last_second: float  # of both
    latency: HopLatency = HopLatency()


@dataclass(frozen=True)
class ExitHops:
    """A reason for an exit. total_ns: how long all of those took together."""

    key: ExitKey
    count: int
    last_second: float
    duration: HopLatency = HopLatency()
    total_ns: int = 0


@dataclass(frozen=True)
class HopFigures:
    """All of it. seconds: for how long has been listened. lost: records. error_ns: by which times may be off.

    rung, sent: of all doorbells and of all interrupts from outside. exits_told: whether the kernel tells of each exit.
    emulated: whether the CPU is, so that there are no times.
    messages: how often each was sent in the last second.
    journeys: of the doorbells that were alone under way. waking, taking: of all doorbells and such interrupts. rates:
    doorbells and interrupts in each of the last bins, which are bin_seconds long, newest last; shape (2, n).
    """

    seconds: float = 0.0
    doorbells: tuple[DoorbellHops, ...] = ()
    interrupts: tuple[InterruptHops, ...] = ()
    halts: tuple[HaltHops, ...] = ()
    exits: tuple[ExitHops, ...] = ()
    messages: dict[MessageKey, float] = field(default_factory=dict)
    journeys: HopLatency = HopLatency()
    rung: int = 0
    sent: int = 0
    lost: int = 0
    error_ns: float = 0.0
    exits_told: bool = False
    emulated: bool = False
    backend: str = ""
    waking: HopLatency = HopLatency()
    taking: HopLatency = HopLatency()
    bin_seconds: float = 0.1
    rates: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 0), np.int64), compare=False)
