"""What a run comes to: as one JSON object, and as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.counted import number_of
from bellwire.engine.events import Lane
from bellwire.engine.findings.assertion import Judgement, done_elsewhere
from bellwire.engine.findings.finding import Finding
from bellwire.engine.findings.findings import findings
from bellwire.engine.findings.pairing import pairing_findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.folds.tally import Bounds, Tally
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Label, Source
from bellwire.viz.cli.tables import Figures
from bellwire.viz.text.figures import FITTING, MICROSECONDS, THIN, Unit, duration, grouped, in_bin, unit_called
from bellwire.viz.text.host_words import host_line
from bellwire.viz.text.trust import (
    agreement,
    bounded,
    corrected,
    dropped_text,
    kernel_word,
    left_out,
    said_least,
    why_not_corrected,
)

if TYPE_CHECKING:
    from bellwire.viz.model.live import LiveModel

MEANINGS = {
    "doorbell": "guest's store → I/O thread awake",
    "injection": "I/O thread's signal → guest's handler",
    "store_cost": "guest's store → its next instruction",
    "round_trip": "guest's store → guest's handler",
}
DIRECT = {"doorbell": "guest's store → handler of the guest that it rings"}  # where nobody else reads the doorbell
OF_METRICS = {"eventfd_reads": "reads", "exits_to_userspace": "exits"}  # counters, by what --assert calls them
VERDICTS = {True: ("holds   ", "green"), None: ("unknown ", "bold yellow"), False: ("FAILED  ", "bold red")}
UNKNOWN = "–"
NOT_MEASURED = "no such latency was measured, or too few of them for that percentile, or by clocks that are apart"
NOT_SEEN = "it is not known: another process does it, and nobody tells"
BOUND = "; events are missing, so that it cannot be told"
NONE_ENDED = "no journey has come to its end"
TOO_FEW_OR_APART = "too few values, or clocks that are apart"
EXACT = ("min", "max")  # what a histogram keeps besides its bins
COLUMNS = {"min": "min", "p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "p9999": "p99.99", "max": "max"}


def report(
    source: Source,
    tally: Tally,
    latencies: Latencies,
    evidence: Evidence,
    elapsed_s: float,
    verdicts: Sequence[Judgement] = (),
) -> dict[str, Any]:
    """The JSON object of `bellwire run --json`; latencies in ns, the warm-up's `warmup` journeys left out of them.

    bounds: of each of the counts that is not exact, between what it lies.
    """
    content = {
        "scenario": source.scenario.name,
        "settings": source.scenario.settings(),
        "host": source.host,
        length_name(source): round(elapsed_s, 6),
        "counts": known_counts(tally, latencies),
        "bounds": {name: asdict(bounds) for name, bounds in tally.bounds().items()},
        "evidence": [finding.as_json() for finding in found(tally, latencies, evidence)],
        "latency_ns": {name: latency_report(latencies, name) for name in LATENCIES},
        "latency_ns_corrected_for_coordinated_omission": corrected_report(latencies),
        "why_not_corrected": None if corrected_report(latencies) else why_not_corrected(latencies),
        "warmup": latencies.warmup,
        "not_paired": latencies.tracker.given_up,
        "out_of_order": latencies.tracker.contradicted,
        "stopped": stopped_report(latencies),
        "clock": clock_report(source, latencies),
        "ring": {"recorded": tally.recorded, "dropped": tally.lost, "passed_over": tally.passed_over},
    }
    return content | ({"assertions": [asdict(verdict) for verdict in verdicts]} if verdicts else {})


def known_counts(tally: Tally, latencies: Latencies) -> dict[str, Any]:
    """The counters by name; None where it is another process that does it, which nobody tells."""
    not_seen = {name: metric for name, metric in OF_METRICS.items() if done_elsewhere(metric, latencies.traits)}
    return tally.counts() | dict.fromkeys(not_seen)


def length_name(source: Source) -> str:
    """What its length is of: a run's by the wall clock, a recording's from its first event to its last."""
    return "run_s" if source.label is Label.LIVE else "recording_s"


def found(tally: Tally, latencies: Latencies, evidence: Evidence) -> list[Finding]:
    """All findings, those on the figures themselves first."""
    return [*pairing_findings(latencies), *findings(tally, evidence)]


def stopped_report(latencies: Latencies) -> dict[str, Any]:
    """How often and how long the whole program stood still, and the journeys that were under way; partners: the same
    of other processes."""

    def seconds(cycles: int) -> float:
        return round(latencies.clock.ns(cycles) / 1e9, 3)

    partners = [
        {"process": pid, "stops": one.count, "seconds": seconds(one.cycles), "journeys": one.journeys}
        for pid, one in latencies.partner_stops.of.items()
        if one.count or one.since is not None
    ]
    whole = {"stops": latencies.stops.count, "seconds": seconds(latencies.stops.cycles), "journeys": latencies.stopped}
    return whole | {"partners": partners}


def latency_report(latencies: Latencies, name: str) -> dict[str, int | None]:
    """A latency's figures; None where they cannot be told."""
    return known_figures(latencies, name, latencies.histograms[name])


