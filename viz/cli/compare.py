"""What `bellwire compare` prints: two runs side by side, what differs, and whether that can be chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bellwire.engine.findings.compare import (
    HOST,
    LEVEL,
    STRETCHES,
    Comparison,
    Difference,
    Side,
    compare,
    same_host,
    side_of,
    sides_at_switch,
    watched_alone,
)
from bellwire.engine.folds.exit_split import Exits
from bellwire.engine.foreign import shown
from bellwire.engine.host.host import emulated
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.summary import COLUMNS, latency_row, table_of
from bellwire.viz.text.figures import MINUS, Unit, common_unit, count_of, grouped, in_bin, listed, unit_called
from bellwire.viz.text.trust import each_signal, no_times

Progress = Callable[[float], None]


def compare_files(a: Path, b: Path, progress: Progress) -> Comparison:
    """Two recordings; RecordingError if one is none."""
    first, second = Recording(a), Recording(b)
    share = len(first) / max(len(first) + len(second), 1)
    one = side_of(first, str(a), lambda done: progress(share * done))
    other = side_of(second, str(b), lambda done: progress(share + (1 - share) * done))
    return compare(one, other)


def compare_at_switch(path: Path, progress: Progress) -> Comparison:
    """A recording before and after its last change of the wiring."""
    return compare(*sides_at_switch(Recording(path), progress), separate=False)


def comparison_report(comparison: Comparison) -> dict[str, Any]:
    """The JSON object of `bellwire compare --json`; latencies in ns, differences are B - A."""
    return {
        "a": side_report(comparison.a),
        "b": side_report(comparison.b),
        "differences_ns": {
            latency: {name: difference_report(found) for name, found in differences.items()}
            for latency, differences in comparison.differences.items()
        },
        "interval": {
            "method": "the wider of Student's t over stretches of the run and a moving-block bootstrap",
            "level": LEVEL,
            "stretches": list(STRETCHES),
            "between_runs": comparison.between_runs,
        },
        "same_host": same_host(comparison.a, comparison.b),
    }


def side_report(side: Side) -> dict[str, Any]:
    """One of the two."""
    return {
        "label": side.label,
        "host": dict(side.host),
        "clock_hz": side.hz,
        "emulated": emulated(side.host),
        "kernel_watched": side.watched,
        "missing": side.missing,
        "dropped": side.dropped,
        "wirings": side.wirings,
        "latency_ns": {name: side_figures(side, name) for name in side.histograms},
        "exits": exits_report(side.exits),
        "exits_per_signal": side.exits.per_signal(),
    }


def side_figures(side: Side, name: str) -> dict[str, int | None]:
    """A latency of one side; of one that cannot be told, how many there are."""
    return side.histograms[name].summary() | ({"count": side.untold[name]} if name in side.untold else {})


def exits_report(exits: Exits) -> dict[str, Any]:
    """What one side's signals took; None where nobody tells. lost: events that may have been further exits."""
    seen = dict(exits.to_userspace) if exits.seen else None
    return {"signals": exits.signals, "to_userspace": seen, "lost": exits.lost, "kvm": exits.kvm}


def difference_report(found: Difference) -> dict[str, Any]:
    """A difference, its interval and what that means."""
    return {
        "a": found.a,
        "b": found.b,
        "difference": found.ns,
        "low": found.low if found.enough else None,
        "high": found.high if found.enough else None,
        "drift": {"a": found.drift[0], "b": found.drift[1]},
        "significant": found.significant,
        "words": found.words,
    }


def tables(comparison: Comparison, unit: str) -> RenderableType:
    """The tables of `bellwire compare`; unit: one of bellwire.viz.text.figures.UNIT_NAMES."""
    parts: list[RenderableType] = [sides_heading(comparison)]
    if comparison.differences:
        parts += [latencies_table(comparison, unit), differences_table(comparison, unit)]
    parts.append(exits_beside(comparison))
    return Group(*(part for each in parts for part in (each, "")))


def sides_heading(comparison: Comparison) -> Text:
    """Which is A and which B, and whether they can be compared at all."""
    text = Text()
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        text.append(f"{name}  {shown(side.label)}", style="bold").append(
            f"  {measured_on(side)}\n", style="not bold dim"
        )
    for words, style in said_beside(comparison):
        text.append(f"{words}\n", style)
    text.rstrip()
    return text


def measured_on(side: Side) -> str:
    """What it was measured on."""
    cpu, kernel, backend = (side.host.get(key, "unknown") for key in HOST)
    return f"{cpu} · Linux {kernel} · {backend}"


