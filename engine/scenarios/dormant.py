"""Settings that do nothing as long as a switch stands as it does, which nobody can throw in a run without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bellwire.engine.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Dormant:
    """A setting that waits for a switch. asleep: whether it does in a scenario. why: ends the sentence about it."""

    key: str
    asleep: Callable[[Scenario], bool]
    why: str


def taken_by_ioeventfd(scenario: Scenario) -> bool:
    """Whether the ioeventfd takes what KVM's ring would keep."""
    doorbell = scenario.doorbell
    return doorbell is not None and doorbell.coalesced and doorbell.ioeventfd and doorbell.hit


def without_ioeventfd(scenario: Scenario) -> bool:
    """Whether there is none that anything could be compared with."""
    return scenario.doorbell is not None and not scenario.doorbell.ioeventfd


def signalled_by_irqfd(scenario: Scenario) -> bool:
    """Whether no interrupt needs anything else. A level has no irqfd that could be switched."""
    interrupt = scenario.interrupt
    return interrupt is not None and interrupt.irqfd and interrupt.trigger == "edge"


def without_irqfd(scenario: Scenario) -> bool:
    """Whether there are none that could take turns."""
    return scenario.interrupt is not None and not scenario.interrupt.irqfd


DORMANT = (
    Dormant("coalesced", taken_by_ioeventfd, "the ioeventfd takes the doorbells: add --set ioeventfd=off"),
    Dormant("datamatch", without_ioeventfd, "there is no ioeventfd: add --set ioeventfd=on"),
    Dormant("ioeventfd_address", without_ioeventfd, "there is no ioeventfd: add --set ioeventfd=on"),
    Dormant("irqfds", without_irqfd, "there is no irqfd: add --set irqfd=on"),
    Dormant("ioctl", signalled_by_irqfd, "the irqfd interrupts: add --set irqfd=off"),
    Dormant("waits", signalled_by_irqfd, "the irqfd interrupts: add --set irqfd=off"),
)


def dormant(scenario: Scenario, asked: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the settings that were asked for and do nothing in a run of this scenario.

    A lab throws switches by itself.
    """
    names = set(asked)
    for setting in DORMANT if scenario.lab is None else ():
        if setting.key in names and setting.asleep(scenario):
            yield f"{setting.key} does nothing in this run while {setting.why}."
