"""Coalesced MMIO and PIO: KVM notes the guest's writes in a ring and wakes nobody (virt/kvm/api.rst, 4.116)."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from bellwire.engine._core import ffi, lib
from bellwire.engine.counted import number_of
from bellwire.engine.errors import KvmError, check
from bellwire.engine.kvm.ioeventfd import port_or_address
from bellwire.engine.kvm.owner import Handle, HasFd, Owner
from bellwire.engine.kvm.vm import Vm
from bellwire.engine.language import tr


class CoalescedZone(Owner):
    """While it exists, writes to `size` bytes from `address` go to the ring; they leave to user space if it is full."""

    def __init__(self, vm: Vm, address: int, size: int, *, pio: bool) -> None:
        self.vm, self.address, self.size, self.pio = vm, address, size, pio
        full = tr("This bus has its 1000 devices; coalesced zones count. Close some.")
        result = self._call(1)
        check(result, f"KVM_REGISTER_COALESCED_MMIO at {self}", full if result == -errno.ENOSPC else "")
        self._registered = True

    def __str__(self) -> str:
        return f"{port_or_address(self.pio, self.address)}, {number_of(self.size, 'byte')}"

    def _call(self, on: int) -> int:
        return int(lib.bw_coalesced_zone(self.vm.fd, self.address, self.size, int(self.pio), on))

    def close(self) -> None:
        """Unregisters it. What is in the ring stays there."""
        if self._registered and self.vm.fd >= 0:
            self._registered = False
            check(self._call(0), f"KVM_UNREGISTER_COALESCED_MMIO at {self}")


@dataclass(frozen=True)
class CoalescedWrite:
    """One write of the guest, as the ring keeps it."""

    address: int
    value: int
    length: int
    pio: bool


class CoalescedRing(Handle):
    """The ring of a VM, seen through one of its vCPUs. There is one, so one taker. May be read while the guest runs."""

    def __init__(self, vm: Vm, vcpu: HasFd) -> None:
        """vcpu: one of the VM's vCPUs, which knows the ring in its turn; here its file descriptor is mapped."""
        error = ffi.new("int *")
        super().__init__(lib.bw_coalesced_new(vm.fd, vcpu.fd, error), lib.bw_coalesced_free)
        if self.handle == ffi.NULL:
            unknown = tr("This kernel's KVM has no coalesced writes.") if error[0] == -errno.EOPNOTSUPP else ""
            raise KvmError(tr("mapping the ring of coalesced writes"), -error[0], unknown)
        self.room = int(lib.bw_coalesced_room(self.handle))
        self._out = ffi.new("struct bw_coalesced_write[]", self.room)

    def take(self) -> list[CoalescedWrite]:
        """All that waits, oldest first."""
        count = lib.bw_coalesced_take(self.handle, self._out, self.room)
        return [CoalescedWrite(w.address, w.value, w.length, bool(w.pio)) for w in self._out[0:count]]
