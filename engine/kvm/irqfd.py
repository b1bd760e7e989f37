"""irqfd: whoever signals an eventfd interrupts the guest (virt/kvm/api.rst, 4.75)."""

from __future__ import annotations

import errno

from bellwire.engine._core import lib
from bellwire.engine.errors import check
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.vm import NEEDS_IRQCHIP, Vm
from bellwire.engine.language import tr, tr_later

CLOSED_FIRST = tr_later(
    "Its eventfd was closed before it; the last close ends an irqfd. Close an irqfd before its eventfd."
)


class Irqfd(Owner):
    """While it exists, signalling `eventfd` raises `gsi` (KVM_IRQFD).

    KVM takes the count as it comes: readers of the eventfd find nothing. Without a resamplefd each signal is a pulse.
    """

    def __init__(self, vm: Vm, eventfd: Eventfd, gsi: int, resamplefd: Eventfd | None = None) -> None:
        self.vm, self.eventfd, self.gsi, self.resamplefd = vm, eventfd, gsi, resamplefd
        self.eventfd_id = eventfd.id
        self._assign()
        vm.irqfds.append(self)

    @classmethod
    def with_resample(cls, vm: Vm, eventfd: Eventfd, gsi: int, resamplefd: Eventfd) -> Irqfd:
        """The line stays raised until the guest's EOI; then `resamplefd` is signalled: raise it again if need be."""
        return cls(vm, eventfd, gsi, resamplefd)

    def __str__(self) -> str:
        return tr("GSI {gsi} with resamplefd", gsi=self.gsi) if self.resamplefd else f"GSI {self.gsi}"

    def _assign(self) -> None:
        flags = lib.KVM_IRQFD_FLAG_RESAMPLE if self.resamplefd else 0
        resamplefd = self.resamplefd.fd if self.resamplefd else -1
        result = lib.bw_irqfd(self.vm.fd, self.eventfd.fd, self.gsi, flags, resamplefd)
        check(result, f"KVM_IRQFD assign, {self}", self._why(-result))

    def _why(self, error: int) -> str:
        """The reason and the remedy of a refusal, from what was asked and what is registered."""
        if error == errno.EBUSY:
            remedy = tr("An eventfd raises one GSI: close that irqfd first, or take another eventfd.")
            return f"{self._who_has_it()} {remedy}"
        if error == errno.EINVAL:
            return self._broken_rule()
        if error == errno.EBADF:
            closed = "eventfd" if self.eventfd.fd < 0 or not self.resamplefd else "resamplefd"
            return tr("The {eventfd} is closed.", eventfd=closed)
        return ""

    def _who_has_it(self) -> str:
        registered = [irqfd for vm in self.vm.kvm.vms for irqfd in vm.irqfds if isinstance(irqfd, Irqfd)]
        irqfds = [irqfd for irqfd in registered if irqfd.eventfd_id == self.eventfd_id]
        if not irqfds or self.eventfd_id < 0:
            return tr("This eventfd is an irqfd already.")
        if irqfds[0].vm is self.vm:
            return tr("This eventfd is an irqfd of this VM already: {irqfd}.", irqfd=irqfds[0])
        return tr("This eventfd is an irqfd of another VM already: {irqfd}.", irqfd=irqfds[0])

    def _broken_rule(self) -> str:
        """In the kernel's order."""
        if self.vm.irqchip == "none":
            return NEEDS_IRQCHIP
        if self.vm.irqchip == "split" and self.resamplefd:
            return tr("With a split irqchip the IOAPIC is outside of the kernel, which so sees no EOI to resample at.")
        foreign = "eventfd" if not self.resamplefd or not self.eventfd.genuine else "resamplefd"
        return tr("The file descriptor given as its {eventfd} is not an eventfd.", eventfd=foreign)

    def close(self) -> None:
        """Deassigns it: no interrupt comes of it after this returns, and the eventfd's count is 0. Once."""
        if self in self.vm.irqfds:
            deassign_irqfd(self.vm, self.eventfd, self.gsi)
            self.vm.irqfds.remove(self)


def deassign_irqfd(vm: Vm, eventfd: Eventfd, gsi: int) -> None:
    """KVM_IRQFD with DEASSIGN. The kernel does not say whether there was one."""
    result = lib.bw_irqfd(vm.fd, eventfd.fd, gsi, lib.KVM_IRQFD_FLAG_DEASSIGN, -1)
    reasons = {errno.EBADF: CLOSED_FIRST, errno.EINVAL: tr_later("The file descriptor is not an eventfd.")}
    check(result, f"KVM_IRQFD deassign, GSI {gsi}", reasons.get(-result, ""))
