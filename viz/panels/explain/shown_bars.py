"""What the panel shows: the bars of the median, p99, the slowest and the chosen journey, and a table of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bellwire.engine.events import Clock
from bellwire.engine.folds.journeys import Journeys
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.readings import WHOLE_RUN
from bellwire.viz.panels.explain.held import WayHeld, WholesHeld, explained_of
from bellwire.viz.stages.shares import Explained, Share, percent_words, percents, title_of, whole_latency_of
from bellwire.viz.stages.way import StageWay
from bellwire.viz.stages.when import TOLD_BY
from bellwire.viz.text.figures import count_of, duration, grouped

PERCENTILES = {"median": 50.0, "p99": 99.0}
NAMES = (*PERCENTILES, "slowest", "chosen")
CLOCKS = "The clocks of guest and host are apart: no part between a stamp of one and of the other can be told."
NONE_ENDED = "No journey has come to its end yet, so there is no time to divide."
NONE_BY_THEN = "No journey that is held had come to its end at this moment, so there is no time to divide."
TOO_FEW = "too few journeys: none lies beyond it"
NOT_HELD = "it is no longer held"
NONE_CHOSEN = "none is chosen: click a bar, or a journey anywhere"
NO_END = "no stamp tells of its end"
ANOTHER_WAY = "the chosen journey went another way"
NO_SUCH_PART = "no such part: its stamps divide this journey otherwise"
WORDS_OF_STAMPS = TOLD_BY | {"irq": "the interrupt was asked for"}  # as clauses


@dataclass(frozen=True)
class TimeBar:
    """A journey and what it stands for; told None: there is none, and why."""

    name: str
    told: Explained | None
    why: str = ""

    @cached_property
    def parts(self) -> dict[tuple[int, int], tuple[Share, float]]:
        """Its parts in order, with their shares of it in per cent, which add up to 100."""
        shares = self.told.shares if self.told else ()
        of_whole = percents([share.cycles for share in shares]) if shares else []
        return {share.key: (share, percent) for share, percent in zip(shares, of_whole, strict=True)}

    @property
    def number(self) -> str:
        """The journey's, "#1 204"; "" if there is none."""
        return f"#{grouped(int(self.told.journey['seq'][0]))}" if self.told else ""

    def why_not(self, key: tuple[int, int]) -> str:
        """Why it has no such part; "" if it has."""
        if key in self.parts:
            return ""
        return self.why if self.told is None else NO_SUCH_PART


