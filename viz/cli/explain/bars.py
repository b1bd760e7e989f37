"""The bars of `bellwire explain` in a terminal: what is as wide as its share, and a line for each part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from bellwire.viz.cli.explain.of_recording import ExplainedRecording, chosen_ones
from bellwire.viz.cli.summary import heading, table_of
from bellwire.viz.stages.shares import Explained, Share, WayShares, percent_words, percents, title_of, whole_latency_of
from bellwire.viz.text.figures import Unit, count_of, duration, grouped

PLACE_STYLES = {"guest": "green", "kernel": "magenta", "user space": "yellow", "other process": "cyan"}
BLOCK = "█"


def explained_tables(told: ExplainedRecording, unit: Unit) -> RenderableType:
    """A heading, then each way with its bars and their parts."""
    parts: list[RenderableType] = [heading(told.source, told.recording.seconds)]
    if told.recording.warning:
        parts.append(Text(told.recording.warning, style="bold red"))
    parts.append("")
    if told.why_none:
        return Group(*parts, Text(told.why_none, style="bold red"))
    for way in told.run.told:
        parts += [*way_parts(way, unit, told.run.left_out(way)), ""]
    warmup = told.latencies.warmup
    left = f"{count_of(warmup, 'journey')} of the warm-up left out. " if warmup else ""
    return Group(*parts, Text(f"{left}The shares of a bar add up to 100 %.", style="dim"))


def way_parts(way: WayShares, unit: Unit, untold: int) -> Iterator[RenderableType]:
    """A way's name, then each of its three journeys.

    untold: how many are left out, as the kernel told nothing of them.
    """
    name = whole_latency_of(way.way).replace("_", " ")
    yield Text(title_of(way.way), style="bold")
    left = f", {count_of(untold, 'journey')} of which the kernel told nothing left out" if untold else ""
    yield Text(f"{count_of(way.whole.count, 'journey')}{left}; the bars are of the {name}", style="dim")
    for row, told in chosen_ones(way):
        yield ""
        if told is None:
            yield Text(f"{row}: – too few journeys, none lies beyond it", style="dim")
        else:
            yield from journey_parts(way, row, told, unit)


def journey_parts(way: WayShares, row: str, told: Explained, unit: Unit) -> Iterator[RenderableType]:
    """One journey: its bar, then a line for each part."""
    shares = percents([share.cycles for share in told.shares])
    number = grouped(int(told.journey["seq"][0]))
    yield Text(f"{row}  {duration(way.clock.ns(told.cycles), unit)}  #{number}", style="bold")
    yield ShareBar(told.shares, shares)
    table = table_of("part", ["share", "time", "median of all"], text="stages")
    for letter, share, percent in zip(letters(told.shares), told.shares, shares, strict=True):
        time = f"{share.bound} {duration(way.clock.ns(share.cycles), unit)}".strip()
        where = Text(f"{letter} {name_of_place(share)}", style=PLACE_STYLES[share.places[0]])
        of_all = percent_words(percent, alone=len(shares) == 1)
        table.add_row(where, share.title, of_all, time, duration(way.median(share), unit))
    yield table
    for rule in dict.fromkeys(share.rule for share in told.shares if share.rule):
        ruled = zip(letters(told.shares), told.shares, strict=True)
        which = ", ".join(f"{letter} {share.bound}" for letter, share in ruled if share.rule == rule)
        yield Text(f"{which}: {rule}", style="dim")


def letters(shares: tuple[Share, ...]) -> str:
    """A letter for each part, by which bar and table name it."""
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(shares)]


def name_of_place(share: Share) -> str:
    """Where it was spent: "kernel, guest"."""
    return ", ".join(share.places)


class ShareBar:
    """Parts side by side over the width of the terminal, each with its letter."""

    def __init__(self, shares: tuple[Share, ...], percent: list[float]) -> None:
        self.shares, self.percent = shares, percent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line; a part that is less than a sign wide has none in it."""
        ends = np.rint(np.cumsum([0.0, *self.percent]) / 100 * min(options.max_width, 100)).astype(int)
        bar, names = Text(no_wrap=True), Text(no_wrap=True)
        for letter, share, width in zip(letters(self.shares), self.shares, np.diff(ends).tolist(), strict=True):
            style = PLACE_STYLES[share.places[0]]
            bar.append(("▏" + BLOCK * (width - 1))[:width], style=style)
            names.append(letter[:width].ljust(width), style=style)
        yield bar
        yield names