def said_beside(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """(sentence, style): what to know before the figures are believed."""
    if emulated_side(comparison):
        yield no_times(), "bold red"
    elif comparison.other_host:
        yield "The two were measured on different hosts: the difference may be the hosts'.", "bold red"
    elif same_host(comparison.a, comparison.b) is None:
        yield "It is not known whether the two were measured on one host.", "bold red"
    if not comparison.differences and not emulated_side(comparison):
        yield "They have no latency in common.", "bold red"
    of_a, of_b = list(shortcomings(comparison.a)), list(shortcomings(comparison.b))
    for words in dict.fromkeys([*of_a, *of_b]):
        whose = " and ".join(name for name, own in (("A", of_a), ("B", of_b)) if words in own)
        yield f"{whose}: {words}", "bold red"
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        if side.wirings > 1:
            yield f"{name}'s wiring changed while it ran: its figures are of {side.wirings} wirings together.", "yellow"
    if which := watched_alone(comparison.a, comparison.b):
        yield f"Only {which}'s kernel was watched: some of the difference is what watching costs.", "yellow"


def shortcomings(side: Side) -> Iterator[str]:
    """Why figures of it are missing, or are of a part of its run."""
    if side.missing:
        yield side.missing
    if side.dropped:
        were = "was" if side.dropped == 1 else "were"
        yield f"{count_of(side.dropped, 'event')} {were} dropped while it was recorded."
    if side.untold and not emulated(side.host):
        names = listed([name.replace("_", " ") for name in side.untold])
        yield f"its guest's and host's clocks are apart, so {names} are not told."
    if side.no_journey:
        yield "no journey of it came to its end after the warm-up."


def emulated_side(comparison: Comparison) -> bool:
    """Whether one of them ran on an emulated CPU, so that only counts can be compared."""
    return emulated(comparison.a.host) or emulated(comparison.b.host)


def latencies_table(comparison: Comparison, unit: str) -> Table:
    """The percentiles of both, latency by latency, each in cycles of its own clock."""
    table = table_of(f"Latency, {unit_called(unit, comparison.a.hz).text}", [*COLUMNS.values(), "count"], text="")
    for name in comparison.differences:
        for side, label in ((comparison.a, "A"), (comparison.b, "B")):
            first = name.replace("_", " ") if side is comparison.a else ""
            table.add_row(first, label, *latency_row(side.histograms[name], unit_called(unit, side.hz)))
    return table


def differences_table(comparison: Comparison, of_figures: str) -> RenderableType:
    """B - A, the interval and what that means; cycles of two clocks that are not equally fast have no difference."""
    own = [unit_called(of_figures, side.hz) for side in (comparison.a, comparison.b)]
    unit = common_unit(*own)
    table = table_of(f"B − A, {unit.text}", ["difference", f"{LEVEL:.0%} interval", "drift of A", "of B"], text="")
    table.add_column("")
    for latency, differences in comparison.differences.items():
        for name, found in differences.items():
            first = latency.replace("_", " ") if name == "p50" else ""
            ends = f"{signed_number(found.low, unit)} … {signed_number(found.high, unit)}" if found.enough else "–"
            drifts = ["–" if own is None else signed_number(own, unit) for own in found.drift]
            words = Text(found.words, style="bold" if found.significant else "dim")
            table.add_row(first, name, signed_number(found.ns, unit), ends, *drifts, words)
    unlike = "" if unit is own[0] else f"in {unit.text}: cycles of their clocks are not equally long\n"
    return Group(table, Text(unlike + how_sure(comparison.between_runs), style="dim"))


def how_sure(between_runs: float) -> str:
    """What the interval stands on."""
    stretches = f"{min(STRETCHES)} to {max(STRETCHES)} stretches of each side differ among themselves"
    more = f", and {between_runs:.0%} for what separate runs as short as these always differ by" if between_runs else ""
    own = "drift: a side's later half less its earlier one; what is no more than twice that is not claimed"
    return f"interval: from how {stretches} or by a moving-block bootstrap, whichever is wider{more}; {own}"


def signed_number(ns: float, unit: Unit) -> str:
    """A difference without its unit."""
    value = ns / unit.size
    digits = 0 if unit.size < 1e3 else 1 if abs(value) >= 10 else 2
    return f"{MINUS if value < 0 else '+'}{grouped(in_bin(abs(value)), digits)}"


def exits_beside(comparison: Comparison) -> Table:
    """Exits per signal, side by side."""
    a, b = comparison.a.exits, comparison.b.exits
    table = table_of("Exits per signal", ["A", "B"])
    table.add_row("signals", grouped(a.signals), grouped(b.signals), style="dim")
    for name in sorted({*a.per_signal(), *b.per_signal()}, reverse=True):  # to user space, then counted by KVM
        table.add_row(name, *(exits_cell(exits, name) for exits in (a, b)))
    return table


def exits_cell(exits: Exits, name: str) -> str:
    """How many there were a signal, or were at least."""
    return each_signal(exits.each_signal(name), 3, exits.least(name))
