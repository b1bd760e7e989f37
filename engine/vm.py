"""A virtual machine: KVM itself, the VM with its memory, and where its GSIs lead.

Each noun of KVM owns one C handle or file descriptor and gives it back in close(), which `with` calls. One method is
one ioctl and is named after it; the kernel decides what is allowed, a refusal arrives as KvmError.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from engine._core import ffi, lib
from engine.errors import EngineError, NoKvmError, check
from engine.owner import Fd, Owner


class Kvm(Fd):
    """/dev/kvm. Raises NoKvmError if it cannot be opened or speaks another API."""

    def __init__(self) -> None:
        fd = lib.bw_kvm_open()
        if fd < 0:
            raise NoKvmError(f"/dev/kvm cannot be opened: {os.strerror(-fd)}. `bellwire doctor` says how to mend it.")
        super().__init__(fd)
        if lib.bw_kvm_api_version(fd) != lib.KVM_API_VERSION:
            self.close()
            raise NoKvmError("This kernel's KVM speaks another API version than 12; a newer kernel is needed.")

    def check_extension(self, capability: int) -> int:
        """KVM_CHECK_EXTENSION: 0 if the kernel does not have it."""
        return check(lib.bw_kvm_check_extension(self.fd, capability), f"KVM_CHECK_EXTENSION {capability}")


class Memory(Owner):
    """Guest memory from address 0: shared with the guest, and never to be trusted."""

    def __init__(self, size: int = lib.BW_MEMORY_SIZE) -> None:
        pointer = ffi.new("void **")
        self._fd = Fd(check(lib.bw_memory_new(size, pointer), f"{size} bytes of guest memory"))
        self.size, self.pointer = size, pointer[0]
        self._view: memoryview | None = memoryview(ffi.buffer(self.pointer, size))
        lib.bw_memory_prepare(self.pointer)

    @property
    def bytes(self) -> memoryview:
        """All of it, writable. Only until close()."""
        if self._view is None:
            raise EngineError("The guest's memory was given back already.")
        return self._view

    def put(self, address: int, layout: str, value: int) -> None:
        """Stores one little-endian number; `layout` as in struct, "I" 4 bytes or "Q" 8."""
        struct.pack_into(f"<{layout}", self.bytes, address, value)

    def get(self, address: int, layout: str) -> int:
        """Loads one little-endian number."""
        value: int = struct.unpack_from(f"<{layout}", self.bytes, address)[0]
        return value

    def load(self, image: Path) -> None:
        """Puts a guest's flat image where it is linked to."""
        code = image.read_bytes()
        if len(code) > lib.BW_IMAGE_MAX:
            raise EngineError(f"The guest image {image.name} is larger than {lib.BW_IMAGE_MAX} bytes.")
        self.bytes[lib.BW_IMAGE : lib.BW_IMAGE + len(code)] = code

    def close(self) -> None:
        if self._view is not None:
            self._view.release()
            self._view = None
            lib.bw_memory_free(self.pointer, self.size)
        self._fd.close()


@dataclass(frozen=True)
class GsiRoute:
    """Where a GSI leads: a message to a local APIC, or a pin of the IOAPIC."""

    gsi: int
    type: int
    pin: int = 0
    address: int = 0
    data: int = 0

    @classmethod
    def msi(cls, gsi: int, vector: int, apic: int = 0) -> GsiRoute:
        """A message to the local APIC `apic` (Intel SDM vol. 3, 11.11)."""
        return cls(gsi, lib.BW_ROUTE_MSI, address=0xFEE00000 | apic << 12, data=vector)

    @classmethod
    def ioapic(cls, gsi: int, pin: int) -> GsiRoute:
        """A pin of the IOAPIC; the guest has programmed what it raises."""
        return cls(gsi, lib.BW_ROUTE_IOAPIC, pin=pin)

    def as_c(self) -> tuple[int, int, int, int, int, int]:
        """In the order of struct bw_route."""
        return (self.gsi, self.type, self.pin, self.address & 0xFFFFFFFF, self.address >> 32, self.data)


class Vm(Fd):
    """A virtual machine with its memory and an interrupt controller in the kernel."""

    def __init__(self, kvm: Kvm) -> None:
        super().__init__(check(lib.bw_vm_create(kvm.fd), "KVM_CREATE_VM"))
        self.kvm = kvm

    def create_irqchip(self) -> None:
        """KVM_CREATE_IRQCHIP: PIC, IOAPIC and local APICs in the kernel; irqfd needs it."""
        check(lib.bw_vm_create_irqchip(self.fd), "KVM_CREATE_IRQCHIP")

    def set_user_memory_region(self, memory: Memory) -> None:
        """KVM_SET_USER_MEMORY_REGION: all of `memory` from guest-physical address 0."""
        check(lib.bw_vm_set_memory(self.fd, 0, 0, memory.size, memory.pointer), "KVM_SET_USER_MEMORY_REGION")

    def set_gsi_routing(self, *routes: GsiRoute) -> None:
        """KVM_SET_GSI_ROUTING: replaces the whole table."""
        table = ffi.new("struct bw_route[]", [route.as_c() for route in routes])
        check(lib.bw_set_gsi_routing(self.fd, table, len(routes)), f"KVM_SET_GSI_ROUTING of {len(routes)} routes")

    def signal_msi(self, route: GsiRoute) -> int:
        """KVM_SIGNAL_MSI -> vCPUs that took it."""
        low, high = route.address & 0xFFFFFFFF, route.address >> 32
        return check(lib.bw_signal_msi(self.fd, low, high, route.data), f"KVM_SIGNAL_MSI vector {route.data:#x}")
