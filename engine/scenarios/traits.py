"""What is true of a scenario, as far as pictures, captions, ways and panels ask for it.

They ask for traits and for nothing else, so that a new machine is drawn and told of as what it is like, and nobody has
to know its name. What numbers and values there are, the scenario itself says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Lab, Scenario

# Back ends that look an address up on the fast MMIO bus before they decode the instruction (vmx.c, svm.c).
FAST_MMIO_BACKENDS = ("kvm_intel",)


class Trait(StrEnum):
    """True of a scenario, or not. assets/diagrams/*.toml ask for them by these values."""

    # of its machine: engine/scenarios/machines.py
    DIRECT = "direct"  # each doorbell interrupts, and no thread of this process waits for it
    PARTNERED = "partnered"  # so it is, and another process waits for the doorbell and interrupts
    TWO_GUESTS = "two-guests"  # one rings, the other is interrupted
    TWO_VCPUS = "two-vcpus"
    IO_URING = "io-uring"  # each interrupt is the completion of a read
    VIRTQUEUE = "virtqueue"  # doorbells and interrupts tell of buffers
    # of its doorbell
    DOORBELL = "doorbell"
    FAST_MMIO = "fast-mmio"  # looked up before the instruction is decoded
    MISS = "miss"  # the ioeventfd never takes it
    MENDED = "mended"  # it does not, but a lab registers it otherwise now and then
    QUEUES = "queues"  # several eventfds at one address
    ADDRESSES = "addresses"  # several addresses of one eventfd
    COALESCED = "coalesced"
    # of its interrupt
    INTERRUPT = "interrupt"
    ANSWERED = "answered"  # each read of the doorbell is answered by one
    MSI = "msi"
    IOAPIC = "ioapic"
    SIGNAL_MSI = "signal-msi"  # what is used while the irqfd is off
    IRQ_LINE = "irq-line"
    WAITS = "waits"  # nothing is used: the eventfd keeps the count
    IRQFDS = "irqfds"  # several
    LEVEL = "level"
    RESAMPLE = "resample"  # a level that KVM lowers
    ACKNOWLEDGED = "acknowledged"  # a level that the VMM lowers, once the guest has told it
    MASKED = "masked"
    MASKING = "masking"  # a lab masks the pin now and then
    WINDOW = "window"  # the guest keeps interrupts off for a while
    REROUTE = "reroute"
    # of both
    ROUND_TRIP = "round-trip"


Traits = frozenset[Trait]


def traits_of(scenario: Scenario, backend: str = "") -> Traits:
    """Everything that is true of the scenario and, where it matters, of the KVM back end that runs it."""
    doorbell, interrupt, lab = scenario.doorbell, scenario.interrupt, scenario.lab
    found = of_doorbell(doorbell, lab, backend) if doorbell else {}
    found |= of_interrupt(interrupt, lab) if interrupt else {}
    both = doorbell is not None and interrupt is not None
    found |= {Trait.ROUND_TRIP: both, Trait.ANSWERED: both and interrupt is not None and interrupt.by == "guest"}
    return scenario.machine_kind.traits | {trait for trait, true in found.items() if true}


def of_doorbell(doorbell: Doorbell, lab: Lab | None, backend: str) -> dict[Trait, bool]:
    """How the guest rings."""
    mended = does(lab, "datamatch", "length")
    any_length = doorbell.bus == "mmio" and doorbell.length == 0
    return {
        Trait.DOORBELL: True,
        Trait.FAST_MMIO: any_length and backend in FAST_MMIO_BACKENDS,
        Trait.MISS: not doorbell.hit and not mended,
        Trait.MENDED: mended,
        Trait.QUEUES: doorbell.queues > 1,
        Trait.ADDRESSES: doorbell.addresses > 1,
        Trait.COALESCED: doorbell.coalesced,
    }


def of_interrupt(interrupt: Interrupt, lab: Lab | None) -> dict[Trait, bool]:
    """How the guest is interrupted."""
    level = interrupt.trigger == "level"
    return {
        Trait.INTERRUPT: True,
        Trait(interrupt.route): True,
        Trait(interrupt.ioctl): True,
        Trait.WAITS: interrupt.waits,
        Trait.IRQFDS: interrupt.irqfds > 1,
        Trait.LEVEL: level,
        Trait.RESAMPLE: level and interrupt.irqfd,
        Trait.ACKNOWLEDGED: level and not interrupt.irqfd,
        Trait.MASKED: interrupt.masked,
        Trait.MASKING: does(lab, "mask"),
        Trait.WINDOW: interrupt.hold_us > 0,
        Trait.REROUTE: interrupt.reroute_ms > 0,
    }


def does(lab: Lab | None, *steps: str) -> bool:
    """Whether a lab has one of these steps."""
    return lab is not None and any(step.do in steps for step in lab.steps)
