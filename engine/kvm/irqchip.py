"""What the interrupt controllers in the kernel hold: local APIC (of a vCPU at rest) and IOAPIC (at any time).

Registers: Intel SDM vol. 3, 11.4.1 for the local APIC; 82093AA data sheet, 3.2.4 for the IOAPIC's redirection entries.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import check
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import Vm
from bellwire.engine.language import tr, tr_later

SPURIOUS, IRR = 0x0F0, 0x200  # offsets of registers; 256 bits are eight registers, 16 bytes apart
APIC_ENABLED = 1 << 8  # in SPURIOUS
LEVEL, REMOTE_IRR, MASKED = 1 << 15, 1 << 14, 1 << 16  # in a redirection entry


@dataclass(frozen=True)
class Lapic:
    """A local APIC. irr: vectors that wait to be taken."""

    irr: frozenset[int]

    @classmethod
    def of(cls, vcpu: Vcpu) -> Lapic:
        """KVM_GET_LAPIC; waits while the vCPU runs."""
        return cls(_vectors(_registers(vcpu), IRR))


def enable_lapic(vcpu: Vcpu) -> None:
    """KVM_SET_LAPIC with the APIC switched on, as the guest's first instructions would."""
    registers = _registers(vcpu)
    (spurious,) = struct.unpack_from("<I", registers, SPURIOUS)
    struct.pack_into("<I", registers, SPURIOUS, spurious | APIC_ENABLED)
    check(lib.bw_vcpu_set_lapic(vcpu.fd, ffi.from_buffer("uint8_t[]", registers)), "KVM_SET_LAPIC")


def _registers(vcpu: Vcpu) -> bytearray:
    registers = bytearray(lib.BW_LAPIC_SIZE)
    out = ffi.from_buffer("uint8_t[]", registers, require_writable=True)
    check(lib.bw_vcpu_get_lapic(vcpu.fd, out), "KVM_GET_LAPIC", tr("The VM has no local APIC in the kernel."))
    return registers


def _vectors(registers: bytearray, offset: int) -> frozenset[int]:
    words = (struct.unpack_from("<I", registers, offset + 16 * number)[0] for number in range(8))
    bits = sum(word << 32 * number for number, word in enumerate(words))
    return frozenset(vector for vector in range(256) if bits >> vector & 1)


@dataclass(frozen=True)
class IoapicPin:
    """A pin of the IOAPIC. waits: its line is high, or its edge waits. remote_irr: passed on, EOI not yet seen."""

    vector: int
    level: bool = False
    masked: bool = False
    destination: int = 0
    waits: bool = False
    remote_irr: bool = False

    @classmethod
    def of(cls, vm: Vm, pin: int) -> IoapicPin:
        """KVM_GET_IRQCHIP."""
        ioapic = ffi.new("struct bw_ioapic *")
        check(lib.bw_vm_get_ioapic(vm.fd, ioapic), "KVM_GET_IRQCHIP IOAPIC", tr("The VM has no IOAPIC in the kernel."))
        entry = int(ioapic.pins[pin])
        return cls(
            vector=entry & 0xFF,
            level=bool(entry & LEVEL),
            masked=bool(entry & MASKED),
            destination=entry >> 56,
            waits=bool(ioapic.irr >> pin & 1),
            remote_irr=bool(entry & REMOTE_IRR),
        )

    def put(self, vm: Vm, pin: int) -> None:
        """KVM_SET_IRQCHIP, as the guest would program it."""
        check(lib.bw_vm_set_ioapic_pin(vm.fd, pin, self.entry), f"KVM_SET_IRQCHIP IOAPIC pin {pin}")

    @property
    def entry(self) -> int:
        """The redirection entry as it is written: vector, trigger mode, mask and destination."""
        return self.vector | LEVEL * self.level | MASKED * self.masked | self.destination << 56


INTERRUPT_REFUSED = {
    errno.ENXIO: tr_later("This VM's PIC and IOAPIC are in the kernel, where interrupts go by GSIs and messages."),
    errno.EEXIST: tr_later("One interrupt waits already: the vCPU has to take it first."),
    errno.EINVAL: tr_later("Vectors end at 255."),
}


def interrupt(vcpu: Vcpu, vector: int) -> None:
    """KVM_INTERRUPT: past every interrupt controller, for VMs without one in the kernel."""
    result = lib.bw_vcpu_interrupt(vcpu.fd, vector)
    check(result, f"KVM_INTERRUPT vector {vector:#x}", INTERRUPT_REFUSED.get(-result, ""))
