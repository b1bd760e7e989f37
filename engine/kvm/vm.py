"""A virtual machine: KVM itself, the guest's memory, the VM with its interrupt controller and routes.

Each noun of KVM owns one C handle or file descriptor and gives it back in close(), which `with` calls. One method is
one ioctl and is named after it; the kernel decides what is allowed, a refusal arrives as KvmError.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Any

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError, NoKvmError, check
from bellwire.engine.kvm.gsi import GsiRoute, broken_rule, default_routes
from bellwire.engine.kvm.owner import Fd, Owner
from bellwire.engine.language import tr, tr_later

__all__ = ["GsiRoute", "Kvm", "Memory", "Vm"]

IRQCHIP_REFUSED = dict.fromkeys(
    (errno.EEXIST, errno.EINVAL),
    tr_later("A VM gets one interrupt controller, split or full, once, and before its first vCPU."),
)
NEEDS_IRQCHIP = tr_later("This VM has no interrupt controller in the kernel: create_irqchip() before the first vCPU.")


REGION_REFUSED = {
    errno.EEXIST: tr_later("Another slot has some of these addresses already: slots do not overlap."),
    errno.EINVAL: tr_later("Addresses and sizes are whole pages, and a slot that has memory keeps its size."),
}


class Kvm(Fd):
    """/dev/kvm, and the VMs made from it. Raises NoKvmError if it cannot be opened or speaks another API."""

    def __init__(self) -> None:
        fd = lib.bw_kvm_open()
        if fd < 0:
            raise NoKvmError(
                tr(
                    "/dev/kvm cannot be opened: {why}. `bellwire doctor` says how to mend it.",
                    why=os.strerror(-fd),
                )
            )
        super().__init__(fd)
        self.vms: list[Vm] = []
        if lib.bw_kvm_api_version(fd) != lib.KVM_API_VERSION:
            self.close()
            raise NoKvmError(
                tr(
                    "This kernel's KVM speaks another API version than {version}; a newer kernel is needed.",
                    version=lib.KVM_API_VERSION,
                )
            )

    def check_extension(self, capability: int) -> int:
        """KVM_CHECK_EXTENSION: 0 if the kernel does not have it."""
        return check(lib.bw_kvm_check_extension(self.fd, capability), f"KVM_CHECK_EXTENSION {capability}")


class Memory(Owner):
    """Guest memory from the guest-physical address `base`: shared with the guest, and never to be trusted.

    Its own page tables show it at 0, wherever it is.
    """

    def __init__(self, size: int = lib.BW_MEMORY_SIZE, base: int = 0) -> None:
        self.base = base
        pointer = ffi.new("void **")
        self._fd = Fd(check(lib.bw_memory_new(size, pointer), tr("{size} bytes of guest memory", size=size)))
        self.size, self.pointer = size, pointer[0]
        self._view: memoryview | None = memoryview(ffi.buffer(self.pointer, size))
        lib.bw_memory_prepare(self.pointer, base)

    @property
    def fd(self) -> int:
        """The memfd behind it, for whoever shall map it as well."""
        return self._fd.fd

    @property
    def address(self) -> int:
        """Where this process has mapped it."""
        return int(ffi.cast("uintptr_t", self.pointer))

    @property
    def bytes(self) -> memoryview:
        """All of it, writable. Only until close()."""
        if self._view is None:
            raise EngineError(tr("The guest's memory was given back already."))
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
            raise EngineError(
                tr(
                    "The guest image {name} is larger than {most} bytes.",
                    name=image.name,
                    most=lib.BW_IMAGE_MAX,
                )
            )
        self.bytes[lib.BW_IMAGE : lib.BW_IMAGE + len(code)] = code

    def close(self) -> None:
        if self._view is not None:
            self._view.release()
            self._view = None
            lib.bw_memory_free(self.pointer, self.size)
        self._fd.close()


class Vm(Fd):
    """A virtual machine, and what is registered with it.

    KVM lists nothing of that, so it is noted here, as long as the kernel has it: `ioeventfds`, `irqfds` and `routes`.
    The first two know the VM, which only keeps them.
    irqchip: "none", "split" (local APICs in the kernel) or "full" (and IOAPIC and PIC).
    """

    def __init__(self, kvm: Kvm) -> None:
        super().__init__(check(lib.bw_vm_create(kvm.fd), "KVM_CREATE_VM"))
        self.kvm = kvm
        self.irqchip = "none"
        self.routes: tuple[GsiRoute, ...] = ()
        self.ioeventfds: list[Owner] = []
        self.irqfds: list[Owner] = []
        kvm.vms.append(self)

    def create_irqchip(self) -> None:
        """KVM_CREATE_IRQCHIP: PIC, IOAPIC and local APICs in the kernel; irqfd needs it."""
        result = lib.bw_vm_create_irqchip(self.fd)
        check(result, "KVM_CREATE_IRQCHIP", IRQCHIP_REFUSED.get(-result, ""))
        self.irqchip, self.routes = "full", default_routes()

    def enable_split_irqchip(self, pins: int = lib.BW_IOAPIC_PINS) -> None:
        """KVM_CAP_SPLIT_IRQCHIP: only the local APICs are in the kernel; `pins` GSIs are left to an IOAPIC outside."""
        result = lib.bw_vm_enable_split_irqchip(self.fd, pins)
        check(result, f"KVM_ENABLE_CAP SPLIT_IRQCHIP of {pins} pins", IRQCHIP_REFUSED.get(-result, ""))
        self.irqchip = "split"

    def set_user_memory_region(self, memory: Memory) -> None:
        """KVM_SET_USER_MEMORY_REGION: all of `memory` from guest-physical address 0."""
        self._set_memory(0, 0, memory.size, memory.pointer)

    def add_vcpu_memory(self, memory: Memory, control: Memory | None = None) -> None:
        """KVM_SET_USER_MEMORY_REGION: the memory of another vCPU at its base; with the control page of `control`."""
        page, size = lib.BW_CONTROL, lib.BW_PAGE_SIZE
        parts = [(memory, 0, page), (control or memory, page, size), (memory, page + size, memory.size - page - size)]
        for slot, (source, offset, length) in enumerate(parts, 2):
            place = ffi.cast("char *", source.pointer) + offset
            self._set_memory(slot, memory.base + offset, length, place)

    def map_control_page(self, memory: Memory) -> None:
        """KVM_SET_USER_MEMORY_REGION: the control page of another guest's memory, behind this guest's own."""
        page = ffi.cast("char *", memory.pointer) + lib.BW_CONTROL
        self._set_memory(1, lib.BW_PEER_CONTROL, lib.BW_PAGE_SIZE, page)

    def _set_memory(self, slot: int, address: int, size: int, place: Any) -> None:
        result = lib.bw_vm_set_memory(self.fd, slot, address, size, place)
        operation = f"KVM_SET_USER_MEMORY_REGION, slot {slot}, {size:#x} bytes from {address:#x}"
        check(result, operation, REGION_REFUSED.get(-result, ""))

    def set_gsi_routing(self, *routes: GsiRoute) -> None:
        """KVM_SET_GSI_ROUTING: replaces the whole table, at once and for irqfds that exist already too."""
        table = ffi.new("struct bw_route[]", [route.as_c() for route in routes])
        result = lib.bw_set_gsi_routing(self.fd, table, len(routes))
        check(result, f"KVM_SET_GSI_ROUTING of {len(routes)} routes", broken_rule(routes, self.irqchip))
        self.routes = routes

    def irq_line(self, gsi: int, level: int) -> int:
        """KVM_IRQ_LINE_STATUS -> how many chips passed it on; 0: merged with one that waits; -1: masked, no route."""
        status = ffi.new("int32_t *")
        result = lib.bw_irq_line_status(self.fd, gsi, level, status)
        check(result, f"KVM_IRQ_LINE, GSI {gsi} to {level}", NEEDS_IRQCHIP if self.irqchip == "none" else "")
        return int(status[0])

    def signal_msi(self, route: GsiRoute) -> int:
        """KVM_SIGNAL_MSI -> vCPUs that took it."""
        low, high = route.address & 0xFFFFFFFF, route.address >> 32
        result = lib.bw_signal_msi(self.fd, low, high, route.data)
        return check(result, f"KVM_SIGNAL_MSI vector {route.data:#x}", NEEDS_IRQCHIP if self.irqchip == "none" else "")

    def close(self) -> None:
        """Gives it back. The kernel drops its irqfds now, the rest once the vCPUs are closed as well."""
        if self.fd >= 0:
            self.kvm.vms.remove(self)
        super().close()
        self.ioeventfds, self.irqfds = [], []
