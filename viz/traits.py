"""What a scenario is like, in words that the diagram's layouts ask for: "resample", "masked", "two-guests" ..."""

from __future__ import annotations

from engine.scenario import Doorbell, Interrupt, Scenario

# Back ends that look an address up on the fast MMIO bus before they decode the instruction (vmx.c, svm.c).
FAST_MMIO_BACKENDS = ("kvm_intel",)

Traits = frozenset[str]


def traits(scenario: Scenario, backend: str = "") -> Traits:
    """Everything that is true of the scenario and, where it matters, of the KVM back end that runs it."""
    found = {scenario.machine: True, "split": scenario.irqchip == "split"}
    if scenario.doorbell:
        found |= of_doorbell(scenario.doorbell)
        found["mended"] = mended(scenario)
        found["miss"] &= not found["mended"]
        found["fast-mmio"] = found["any-length"] and found["mmio"] and backend in FAST_MMIO_BACKENDS
    if scenario.interrupt:
        found |= of_interrupt(scenario.interrupt)
        found["masking"] = scenario.lab is not None and any(step.do == "mask" for step in scenario.lab.steps)
    found["round-trip"] = found.get("doorbell", False) and found.get("interrupt", False)
    found["event-idx"] = scenario.virtqueue is not None and scenario.virtqueue.event_idx
    return frozenset(name for name, true in found.items() if true)


def mended(scenario: Scenario) -> bool:
    """Whether a lab registers the ioeventfd otherwise in between, so that it takes doorbells now and then."""
    return scenario.lab is not None and any(step.do in ("datamatch", "length") for step in scenario.lab.steps)


def of_doorbell(doorbell: Doorbell) -> dict[str, bool]:
    """How the guest rings."""
    return {
        "doorbell": True,
        doorbell.bus: True,
        "any-length": doorbell.length == 0,
        "miss": not doorbell.hit,
        "queues": doorbell.queues > 1,
        "addresses": doorbell.addresses > 1,
        "coalesced": doorbell.coalesced,
    }


def of_interrupt(interrupt: Interrupt) -> dict[str, bool]:
    """How the guest is interrupted."""
    level = interrupt.trigger == "level"
    return {
        "interrupt": True,
        interrupt.route: True,
        interrupt.ioctl: True,
        "level": level,
        "resample": level and interrupt.irqfd,
        "acknowledged": level and not interrupt.irqfd,
        "masked": interrupt.masked,
        "waits": interrupt.waits,
        "irqfds": interrupt.irqfds > 1,
        "window": interrupt.hold_us > 0,
        "reroute": interrupt.reroute_ms > 0,
        f"by-{interrupt.by}": True,
    }


def fit(traits: Traits, wanted: tuple[str, ...]) -> bool:
    """Whether all that is wanted is there; "!name" wants it not to be."""
    return all((name.removeprefix("!") in traits) is not name.startswith("!") for name in wanted)