def known_figures(latencies: Latencies, name: str, histogram: Histogram) -> dict[str, int | None]:
    """Those of the latency `name`; None where clocks that are apart, or an emulated CPU, do not let them be told."""
    figures = histogram.summary()
    return {key: value if key == "count" or latencies.known(name) else None for key, value in figures.items()}


def corrected_report(latencies: Latencies) -> dict[str, Any] | None:
    """The same latencies corrected for coordinated omission, and the interval expected; None without pace or times."""
    if latencies.clock.emulated:
        return None
    paced = {name: latencies.corrected(name) for name in LATENCIES}
    shortest = min((some.shortest for some in paced.values() if some.count), default=0)
    if not shortest:
        return None
    longest = max(some.longest for some in paced.values())
    summaries = {name: known_figures(latencies, name, some.corrected) for name, some in paced.items()}
    return {"expected_interval_ns": {"shortest": shortest, "longest": longest}, **summaries}


def clock_report(source: Source, latencies: Latencies) -> dict[str, Any]:
    """How far the guest's clock can be ahead of the host's: measured, and in the kernel's words (None: no word)."""
    least, most = latencies.clock_error.ns
    offset, khz = source.host.get("tsc_offset"), source.host.get("tsc_khz")
    return {
        "verdict": latencies.clock_error.agreement,
        "guest_ahead_ns": {"least": least, "most": most},
        "kernel": {"tsc_khz": khz and int(khz), "tsc_offset_cycles": offset and int(offset)},
    }


def summary(
    source: Source,
    tally: Tally,
    latencies: Latencies,
    evidence: Evidence,
    elapsed_s: float,
    verdicts: Sequence[Judgement] = (),
    unit: str = "us",
    since_s: float = 0.0,
) -> RenderableType:
    """The tables of `bellwire run`; unit: of the latencies, one of figures.UNIT_NAMES. since_s: as heading() has it."""
    parts: list[RenderableType] = [heading(source, elapsed_s, since_s)]
    if source.scenario.doorbell:
        parts.append(doorbells_table(tally, evidence))
    if source.scenario.interrupt:
        parts.append(interrupts_table(tally, evidence))
    latency = latency_table(latencies, unit_called(unit, source.clock.hz))
    parts += [latency, exits_table(tally), evidence_table(found(tally, latencies, evidence))]
    missing = tally.dropped or latencies.tracker.given_up or latencies.tracker.contradicted
    missing = missing or latencies.stopped or latencies.partner_stopped
    parts.append(Text(losses(tally, latencies), style="bold red" if missing else ""))
    parts.append(Text(clocks(source, latencies), style="bold red" if latencies.clock_error.apart else ""))
    if verdicts:
        parts.append(Text("\n").join(map(verdict_line, verdicts)))
    return Group(*(part for each in parts for part in (each, "")))


def summary_of_played(model: LiveModel, played_s: float) -> RenderableType:
    """The same of all that a window has shown, for so long; of a recording that it was sent into, from there on:
    what was before that is in no latency and no evidence, and so in no count.

    played_s: of a recording, from its first event on.
    """
    present, replay, since_s = model.present, model.recorded, 0.0
    if replay and present.jumped:
        since_s = replay.clock.ns(replay.yields_first - replay.recording.first) / 1e9
    of = model.source, present.told, present.latencies, present.evidence
    return summary(*of, played_s - since_s, since_s=since_s)


def heading(source: Source, elapsed_s: float, since_s: float = 0.0) -> Text:
    """What was measured, and where. since_s: how long after a recording's first event that begins."""
    where = host_line(source.host, source.backend)
    label = "" if source.label is Label.LIVE else f"{source.label} · "
    span = "" if source.label is Label.LIVE else " from first event to last"
    span = f", counted from {since_s:.2f} s after its first event on" if since_s else span
    title = Text(source.scenario.title, style="bold")
    return title.append(f"\n{label}{source.scenario.name} · {elapsed_s:.2f} s{span} · {where}", style="not bold")


