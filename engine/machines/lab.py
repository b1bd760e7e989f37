"""Labs: what a scenario breaks, and mends, by itself, at the times that its file names.

A step that the kernel refuses is no failure of the session: the refusal is an event, EventKind.REFUSED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.errors import KvmError
from bellwire.engine.events import EventKind, Events, Lane, Operation, Setting, Switch, event, no_events
from bellwire.engine.kvm.iothread import IoThread
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.machines.guest import Guest
from bellwire.engine.machines.wires import DoorbellWires, InterruptWires
from bellwire.engine.scenarios.scenario import Doorbell, Lab, LabStep

# The steps that are the live switches; the session throws them.
SWITCHES = {
    "ioeventfd-on": (Switch.IOEVENTFD, True),
    "ioeventfd-off": (Switch.IOEVENTFD, False),
    "irqfd-on": (Switch.IRQFD, True),
    "irqfd-off": (Switch.IRQFD, False),
}


class LabClock:
    """Which steps are due."""

    def __init__(self, lab: Lab | None) -> None:
        self.lab = lab
        self.done = 0  # steps so far
        self._seconds = 0.0

    def advance(self, seconds: float) -> list[LabStep]:
        """Lets time go on; the steps that have become due, in order. Each counts as done."""
        self._seconds += seconds
        due = []
        while self.lab and (next_ := self._next(self.lab)) and next_.at_ms <= self._seconds * 1000:
            due.append(next_)
            self.done += 1
        return due

    def _next(self, lab: Lab) -> LabStep | None:
        """The next step, at its time since the start; None after the last."""
        round_, number = divmod(self.done, len(lab.steps))
        if round_ and not lab.repeat_ms:
            return None
        step = lab.steps[number]
        return replace(step, at_ms=step.at_ms + round_ * lab.repeat_ms)


class LabBench(Protocol):
    """What the steps work on: the parts of a machine with one guest and an I/O thread."""

    guest: Guest
    doorbells: DoorbellWires
    interrupts: InterruptWires
    io_thread: IoThread
    masked: bool  # whether the interrupt's pin is


def do_step(machine: LabBench, step: LabStep) -> Events:
    """Does what is no switch; the events that tell of it."""
    return STEPS[step.do](machine, step.value)


def tell(kind: EventKind, id: int, seq: int, arg: int) -> Events:
    """An event of the engine, now."""
    return event(int(lib.bw_tsc()), kind, Lane.ENGINE, id, seq, arg)


def register_datamatch(machine: LabBench, value: int) -> Events:
    """The ioeventfd waits for another value from now on."""
    return rewired(machine, replace(wired(machine), datamatch=value))


def register_length(machine: LabBench, length: int) -> Events:
    """The ioeventfd waits for writes of another length; 0: any."""
    return rewired(machine, replace(wired(machine), length=length))


def wired(machine: LabBench) -> Doorbell:
    """How the doorbell is registered now."""
    assert machine.doorbells.doorbell is not None
    return machine.doorbells.doorbell


def rewired(machine: LabBench, doorbell: Doorbell) -> Events:
    """There is no way to change an ioeventfd: it is deassigned, and another one assigned."""
    on = machine.doorbells.assigned
    off = tell(EventKind.WIRE, Switch.IOEVENTFD, 0, 0) if on else no_events()  # before: see Session._switch
    machine.doorbells.set_ioeventfd(False)
    machine.doorbells.register_as(doorbell)
    machine.doorbells.set_ioeventfd(on)
    return np.concatenate([off, tell(EventKind.WIRE, Switch.IOEVENTFD, 0, 1) if on else no_events()])


def assign_second_irqfd(machine: LabBench, gsis_further: int) -> Events:
    """Asks for the eventfd, which is an irqfd, to raise another GSI as well. Should KVM do it, it is undone."""
    gsi = machine.interrupts.interrupt.gsi + gsis_further if machine.interrupts.interrupt else 0
    try:
        Irqfd(machine.guest.vm, machine.interrupts.eventfds[0], gsi).close()
    except KvmError as error:
        return tell(EventKind.REFUSED, Operation.IRQFD_ASSIGN, gsi, error.errno)
    return no_events()


def mask_pin(machine: LabBench, _: int) -> Events:
    """As the guest would, by the redirection entry."""
    return set_masked(machine, True)


def unmask_pin(machine: LabBench, _: int) -> Events:
    """The same."""
    return set_masked(machine, False)


def set_masked(machine: LabBench, masked: bool) -> Events:
    """Changes the pin while nothing is signalled, so that it is certain which edges find it masked.

    An irqfd of a pin injects by a work item, which may lag behind the write; its deassign waits for it.
    """
    interrupt, running = machine.interrupts.interrupt, machine.io_thread.orders.running
    assert interrupt is not None
    machine.io_thread.command(running=0)
    on = machine.interrupts.assigned
    machine.interrupts.set_irqfd(False)
    IoapicPin(interrupt.vector, masked=masked).put(machine.guest.vm, interrupt.gsi)
    machine.interrupts.set_irqfd(on)
    machine.masked = masked
    told = tell(EventKind.SETTING, Setting.MASKED, machine.io_thread.signalled, int(masked))
    machine.io_thread.command(running=running)
    return told


def ring(machine: LabBench, times: int) -> Events:
    """Asks the guest for doorbells."""
    for _ in range(times):
        machine.guest.ring_once()
    return no_events()


def interrupt_by_hand(machine: LabBench, times: int) -> Events:
    """Signals interrupts."""
    machine.io_thread.command(singles=machine.io_thread.orders.singles + times)
    return no_events()


def storm(machine: LabBench, accesses: int) -> Events:
    """So often the guest reads and writes where nothing is, before each turn."""
    machine.guest.control(lib.BW_CTL_STORM, "I", accesses)
    return no_events()


def crash(machine: LabBench, _: int) -> Events:
    """Has the guest end by a triple fault."""
    machine.guest.control(lib.BW_CTL_CRASH, "I", 1)
    machine.guest.nudge()
    return no_events()


STEPS: dict[str, Callable[[LabBench, int], Events]] = {
    "datamatch": register_datamatch,
    "length": register_length,
    "second-irqfd": assign_second_irqfd,
    "mask": mask_pin,
    "unmask": unmask_pin,
    "ring": ring,
    "interrupt": interrupt_by_hand,
    "storm": storm,
    "crash": crash,
}
