"""What has changed between two looks at a VMM: each part that was registered or taken away, as a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import named_pid
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.language import tr

SeenPart = SeenVm | SeenVcpu | SeenIoeventfd | SeenIrqfd | GsiRoute | EventfdHolder


@dataclass(frozen=True)
class TopologyChange:
    """One part that has come, or gone. what: ioeventfd, irqfd, route, vcpu, vm or holder.

    vm: the VMM's fd of the VM that it is of. eventfd: of a holder, the eventfd that it holds.
    """

    what: str
    added: bool
    part: SeenPart
    vm: int | None = None
    eventfd: int | None = None

    def __str__(self) -> str:
        words = {"eventfd": self.eventfd, "part": part_words(self.part)}
        if self.what == "holder":
            if self.added:
                return tr("{part} holds eventfd {eventfd} now.", **words)
            return tr("{part} does not hold eventfd {eventfd} any more.", **words)
        return tr("New: {part}.", **words) if self.added else tr("Gone: {part}.", **words)


def part_words(part: SeenPart) -> str:
    """A part, in words."""
    match part:
        case SeenIoeventfd():
            return tr("ioeventfd at {place} to eventfd {eventfd}", place=part.match, eventfd=part.eventfd)
        case SeenIrqfd():
            return tr("irqfd of eventfd {eventfd} to GSI {gsi}", eventfd=part.eventfd, gsi=part.gsi)
        case GsiRoute():
            return tr("route of {route}", route=part)
        case SeenVcpu():
            return tr("vCPU {number}", number=part.number)
        case EventfdHolder():
            return named_pid(part.name, part.pid)
        case SeenVm():
            return tr("VM of fd {fd}", fd="–" if part.fd is None else part.fd)


def topology_changes(before: Topology, after: Topology) -> list[TopologyChange]:
    """What is there now and was not, and what was and is not; in the order of the parts."""
    return [
        *_parts("vm", [vm_itself(vm) for vm in before.vms], [vm_itself(vm) for vm in after.vms]),
        *_in_vms(before, after),
        *_of_holders(before, after),
    ]


def vm_itself(vm: SeenVm) -> SeenVm:
    """A VM without its parts."""
    return SeenVm(vm.fd)


def _in_vms(before: Topology, after: Topology) -> Iterator[TopologyChange]:
    olds, news = {vm.fd: vm for vm in before.vms}, {vm.fd: vm for vm in after.vms}
    for fd in (*news, *(fd for fd in olds if fd not in news)):
        old, new = olds.get(fd, SeenVm(fd)), news.get(fd, SeenVm(fd))
        yield from _parts("vcpu", list(old.vcpus), list(new.vcpus), fd)
        yield from _parts("ioeventfd", list(old.ioeventfds), list(new.ioeventfds), fd)
        yield from _parts("irqfd", list(old.irqfds), list(new.irqfds), fd)
        yield from _parts("route", list(old.routes), list(new.routes), fd)


def _of_holders(before: Topology, after: Topology) -> Iterator[TopologyChange]:
    for number in sorted({*before.holders, *after.holders}):
        old, new = before.holders.get(number, ()), after.holders.get(number, ())
        yield from _parts("holder", list(old), list(new), None, number)


def _parts(
    what: str, old: list[SeenPart], new: list[SeenPart], vm: int | None = None, eventfd: int | None = None
) -> Iterator[TopologyChange]:
    """Equal parts may be there several times: each counts."""
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    for added, parts in ((False, gone), (True, come)):
        yield from (TopologyChange(what, added, part, vm, eventfd) for part in parts.elements())
