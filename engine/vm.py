"""The nouns of KVM: a virtual machine, its vCPU, its I/O thread, an ioeventfd, an irqfd, a GSI's route.

Each owns one C handle or file descriptor and gives it back in close(), which `with` calls. One method is one ioctl and
is named after it; the kernel decides what is allowed, a refusal arrives as KvmError.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine._core import ffi, lib
from engine.errors import EngineError, KvmError, NoKvmError, check

JOIN_MS = 2000  # how long a thread may take to end
COMMAND_MS = 1000  # how long the I/O thread may take to obey

VERDICTS = {
    lib.BW_VERDICT_NONE: "is running",
    lib.BW_VERDICT_STOPPED: "was stopped",
    lib.BW_VERDICT_GUEST: "ended by itself",
    lib.BW_VERDICT_SHUTDOWN: "shut down (triple fault)",
    lib.BW_VERDICT_INTERNAL: "met an instruction that KVM cannot emulate (internal error, suberror {detail})",
    lib.BW_VERDICT_ENTRY: "could not be entered (hardware reason {detail:#x})",
    lib.BW_VERDICT_RUN: "could not be run: {strerror}",
    lib.BW_VERDICT_UNKNOWN: "left for a reason that is not served here ({reason})",
}

EXIT_REASONS: dict[int, str] = {
    getattr(lib, f"KVM_EXIT_{name}"): name
    for name in (
        *("UNKNOWN", "EXCEPTION", "IO", "HYPERCALL", "DEBUG", "HLT", "MMIO", "IRQ_WINDOW_OPEN", "SHUTDOWN"),
        *("FAIL_ENTRY", "INTR", "INTERNAL_ERROR", "SYSTEM_EVENT", "IOAPIC_EOI"),
    )
}


def exit_name(reason: int) -> str:
    """The name of a KVM_EXIT_* number, as linux/kvm.h has it, or "reason 99"."""
    return EXIT_REASONS.get(reason, f"reason {reason}")


class Owner:
    """Something that is closed once, by `with` or by hand."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Fd(Owner):
    """An open file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Eventfd(Fd):
    """A counter that one side adds to and the other reads (eventfd(2))."""

    def __init__(self, count: int = 0, flags: int = 0) -> None:
        super().__init__(check(lib.bw_eventfd_new(count, flags), "eventfd()"))

    def count(self) -> int:
        """The count now, without taking it (proc(5), /proc/[pid]/fdinfo)."""
        for line in Path(f"/proc/self/fdinfo/{self.fd}").read_text().splitlines():
            if line.startswith("eventfd-count:"):
                return int(line.split()[1], 16)
        return 0


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


class Ring(Owner):
    """A ring of events that a C thread fills (core/ring.c)."""

    def __init__(self, capacity: int) -> None:
        self.handle = lib.bw_ring_new(capacity)
        if self.handle == ffi.NULL:
            raise EngineError(f"No memory for a ring of {capacity} events (a power of two is needed).")

    @property
    def dropped(self) -> int:
        """Events that found it full."""
        return int(lib.bw_ring_dropped(self.handle))

    def drain(self, out: Any, room: int) -> int:
        """Moves up to `room` events to the C array `out`. Returns how many."""
        return int(lib.bw_ring_drain(self.handle, out, room))

    def close(self) -> None:
        if self.handle != ffi.NULL:
            lib.bw_ring_free(self.handle)
        self.handle = ffi.NULL


class Vcpu(Owner):
    """One virtual CPU and the thread that runs it (core/vcpu.c)."""

    def __init__(self, vm: Vm, memory: Memory, ring: Ring | None, number: int = 0) -> None:
        error = ffi.new("int *")
        pointer = ring.handle if ring else ffi.NULL
        self._handle = lib.bw_vcpu_new(vm.fd, vm.kvm.fd, number, memory.pointer, pointer, error)
        if self._handle == ffi.NULL:
            raise KvmError(f"KVM_CREATE_VCPU {number}", -error[0])
        check(lib.bw_vcpu_prepare(self._handle, lib.BW_IMAGE, lib.BW_PAGE_TABLES), "setting up the vCPU's registers")

    @property
    def fd(self) -> int:
        """The vCPU's file descriptor. Its ioctls block while it runs."""
        return int(lib.bw_vcpu_fd(self._handle))

    def tsc_hz(self) -> float:
        """TSC cycles a second (KVM_GET_TSC_KHZ)."""
        return 1000.0 * check(lib.bw_vcpu_tsc_khz(self._handle), "KVM_GET_TSC_KHZ")

    def tsc_offset(self) -> int:
        """Cycles that the guest's TSC is ahead of the host's; 0 if the kernel does not tell."""
        offset = ffi.new("int64_t *")
        return int(offset[0]) if lib.bw_vcpu_tsc_offset(self._handle, offset) == 0 else 0

    def set_doorbell(self, eventfd: Eventfd, address: int, *, pio: bool) -> None:
        """Doorbells that leave to user space are relayed to this eventfd. Before start()."""
        lib.bw_vcpu_set_doorbell(self._handle, lib.BW_BUS_PIO if pio else lib.BW_BUS_MMIO, address, eventfd.fd)

    def start(self, cpu: int = -1) -> None:
        """Starts the thread, on one CPU if given."""
        check(lib.bw_vcpu_start(self._handle, cpu), "starting the vCPU thread")

    @property
    def ended(self) -> bool:
        """Whether the thread has left its loop."""
        return bool(lib.bw_vcpu_state(self._handle) == lib.BW_VCPU_ENDED)

    def verdict(self) -> str:
        """What became of the guest, as the end of a sentence."""
        detail = ffi.new("uint64_t *")
        verdict = lib.bw_vcpu_verdict(self._handle, detail)
        value = int(detail[0])
        known = value if value < 200 else 0
        return VERDICTS[verdict].format(detail=value, strerror=os.strerror(known), reason=exit_name(value))

    def exits(self) -> dict[str, int]:
        """Returns of KVM_RUN by reason."""
        counts = {exit_name(reason): int(lib.bw_vcpu_exits(self._handle, reason)) for reason in EXIT_REASONS}
        return {name: count for name, count in counts.items() if count}

    def relayed(self) -> int:
        """Doorbells that were relayed to the eventfd by user space."""
        return int(lib.bw_vcpu_relayed(self._handle))

    def stop(self) -> None:
        """Ends the thread: KVM_RUN returns at once. EngineError if it does not within JOIN_MS."""
        lib.bw_vcpu_stop(self._handle)
        if lib.bw_vcpu_join(self._handle, JOIN_MS) == -errno.ETIMEDOUT:
            raise EngineError(f"The vCPU thread did not end within {JOIN_MS} ms; it is left behind.")

    def close(self) -> None:
        if self._handle == ffi.NULL:
            return
        self.stop()
        lib.bw_vcpu_free(self._handle)
        self._handle = ffi.NULL