def table_of(name: str, numbers: list[str], style: str = "", text: str | None = None) -> Figures:
    """A table whose first column, or two, are text (headed `name`, `text`) and whose others are numbers."""
    table = Figures(header_style="dim")
    table.add_column(Text(name, style=f"not dim bold {style}"), no_wrap=True, min_width=12)
    if text is not None:
        table.add_column(text)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True, min_width=6)
    return table


def other_side(tally: Tally, evidence: Evidence) -> str:
    """Whom the guest rings and is interrupted by."""
    if tally.partner_pid:
        kernel = Trait.KERNEL_WORKER in traits_of(evidence.scenario)
        return f"{'vhost worker' if kernel else 'process'} {tally.partner_pid}"
    return "guest" if tally.direct else "host"


def doorbells_table(tally: Tally, evidence: Evidence) -> Figures:
    """From guest to whoever reads or is interrupted: rung = received + pending. Several eventfds have a row each."""
    received = "answered" if tally.partner_pid else "handled" if tally.direct else "received"
    reads = evidence.ways.reads
    of = f"reads of {len(reads)} eventfds" if len(reads) > 1 else "reads of the eventfd"
    table = table_of("Doorbells", ["rung", received, "pending", of], "yellow")
    names = ("doorbells_rung", "doorbells_received", "doorbells_pending", "eventfd_reads")
    counts, bounds = tally.counts(), tally.bounds()
    numbers = [bounded(counts[name], bounds.get(name)) for name in names]
    if tally.partner_pid:
        numbers[-1] = UNKNOWN  # that process's own are not seen
    table.add_row(f"guest → {other_side(tally, evidence)}", *numbers)
    unread = tally.may_lack(Lane.IO_THREAD)
    for queue in sorted(reads) if len(reads) > 1 else ():
        brought = said_least(grouped(tally.received_from.get(queue, 0)), unread and "doorbells_received" in bounds)
        table.add_row(f"  eventfd {queue}", "", brought, "", said_least(grouped(reads[queue]), unread))
    return table


def interrupts_table(tally: Tally, evidence: Evidence) -> Figures:
    """From host, guest or process to guest: signalled = handled - spurious + merged + lost + pending.

    Of the pending ones some may be kept, by an eventfd that is no irqfd now. Where stamps of the guest were dropped,
    some of what seems merged had a handler of its own.
    """
    counts, bounds = tally.counts(), tally.bounds()
    heads = {head: f"irqs_{head}" for head in ("signalled", "handled", "merged", "pending")}
    rare = {"spurious": "irqs_spurious", "lost": "irqs_lost", "kept, no irqfd": "irqs_kept"}
    heads |= {head: name for head, name in rare.items() if counts[name] or name in bounds}
    numbers = {head: bounded(counts[name], bounds.get(name)) for head, name in heads.items()}
    table = table_of("Interrupts", list(numbers), "cyan")
    table.add_row(f"{other_side(tally, evidence)} → guest", *numbers.values())
    return table


def latency_table(latencies: Latencies, unit: Unit = MICROSECONDS) -> RenderableType:
    """Percentiles of every latency that this scenario has, and what each one is; the same corrected, if paced.

    Of an emulated CPU there is none, which the last line of the summary says.
    """
    if latencies.clock.emulated:
        return Text("Latency: none is given, times mean nothing here.")
    table, legend = table_of(f"Latency, {unit.text}", [*COLUMNS.values(), "count"]), []
    table.pad_edge, table.collapse_padding = False, True
    meanings = MEANINGS | (DIRECT if latencies.tracker.direct else {})
    there = [name for name in LATENCIES if latencies.histograms[name].count or latencies.contradicted[name]]
    if not there:
        out = left_out(latencies) if latencies.journeys else ""
        return Text(f"Latency: there is none, as {'all is left out: ' + out if out else NONE_ENDED}.")
    for name in there:
        table.add_row(name.replace("_", " "), *known_row(latencies, name, latencies.histograms[name], unit))
        legend.append(f"{name.replace('_', ' '):12}   {meanings[name]}")
    paced = {name: latencies.corrected(name) for name in there}
    if any(some.count for some in paced.values()):
        table.add_section()
        for name, some in paced.items():
            row = known_row(latencies, name, some.corrected, unit)
            table.add_row(f"{name.replace('_', ' ')} *", *row, style="dim")
        legend.append(f"*              {corrected(paced.values())}")
    elif there:
        legend.append(why_not_corrected(latencies))
    if UNKNOWN in (cell for column in table.columns for cell in column.cells):
        legend.append(f"{UNKNOWN}              not known: {TOO_FEW_OR_APART}")
    return Group(table, Text("\n".join(legend), style="dim"))


