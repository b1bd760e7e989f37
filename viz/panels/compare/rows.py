"""What the window compares: before and after the last live switch, or this run and a recorded one."""

from __future__ import annotations

from typing import NamedTuple

from bellwire.engine.findings.compare import (
    BETWEEN_RUNS,
    LEVEL,
    STRETCHES,
    Difference,
    Side,
    differences,
    other_host,
    split_sides,
    told,
)
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.figures import duration, grouped, signed

NOTHING_YET = (
    "Nothing to compare yet: switch ioeventfd (I) or irqfd (Q) while it runs, or choose a recording (menu Analyze)"
)
THIS_RUN = "this run"


def sides_of(model: LiveModel, baseline: Baseline | None) -> tuple[Side, Side] | None:
    """A and B of the whole run so far, whatever moment the view shows; None if there is nothing to compare."""
    present = model.present
    if baseline is None:
        return split_sides(present.latencies, present.exits, model.source.host) if present.exits.switched else None
    if baseline.side is None:
        return None
    latencies = present.latencies
    histograms = told(latencies, latencies.histograms)
    return baseline.side, Side(THIS_RUN, histograms, latencies.blocks, present.exits.whole, model.source.host)


def why_nothing(baseline: Baseline | None) -> str:
    """Why there is nothing to compare."""
    if baseline is None:
        return NOTHING_YET
    return baseline.error or f"Reading {baseline.path.name}: {baseline.share:.0%}"


class FigureRow(NamedTuple):
    """A line of the figures; `strong`: the difference cannot be chance."""

    name: str
    a: str
    b: str
    difference: str = ""
    words: str = ""
    strong: bool = False


OTHER_HOST = FigureRow("other host", "", "", "the difference may be the hosts'")


class Compared:
    """One latency of both sides, compared anew only when one of them has changed."""

    def __init__(self) -> None:
        self._known: tuple[int, ...] = ()
        self._differences: dict[str, Difference] = {}

    def rows(self, a: Side, b: Side, latency: str) -> list[FigureRow]:
        """Median, tail and exits, side by side."""
        there = a.histograms[latency].count and b.histograms[latency].count
        found = self._compare(a, b, latency) if there else {}
        rows = [row(name, difference) for name, difference in found.items() for row in (row_of, drift_row)]
        rows += exit_rows(a, b)
        return rows + [OTHER_HOST] * other_host(a, b)

    def _compare(self, a: Side, b: Side, latency: str) -> dict[str, Difference]:
        one, other = a.histograms[latency], b.histograms[latency]
        state = id(one), one.count, id(other), other.count
        if state != self._known:
            separate = THIS_RUN in (a.label, b.label)
            self._known = state
            self._differences = differences(a, b, latency, BETWEEN_RUNS if separate else 0)
        return self._differences


def row_of(name: str, found: Difference) -> FigureRow:
    """A percentile's difference with its interval, in words."""
    difference = signed(found.ns)
    if found.enough:
        difference += f"  ({signed(found.low)} … {signed(found.high)})"
    return FigureRow(name, duration(found.a), duration(found.b), difference, found.words, found.significant)


def drift_row(name: str, found: Difference) -> FigureRow:
    """What each side's later half is more than its earlier one."""
    a, b = ("–" if own is None else signed(own) for own in found.drift)
    return FigureRow(f"{name}, drift within", a, b)


def exit_rows(a: Side, b: Side) -> list[FigureRow]:
    """Exits per signal."""
    one, other = a.exits.per_signal(), b.exits.per_signal()
    names = sorted({*one, *other}, reverse=True)
    rows = [FigureRow("signals", grouped(a.exits.signals), grouped(b.exits.signals))]
    return rows + [
        FigureRow(f"exits a signal, {name}", f"{one.get(name, 0):.2f}", f"{other.get(name, 0):.2f}") for name in names
    ]


def in_words(rows: list[FigureRow], a: Side, b: Side, latency: str) -> str:
    """Everything in one sentence a line, for who cannot see it."""
    lines = [f"{latency.replace('_', ' ')}: A is {a.label}, B is {b.label}"]
    lines += [
        f"{row.name}: A {row.a}, B {row.b}{f', {row.difference}: {row.words}' if row.words else ''}" for row in rows
    ]
    return ". ".join(lines)


NOTE = (
    f"The {LEVEL:.0%} interval comes from how {min(STRETCHES)} to {max(STRETCHES)} stretches of each side differ among "
    "themselves, or from a moving-block bootstrap, if that is wider; "
    f"of separate runs, {BETWEEN_RUNS:.0%} more for what they always differ by. "
    "Drift: a side's later half less its earlier one; a difference that is no larger is not claimed."
)
