"""ioeventfd: KVM signals an eventfd when the guest writes an address (virt/kvm/api.rst, 4.59)."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Self

from bellwire.engine._core import lib
from bellwire.engine.errors import check
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.vm import Vm
from bellwire.engine.language import tr, tr_as, tr_later

ANY_LENGTH = 0
LENGTHS = (ANY_LENGTH, 1, 2, 4, 8)
ADDRESSES = 1 << 64

CLOSED_FIRST = tr_later(
    "Its eventfd was closed before it: until the VM is gone, KVM swallows the guest's writes there and tells nobody. "
    "Close an ioeventfd before its eventfd."
)


def port_or_address(pio: bool, number: int) -> str:
    """Where on a bus, in words."""
    return tr("port {address:#x}", address=number) if pio else tr("address {address:#x}", address=number)


@dataclass(frozen=True)
class IoMatch:
    """The writes that an ioeventfd takes. bus: "pio" or "mmio". length: bytes, 0: any. datamatch: None: any."""

    bus: str
    address: int
    length: int
    datamatch: int | None = None

    def __str__(self) -> str:
        place = port_or_address(self.bus == "pio", self.address)
        length = tr("length {size}", size=self.length) if self.length else tr("any length")
        value = tr("any value") if self.datamatch is None else tr("value {value:#x}", value=self.datamatch)
        return f"{place}, {length}, {value}"

    @property
    def flags(self) -> int:
        """KVM_IOEVENTFD_FLAG_*."""
        pio = lib.KVM_IOEVENTFD_FLAG_PIO if self.bus == "pio" else 0
        return int(pio | (lib.KVM_IOEVENTFD_FLAG_DATAMATCH if self.datamatch is not None else 0))

    def takes(self, bus: str, address: int, length: int, value: int) -> bool:
        """Whether KVM takes this write: exactly this address, and length and value unless any will do."""
        here = bus == self.bus and address == self.address
        return here and (not self.length or (length == self.length and self.datamatch in (None, value)))

    def collides(self, other: IoMatch) -> bool:
        """Whether KVM refuses one when it has the other (EEXIST): both could take a write that starts there."""
        if (self.bus, self.address) != (other.bus, other.address):
            return False
        if ANY_LENGTH in (self.length, other.length):
            return True
        same_value = self.datamatch == other.datamatch or None in (self.datamatch, other.datamatch)
        return self.length == other.length and same_value

    def broken_rule(self) -> str:
        """The first rule of KVM's that it breaks, as a sentence; "" if none. For the message: the kernel decides."""
        if self.length not in LENGTHS:
            return tr("A length is 1, 2, 4 or 8 bytes, or 0 for any.")
        if self.length and self.address + self.length >= ADDRESSES:
            return tr("The address space ends before the write does.")
        if not self.length and self.datamatch is not None:
            return tr("With any length there is no value to compare: give a length, or no datamatch.")
        return ""


class Ioeventfd(Owner):
    """While it exists, KVM signals `eventfd` when the guest writes `address` (KVM_IOEVENTFD).

    An eventfd may have any number of them, on both buses and in several VMs. Close them before it.
    """

    def __init__(
        self, vm: Vm, eventfd: Eventfd, address: int, length: int, *, pio: bool, datamatch: int | None = None
    ) -> None:
        self.vm, self.eventfd = vm, eventfd
        self.match = IoMatch("pio" if pio else "mmio", address, length, datamatch)
        self._assign()
        vm.ioeventfds.append(self)

    @classmethod
    def of(cls, vm: Vm, eventfd: Eventfd, match: IoMatch) -> Self:
        """The same, of what it takes."""
        return cls(vm, eventfd, match.address, match.length, pio=match.bus == "pio", datamatch=match.datamatch)

    def _assign(self) -> None:
        result = _call(self.vm, self.eventfd, self.match, 0)
        check(result, f"KVM_IOEVENTFD assign at {self.match}", self._why(-result))

    def _why(self, error: int) -> str:
        """The reason and the remedy of a refusal, from what was asked and what is registered."""
        if error == errno.EEXIST:
            return self._who_is_there()
        if error == errno.EINVAL:
            return self.match.broken_rule() or tr("The file descriptor is not an eventfd.")
        if error == errno.EBADF:
            return tr("The eventfd is closed.")
        if error == errno.ENOSPC:
            return tr("This bus is full: coalesced zones and devices count, ioeventfds do not. Close some zones.")
        return ""

    def _who_is_there(self) -> str:
        registered = [other.match for other in self.vm.ioeventfds if isinstance(other, Ioeventfd)]
        others = [str(match) for match in registered if match.collides(self.match)]
        there = tr_as("between places", " and ").join(others) or tr("one that was not made here")
        return tr(
            "Registered already: {there}. Close it first, or tell them apart by address, length or datamatch.",
            there=there,
        )

    def close(self) -> None:
        """Deassigns it; the eventfd keeps its count. KvmError if the eventfd was closed before it."""
        if self in self.vm.ioeventfds:
            deassign_ioeventfd(self.vm, self.eventfd, self.match)
            self.vm.ioeventfds.remove(self)


def deassign_ioeventfd(vm: Vm, eventfd: Eventfd, match: IoMatch) -> None:
    """KVM_IOEVENTFD with DEASSIGN, of exactly what was assigned."""
    result = _call(vm, eventfd, match, lib.KVM_IOEVENTFD_FLAG_DEASSIGN)
    reasons = {
        errno.ENOENT: tr_later(
            "No such registration: bus, address, length, datamatch and eventfd must be those of the assign."
        ),
        errno.EBADF: CLOSED_FIRST,
        errno.EINVAL: tr_later("The file descriptor is not an eventfd."),
    }
    check(result, f"KVM_IOEVENTFD deassign at {match}", reasons.get(-result, ""))


def _call(vm: Vm, eventfd: Eventfd, match: IoMatch, flags: int) -> int:
    return int(
        lib.bw_ioeventfd(vm.fd, eventfd.fd, match.address, match.length, match.datamatch or 0, match.flags | flags)
    )
