"""Synthetic event streams: a guest, a vCPU thread and an I/O thread that take turns at random."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.scenarios.machine_kinds import MACHINES
from bellwire.engine.scenarios.scenario import Scenario, load_scenario

RELAYED_PORT = 0x510
LANES = {
    EventKind.RING: Lane.GUEST,
    EventKind.RUNG: Lane.GUEST,
    EventKind.HANDLER: Lane.GUEST,
    EventKind.EXIT: Lane.VCPU,
    EventKind.ENTRY: Lane.VCPU,
    EventKind.LOST: Lane.ENGINE,
}


def scenario(doorbell: bool = True, interrupt: bool = True, by: str = "guest", queues: int = 1) -> Scenario:
    """The round trip, or what of it is wanted, by the machine that goes with it."""
    whole = load_scenario("roundtrip")
    assert whole.doorbell is not None
    assert whole.interrupt is not None
    return replace(
        whole,
        machine=next((kind.name for kind in MACHINES.values() if kind.by == by), whole.machine),
        doorbell=replace(whole.doorbell, queues=queues) if doorbell else None,
        interrupt=replace(whole.interrupt, by=by) if interrupt else None,
    )


class World:
    """One guest and its host. Each step is one thing that could happen next, chosen by `random_`."""

    def __init__(self, random_: random.Random, answered: bool) -> None:
        self.random, self.answered = random_, answered
        self.rows: list[tuple[int, ...]] = []
        self.tsc = 1000
        self.heavy = False  # the live switch
        self.ioctl = False
        self.guest = "idle"
        self.io = "idle"
        self.rung = self.count = self.received = 0
        self.interrupt = self.announced = self.seen = self.answer = 0
        self.irr = False

    def emit(self, kind: EventKind, id: int = 0, seq: int = 0, arg: int = 0) -> None:
        self.tsc += self.random.randint(1, 50)
        self.rows.append((self.tsc, kind, LANES.get(kind, Lane.IO_THREAD), 0, id, seq, arg))

    def run(self, steps: int) -> Events:
        """That many random steps, then until nothing is under way."""
        for _ in range(steps):
            self.step([*self.possible(), "ring", "lone", "switch"])
        while self.possible():
            self.step(self.possible())
        return np.array(self.rows, EVENT)

    def possible(self) -> list[str]:
        """What must happen at some time."""
        steps = ["guest"] if self.guest != "idle" else []
        steps += ["io"] if self.count or self.io != "idle" else []
        return steps + (["handler"] if self.irr else [])

    def step(self, possible: list[str]) -> None:
        getattr(self, self.random.choice(possible) + "_step")()

    def switch_step(self) -> None:
        if self.random.random() < 0.1:
            self.heavy, self.ioctl = self.random.random() < 0.5, self.random.random() < 0.5

    def ring_step(self) -> None:
        if self.guest != "idle":
            return
        self.rung += 1
        self.emit(EventKind.RING, RELAYED_PORT, self.rung)
        self.guest = "exits" if self.heavy else "rang"
        self.count += not self.heavy

    def guest_step(self) -> None:
        if self.guest == "exits":
            self.emit(EventKind.EXIT, 2, self.rung, RELAYED_PORT)
            self.guest = "relayed"
        elif self.guest == "relayed":
            self.count += 1
            self.emit(EventKind.ENTRY, 2)
            self.guest = "rang"
        else:
            self.emit(EventKind.RUNG, RELAYED_PORT, self.rung)
            self.guest = "idle"

    def io_step(self) -> None:
        if self.io == "idle":
            self.received += self.count
            self.emit(EventKind.DOORBELL, 0, self.received, self.count)
            self.count, self.io = 0, "announces" if self.answered else "idle"
            self.answer = self.received
        elif self.io == "announces":
            self.interrupt += 1
            self.announced, self.io = self.interrupt, "signals"
        elif self.io == "signals":
            self.emit(EventKind.IRQ_IOCTL if self.ioctl else EventKind.IRQFD, 24, self.interrupt, self.answer)
            self.io = "writes"
        else:
            self.irr, self.io = True, "idle"

    def lone_step(self) -> None:
        if self.io == "idle" and self.random.random() < 0.2:
            self.io, self.answer = "announces", 0

    def handler_step(self) -> None:
        self.irr = False
        self.emit(EventKind.HANDLER, 0x40, self.announced, self.announced - self.seen)
        self.seen = self.announced


def lose(events: Events, random_: random.Random) -> Events:
    """The same run with full rings now and then: runs of events of one lane replaced by a LOST before the next one."""
    rows, lost, losing = [], dict.fromkeys(Lane, 0), dict.fromkeys(Lane, 0)
    for row in events.tolist():
        lane = Lane(row[2])
        if not losing[lane] and random_.random() < 0.05:
            losing[lane] = random_.randint(1, 6)
        if losing[lane]:
            losing[lane] -= 1
            lost[lane] += 1
            continue
        if lost[lane]:
            rows.append((row[0], EventKind.LOST, Lane.ENGINE, 0, lane, 0, lost[lane]))
            lost[lane] = 0
        rows.append(row)
    return np.array(rows, EVENT)


def cut(events: Events, random_: random.Random) -> list[Events]:
    """The stream in batches of random sizes, empty ones among them; a RING comes no earlier than its RUNG."""
    cuts = sorted(random_.randint(0, events.size) for _ in range(random_.randint(0, 8)))
    batch = np.searchsorted(cuts, np.arange(events.size), "right")
    published = {int(row["seq"]): at for at, row in enumerate(events) if row["kind"] == EventKind.RUNG}
    for at, row in enumerate(events):
        if row["kind"] == EventKind.RING:
            batch[at] = batch[published.get(int(row["seq"]), at)]
    return [events[batch == number] for number in range(len(cuts) + 1)]
