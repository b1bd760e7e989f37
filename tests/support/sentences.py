"""Runs of every scenario and wiring, counted anew by plain loops: what all sentences are held against."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import Clock, EventfdRole, EventKind, Events, IrqIoctl, Setting, Switch, no_events
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.source import Order, Source
from bellwire.viz.diagram.captions import caption
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.figures import THIN

HZ = 1_000_000_000
SIGNALS = 48
IDLE_SECONDS = 0.3
SWITCHED_AT = 24  # signals, where a switch is thrown live
IRQ_LINE, SIGNAL_MSI = int(IrqIoctl.IRQ_LINE), int(IrqIoctl.SIGNAL_MSI)


@dataclass
class Facts:
    """What events come to, counted one by one."""

    rung: int = 0
    left: int = 0
    fetched: int = 0
    fetches: set[int] = field(default_factory=set)  # by their time: several addresses are one look
    received: Counter[int] = field(default_factory=Counter)  # by queue
    reads: Counter[int] = field(default_factory=Counter)
    most: int = 0
    signals: Counter[str] = field(default_factory=Counter)  # by kind, an ioctl by its number
    handled: int = 0
    covered: int = 0
    lost: int = 0  # signalled while the pin was masked
    resamples: int = 0
    resampled: set[int] = field(default_factory=set)  # their numbers
    handlers: set[int] = field(default_factory=set)  # the numbers of what was handled
    windows: int = 0
    on: dict[int, list[bool]] = field(default_factory=dict)  # each switch, as it stood one time after the other
    counts: dict[int, int] = field(default_factory=dict)
    of: Counter[str] = field(default_factory=Counter)  # rings and handlers by vm, handlers by vector, exits, settings
    buffers: Counter[int] = field(default_factory=Counter)
    other: dict[int, int] = field(default_factory=dict)  # by vm: address of the last exit that was no doorbell's
    sampled: set[int] = field(default_factory=set)  # counts of eventfds
    partner: int = 0
    masked: bool = False

    @classmethod
    def counted(cls, events: Events, masked: bool) -> Facts:
        """One event after the other. masked: whether the pin is, from the start."""
        facts = cls(masked=masked)
        for tsc, kind, _, vm, id, seq, arg in events.tolist():
            facts.add(tsc, EventKind(kind), vm, id, seq, arg)
        return facts

    def add(self, tsc: int, kind: EventKind, vm: int, id: int, seq: int, arg: int) -> None:
        """One more."""
        match kind:
            case EventKind.RING:
                self.rung += 1
                self.of[f"rung by {vm}"] += 1
            case EventKind.EXIT:
                self.left += seq > 0
                self.of[f"left, ioeventfd {self.stands(Switch.IOEVENTFD)}"] += seq > 0
                self.of["exits"] += 1
                self.other[vm] = -1 if seq else arg
            case EventKind.ENTRY:  # of an access that is no doorbell: whether it wrote
                self.of[f"{'write' if seq else 'read'} at {self.other.get(vm, -1)}"] += 1
            case EventKind.FETCH:
                self.fetched += arg
                self.fetches.add(tsc)
            case EventKind.DOORBELL:
                self.received[id] += arg
                self.reads[id] += 1
                self.most = max(self.most, arg)
            case EventKind.IRQFD | EventKind.SUBMIT:
                self.signals[kind.name] += 1
                self.of[f"signals, irqfd {self.stands(Switch.IRQFD)}"] += 1
                self.lost += self.masked
            case EventKind.IRQ_IOCTL:
                self.signals[f"IOCTL {id}"] += 1
                self.lost += self.masked
            case EventKind.HANDLER:
                self.handled += 1
                self.covered = max(self.covered, seq)
                self.handlers.add(seq)
                self.of[f"handled by {vm}"] += 1
                self.of[f"vector {id}"] += 1
            case EventKind.RESAMPLE:
                self.resamples += 1
                self.resampled.add(seq)
            case EventKind.WINDOW:
                self.windows += 1
            case EventKind.WIRE:
                self.on.setdefault(id, []).append(bool(arg))
                self.partner = seq if seq > 1 else self.partner
            case EventKind.COUNT:
                self.counts[id] = arg
                self.sampled.add(arg)
            case EventKind.BUFFERS:
                self.buffers[id] += arg
            case EventKind.SETTING:
                self.of[f"setting {id}"] += 1
                self.masked = bool(arg) if id == Setting.MASKED else self.masked

    def stands(self, switch: Switch) -> str:
        """ "on", "off", or "cut": it is off, and was on."""
        stood = self.on.get(switch, [False])
        return "on" if stood[-1] else "cut" if True in stood else "off"

    @property
    def sent(self) -> int:
        """Interrupts by the host."""
        return sum(self.signals.values())

    def numbers(self) -> set[int]:
        """Every figure that a sentence may have."""
        received, reads = sum(self.received.values()), sum(self.reads.values())
        by_ioeventfd = received - self.left - self.fetched
        own = {self.rung, self.left, self.fetched, len(self.fetches), received, reads, self.most, self.handled}
        own |= {self.covered, self.lost, self.resamples, self.windows, self.sent, self.sent - self.lost, by_ioeventfd}
        own |= {self.rung - self.left, self.rung - received, self.rung - self.covered, self.covered - self.lost}
        own |= {len(self.resampled & self.handlers)}  # compared with their handlers
        own |= self.sampled | {self.of["signals, irqfd cut"] + self.of["signals, irqfd off"]}
        own |= {self.of[f"setting {Setting.ROUTE}"] + self.of[f"setting {Setting.VCPU}"], self.partner}
        own |= {max(0, self.handled - self.covered), max(0, self.covered - self.lost - self.handled)}
        tables = (self.received, self.reads, self.signals, self.of, self.buffers, self.counts)
        return own.union(*(table.values() for table in tables), {self.sent - self.signals["IRQFD"]})


@dataclass(frozen=True)
class Wiring:
    """How a run is wired: switches at its start, and one that is thrown in its middle."""

    scenario: str
    settings: tuple[tuple[str, str], ...] = ()
    thrown: Order | None = None

    def __str__(self) -> str:
        words = [f"{name}={value}" for name, value in self.settings]
        return " ".join([self.scenario, *words, *([f"{self.thrown.value} thrown"] if self.thrown else [])])

    def built(self) -> Scenario | None:
        """The scenario; None if it is refused."""
        try:
            return load_scenario(self.scenario).with_settings({"pace": "2000", **dict(self.settings)})
        except ScenarioError:
            return None


def wirings(scenario: Scenario) -> Iterator[Wiring]:
    """Each switch on and off at the start, and thrown live; and what a scenario's ways depend on beside."""
    tables, name = scenario.tables(), scenario.name
    yield Wiring(name)
    for table, switch, order in (("doorbell", "ioeventfd", Order.IOEVENTFD), ("interrupt", "irqfd", Order.IRQFD)):
        if table in tables:
            yield Wiring(name, ((switch, "off" if tables[table][switch] else "on"),))
            yield Wiring(name, (), order)
    for switch, value in (("coalesced", "on"), ("irqfds", "3"), ("ioctl", "irq-line"), ("waits", "on"), ("burst", "6")):
        if switch in scenario.settings():
            yield Wiring(name, ((switch, value),))
            if switch in ("coalesced", "waits", "ioctl"):
                off = ("ioeventfd" if switch == "coalesced" else "irqfd", "off")
                yield Wiring(name, ((switch, value), off))
                yield Wiring(name, ((switch, value),), Order(off[0]))


