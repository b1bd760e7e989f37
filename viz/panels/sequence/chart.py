"""One journey as a message chart: its lifelines, the segments between its stamps, and what else happened meanwhile.

Guarantees: the segments follow one another without a gap, from the journey's first stamp to its last, so their lengths
add up to its latency exactly; what no stamp tells is marked as inferred, with the bound that the stamps allow.

Where does the signal leave the kernel? No event says so. But an ioeventfd is signalled inside the guest's instruction,
and the vCPU thread writes the eventfd before it calls KVM_RUN again; so the stamp after that is a bound: what comes
before it took at most this long, what comes after it at least.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bellwire.engine.events import EventKind, Events, IrqIoctl, exit_name
from bellwire.engine.folds.journeys import HEAVY_INTERRUPT, PARTNERED, Journeys
from bellwire.engine.language import told_pid, tr, tr_later
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.panels.sequence.inside import Inside
from bellwire.viz.panels.sequence.parts import (
    AT_LEAST,
    AT_MOST,
    GUEST,
    GUEST_B,
    IO,
    KVM,
    PARTNER,
    VCPU,
    Active,
    Aside,
    Chart,
    Lifeline,
    Segment,
    arrow,
)
from bellwire.viz.stages.traced import traced
from bellwire.viz.text.event_words import IOCTL_NAMES
from bellwire.viz.text.figures import grouped

AFTERWARDS = 1.0  # of the journey's length: how long after its end what belongs to it is looked for


def span_of(journey: Journeys) -> tuple[int, int]:
    """In which stretch of time the events lie that chart_of() looks for; journey: shape (1,)."""
    times = [
        int(journey[stage][0]) for stage in ("ring", "irq", "exit", "doorbell", "handler", "rung") if journey[stage]
    ]
    return min(times), max(times) + round((max(times) - min(times)) * AFTERWARDS)


def chart_of(journey: Journeys, events: Events, scenario: Scenario, pid: int = 0) -> Chart:
    """The chart of a journey, shape (1,). events: those in span_of() it; pid: of the other process, if there is one."""
    return Charting(journey, events, scenario, pid).chart()


class Charting:
    """Builds one chart. The stages of the journey are its attributes, 0 where it has none."""

    def __init__(self, journey: Journeys, events: Events, scenario: Scenario, pid: int) -> None:
        row, self.journey = journey[0], journey
        self.ring, self.exit, self.entry, self.rung = (int(row[name]) for name in ("ring", "exit", "entry", "rung"))
        self.doorbell, self.irq, self.handler = (int(row[name]) for name in ("doorbell", "irq", "handler"))
        self.heavy, self.batch, self.merged = int(row["heavy"]), int(row["batch"]), int(row["merged"])
        self.number, self.interrupt = int(row["seq"]), int(row["interrupt"])
        self.events, self.scenario, self.pid = events, scenario, pid
        self.traits = traits_of(scenario)
        self.partnered = bool(self.heavy & PARTNERED)
        self.direct = bool(self.ring and self.handler and not self.irq)
        self.arrival = self.handler if self.direct else self.doorbell

    def chart(self) -> Chart:
        """All of it."""
        rings = self.ring > 0
        trip = rings and self.handler > 0 and (self.partnered or not self.direct)
        latency = "round_trip" if trip else "doorbell" if rings else "injection"
        number = self.number if rings else self.interrupt or self.number
        words = (
            tr("Doorbell #{number}", number=grouped(number))
            if rings
            else tr("Interrupt #{number}", number=grouped(number))
        )
        chart = Chart(number, words, latency)
        chart.segments = list(self._inside()) or [*self._out(), *self._back()]
        chart.asides = list(self._asides())
        chart.active = list(self._active())
        used = {key for s in chart.segments for key in (s.source, s.target, s.via)}
        used |= {key for aside in chart.asides for key in (aside.source, aside.target)}
        used |= {active.lifeline for active in chart.active}
        chart.lifelines = [line for line in self._lifelines() if line.key in used]
        chart.notes = list(self._notes(chart))
        return chart

    # -- both, where the kernel tells of them

    def _inside(self) -> Iterator[Segment]:
        """Between the moments that the kernel's tracepoints tell; none if they tell nothing."""
        told = {name: int(tsc[0]) for name, tsc in traced(self.journey, self.events).items() if tsc[0]}
        if not told or self._coalesced:  # what a ring keeps waits for whoever looks into it
            return
        served = self.irq > 0 and self.handler > 0
        window = self._first(EventKind.WINDOW, self.irq, self.handler) if served else 0
        own = {"ring": self.ring, "exit": self.exit, "doorbell": self.doorbell, "window": window}
        own |= {"irq": self.irq * served, "handler": self.handler * (served or self.direct)}
        times = told | {name: tsc for name, tsc in own.items() if tsc}
        signalled, call = self._signal()
        call = self._arrival_text(KVM)[0] if self.direct else call
        receiver = self.receiver if self.direct else GUEST
        handler = tr("handler of guest B") if receiver == GUEST_B else tr("handler")
        names = {"ring": tr("store"), "exit": tr("exit"), "doorbell": tr("I/O thread awake"), "irq": signalled}
        texts = {"pio": self._store, "exit": f"KVM_EXIT_{self._reason()}", "irq": tr("answers"), "call": call}
        texts |= {"io_waking": "write(eventfd)" if self.exit else tr("eventfd signalled")}
        texts |= {"doorbell": f"read() → {self.batch}"}
        heavy = bool(self.heavy & HEAVY_INTERRUPT)
        yield from Inside(times, receiver, names | {"handler": handler}, texts, self.partnered, heavy).segments()

    # -- the way out

    @property
    def receiver(self) -> str:
        """Who the doorbell arrives at."""
        if not self.direct:
            return IO
        return GUEST_B if Trait.TWO_GUESTS in self.traits else GUEST

    def _out(self) -> Iterator[Segment]:
        """From the guest's store to whoever hears of it."""
        if not self.ring:
            return
        if self.exit:
            yield from self._out_by_user_space()
        elif self.ring < self.rung < self.arrival:
            yield Segment(
                arrow(tr("store"), self._signalled), self._store, GUEST, KVM, self.ring, self.rung, "doorbell", AT_MOST
            )
            yield self._arrives(KVM, self.rung, AT_LEAST)
        else:
            yield self._arrives(GUEST, self.ring, "")

    def _out_by_user_space(self) -> Iterator[Segment]:
        reason = f"KVM_EXIT_{self._reason()}"
        yield Segment(arrow(tr("store"), tr("exit")), reason, GUEST, VCPU, self.ring, self.exit, "heavy", via=KVM)
        if self.exit < self.entry < self.arrival:
            name = arrow(tr("exit"), tr("eventfd written"))
            yield Segment(name, "write(eventfd)", VCPU, VCPU, self.exit, self.entry, "heavy", AT_MOST)
            yield self._arrives(VCPU, self.entry, AT_LEAST)
        else:
            yield self._arrives(VCPU, self.exit, "")

    def _arrives(self, source: str, start: int, bound: str) -> Segment:
        """The last part of the way out. What it begins with is the store, the exit, or what lies behind the bound."""
        begins = {GUEST: tr("store"), VCPU: tr("eventfd written") if bound else tr("exit")}
        begin = begins.get(source, self._signalled)
        end = {IO: tr("I/O thread awake"), GUEST: tr("handler"), GUEST_B: tr("handler of guest B")}[self.receiver]
        text, via = self._arrival_text(source)
        color = "interrupt" if self.direct and source == KVM else "doorbell"
        return Segment(arrow(begin, end), text, source, self.receiver, start, self.arrival, color, bound, via)

    def _arrival_text(self, source: str) -> tuple[str, str]:
        """What happens at the end of the way out, and whom it passes."""
        between = "" if source == KVM or (self.receiver == IO and source == VCPU) else KVM
        if self.partnered and Trait.QEMU_SERVES in self.traits:
            return tr("QEMU answers"), PARTNER
        if self.partnered and Trait.KERNEL_WORKER in self.traits:
            return tr("the kernel's worker answers"), PARTNER
        if self.partnered:
            return tr("another process answers"), PARTNER
        if self.direct:
            return tr("irqfd injects"), between
        if self._coalesced:
            return tr("looks into the ring"), between
        return f"read() → {self.batch}", between

    @property
    def _coalesced(self) -> bool:
        doorbell = self.scenario.doorbell
        return bool(doorbell and doorbell.coalesced and not doorbell.ioeventfd)

    @property
    def _signalled(self) -> str:
        """What KVM has done by the time that the guest goes on."""
        return tr("kept in KVM's ring") if self._coalesced else tr("eventfd signalled")

    @property
    def _store(self) -> str:
        """The guest's instruction."""
        doorbell = self.scenario.doorbell
        if doorbell is None:
            return tr("doorbell")
        return f"OUT {doorbell.address:#x}" if doorbell.bus == "pio" else f"MOV [{doorbell.address:#x}]"

    def _reason(self) -> str:
        exits = self.events[(self.events["kind"] == EventKind.EXIT) & (self.events["tsc"] == np.uint64(self.exit))]
        doorbell = self.scenario.doorbell
        usual = "IO" if doorbell is None or doorbell.bus == "pio" else "MMIO"
        return exit_name(int(exits["id"][0])) if exits.size else usual

    # -- the way back

    def _back(self) -> Iterator[Segment]:
        """From the I/O thread to the guest's handler."""
        if not self.irq or not self.handler:
            return
        signalled, text = self._signal()
        if self.ring and self.doorbell:
            name = arrow(tr("I/O thread awake"), signalled)
            yield Segment(name, tr("answers"), IO, IO, self.doorbell, self.irq, "io_thread")
        color = "heavy" if self.heavy & HEAVY_INTERRUPT else "interrupt"
        window = self._first(EventKind.WINDOW, self.irq, self.handler)
        if window:
            name, held_off = arrow(signalled, tr("interrupts let in")), tr("{call}: held off", call=text)
            yield Segment(name, held_off, IO, GUEST, self.irq, window, color, via=KVM)
            name = arrow(tr("interrupts let in"), tr("handler"))
            yield Segment(name, tr("injected"), GUEST, GUEST, window, self.handler, color)
        else:
            yield Segment(arrow(signalled, tr("handler")), text, IO, GUEST, self.irq, self.handler, color, via=KVM)

    def _signal(self) -> tuple[str, str]:
        """What the I/O thread is about to do, as a stage and as a call."""
        near = self.events[self.events["tsc"] == np.uint64(self.irq)]
        for event in near:
            if event["kind"] == EventKind.SUBMIT:
                return tr("read submitted"), tr("io_uring completes")
            if event["kind"] == EventKind.IRQ_IOCTL:
                known = int(event["id"]) in IrqIoctl._value2member_map_
                return tr("ioctl called"), IOCTL_NAMES[IrqIoctl(int(event["id"]))] if known else "ioctl"
        if self.heavy & HEAVY_INTERRUPT:
            return tr("ioctl called"), "ioctl"
        return tr("irqfd written"), "write(irqfd)"

    # -- beside the way

    def _first(self, kind: EventKind, after: int, before: int) -> int:
        """TSC of the first event of a kind between two times; 0 if there is none."""
        tsc = self.events["tsc"][self.events["kind"] == kind]
        tsc = tsc[(tsc > np.uint64(after)) & (tsc < np.uint64(before))]
        return int(tsc[0]) if tsc.size else 0

    def _asides(self) -> Iterator[Aside]:
        """What the two sides did beside."""
        if self.entry:
            yield Aside("KVM_RUN", VCPU, GUEST, self.entry)
        elif self.rung:
            yield Aside(tr("guest goes on"), KVM, GUEST, self.rung)
        if resample := self._resample():
            yield Aside("EOI: resamplefd", KVM, IO, resample)

    def _resample(self) -> int:
        if not self.irq or not self.handler:
            return 0
        return self._first(EventKind.RESAMPLE, self.irq, 2**64 - 1)

    def _active(self) -> Iterator[Active]:
        """Who ran when, as far as it is known."""
        if self.exit and self.entry:
            yield Active(VCPU, self.exit, self.entry)
        if self.doorbell or (self.irq and not self.direct):
            start = self.doorbell or self.irq
            yield Active(IO, start, self._first(EventKind.WAIT, max(self.irq, self.doorbell), 2**64 - 1))
        if self.handler:
            yield Active(self.receiver if self.direct else GUEST, self.handler, 0)

    # -- words

    def _lifelines(self) -> list[Lifeline]:
        """All there can be, from the left."""
        two = Trait.TWO_GUESTS in self.traits
        other, number = "QEMU" if Trait.QEMU_SERVES in self.traits else tr("Other process"), tr_later("pid {pid}")
        if Trait.KERNEL_WORKER in self.traits:
            other, number = tr("vhost worker"), tr_later("kernel, thread {pid}")
        return [
            Lifeline(GUEST, tr("Guest A") if two else tr("Guest")),
            Lifeline(KVM, "KVM", tr("kernel")),
            Lifeline(VCPU, tr("vCPU thread"), tr("user space")),
            Lifeline(IO, tr("I/O thread"), tr("user space")),
            Lifeline(PARTNER, other, tr(number, pid=told_pid(self.pid)) if self.pid > 1 else ""),
            Lifeline(GUEST_B, tr("Guest B")),
        ]

    def _notes(self, chart: Chart) -> Iterator[str]:
        """What a reader must know not to read too much into it."""
        if any(segment.bound for segment in chart.segments):
            yield tr("Dashed: only a bound is known, ≤ at most, ≥ at least.")
        if any(segment.via == KVM for segment in chart.segments):
            yield tr("Ring: passes KVM without a stamp.")
        if self.partnered and Trait.QEMU_SERVES in self.traits:
            yield tr("What QEMU did when is not stamped.")
        elif self.partnered and Trait.KERNEL_WORKER in self.traits:
            yield tr("What the kernel's worker did when is not stamped.")
        elif self.partnered:
            yield tr("What the other process did when is not stamped.")
        if self.batch > 1:
            yield tr("One read() returned {doorbells} doorbells.", doorbells=self.batch)
        if self.merged > 1:
            yield tr("One run of the handler served {signals} signals.", signals=self.merged)
        if self.handler and not self._resample():
            yield tr("The handler's EOI is not stamped.")
