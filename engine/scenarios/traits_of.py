"""Which traits a scenario has: those of its machine, and what its tables add."""

from __future__ import annotations

from bellwire.engine.scenarios.rules import WAITERS
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Lab, Scenario
from bellwire.engine.scenarios.traits import Trait, Traits

# Back ends that look an address up on the fast MMIO bus before they decode the instruction (vmx.c, svm.c).
FAST_MMIO_BACKENDS = ("kvm_intel",)
ENDING_BACKENDS = ("kvm_pvm",)  # that end an interrupt as they inject it


def traits_of(scenario: Scenario, backend: str = "") -> Traits:
    """Everything that is true of the scenario and, where it matters, of the KVM back end that runs it."""
    doorbell, interrupt, lab = scenario.doorbell, scenario.interrupt, scenario.lab
    found = of_doorbell(doorbell, lab, backend) if doorbell else {}
    found |= of_interrupt(interrupt, lab, backend) if interrupt else {}
    both = doorbell is not None and interrupt is not None
    found |= {Trait.WAITED_FOR: both and scenario.guest in WAITERS}
    qemu = Trait.REAL_QEMU in scenario.machine_kind.traits
    found |= {Trait.QEMU_SERVES: scenario.qemu is not None and scenario.qemu.device == "virtio-blk"}
    found |= {Trait.VMM_EXITS: qemu and doorbell is not None and not doorbell.ioeventfd}
    found |= {Trait.SPLIT: scenario.irqchip == "split", Trait.STORMS: does(lab, "storm")}
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


def of_interrupt(interrupt: Interrupt, lab: Lab | None, backend: str) -> dict[Trait, bool]:
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
        Trait.ENDED_BY_KVM: backend in ENDING_BACKENDS,
        Trait.SECOND_IRQFD: does(lab, "second-irqfd"),
    }


def does(lab: Lab | None, *steps: str) -> bool:
    """Whether a lab has one of these steps."""
    return lab is not None and any(step.do in steps for step in lab.steps)
