"""What the window compares: before and after the last live switch, or this run and a recorded one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bellwire.engine.events import Setting
from bellwire.engine.findings.compare import (
    BETWEEN_RUNS,
    LEVEL,
    STRETCHES,
    Difference,
    Side,
    between_runs,
    differences,
    same_host,
    split_sides,
    told,
    untold,
    watched_alone,
)
from bellwire.engine.folds.exit_split import Exits
from bellwire.engine.host.host import emulated
from bellwire.engine.language import tr, tr_as, tr_later
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.figures import Durations, Unit, common_unit, duration, grouped, signed, unit_called
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.text.trust import each_signal

NOTHING_YET = tr_later(
    "Nothing to compare yet: switch ioeventfd (I) or irqfd (Q) while it runs, or choose a recording (menu Analyze)"
)
THIS_RUN = tr_later("this run")
SINCE_THE_JUMP = tr_later("this run since the jump")  # of a recording that was sent to a moment


def sides_of(model: LiveModel, baseline: Baseline | None) -> tuple[Side, Side] | None:
    """A and B of the whole run so far, whatever moment the view shows; None if there is nothing to compare.

    Of a recording that was sent to a moment latencies and exits are those since, and so is all else.
    """
    present, missing = model.present, model.recorded.recording.warning if model.recorded else ""
    if baseline is None:
        if not present.exits.switched:
            return None
        return split_sides(present.latencies, present.exits, model.source.host, present.told.lost, missing)
    if baseline.side is None:
        return None
    latencies = present.latencies
    histograms = told(latencies, latencies.histograms)
    watched = Setting.KERNEL in present.told.settings
    begun = model.recorded.yields_first if present.jumped and model.recorded else model.started_at
    seconds = model.clock.ns(max(model.now - begun, 0)) / 1e9
    own = Side(
        tr(SINCE_THE_JUMP) if present.jumped else tr(THIS_RUN),
        histograms,
        latencies.blocks,
        present.exits.whole,
        model.source.host,
        watched,
        seconds,
        hz=model.clock.hz,
        missing=missing,
        dropped=present.told.lost,
        untold=untold(latencies, latencies.histograms),
        direct=model.scenario.direct,
        wirings=present.exits.wirings,
    )
    return baseline.side, own


def units_of(a: Side, b: Side) -> tuple[Unit, Unit]:
    """In what the figures of either are said: in the unit that the window has chosen; cycles are those of its clock."""
    one, other = (unit_called(Durations.unit.name, side.hz) for side in (a, b))
    return one, other


def why_nothing(baseline: Baseline | None) -> str:
    """Why there is nothing to compare."""
    if baseline is None:
        return tr(NOTHING_YET)
    return baseline.error or tr("Reading {name}: {share:.0%}", name=baseline.path.name, share=baseline.share)


class FigureRow(NamedTuple):
    """A line of the figures. strong: the difference cannot be chance; head: it says what is in the columns."""

    name: str
    a: str
    b: str
    difference: str = ""
    words: str = ""
    strong: bool = False
    head: bool = False


OTHER_HOST = FigureRow(tr_later("other host"), "", "", tr_later("the difference may be the hosts'"))
WATCHED = {"A": ("✓", "–"), "B": ("–", "✓")}
CLOCKS_APART = FigureRow(tr_later("latencies"), "–", "–", tr_later("clocks of guest and host are apart"))
UNKNOWN_HOST = FigureRow(tr_later("host"), "", "", tr_later("it is not known whether it is the same"))
UNEQUAL = FigureRow(tr_later("cycles"), "", "", tr_later("not equally long: the difference is in µs"))
NO_TIMES = FigureRow(tr_later("latencies"), "–", "–", tr_later("an emulated CPU (TCG): times mean nothing"))


class Compared:
    """One latency of both sides, compared anew only when one of them has changed."""

    def __init__(self) -> None:
        self._known: tuple[int, ...] = ()
        self._differences: dict[str, Difference] = {}

    def rows(self, a: Side, b: Side, latency: str) -> list[FigureRow]:
        """Median, tail and exits, side by side."""
        there = a.histograms[latency].count and b.histograms[latency].count
        found = self._compare(a, b, latency) if there else {}
        units = units_of(a, b)
        rows = [row(name, difference, *units) for name, difference in found.items() for row in (row_of, drift_row)]
        if found and common_unit(*units) is not units[0]:
            rows.append(spoken(UNEQUAL))
        return [*rows, *exit_rows(a, b), *said_rows(a, b, latency)]

    def _compare(self, a: Side, b: Side, latency: str) -> dict[str, Difference]:
        one, other = a.histograms[latency], b.histograms[latency]
        state = id(one), one.count, id(other), other.count
        if state != self._known:
            separate = not {tr(THIS_RUN), tr(SINCE_THE_JUMP)}.isdisjoint((a.label, b.label))
            self._known = state
            self._differences = differences(a, b, latency, between_runs(a, b) if separate else 0)
        return self._differences


def said_rows(a: Side, b: Side, latency: str) -> Iterator[FigureRow]:
    """What to know before the figures are believed."""
    if max(a.wirings, b.wirings) > 1:
        together = tr("the figures are of all of them together")
        yield FigureRow(tr("wirings"), grouped(a.wirings), grouped(b.wirings), together)
    if emulated(a.host) or emulated(b.host):
        yield spoken(NO_TIMES)
    elif latency in {*a.untold, *b.untold}:
        yield spoken(CLOCKS_APART)
    if not (same := same_host(a, b)):
        yield spoken(UNKNOWN_HOST if same is None else OTHER_HOST)
    if which := watched_alone(a, b):
        yield FigureRow(tr("kernel watched"), *WATCHED[which], tr("watching costs some of the difference"))
    if a.missing or b.missing:
        of_a, of_b = ("✓" if side.missing else "–" for side in (a, b))
        yield FigureRow(tr("incomplete"), of_a, of_b, tr("it is compared as far as it goes"))
    if a.dropped or b.dropped:
        yield FigureRow(tr("events dropped"), grouped(a.dropped), grouped(b.dropped))


def spoken(row: FigureRow) -> FigureRow:
    """A row of which the name and what it says are still to be translated."""
    return row._replace(name=tr(row.name), difference=tr(row.difference))


def row_of(name: str, found: Difference, of_a: Unit, of_b: Unit) -> FigureRow:
    """A percentile's difference with its interval, in words; each side in its own unit."""
    unit = common_unit(of_a, of_b)
    difference = signed(found.ns, unit)
    if found.enough:
        difference += f"  ({signed(found.low, unit)} … {signed(found.high, unit)})"
    a, b = duration(found.a, of_a), duration(found.b, of_b)
    return FigureRow(name, a, b, difference, found.words, found.significant)