@dataclass(frozen=True)
class TimeBars:
    """All bars of one way; why: there is none. ways: all that were gone, the most usual first."""

    way: StageWay | None = None
    bars: tuple[TimeBar, ...] = ()
    ways: tuple[StageWay, ...] = ()
    clock: Clock = field(default_factory=lambda: Clock(1_000_000_000))
    why: str = ""
    facts: str = ""

    @cached_property
    def letters(self) -> dict[tuple[int, int], str]:
        """Of each part, by which bars and table name it: A … Z, then AA."""
        keys = sorted({key for bar in self.bars for key in bar.parts})
        return {key: chr(65 + n % 26) * (1 + n // 26) for n, key in enumerate(keys)}

    @cached_property
    def titles(self) -> dict[tuple[int, int], Share]:
        """A part of each key, whose stages are those of all."""
        return {key: share for bar in self.bars for key, (share, _) in bar.parts.items()}

    @property
    def places(self) -> list[str]:
        """Where any time was spent, in the order of the way."""
        shares = [self.titles[key] for key in self.letters]
        return list(dict.fromkeys(place for share in shares for place in share.places))


def time_bars_of(model: LiveModel, held: WholesHeld, wanted: StageWay | None) -> TimeBars:
    """As of the moment that the view shows. wanted: the way that somebody asked for, if any journey went it."""
    tsc, chosen = ended_until(model), model.selection.journeys
    found = held.until(tsc)
    told = explained_of(model, chosen) if chosen.size else None
    why = why_no_bars(model, held, found)
    if why:
        return TimeBars(why=why)
    ways = {one.way: one for one in found}
    usual = max(found, key=lambda one: one.newest).way
    way = next(one for one in (wanted, told and told.times.way, usual) if one in ways)
    assert way is not None
    bars = (*run_bars(ways[way]), chosen_bar(way, chosen, told))
    return TimeBars(way, bars, tuple(ways), model.clock, facts=facts_of_bars(model, held, ways[way]))


def run_bars(way: WayHeld) -> list[TimeBar]:
    """Those that stand for the run."""
    found = [(name, way.nearest(percent)) for name, percent in PERCENTILES.items()]
    return [*(TimeBar(name, told, TOO_FEW) for name, told in found), TimeBar("slowest", way.slowest, NOT_HELD)]


def chosen_bar(way: StageWay, chosen: Journeys, told: Explained | None) -> TimeBar:
    """That of the chosen journey."""
    if told is None or not chosen.size:
        return TimeBar("chosen", None, NONE_CHOSEN)
    if not told.cycles:
        return TimeBar("chosen", None, NO_END)
    return TimeBar("chosen", None, ANOTHER_WAY) if told.times.way != way else TimeBar("chosen", told)


def ended_until(model: LiveModel) -> int:
    """Until when journeys must have ended: of figures that are not of the moment that is looked at, until now."""
    return model.now if model.transport.following or model.seen.whole_run else model.playhead


def why_no_bars(model: LiveModel, held: WholesHeld, found: Sequence[WayHeld]) -> str:
    """Why there is nothing to show; "" if there is something."""
    if model.present.latencies.clock_error.apart:
        return CLOCKS
    if found:
        return ""
    if not held.complete:
        return f"{count_of(held.taken, 'journey')} of {grouped(model.journeys.total)} looked at so far"
    seen = model.seen.latencies
    if seen.journeys and seen.journeys == seen.warmup:
        return f"Only {count_of(seen.journeys, 'journey')} of the warm-up so far: they are in no figure."
    return NONE_BY_THEN if model.journeys.total else NONE_ENDED


def facts_of_bars(model: LiveModel, held: WholesHeld, way: WayHeld) -> str:
    """What the bars are of, and what is not among it."""
    parts = [f"{whole_latency_of(way.way).replace('_', ' ')} of {count_of(way.count, 'journey')}"]
    if not held.complete:
        parts.append(f"{count_of(model.journeys.total - held.taken, 'journey')} still to be looked at")
    if model.journeys.oldest:
        parts.append(f"{count_of(model.journeys.oldest, 'older one')} no longer held and not among them")
    if not model.transport.following:
        parts.append(WHOLE_RUN if model.seen.whole_run else "until this moment")
    return ", ".join(parts)


# -- in words


def time_words(clock: Clock, share: Share) -> str:
    """ "≤ 11.2 µs"."""
    return f"{share.bound} {duration(clock.ns(share.cycles))}".strip()


def part_name(share: Share) -> str:
    """By its stages; where no stamp divides them, that it lies between."""
    return share.title if len(share.stops) == 1 or share.bound else f"between: {share.title}"


def part_tip(model: LiveModel, bars: TimeBars, bar: TimeBar, key: tuple[int, int]) -> str:
    """All that is known of a part of a bar, or why it has none."""
    title = f"{bars.letters[key]}  {part_name(bars.titles[key])}"
    if bar.why_not(key) or bar.told is None:
        return f"{title}\n{bar.name}: – {bar.why_not(key)}"
    share, percent = bar.parts[key]
    ns = model.clock.ns(share.cycles)
    lines = [title, f"{bar.name} {bar.number}, in {' and '.join(share.places)}"]
    lines.append(
        f"{time_words(model.clock, share)} ({grouped(share.cycles)} cycles, {grouped(ns)} ns): {percent_words(percent)}"
        f" of {duration(model.clock.ns(bar.told.cycles))}"
    )
    if share.since and share.until:
        lines.append(f"Since {WORDS_OF_STAMPS[share.since]}, until {WORDS_OF_STAMPS[share.until]}")
    if share.rule:
        lines.append(f"{share.bound} because {share.rule}")
    elif len(share.stops) > 1:
        lines.append(f"No stamp divides its {len(share.stops)} stages")
    return "\n".join(lines)


def bar_tip(model: LiveModel, bar: TimeBar) -> str:
    """What a bar stands for."""
    if bar.told is None:
        return f"{bar.name}: – {bar.why}"
    return f"{bar.name}: journey {bar.number}, {duration(model.clock.ns(bar.told.cycles))}"


def bars_in_words(model: LiveModel, bars: TimeBars) -> str:
    """Everything in sentences, for whoever does not see it."""
    if bars.way is None:
        return bars.why
    said = [f"{title_of(bars.way)}: {bars.facts}"]
    for bar in bars.bars:
        parts = [
            f"{part_name(share)} {time_words(model.clock, share)}, {percent_words(percent)}"
            for share, percent in bar.parts.values()
        ]
        said.append("; ".join([bar_tip(model, bar), *parts]))
    return ". ".join(said)
