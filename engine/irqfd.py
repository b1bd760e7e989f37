"""irqfd: whoever signals an eventfd interrupts the guest (virt/kvm/api.rst, 4.75)."""

from __future__ import annotations

from engine._core import lib
from engine.errors import check
from engine.owner import Eventfd, Owner
from engine.vm import Vm


class Irqfd(Owner):
    """While it exists, signalling `eventfd` raises `gsi` (KVM_IRQFD)."""

    def __init__(self, vm: Vm, eventfd: Eventfd, gsi: int) -> None:
        self._vm, self._eventfd, self._gsi = vm, eventfd, gsi
        self._call(0, "assign")
        self._assigned = True

    def _call(self, flags: int, verb: str) -> None:
        result = lib.bw_irqfd(self._vm.fd, self._eventfd.fd, self._gsi, flags, 0)
        check(result, f"KVM_IRQFD {verb}, GSI {self._gsi}")

    def close(self) -> None:
        """Deassigns it: no interrupt comes of it after this returns."""
        if self._assigned:
            self._assigned = False
            self._call(lib.KVM_IRQFD_FLAG_DEASSIGN, "deassign")
