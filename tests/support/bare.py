"""Virtual machines with nothing in them but what a test asks for, and guests of a few instructions.

A guest starts in 64-bit mode at ENTRY and ends by writing the exit port. What it runs is put together from bytes here.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self, TypeVar

from bellwire.engine._core import lib
from bellwire.engine.errors import KvmError
from bellwire.engine.host.host import kvm_backend
from bellwire.engine.kvm.irqchip import Lapic, enable_lapic
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import GsiRoute, Kvm, Memory, Vm
from bellwire.engine.verdict import Verdict
from tests.support.sessions import PATIENCE

MEMORY = 0x100000
ENTRY = lib.BW_IMAGE
HANDLER, IDT, IDT_REGISTER = ENTRY + 0x800, ENTRY + 0x1000, ENTRY + 0x2000
PAGE = 0xD0001000  # a page begins here, and all around there is nothing
PORT, MMIO = 0x510, PAGE - 0x100
T = TypeVar("T", bound=Owner)
BACKEND = kvm_backend()
KERNEL = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
ONE_VM_ONLY = KERNEL >= (6, 17)  # since then an eventfd is the irqfd of one VM at most


def answer(call: Callable[[], object]) -> str:
    """What the kernel says: "ok", or the name of its errno."""
    try:
        call()
    except KvmError as error:
        return errno.errorcode[error.errno]
    return "ok"


def errno_of(result: int) -> str:
    """The same of what a C function returned."""
    return "ok" if result >= 0 else errno.errorcode[-result]


def wait_for(done: Callable[[], bool]) -> None:
    """Until `done`: for what the kernel does in its own time. Fails if it never is."""
    until = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.0002)


@dataclass(frozen=True)
class Outcome:
    """What a guest's run came to: how often it left to user space, not counting its end."""

    pio: int
    mmio: int
    others: dict[str, int]


class Bare(Owner):
    """A VM with an irqchip ("none", "split", "full") and vCPUs, whose local APICs are on; memory only for a guest."""

    def __init__(
        self,
        irqchip: str = "none",
        vcpus: int = 0,
        *,
        memory: bool = False,
        enable: bool = True,
        kvm: Kvm | None = None,
    ) -> None:
        self._stack = ExitStack()
        self.kvm = kvm or self.own(Kvm())
        self.vm = self.own(Vm(self.kvm))
        if irqchip == "full":
            self.vm.create_irqchip()
        elif irqchip == "split":
            self.vm.enable_split_irqchip()
        self.memory = self.own(Memory(MEMORY))
        if memory:
            self.vm.set_user_memory_region(self.memory)
        self.vcpus = [self.own(Vcpu(self.vm, self.memory, None, number)) for number in range(vcpus)]
        for vcpu in self.vcpus if irqchip != "none" and enable else ():
            enable_lapic(vcpu)

    def own(self, thing: T) -> T:
        """Closes it with the VM, before it; returns it."""
        self._stack.enter_context(thing)
        return thing

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def eventfd(self, count: int = 0) -> Eventfd:
        """One that is closed with the VM."""
        return self.own(Eventfd(count))

    def irr(self, vcpu: int = 0) -> set[int]:
        """Vectors that wait at a vCPU."""
        return set(Lapic.of(self.vcpus[vcpu]).irr)

    def route(self, *routes: GsiRoute) -> None:
        self.vm.set_gsi_routing(*routes)

    # -- guests ------------------------------------------------------------------------------------------------------

    def load(self, code: bytes, handler: bytes = b"", vector: int = 0) -> None:
        """The code, ended by the exit port; and the handler of a vector, which ends there too."""
        self.memory.bytes[ENTRY : ENTRY + len(code) + len(LEAVE)] = code + LEAVE
        if vector:
            self.memory.bytes[HANDLER : HANDLER + len(handler) + len(LEAVE)] = handler + LEAVE
            gate = struct.pack("<HHHHII", HANDLER & 0xFFFF, 8, 0x8E00, HANDLER >> 16, 0, 0)
            self.memory.bytes[IDT + 16 * vector : IDT + 16 * vector + 16] = gate
            self.memory.bytes[IDT_REGISTER : IDT_REGISTER + 10] = struct.pack("<HQ", 0xFFF, IDT)

    def run(self, code: bytes = b"", handler: bytes = b"", vector: int = 0, vcpu: int = 0) -> Outcome:
        """Runs a vCPU, once, until the guest ends."""
        self.load(code, handler, vector)
        self.vcpus[vcpu].start()
        return self.finish(vcpu)

    def finish(self, number: int = 0) -> Outcome:
        """Waits until the guest has ended by itself."""
        vcpu = self.vcpus[number]
        wait_for(lambda: vcpu.ended)
        assert vcpu.ending().verdict is Verdict.ENDED
        exits = vcpu.exits()
        return Outcome(exits.pop("IO") - 1, exits.pop("MMIO", 0), exits)


# -- instructions (Intel SDM vol. 2) -----------------------------------------------------------------------------------

LEAVE = b"\x66\xba" + lib.BW_PORT_EXIT.to_bytes(2, "little") + b"\xef"  # mov $exit, %dx; out %eax, %dx
OUT = {1: b"\xee", 2: b"\x66\xef", 4: b"\xef"}  # out %al/%ax/%eax, %dx
IN = {1: b"\xec", 2: b"\x66\xed", 4: b"\xed"}
STORE = {1: b"\x88\x03", 2: b"\x66\x89\x03", 4: b"\x89\x03", 8: b"\x48\x89\x03"}  # mov %al/%ax/%eax/%rax, (%rbx)
LOAD = {1: b"\x8a\x03", 2: b"\x66\x8b\x03", 4: b"\x8b\x03", 8: b"\x48\x8b\x03"}
LIDT = b"\x0f\x01\x1c\x25" + struct.pack("<I", IDT_REGISTER)
WAIT = LIDT + b"\xfb\xf4"  # sti; hlt
EOI = b"\xbb" + struct.pack("<I", lib.BW_LOCAL_APIC + 0xB0) + b"\xc7\x03\0\0\0\0"  # movl $0, end of interrupt


def out(port: int, size: int, value: int = 0) -> bytes:
    """Writes a port."""
    return b"\x66\xba" + struct.pack("<H", port) + b"\xb8" + struct.pack("<I", value) + OUT[size]


def inp(port: int, size: int) -> bytes:
    """Reads a port."""
    return b"\x66\xba" + struct.pack("<H", port) + IN[size]


def store(address: int, size: int, value: int = 0) -> bytes:
    """Writes an address below 4 GiB."""
    return b"\xbb" + struct.pack("<I", address) + b"\x48\xb8" + struct.pack("<Q", value) + STORE[size]


def load(address: int, size: int) -> bytes:
    """Reads an address below 4 GiB."""
    return b"\xbb" + struct.pack("<I", address) + LOAD[size]


def write(bus: str, address: int, size: int, value: int = 0) -> bytes:
    """Writes on either bus."""
    return out(address, size, value) if bus == "pio" else store(address, size, value)


def read(bus: str, address: int, size: int) -> bytes:
    """Reads on either bus."""
    return inp(address, size) if bus == "pio" else load(address, size)