def drift_row(name: str, found: Difference, of_a: Unit, of_b: Unit) -> FigureRow:
    """What each side's later half is more than its earlier one."""
    unit = common_unit(of_a, of_b)
    a, b = ("–" if own is None else signed(own, unit) for own in found.drift)
    return FigureRow(tr("{percentile}, drift within", percentile=name), a, b)


def exit_rows(a: Side, b: Side) -> list[FigureRow]:
    """Exits per signal."""
    names = sorted({*a.exits.per_signal(), *b.exits.per_signal()}, reverse=True)
    rows = [FigureRow(tr_as("how many there were", "signals"), grouped(a.exits.signals), grouped(b.exits.signals))]
    for name in names:
        of_a, of_b = (exits_words(side.exits, name) for side in (a, b))
        rows.append(FigureRow(tr("exits a signal, {reason}", reason=exit_words(name)), of_a, of_b))
    return rows


def exits_words(exits: Exits, name: str) -> str:
    """How many there were a signal, or were at least."""
    return each_signal(exits.each_signal(name), 2, exits.least(name))


def exit_words(name: str) -> str:
    """A name of Exits.per_signal() as it is shown."""
    _, of_reason, reason = name.partition(": ")
    return tr("to user space: {reason}", reason=reason) if of_reason else tr("counted by KVM")


def in_words(rows: list[FigureRow], a: Side, b: Side, latency: str) -> str:
    """Everything in one sentence a line, for who cannot see it."""
    lines = [tr("{latency}: A is {a}, B is {b}", latency=latency_name(latency), a=a.label, b=b.label)]
    return ". ".join([*lines, *map(row_in_words, rows)])


def row_in_words(row: FigureRow) -> str:
    """As far as it says something."""
    figures = f"A {row.a}, B {row.b}" if row.a or row.b else ""
    said = ": ".join(filter(None, (row.difference, row.words)))
    return f"{row.name}: {', '.join(filter(None, (figures, said)))}"


def how_compared() -> str:
    """What to know to read it."""
    return tr(
        "A is dashed, B solid; dotted: medians. Warm-up is left out. "
        "The {level:.0%} interval comes from how {least} to {most} stretches of each side differ among "
        "themselves, or from a moving-block bootstrap, if that is wider; "
        "of separate runs, {between:.0%} more for what they always differ by, and still more of short ones. "
        "Drift: a side's later half less its earlier one; a difference of no more than twice that is not claimed.",
        level=LEVEL,
        least=min(STRETCHES),
        most=max(STRETCHES),
        between=BETWEEN_RUNS,
    )
