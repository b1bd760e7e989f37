"""What a running VMM has registered with KVM, as it is seen from outside: the parts, and how they hang together.

Nothing here is the VMM's word: it is what the kernel's own lists hold at a moment (engine/kernel), joined by the ids of
eventfds with the processes that hold them. The parts are named as in linux/kvm.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch


@dataclass(frozen=True)
class SeenIoeventfd:
    """A doorbell that KVM takes itself. fast: it is on the bus that is looked up by address alone as well.

    bus: IoMatch's, or "ccw", which no guest of x86 reaches. eventfd: the kernel's number of the eventfd it signals.
    """

    match: IoMatch
    eventfd: int
    fast: bool = False


@dataclass(frozen=True)
class SeenIrqfd:
    """Who signals `eventfd` raises `gsi`. resample: the id of the eventfd that the guest's EOI signals; None: none."""

    eventfd: int
    gsi: int
    resample: int | None = None


@dataclass(frozen=True)
class SeenVcpu:
    """number: KVM's id of it. tid: the thread that ran it last, None: none has. thread: its name.

    counters: KVM's own ones, by their names in KVM_GET_STATS_FD; of those that this kernel has.
    """

    number: int
    tid: int | None
    thread: str = ""
    counters: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class SeenVm:
    """fd: the VMM's number of it, None: it has closed it. irqchip: "none", "full", "split", "": not told.

    The parts are in the order in which KVM has them; routes by GSI.
    """

    fd: int | None
    irqchip: str = ""
    vcpus: tuple[SeenVcpu, ...] = ()
    ioeventfds: tuple[SeenIoeventfd, ...] = ()
    irqfds: tuple[SeenIrqfd, ...] = ()
    routes: tuple[GsiRoute, ...] = ()

    def leads_to(self, gsi: int) -> tuple[GsiRoute, ...]:
        """Where a GSI leads: one message, or pins; () if nowhere."""
        return self._by_gsi.get(gsi, ())

    def message_of(self, irqfd: SeenIrqfd) -> GsiRoute | None:
        """The message that an irqfd leads to; None if it leads to pins, or nowhere."""
        (route, *more) = self.leads_to(irqfd.gsi) or (None,)
        return None if route is None or more or not route.address else route

    @cached_property
    def _by_gsi(self) -> dict[int, tuple[GsiRoute, ...]]:
        found: dict[int, tuple[GsiRoute, ...]] = {}
        for route in self.routes:
            found[route.gsi] = (*found.get(route.gsi, ()), route)
        return found

    @property
    def eventfds(self) -> set[int]:
        """The ids of all that it has to do with."""
        resampled = {irqfd.resample for irqfd in self.irqfds if irqfd.resample is not None}
        doorbells = {ioeventfd.eventfd for ioeventfd in self.ioeventfds}
        return doorbells | resampled | {irqfd.eventfd for irqfd in self.irqfds}


@dataclass(frozen=True)
class SeenHits:
    """How often the guest has written at a place since the first look.

    bus: "pio", "mmio", "fast": MMIO that is looked up by address alone, so that length and value are not known. value:
    0 where it does not matter.
    """

    bus: str
    address: int
    length: int
    value: int
    count: int


@dataclass(frozen=True)
class Topology:
    """A VMM's at a moment.

    eventfds: id -> its own fds of it. counts: id -> what nobody has taken yet, of those. holders: id -> the other
    processes that have it as well; of those that may be looked at, and hidden: how many may not. settled: whether two
    looks in a row saw the same; else somebody was changing it all the time. dropped: entries that were gone before they
    could be read. untold: of "vcpus", "ioeventfds", "irqfds" and "routes" those that this kernel keeps in a way that is
    not known; they are empty. hits: None: nobody counts them.
    """

    process: KvmProcess
    vms: tuple[SeenVm, ...]
    eventfds: dict[int, tuple[int, ...]] = field(default_factory=dict)
    holders: dict[int, tuple[EventfdHolder, ...]] = field(default_factory=dict)
    hidden: int = 0
    settled: bool = True
    dropped: int = 0
    untold: tuple[str, ...] = ()
    counts: dict[int, int] = field(default_factory=dict, compare=False)
    hits: tuple[SeenHits, ...] | None = field(default=None, compare=False)

    def times_rung(self, doorbell: SeenIoeventfd) -> int | None:
        """How often the guest rang a doorbell of this VMM's since the first look; None: not counted."""
        if self.hits is None:
            return None
        match = doorbell.match
        return sum(
            hit.count
            for hit in self.hits
            if (hit.bus == "fast" and doorbell.fast and hit.address == match.address)
            or match.takes(hit.bus, hit.address, hit.length, hit.value)
        )

    @property
    def partners(self) -> tuple[tuple[int, str], ...]:
        """The other processes that hold an end of one of its wires: pid and name, by pid."""
        wired = set().union(*(vm.eventfds for vm in self.vms)) if self.vms else set()
        return tuple(sorted({(one.pid, one.name) for number in wired for one in self.holders.get(number, ())}))
