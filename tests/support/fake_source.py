"""A source without KVM: a small world that rings, answers and can be switched, driven by a clock that tests move."""

from __future__ import annotations

import math

import numpy as np

from bellwire.engine.errors import EngineError
from bellwire.engine.events import (
    BUFFERS_ADDED,
    BUFFERS_USED,
    EVENT,
    Clock,
    EventfdRole,
    EventKind,
    Events,
    IrqIoctl,
    Lane,
    Setting,
    Switch,
)
from bellwire.engine.outlet import Outlet
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Label, Order, Source

HZ = 2_000_000_000  # cycles a second: 2000 cycles are 1 µs
START = 10**12
EXIT_IO, EXIT_MMIO = 2, 6
PEEK_CYCLES = HZ // 10
FLAT_OUT_RATE = 20_000
AT_ONCE = (Order.DOORBELL, Order.INTERRUPT, Order.ROUTE)  # orders without a value
WORDS = {Order.DOORBELL: "ring", Order.RUN: "running"}  # as they stand in `commands`, where not as they are called


class FakeSource(Source):
    """Makes journeys of known length: 9 µs out (28 µs by user space), 2 µs to answer, 6 µs back (11 µs by ioctl)."""

    error: EngineError | None = None
    warning = ""
    alive = False
    asked_as: Source | None = None  # the one before, of which as much was asked

    def __init__(self, scenario: Scenario | str = "roundtrip", label: Label = Label.LIVE) -> None:
        host = {"kernel": "6.18.0", "cpu": "Test CPU @ 2.00GHz", "cpus": "2", "backend": "kvm_fake"}
        super().__init__(load_scenario(scenario) if isinstance(scenario, str) else scenario, host, Clock(HZ))
        self.label = label
        self.stopped = 0
        self.commands: list[str] = []
        self.random = np.random.default_rng(1)
        self._out: list[tuple[int, ...]] = []
        self._view, self._tees = Outlet(), list[Outlet]()
        self._time = START
        self._next = float(START)
        self._peeked = START
        self._rung = self._signalled = self._exits = 0
        self._pace = self.scenario.pace.per_second
        self._submits = Trait.IO_URING in traits_of(self.scenario)
        self._running = True
        doorbell, interrupt = self.scenario.doorbell, self.scenario.interrupt
        self._on = {
            Switch.IOEVENTFD: bool(doorbell and doorbell.ioeventfd),
            Switch.IRQFD: bool(interrupt and interrupt.irqfd),
        }

    # -- time, moved by the test

    def run(self, seconds: float) -> None:
        """Lets the world go on for `seconds`."""
        end = self._time + round(seconds * HZ)
        step = HZ / (FLAT_OUT_RATE if math.isinf(self._pace) else self._pace) if self._pace else math.inf
        self._next = max(self._next, self._time)
        while self._running and self._next + 60_000 < end:
            self._signal(round(self._next))
            self._next += step
        self._time = end
        if end - self._peeked > PEEK_CYCLES and self.alive:
            self._peek()

    def _signal(self, at: int) -> None:
        interrupt = self.scenario.interrupt
        if self.scenario.doorbell:
            self._doorbell(at)
        elif interrupt:
            self._interrupt(at, 0)

    def _doorbell(self, at: int) -> None:
        doorbell = self.scenario.doorbell
        assert doorbell
        self._rung = n = self._rung + 1
        jitter = int(self.random.exponential(1500))
        self._put(at, EventKind.RING, Lane.GUEST, doorbell.address, n)
        read = at + 18_000 + jitter
        if not (self._on[Switch.IOEVENTFD] and doorbell.hit):
            self._exits += 1
            reason = EXIT_IO if doorbell.bus == "pio" else EXIT_MMIO
            self._put(at + 20_000, EventKind.EXIT, Lane.VCPU, reason, n, doorbell.address)
            self._put(at + 26_000, EventKind.ENTRY, Lane.VCPU, reason, doorbell.width, doorbell.value)
            read = at + 56_000 + jitter
        self._put(read - 9_000, EventKind.RUNG, Lane.GUEST, doorbell.address, n)
        if self.scenario.direct:
            self._handle(read, n)
            return
        queues = doorbell.queues  # rung in turn, each counts for itself
        self._put(read, EventKind.DOORBELL, Lane.IO_THREAD, (n - 1) % queues, (n - 1) // queues + 1, 1)
        if self.scenario.virtqueue:
            self._serve(read + 500, n)
        if self.scenario.interrupt and self.scenario.interrupt.by == "guest":
            self._interrupt(read + 4_000, n)
        self._put(read + 4_500, EventKind.WAIT, Lane.IO_THREAD, 0, n, self._signalled)

    def _serve(self, at: int, n: int) -> None:
        """Each kick brings four buffers, each second one an interrupt."""
        self._put(at, EventKind.BUFFERS, Lane.IO_THREAD, BUFFERS_ADDED, 4 * n, 4)
        for used in range(4 * n - 3, 4 * n + 1):
            self._put(at + 500, EventKind.BUFFERS, Lane.IO_THREAD, BUFFERS_USED, used, 1)
        if n % 2 == 0:
            self._interrupt(at + 3_500, 0)

    def _interrupt(self, at: int, answers: int) -> None:
        interrupt = self.scenario.interrupt
        assert interrupt
        self._signalled = k = self._signalled + 1
        jitter = int(self.random.exponential(800))
        if self._on[Switch.IRQFD]:
            kind = EventKind.SUBMIT if self._submits else EventKind.IRQFD
            self._put(at, kind, Lane.IO_THREAD, interrupt.gsi, k, answers)
            handled = at + 12_000 + jitter
        else:
            self._put(at, EventKind.IRQ_IOCTL, Lane.IO_THREAD, IrqIoctl.SIGNAL_MSI, k, answers)
            handled = at + 22_000 + jitter
        self._handle(handled, k)

    def _handle(self, at: int, k: int) -> None:
        interrupt = self.scenario.interrupt
        assert interrupt
        if interrupt.masked:
            return
        self._put(at, EventKind.HANDLER, Lane.GUEST, interrupt.vector, k, 1)

    def _peek(self) -> None:
        self._peeked = self._time
        self._put(self._time, EventKind.COUNT, Lane.KVM, EventfdRole.DOORBELL, 0, 0)
        self._count_exits()
        self._put(self._time, EventKind.STAT, Lane.KVM, 1, 0, self._rung)

    def _count_exits(self) -> None:
        self._put(self._time, EventKind.STAT, Lane.KVM, 0, 0, 2 * self._rung + self._exits)

    def _put(self, tsc: int, kind: EventKind, lane: Lane, id: int = 0, seq: int = 0, arg: int = 0) -> None:
        self._out.append((tsc, kind, lane, 0, id, seq, arg))

    def tell(self, kind: EventKind, id: int, arg: int) -> None:
        """An event of the engine, now."""
        self._put(self._time, kind, Lane.ENGINE, id, 0, arg)

    def announce_pace(self) -> None:
        """As a session does at its start; without it nothing is known to be paced."""
        self._put(self._time, EventKind.SETTING, Lane.ENGINE, Setting.PACE, 0, round(self._pace))

    # -- a Source

    def ask_as(self, before: Source) -> None:
        self.asked_as = before

    def start(self) -> None:
        self.alive = True
        for switch, on in self._on.items():
            self._put(self._time, EventKind.WIRE, Lane.ENGINE, switch, int(self.scenario.direct), int(on))
        self._put(self._time, EventKind.SETTING, Lane.ENGINE, Setting.RUNNING, 0, 1)

    def stop(self) -> None:
        self.alive = False
        self.stopped += 1

    def take(self, most: int | None = None) -> Events:
        self._hand_on()
        return self._view.take(most)

    def tee(self, room: int) -> Outlet:
        self._hand_on()
        self._tees.append(self._view.fork(room))
        return self._tees[-1]

    def _hand_on(self) -> None:
        ready = np.array(sorted(event for event in self._out if event[0] <= self._time), EVENT)
        self._out = [event for event in self._out if event[0] > self._time]
        for outlet in (*self._tees, self._view):
            outlet.put(ready)

    def now(self) -> int:
        return self._time

    def can(self, order: Order) -> str:
        if self.label is Label.REPLAY:
            return "a recording cannot be changed"
        if order in (Order.IOEVENTFD, Order.DOORBELL) and not self.scenario.doorbell:
            return "this scenario rings no doorbell"
        if order in (Order.IRQFD, Order.INTERRUPT) and not self.scenario.interrupt:
            return "this scenario has no interrupt"
        return ""

    def _wire(self, switch: Switch, on: bool) -> None:
        self._on[switch] = on
        self._count_exits()
        self._put(self._time, EventKind.WIRE, Lane.ENGINE, switch, int(self.scenario.direct), int(on))
        self._time += 1
        self._count_exits()
        self.commands.append(f"{switch.name.lower()} {'on' if on else 'off'}")

    def order(self, order: Order, value: bool | float | str = True) -> None:
        match order:
            case Order.IOEVENTFD:
                self._wire(Switch.IOEVENTFD, bool(value))
            case Order.IRQFD:
                self._wire(Switch.IRQFD, bool(value))
            case _:
                word = WORDS.get(order, order.value)
                self.commands.append(word if order in AT_ONCE else f"{word} {value}")
        if order is Order.PACE:
            self._pace = float(value)
        elif order is Order.RUN:
            self._running = bool(value)
        elif order is Order.DOORBELL:
            self._doorbell(self._time)
        elif order is Order.INTERRUPT:
            self._interrupt(self._time, 0)
