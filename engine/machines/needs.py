"""Which scenarios use a capability of KVM that not all do: without it they, and only they, are not started.

The doctor tells of the same capabilities (engine/host/host.py: CAPABILITIES, those that are "used").
"""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.host.host import CAPABILITIES, capabilities, lacks
from bellwire.engine.scenarios.scenario import Doorbell, Scenario


def is_coalesced(scenario: Scenario) -> bool:
    """Whether KVM keeps its doorbells in a ring, which KVM_CAP_COALESCED_MMIO says where to find."""
    return scenario.doorbell is not None and scenario.doorbell.coalesced


def has_any_length(scenario: Scenario) -> bool:
    """Whether its ioeventfd is of length 0 at some time."""
    doorbell, lab = scenario.doorbell, scenario.lab
    lengths = [step.value for step in lab.steps if step.do == "length"] if lab else []
    return isinstance(doorbell, Doorbell) and 0 in (doorbell.length, *lengths)


def is_resampled(scenario: Scenario) -> bool:
    """Whether its irqfd has a resamplefd."""
    interrupt = scenario.interrupt
    return interrupt is not None and interrupt.trigger == "level" and interrupt.irqfd


def calls_irq_line(scenario: Scenario) -> bool:
    """Whether KVM_IRQ_LINE is called, at some time."""
    interrupt = scenario.interrupt
    may = interrupt is not None and interrupt.ioctl == "irq-line" and not interrupt.waits
    return may and not is_resampled(scenario)


USES: dict[str, Callable[[Scenario], bool]] = {
    "IOEVENTFD_ANY_LENGTH": has_any_length,
    "IRQFD_RESAMPLE": is_resampled,
    "IRQ_INJECT_STATUS": calls_irq_line,
    "SPLIT_IRQCHIP": lambda scenario: scenario.irqchip == "split",
    "COALESCED_MMIO": is_coalesced,
    "COALESCED_PIO": lambda scenario: is_coalesced(scenario) and scenario.doorbell.bus == "pio",  # type: ignore[union-attr]
    "MP_STATE": lambda scenario: scenario.vcpus > 1,
}


def what_is_lacking(scenario: Scenario) -> str:
    """Why this KVM, which has all that every scenario needs, cannot run this one; "" if it can."""
    used = [name for name, uses in USES.items() if uses(scenario)]
    there = capabilities() if used else {}
    missing = [known for known in CAPABILITIES if known.name in used and there.get(known.name, 1) <= 0]
    return lacks(missing) if missing else ""
