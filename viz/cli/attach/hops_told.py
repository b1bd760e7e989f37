"""The hops of a VMM's signals, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bellwire.engine.attached.hops.figures import (
    DoorbellHops,
    ExitHops,
    HaltHops,
    HopFigures,
    HopLatency,
    InterruptHops,
)
from bellwire.engine.attached.hops.places import HopThread
from bellwire.viz.attached.hop_words import (
    hop_place,
    hop_sentences,
    sender_words,
    thread_words,
    vcpu_words,
    woken_words,
)
from bellwire.viz.cli.tables import Figures
from bellwire.viz.text.figures import duration, grouped

TIMES = ("p50", "p99", "max")
AT_THE_END, LATELY = "/s", "last second"  # heads: of the whole time, as the counts beside it; of the last second alone
NUMBERS = {*TIMES, "Rung", "Times", "Sent", "Taken", "Slept", "Polled", "Count", AT_THE_END, LATELY, "In all"}


class HopRates:
    """The column that says how often a second. head: over which time that is.

    goes_on: whether more is to come; then it is the last second, and at the end the whole time, as of the counts.
    """

    def __init__(self, hops: HopFigures, goes_on: bool) -> None:
        self._seconds, self._goes_on = hops.seconds, goes_on
        self.head = LATELY if goes_on else AT_THE_END

    def cell(self, count: int, last_second: float) -> str:
        """count: in the whole time."""
        if self._goes_on:
            return f"{grouped(last_second)}/s"
        return grouped(count / self._seconds) if self._seconds else "–"


def hop_tables(hops: HopFigures, own: int, goes_on: bool = True) -> Iterator[RenderableType]:
    """All of them that have a row, and the sentences. own: the VMM's pid. goes_on: whether more is to come."""
    rates = HopRates(hops, goes_on)
    of_wires = (woken_table(hops, own, rates), sent_table(hops, own, rates))
    for table in (*of_wires, halt_table(hops, rates), exit_table(hops, rates)):
        if table.row_count:
            yield Text("")
            yield table
    yield Text("")
    yield from (Text(sentence, style="dim") for sentence in hop_sentences(hops))


def figures_table(*heads: str) -> Figures:
    """An empty one, whose numbers stand at the right."""
    table = Figures(*heads)
    for column in table.columns:
        if column.header in NUMBERS:
            column.justify, column.no_wrap = "right", True
    return table


def time_cells(latency: HopLatency) -> tuple[str, str, str]:
    """p50, p99 and the longest; a dash: too few for it."""
    return duration(latency.p50), duration(latency.p99), duration(latency.max)


def woken_table(hops: HopFigures, own: int, rates: HopRates) -> Figures:
    """From a doorbell's store to the thread that it wakes; a row for each such thread."""
    table = figures_table("Doorbell", "Rung", rates.head, "Wakes", "Times", *TIMES)
    for one in hops.doorbells:
        rung = (hop_place(one, hops), grouped(one.rung), rates.cell(one.rung, one.last_second))
        if not one.woken and one.rung:
            table.add_row(*rung, woken_words(one, own), "–", *time_cells(HopLatency()))
        for woken in one.woken:
            table.add_row(*rung, thread_words(woken.thread, own), grouped(woken.count), *time_cells(woken.latency))
    return table


def sent_table(hops: HopFigures, own: int, rates: HopRates) -> Figures:
    """From an interrupt's message to the vCPU that takes it."""
    table = figures_table("Vector", "APIC", "Sent", rates.head, "Signalled by", "Taken", *TIMES)
    for one in hops.interrupts:
        taken = "–" if one.taken is None else grouped(one.taken)
        cells = (grouped(one.sent), rates.cell(one.sent, one.last_second), sender_words(one, own), taken)
        table.add_row(f"{one.key.vector:#x}", str(one.key.apic), *cells, *time_cells(one.latency))
    return table


def halt_table(hops: HopFigures, rates: HopRates) -> Figures:
    """From the waking of a halted vCPU to its having a CPU."""
    table = figures_table("Halts of vCPU", rates.head, "Slept", "Polled", *TIMES)
    for one in hops.halts:
        halts = rates.cell(one.slept + one.polled, one.last_second)
        cells = (halts, grouped(one.slept), grouped(one.polled))
        table.add_row(vcpu_words(one, hops), *cells, *time_cells(one.latency))
    return table


def exit_table(hops: HopFigures, rates: HopRates) -> Figures:
    """How long a vCPU was out of its guest."""
    table = figures_table("Exit", "Count", rates.head, *TIMES, "In all")
    for one in hops.exits:
        whole = duration(None if hops.emulated else one.total_ns)
        cells = (grouped(one.count), rates.cell(one.count, one.last_second), *time_cells(one.duration))
        table.add_row(one.key.reason, *cells, whole)
    return table


# -- JSON --------------------------------------------------------------------------------------------------------------


def hops_report(hops: HopFigures) -> dict[str, Any]:
    """What `bellwire attach PID --seconds S --json` tells beside the topology; times in ns, null: not known.

    Counts are of the whole time, `seconds`; `last_second`: how often a second, in the last one alone.
    """
    return {
        "seconds": round(hops.seconds, 3),
        "doorbells": [doorbell_report(one) for one in hops.doorbells],
        "interrupts": [interrupt_report(one) for one in hops.interrupts],
        "halts": [halt_report(one) for one in hops.halts],
        "exits": [exit_report(one) for one in hops.exits],
        "exits_told": hops.exits_told,
        "journeys": hop_latency_report(hops.journeys),
        "doorbells_rung": hops.rung,
        "lost": hops.lost,
        "clock_error_ns": round(hops.error_ns),
        "sentences": list(hop_sentences(hops)),
    }


def hop_latency_report(latency: HopLatency) -> dict[str, int | None]:
    """count, p50, p99, max."""
    return {"count": latency.count, "p50": latency.p50, "p99": latency.p99, "max": latency.max}


def thread_report(thread: HopThread | None) -> dict[str, Any] | None:
    """pid 0: not known."""
    return asdict(thread) if thread else None


def doorbell_report(one: DoorbellHops) -> dict[str, Any]:
    """vm: the VMM's fd of it."""
    woken = [
        {"thread": thread_report(who.thread), "count": who.count, "latency": hop_latency_report(who.latency)}
        for who in one.woken
    ]
    counts = {"rung": one.rung, "last_second": round(one.last_second, 1), "direct": one.direct}
    return {"vm": one.key.vm, **asdict(one.key.doorbell.match), **counts, "woken": woken}


def interrupt_report(one: InterruptHops) -> dict[str, Any]:
    """senders: thread null: the vCPU itself."""
    senders = [{"thread": thread_report(who.thread), "how": str(who.how), "count": who.count} for who in one.senders]
    counts = {"sent": one.sent, "last_second": round(one.last_second, 1), "taken": one.taken}
    return {**asdict(one.key), **counts, "senders": senders, "latency": hop_latency_report(one.latency)}


def halt_report(one: HaltHops) -> dict[str, Any]:
    """latency: from the waking to having a CPU."""
    counts = {"slept": one.slept, "polled": one.polled, "last_second": round(one.last_second, 1)}
    return {"vm": one.key.vm, "vcpu": one.key.number, **counts, "latency": hop_latency_report(one.latency)}


def exit_report(one: ExitHops) -> dict[str, Any]:
    """to_user: it left to user space."""
    counts = {"count": one.count, "last_second": round(one.last_second, 1), "total_ns": one.total_ns}
    return {**asdict(one.key), **counts, "duration": hop_latency_report(one.duration)}