def ran(wiring: Wiring, scenario: Scenario) -> tuple[Session, Events]:
    """A short run, ended when its signals were given, or as many as the wiring lets through."""
    batches, tally = [no_events()], Tally()
    session = Session(scenario, limit=SIGNALS)

    def given() -> int:
        batches.append(session.take())
        tally.feed(batches[-1])
        return max(tally.doorbells_rung, tally.irqs_signalled)

    with session:
        wait_while_it_goes_on(given, SWITCHED_AT)
        if wiring.thrown and not session.can(wiring.thrown):
            switch = Switch.IOEVENTFD if wiring.thrown is Order.IOEVENTFD else Switch.IRQFD
            session.order(wiring.thrown, not tally.wiring.get(switch))
        wait_while_it_goes_on(given, SIGNALS)
    batches.append(session.take())
    return session, np.concatenate(batches)


def wait_while_it_goes_on(given: Callable[[], int], signals: int) -> None:
    """Until so many signals are given, or no more come for a while: a wiring may let nothing through."""
    before, since = given(), time.monotonic()
    while before < signals and time.monotonic() - since < IDLE_SECONDS:
        time.sleep(0.005)
        now = given()
        if now != before:
            before, since = now, time.monotonic()


# -- sentences --------------------------------------------------------------------------------------------------------


