"""What `bellwire compare` prints: two runs side by side, what differs, and whether that can be chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bellwire.engine.findings.compare import (
    LEVEL,
    STRETCHES,
    Comparison,
    Difference,
    Side,
    compare,
    side_of,
    sides_at_switch,
    watched_alone,
)
from bellwire.engine.foreign import shown
from bellwire.engine.host.host import emulated
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.summary import COLUMNS, latency_row, table_of
from bellwire.viz.text.figures import Unit, grouped
from bellwire.viz.text.trust import no_times

Progress = Callable[[float], None]


def compare_files(a: Path, b: Path, progress: Progress) -> tuple[Comparison, float]:
    """Two recordings, and the TSC cycles a second of the first; RecordingError if one is none."""
    first, second = Recording(a), Recording(b)
    share = len(first) / max(len(first) + len(second), 1)
    one = side_of(first, str(a), lambda done: progress(share * done))
    other = side_of(second, str(b), lambda done: progress(share + (1 - share) * done))
    return compare(one, other), first.header.clock.hz


def compare_at_switch(path: Path, progress: Progress) -> tuple[Comparison, float]:
    """A recording before and after its last change of the wiring, and its TSC cycles a second."""
    recording = Recording(path)
    return compare(*sides_at_switch(recording, progress), separate=False), recording.header.clock.hz


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
        "same_host": not comparison.other_host,
    }


def side_report(side: Side) -> dict[str, Any]:
    """One of the two."""
    return {
        "label": side.label,
        "host": dict(side.host),
        "latency_ns": {name: histogram.summary() for name, histogram in side.histograms.items()},
        "exits": asdict(side.exits),
        "exits_per_signal": side.exits.per_signal(),
    }


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


def tables(comparison: Comparison, unit: Unit) -> RenderableType:
    """The tables of `bellwire compare`."""
    parts: list[RenderableType] = [sides_heading(comparison), latencies_table(comparison, unit)]
    parts += [differences_table(comparison, unit), exits_beside(comparison)]
    return Group(*(part for each in parts for part in (each, "")))


def sides_heading(comparison: Comparison) -> Text:
    """Which is A and which B, and whether they can be compared at all."""
    text = Text()
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        host = f"{side.host.get('cpu')} · Linux {side.host.get('kernel')} · {side.host.get('backend')}"
        text.append(f"{name}  {shown(side.label)}", style="bold").append(f"  {host}\n", style="not bold dim")
    if emulated_side(comparison):
        text.append(no_times(), style="bold red")
    elif comparison.other_host:
        text.append("The two were measured on different hosts: the difference may be the hosts'.", style="bold red")
    elif not comparison.differences:
        text.append("They have no latency in common.", style="bold red")
    if which := watched_alone(comparison.a, comparison.b):
        text.append(
            f"Only {which}'s kernel was watched: some of the difference is what watching costs.", style="yellow"
        )
    text.rstrip()
    return text


def emulated_side(comparison: Comparison) -> bool:
    """Whether one of them ran on an emulated CPU, so that only counts can be compared."""
    return emulated(comparison.a.host) or emulated(comparison.b.host)


def latencies_table(comparison: Comparison, unit: Unit) -> Table:
    """The percentiles of both, latency by latency."""
    table = table_of(f"Latency, {unit.text}", [*COLUMNS.values(), "count"], text="")
    for name in comparison.differences:
        for side, label in ((comparison.a, "A"), (comparison.b, "B")):
            first = name.replace("_", " ") if side is comparison.a else ""
            table.add_row(first, label, *latency_row(side.histograms[name], unit))
    return table


def differences_table(comparison: Comparison, unit: Unit) -> RenderableType:
    """B - A, the interval and what that means."""
    table = table_of(f"B − A, {unit.text}", ["difference", f"{LEVEL:.0%} interval", "drift of A", "of B"], text="")
    table.add_column("")
    for latency, differences in comparison.differences.items():
        for name, found in differences.items():
            first = latency.replace("_", " ") if name == "p50" else ""
            ends = f"{signed_number(found.low, unit)} … {signed_number(found.high, unit)}" if found.enough else "–"
            drifts = ["–" if own is None else signed_number(own, unit) for own in found.drift]
            words = Text(found.words, style="bold" if found.significant else "dim")
            table.add_row(first, name, signed_number(found.ns, unit), ends, *drifts, words)
    return Group(table, Text(how_sure(comparison.between_runs), style="dim"))


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
    return f"{'−' if value < 0 else '+'}{grouped(abs(value), digits)}"


def exits_beside(comparison: Comparison) -> Table:
    """Exits per signal, side by side."""
    a, b = comparison.a.exits.per_signal(), comparison.b.exits.per_signal()
    table = table_of("Exits per signal", ["A", "B"])
    table.add_row("signals", grouped(comparison.a.exits.signals), grouped(comparison.b.exits.signals), style="dim")
    for name in sorted({*a, *b}, reverse=True):  # to user space, then counted by KVM
        table.add_row(name, f"{a.get(name, 0):.3f}", f"{b.get(name, 0):.3f}")
    return table