def known_row(latencies: Latencies, name: str, histogram: Histogram, unit: Unit) -> list[str]:
    """The numbers of the latency `name`, as far as they can be told: how many there were can."""
    row = latency_row(histogram, unit)
    return row if latencies.known(name) else [UNKNOWN] * len(COLUMNS) + row[-1:]


def latency_row(histogram: Histogram, unit: Unit) -> list[str]:
    """The numbers of one latency."""
    values = histogram.summary()
    return [*(cell(values[key], unit, key in EXACT) for key in COLUMNS), grouped(histogram.count)]


def cell(ns: float | None, unit: Unit, exact: bool) -> str:
    """A latency without its unit: whole ns and cycles, µs with one digit behind the point while they are few.

    exact: it is one value, else the bin that holds it.
    """
    if ns is None:
        return UNKNOWN
    value = ns / unit.size
    return grouped(value if exact else in_bin(value), 1 if unit.name == "us" and value < 1000 else 0)


def verdict_line(verdict: Judgement) -> Text:
    """Whether an assertion held, as far as that can be told, and what was measured."""
    return Text(*VERDICTS[verdict.holds]).append(f"{verdict.text}: {measured(verdict)}", style="not bold default")


def measured(verdict: Judgement) -> str:
    """The value and, where it says more than the assertion's own text, the limit."""
    why = NOT_MEASURED if verdict.is_time else NOT_SEEN
    if verdict.value is None:
        return why
    if verdict.limit is None:
        return f"there is no limit: {why}"
    value, limit = (
        said(number, verdict.is_time) if bounds is None else said_between(bounds)
        for number, bounds in ((verdict.value, verdict.value_bounds), (verdict.limit, verdict.limit_bounds))
    )
    if value == limit and verdict.value != verdict.limit:  # told apart by what their unit has no digits for
        value, limit = (exactly(number, verdict.is_time) for number in (verdict.value, verdict.limit))
    return f"{value}, limit {limit}{BOUND if verdict.holds is None else ''}"


def exactly(number: float, is_time: bool) -> str:
    """With all its digits; a time in ns."""
    digits = f"{number:,.12g}".replace(",", THIN)
    return f"{digits} ns" if is_time else digits


def said_between(bounds: Bounds) -> str:
    """A count of which only that is known."""
    least, most = f"at least {grouped(bounds.least)}", "" if bounds.most is None else f"at most {grouped(bounds.most)}"
    return " and ".join(filter(None, (least if bounds.least or not most else "", most)))


def said(number: float, is_time: bool) -> str:
    """A time, or a count, which may be a limit with a fraction."""
    return duration(number, FITTING) if is_time else f"{number:,.10g}".replace(",", THIN)


def exits_table(tally: Tally) -> RenderableType:
    """Exits by who counted them: this program, which saw KVM_RUN return, and KVM itself."""
    table = table_of("Counted by", ["times"], text="what")
    bounds = tally.bounds()
    for reason, count in sorted(tally.exits_to_userspace.items()):
        times = bounded(count, bounds.get(f"exits_to_userspace.{reason}"))
        table.add_row("bellwire", f"KVM_RUN returned: {reason}", times)
    for name, count in tally.kvm.items():
        if count:  # of a part of a run it may not have changed
            table.add_row("KVM", name, grouped(count))
    return table if table.row_count else Text("Exits: none was counted.")


def evidence_table(found: Sequence[Finding]) -> RenderableType:
    """What the numbers come to, one sentence a line, and the events that show it."""
    table = table_of("Evidence", [], text="shown by")
    table.columns[0].no_wrap = False
    for finding in found:
        kinds = ", ".join(kind.name for kind in finding.kinds)
        table.add_row(Text(finding.claim, "not bold"), Text(kinds, "dim"))
    return table if found else Text("Evidence: there is none.")


def losses(tally: Tally, latencies: Latencies) -> str:
    """What is in no figure."""
    events = f"{number_of(tally.recorded, 'event')} recorded, {dropped_text(tally)}"
    out = "" if latencies.clock.emulated else left_out(latencies)
    return f"{events}; the latencies leave out {out}." if out else f"{events}."


def clocks(source: Source, latencies: Latencies) -> str:
    """The error of the clock: as measured, and in the kernel's words."""
    measured, word = agreement(latencies.clock_error), kernel_word(source.host, latencies.clock_error)
    return f"{measured[0].upper()}{measured[1:]}{f'; {word}' if word else ''}."