class Retimed(Source):
    """The same events within the last second that is over."""

    def __init__(self, scenario: Scenario, backend: str, events: Events) -> None:
        super().__init__(scenario, {"backend": backend}, Clock(HZ))
        self.events = events.copy()
        span = max(1, int(events["tsc"][-1] - events["tsc"][0]))
        past = (events["tsc"] - events["tsc"][0]).astype(np.float64) * (0.6 * HZ / span)
        self.events["tsc"] = (10.1 * HZ + past).astype(np.uint64)

    @property
    def alive(self) -> bool:
        return True

    def now(self) -> int:
        return 11 * HZ + HZ // 50

    def take(self, most: int | None = None) -> Events:
        taken, self.events = self.events, no_events()
        return taken


def captioned(scenario: Scenario, backend: str, events: Events) -> str:
    """The caption at the end of a run that fits into a second."""
    model = LiveModel(Retimed(scenario, backend, events))
    model.tick(0.0)
    return caption(model)


def figures_of(sentence: str) -> list[int]:
    """The whole numbers of a sentence: not parts of names, times, means, hexadecimal ones and vCPUs' own."""
    text = sentence.replace(THIN, "").replace(",", ",")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"0x[0-9a-f]+|vCPU \d|GSI \d+|\d+\.\d+|\d+ (?:bytes?|[mµn]s|s)\b|KVM_\w+|process \d+", "", text)
    return [int(number) for number in re.findall(r"(?<![\w.])\d+(?![\w.]*\w)", text)]


def wrong_figures(scenario: Scenario, session: Session, events: Events) -> Iterator[str]:
    """Everything that a sentence or a sum says and the events do not, as sentences."""
    masked = scenario.interrupt is not None and scenario.interrupt.masked
    facts, tally, evidence = Facts.counted(events, masked), Tally(), Evidence(scenario, session.backend)
    tally.feed(events)
    evidence.feed(events)
    allowed = facts.numbers() | constants(scenario) | {1, 2}
    sentences = [finding.claim for finding in findings(tally, evidence)]
    shown = captioned(scenario, session.backend, events)
    for sentence in (*sentences, shown):
        strange = [figure for figure in figures_of(sentence) if figure not in allowed]
        if strange:
            yield f"{strange} of {sentence!r} is not among {sorted(facts.numbers())}"
        yield from untrue(scenario, facts, sentence)
    for finding in findings(tally, evidence):
        yield from (f"{name} {n} of {finding.claim}" for name, n in finding.numbers.items() if n not in allowed | {0})
    yield from broken_sums(facts, tally)


