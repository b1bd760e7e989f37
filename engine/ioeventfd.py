"""ioeventfd: KVM signals an eventfd when the guest writes an address (virt/kvm/api.rst, 4.59)."""

from __future__ import annotations

from engine._core import lib
from engine.errors import check
from engine.owner import Eventfd, Owner
from engine.vm import Vm


class Ioeventfd(Owner):
    """While it exists, KVM signals `eventfd` when the guest writes `address` (KVM_IOEVENTFD)."""

    def __init__(
        self, vm: Vm, eventfd: Eventfd, address: int, length: int, *, pio: bool, datamatch: int | None = None
    ) -> None:
        self._vm, self._eventfd, self._address, self._length = vm, eventfd, address, length
        self._datamatch = datamatch or 0
        self._flags = lib.KVM_IOEVENTFD_FLAG_PIO if pio else 0
        if datamatch is not None:
            self._flags |= lib.KVM_IOEVENTFD_FLAG_DATAMATCH
        self._call(0, "assign")
        self._assigned = True

    def _call(self, flags: int, verb: str) -> None:
        bus = "port" if self._flags & lib.KVM_IOEVENTFD_FLAG_PIO else "address"
        result = lib.bw_ioeventfd(
            self._vm.fd, self._eventfd.fd, self._address, self._length, self._datamatch, self._flags | flags
        )
        check(result, f"KVM_IOEVENTFD {verb} at {bus} {self._address:#x}, length {self._length or 'any'}")

    def close(self) -> None:
        """Deassigns it. The eventfd keeps its count."""
        if self._assigned:
            self._assigned = False
            self._call(lib.KVM_IOEVENTFD_FLAG_DEASSIGN, "deassign")