@dataclass
class Orders:
    """What the I/O thread does: struct bw_orders."""

    path: int = lib.BW_PATH_IRQFD
    signal: int = lib.BW_SIGNAL_NEVER
    period: int = lib.BW_PERIOD_BY_HAND
    burst: int = 1
    running: int = 1
    limit: int = 2**64 - 1
    singles: int = 0

    def as_c(self) -> Any:
        """A struct bw_orders."""
        return ffi.new("struct bw_orders *", vars(self))


class IoThread(Owner):
    """The host side: sleeps in read() of the doorbell, signals interrupts (core/iothread.c)."""

    def __init__(
        self, vm: Vm, memory: Memory, ring: Ring, doorbell: Eventfd, irq: Eventfd, route: GsiRoute | None, hz: float
    ) -> None:
        error = ffi.new("int *")
        wiring = {"vm": vm.fd, "doorbell": doorbell.fd, "irqfd": irq.fd, "memory": memory.pointer, "hz": round(hz)}
        if route:
            wiring |= {"gsi": route.gsi, "msi_address": route.address, "msi_data": route.data}
        self._handle = lib.bw_iothread_new(ffi.new("struct bw_wiring *", wiring), ring.handle, error)
        if self._handle == ffi.NULL:
            raise KvmError("setting up the I/O thread", -error[0])
        self.orders = Orders()

    def start(self, cpu: int = -1) -> None:
        """Starts the thread with `orders`, on one CPU if given."""
        check(lib.bw_iothread_start(self._handle, self.orders.as_c(), cpu), "starting the I/O thread")

    def command(self, **changes: int) -> None:
        """Changes orders; when this returns they are in force."""
        for name, value in changes.items():
            setattr(self.orders, name, value)
        check(lib.bw_iothread_command(self._handle, self.orders.as_c(), COMMAND_MS), "changing the I/O thread's orders")

    @property
    def reads(self) -> int:
        """How often read() of the doorbell returned a count."""
        return int(lib.bw_iothread_reads(self._handle))

    @property
    def received(self) -> int:
        """The sum of the counts read."""
        return int(lib.bw_iothread_received(self._handle))

    @property
    def signalled(self) -> int:
        """Interrupts signalled."""
        return int(lib.bw_iothread_signalled(self._handle))

    @property
    def refused(self) -> int:
        """Interrupts that the kernel answered with an error."""
        return int(lib.bw_iothread_refused(self._handle))

    @property
    def failure(self) -> int:
        """The errno that troubled it, or 0."""
        return int(lib.bw_iothread_failure(self._handle))

    def stop(self) -> None:
        """Ends the thread. EngineError if it does not within JOIN_MS."""
        if lib.bw_iothread_stop(self._handle, JOIN_MS) == -errno.ETIMEDOUT:
            raise EngineError(f"The I/O thread did not end within {JOIN_MS} ms; it is left behind.")

    def close(self) -> None:
        if self._handle == ffi.NULL:
            return
        self.stop()
        lib.bw_iothread_free(self._handle)
        self._handle = ffi.NULL