def constants(scenario: Scenario) -> set[int]:
    """Numbers of the scenario itself that a sentence may name."""
    doorbell, interrupt = scenario.doorbell, scenario.interrupt
    named = (
        {doorbell.width, doorbell.length, doorbell.value, doorbell.queues, doorbell.datamatch or 0}
        if doorbell
        else set()
    )
    named |= {interrupt.irqfds} if interrupt else set()
    return named | {step.value for step in (scenario.lab.steps if scenario.lab else ())} | {16}  # errno EBUSY


def untrue(scenario: Scenario, facts: Facts, sentence: str) -> Iterator[str]:
    """Words that name a way which nothing went."""
    level = scenario.interrupt is not None and scenario.interrupt.trigger == "level"
    resampled = level and scenario.interrupt is not None and scenario.interrupt.irqfd
    io, irq = facts.on.get(Switch.IOEVENTFD, []), facts.on.get(Switch.IRQFD, [])
    received = sum(facts.received.values()) if not scenario.direct else facts.rung
    taken = received - facts.left - facts.fetched
    true = {
        "the ioeventfd was off": [True, False] in [io[n : n + 2] for n in range(len(io))],
        "ring of coalesced writes": scenario.doorbell is not None and scenario.doorbell.coalesced,
        "KVM's ring": scenario.doorbell is not None and scenario.doorbell.coalesced,
        "resample": resampled,
        "KVM_SIGNAL_MSI": facts.signals[f"IOCTL {SIGNAL_MSI}"] > 0,
        "KVM_IRQ_LINE": facts.signals[f"IOCTL {IRQ_LINE}"] > 0,
        "by irqfd": facts.signals["IRQFD"] > 0,
        "interrupts at once": scenario.direct and not facts.partner and False not in irq,
        "no irqfd listens": bool(irq) and not irq[-1],
        "No irqfd listens": bool(irq) and not irq[-1],
        "KVM signalled the eventfd": taken > 0,
        "taken by KVM itself": taken > 0,
        "taken by the ioeventfd": taken > 0,
        "rung not once": facts.rung == 0,
        "the host sent": not scenario.direct,
        "The host sent": not scenario.direct,
    }
    yield from (f"{words!r} in {sentence!r}" for words, holds in true.items() if words in sentence and not holds)
    yield from (f"a number below 0 in {sentence!r}" for _ in re.findall(r"(?<![\w.])[-−]\d", sentence))


def broken_sums(facts: Facts, tally: Tally) -> Iterator[str]:
    """What must add up does."""
    counts = tally.counts()
    received = facts.covered if tally.direct else sum(facts.received.values())
    sums = {
        "rung": (counts["doorbells_rung"], counts["doorbells_received"] + counts["doorbells_pending"]),
        "rung as counted": (counts["doorbells_rung"], facts.rung),
        "reads": (counts["eventfd_reads"], sum(facts.reads.values())),
        "handled": (counts["irqs_handled"], facts.handled),
        "lost": (counts["irqs_lost"], facts.lost),
        "signalled": (
            counts["irqs_signalled"],
            counts["irqs_handled"]
            - counts["irqs_spurious"]
            + counts["irqs_merged"]
            + counts["irqs_lost"]
            + counts["irqs_pending"],
        ),
    }
    if not tally.partner_pid:
        sums["received"] = (counts["doorbells_received"], received)
        sums["sent"] = (counts["irqs_signalled"], facts.rung if tally.direct else facts.sent)
    yield from (f"{name}: {left} is not {right}" for name, (left, right) in sums.items() if left != right)
    numbers = {name: value for name, value in counts.items() if isinstance(value, int)}
    yield from (f"{name} is {value}" for name, value in numbers.items() if value < 0)
    if counts["irqs_kept"] > counts["irqs_pending"]:
        yield "more is kept than is pending"
    kept = facts.counts.get(EventfdRole.IRQ, 0) if not facts.on.get(Switch.IRQFD, [True])[-1] else 0
    if counts["irqs_kept"] != min(kept, counts["irqs_pending"]):
        yield f"kept: {counts['irqs_kept']} is not {kept}"
