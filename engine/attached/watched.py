"""A VMM that is looked at again and again: the newest look, counts a second, and what has changed."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from bellwire.engine.attached.attachment import Attachment
from bellwire.engine.attached.changes import topology_changes
from bellwire.engine.attached.device_names import DeviceNames
from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.attached.hops.hops import Hops
from bellwire.engine.attached.hops.interrupts import MessageKey
from bellwire.engine.attached.processes import KvmProcess, kvm_processes
from bellwire.engine.attached.stream import AttachedStream
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, Topology
from bellwire.engine.attached.wirings import Wirings
from bellwire.engine.errors import EngineError
from bellwire.engine.host.host import kvm_backend
from bellwire.engine.kernel.program import known_tracepoints
from bellwire.engine.kernel.records import no_records
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.python_thread import begin_thread

LOOK_SECONDS = 0.2
LIST_SECONDS = 2.0  # from one list of the processes to the next
JOIN_SECONDS = 5.0  # that a thread is waited for; what it waits for itself ends it then
RATE_SECONDS = 1.0  # over which counts are told a second
CHANGES_KEPT = 50

# (VM's fd, vCPU, counter), or (VM's fd, a doorbell, or an interrupt)
RateKey = tuple[int | None, int, str] | tuple[int | None, SeenIoeventfd | SeenIrqfd]
Rates = dict[RateKey, float]  # -> a second


class WatchedVmm:
    """What was seen so far. changes: the newest ones, as sentences with the time of day.

    stream: what the kernel tells of it, which is drained here. hops: what that comes to; None until something has come,
    or without a stream. records: the newest batch of it, rising by tsc. unheard, unnamed: why nothing comes, and why
    QEMU names its devices no more, as sentences.
    """

    def __init__(
        self, attachment: Attachment, names: DeviceNames | None = None, stream: AttachedStream | None = None
    ) -> None:
        self.attachment, self.names, self.stream = attachment, names, stream
        self.hops: HopFigures | None = None
        self.records = no_records()
        self.unheard = self.unnamed = ""
        self._hops = Hops(stream.clock, kvm_backend()) if stream else None
        self._wirings: Wirings | None = None
        self.changes = deque[str](maxlen=CHANGES_KEPT)
        self._looks = deque[tuple[float, Topology]]()

    def look(self) -> list[str]:
        """Takes one look more. What has changed since the one before, as sentences."""
        seen = self.attachment.look()
        found = [str(change) for change in topology_changes(self.topology, seen)] if self._looks else []
        self._looks.append((time.monotonic(), seen))
        while len(self._looks) > 2 and self._looks[-1][0] - self._looks[1][0] >= RATE_SECONDS:
            self._looks.popleft()
        if found and self.names:
            self._ask_again(self.names)
        clock = time.strftime("%H:%M:%S")
        self.changes.extend(f"{clock}  {sentence}" for sentence in found)
        self._listen(seen)
        return found

    def _ask_again(self, names: DeviceNames) -> None:
        try:
            names.ask()
        except EngineError as error:
            self.names, self.unnamed = None, str(error)
            names.close()

    def _listen(self, seen: Topology) -> None:
        """What the kernel has told since the look before."""
        if self.stream is None or self._hops is None:
            return
        self.stream.follow(seen)
        self.records = self.stream.take()
        self.unheard = str(self.stream.refused or "")
        if self.stream.ready:
            self._wirings = self._wirings or Wirings(self.stream.clock, seen, self.attachment.looked[1])
            self._wirings.look(seen, *self.attachment.looked)
            for part in self._wirings.parts(self.records, self.stream.complete):
                self._hops.feed(part.records, part.topology, self.stream.complete, self.stream.lost)
            self.hops = self._hops.figures(seen, self.stream.error)

    @property
    def topology(self) -> Topology:
        """The newest look."""
        return self._looks[-1][1]

    @property
    def rates(self) -> Rates:
        """Counts a second, over the last second; {} after the first look."""
        (first, before), (last, seen) = self._looks[0], self._looks[-1]
        counted = rates_between(before, seen, last - first)
        if not counted or not self.hops or self.unheard:
            return counted
        return counted | rung_rates(self.hops) | sent_rates(seen, self.hops)


def rates_between(before: Topology, after: Topology, seconds: float) -> Rates:
    """How much each counter has grown a second; of those that both looks have seen."""
    old = dict(counted_by(before))
    return {key: (count - old[key]) / seconds for key, count in counted_by(after) if key in old and seconds > 0}


def counted_by(topology: Topology) -> Iterator[tuple[RateKey, int]]:
    """Every counter of every vCPU; how often each doorbell was rung, if that is counted."""
    for vm in topology.vms:
        for vcpu in vm.vcpus:
            yield from (((vm.fd, vcpu.number, name), count) for name, count in vcpu.counters.items())
        for doorbell in vm.ioeventfds:
            if (rung := topology.times_rung(doorbell)) is not None:
                yield (vm.fd, doorbell), rung


def rung_rates(hops: HopFigures) -> Rates:
    """How often each doorbell was rung in the last second, of which a place's count holds what came without it as well.

    Where something was lost only that count is whole.
    """
    return {} if hops.lost else {(one.key.vm, one.key.doorbell): one.last_second for one in hops.doorbells}


def sent_rates(topology: Topology, hops: HopFigures) -> Rates:
    """How often each interrupt's message was sent in the last second; none of what leads to pins.

    A message says not whom it is for: the hops know it by what came before it. Where several VMs of this VMM have the
    same one, or several irqfds lead to it, none is told.
    """
    rates: Rates = {}
    for vm in topology.vms:
        routes = {irqfd: route for irqfd in vm.irqfds if (route := vm.message_of(irqfd))}
        messages = Counter((route.address, route.data) for route in routes.values())
        for irqfd, route in routes.items():
            message = route.address, route.data
            if messages[message] == 1 and MessageKey(None, *message) not in hops.messages:
                rates[vm.fd, irqfd] = hops.messages.get(MessageKey(vm.fd, *message), 0.0)
    return rates


@dataclass(frozen=True)
class VmmSeen:
    """One look with all that belongs to it, which nobody changes. names: what QEMU calls what is at doorbells.

    hops: None: nothing has come yet. unheard, unnamed: why there are none, as sentences.
    """

    topology: Topology
    rates: Rates
    changes: tuple[str, ...] = ()
    hops: HopFigures | None = None
    unheard: str = ""
    names: dict[IoMatch, str] = field(default_factory=dict)
    unnamed: str = ""


class Watcher(Owner):
    """A thread that watches a process, for who may not wait: `newest` is what it has seen.

    Nothing but that is shared: whoever reads it gets one look with all that belongs to it.
    """

    def __init__(self, pid: int) -> None:
        self.newest: VmmSeen | None = None  # None: nothing was seen yet
        self.ended = ""  # why it looks no more, as a sentence
        self._pid, self._stop, self._unnamed = pid, threading.Event(), ""
        self._come = SimpleQueue[DeviceNames]()  # from the threads that have asked for them
        self._thread = threading.Thread(target=self._watch, name="attached", daemon=True)
        begin_thread(self._thread)

    def ask_names(self, path: Path) -> None:
        """Lets QEMU's control channel at this path name the devices, as soon as it answers."""
        begin_thread(threading.Thread(target=self._ask_names, args=(path,), name="names", daemon=True))

    def _ask_names(self, path: Path) -> None:
        try:
            names = DeviceNames(path)
        except EngineError as error:
            self._unnamed = str(error)
            return
        self._unnamed = ""
        self._come.put(names)
        if self._stop.is_set():
            self._close_names(None)

    def _watch(self) -> None:
        try:
            with ExitStack() as stack:
                attachment = stack.enter_context(Attachment(self._pid, counting=True))
                stream = stack.enter_context(AttachedStream(attachment.process))
                watched = WatchedVmm(attachment, stream=stream)
                stack.callback(lambda: self._close_names(watched.names))
                while not self._stop.is_set():
                    self._look(watched)
                    self._stop.wait(LOOK_SECONDS)
        except EngineError as error:
            self.ended = str(error)

    def _look(self, watched: WatchedVmm) -> None:
        """One look more."""
        while not self._come.empty():
            if watched.names:
                watched.names.close()
            watched.names = self._come.get()
        watched.look()
        self._unnamed = watched.unnamed or self._unnamed
        named = watched.names.name_of if watched.names else lambda _: ""
        places = {one.match for vm in watched.topology.vms for one in vm.ioeventfds}
        names = {place: name for place in places if (name := named(place))}
        told = (tuple(watched.changes), watched.hops, watched.unheard, names, self._unnamed)
        self.newest = VmmSeen(watched.topology, watched.rates, *told)

    def _close_names(self, names: DeviceNames | None) -> None:
        """That channel, and those that came too late."""
        if names:
            names.close()
        while not self._come.empty():
            self._come.get().close()

    def close(self) -> None:
        """Ends the thread, which may look for a moment more. May be called again."""
        self._stop.set()
        self._thread.join(JOIN_SECONDS)


class ProcessLister(Owner):
    """A thread that lists the processes that have a VM, again and again, for who may not wait.

    newest: they, once known. refusal: why nothing can be seen in this kernel; "" if it can, None: not known yet.
    """

    def __init__(self) -> None:
        self.newest: list[KvmProcess] | None = None
        self.refusal: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._list, name="processes", daemon=True)
        begin_thread(self._thread)

    def _list(self) -> None:
        while not self._stop.is_set():
            self.newest = kvm_processes()
            if self.refusal is None:
                self.refusal = sight_refusal()
            self._stop.wait(LIST_SECONDS)

    def close(self) -> None:
        """Ends the thread. May be called again."""
        self._stop.set()
        self._thread.join(JOIN_SECONDS)


def sight_refusal() -> str:
    """Why nothing can be seen in this kernel by this user, as a sentence; "" if it can."""
    try:
        known_tracepoints()
    except EngineError as error:
        return str(error)
    return ""
