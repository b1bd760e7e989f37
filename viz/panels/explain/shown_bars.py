"""What the panel shows: the bars of the median, p99, the slowest and the chosen journey, and a table of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bellwire.engine.events import Clock
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.language import tr, tr_as, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.explain.held import WayHeld, WholesHeld, explained_of
from bellwire.viz.stages.shares import Explained, Share, percent_words, percents, title_of, whole_latency_of
from bellwire.viz.stages.way import StageWay
from bellwire.viz.stages.when import TOLD_BY
from bellwire.viz.text.figures import count_of, duration, grouped
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.text.trust import no_times

PERCENTILES = {"median": 50.0, "p99": 99.0}
NAMES = (*PERCENTILES, "slowest", "chosen")
BARS_CALLED = {
    "median": tr_later("median"),
    "p99": "p99",
    "slowest": tr_later("slowest"),
    "chosen": tr_later("chosen"),
}
PLACE_NAMES = {
    "guest": tr_later("guest"),
    "kernel": tr_later("kernel"),
    "user space": tr_later("user space"),
    "other process": tr_later("other process"),
}
CLOCKS = tr_later(
    "The clocks of guest and host are apart: no part between a stamp of one and of the other can be told."
)
NONE_ENDED = tr_later("No journey has come to its end yet, so there is no time to divide.")
NONE_BY_THEN = tr_later("No journey that is held had come to its end at this moment, so there is no time to divide.")
TOO_FEW = tr_later("too few journeys: none lies beyond it")
NOT_HELD = tr_later("it is no longer held")
NONE_CHOSEN = tr_later("none is chosen: click a bar, or a journey anywhere")
NO_END = tr_later("no stamp tells of its end")
ANOTHER_WAY = tr_later("the chosen journey went another way")
NO_SUCH_PART = tr_later("no such part: its stamps divide this journey otherwise")
WORDS_OF_STAMPS = TOLD_BY | {"irq": tr_later("the interrupt was asked for")}  # as clauses


@dataclass(frozen=True)
class TimeBar:
    """A journey and what it stands for; told None: there is none, and why. name: one of NAMES."""

    name: str
    told: Explained | None
    why: str = ""

    @property
    def called(self) -> str:
        """Its name on the screen."""
        return tr(BARS_CALLED[self.name])

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
        return self.why if self.told is None else tr(NO_SUCH_PART)


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
    courses = {one.way.course: one for one in found}
    usual = max(found, key=lambda one: one.newest).way
    of = next(courses[way.course] for way in (wanted, told and told.times.way, usual) if way and way.course in courses)
    bars = (*run_bars(of), chosen_bar(of.way, chosen, told))
    ways = tuple(one.way for one in found)
    return TimeBars(of.way, bars, ways, model.clock, facts=facts_of_bars(model, held, of))


def run_bars(way: WayHeld) -> list[TimeBar]:
    """Those that stand for the run."""
    found = [(name, way.nearest(percent)) for name, percent in PERCENTILES.items()]
    bars = [TimeBar(name, told, tr(TOO_FEW)) for name, told in found]
    return [*bars, TimeBar("slowest", way.slowest, tr(NOT_HELD))]


def chosen_bar(way: StageWay, chosen: Journeys, told: Explained | None) -> TimeBar:
    """That of the chosen journey."""
    if told is None or not chosen.size:
        return TimeBar("chosen", None, tr(NONE_CHOSEN))
    if not told.cycles:
        return TimeBar("chosen", None, tr(NO_END))
    other = told.times.way.course != way.course
    return TimeBar("chosen", None, tr(ANOTHER_WAY)) if other else TimeBar("chosen", told)


def ended_until(model: LiveModel) -> int:
    """Until when journeys must have ended: of figures that are not of the moment that is looked at, until now."""
    return model.now if model.transport.following or model.seen.whole_run else model.playhead


def why_no_bars(model: LiveModel, held: WholesHeld, found: Sequence[WayHeld]) -> str:
    """Why there is nothing to show; "" if there is something."""
    if model.clock.emulated:
        return no_times()
    if model.present.latencies.clock_error.apart:
        return tr(CLOCKS)
    if found:
        return ""
    if not held.complete:
        return tr(
            "{journeys} of {total} looked at so far",
            journeys=count_of(held.taken, "journey"),
            total=grouped(model.journeys.total),
        )
    seen = model.seen.latencies
    if seen.journeys and seen.journeys == seen.warmup:
        journeys = count_of(seen.journeys, "journey")
        return tr("Only {journeys} of the warm-up so far: they are in no figure.", journeys=journeys)
    return tr(NONE_BY_THEN) if model.journeys.total else tr(NONE_ENDED)


def facts_of_bars(model: LiveModel, held: WholesHeld, way: WayHeld) -> str:
    """What the bars are of, and what is not among it."""
    whole = latency_name(whole_latency_of(way.way))
    parts = [tr("{latency} of {journeys}", latency=whole, journeys=count_of(way.count, "journey"))]
    if way.left_out:
        parts.append(
            tr("{journeys} of which the kernel told nothing left out", journeys=count_of(way.left_out, "journey"))
        )
    if not held.complete:
        left = count_of(model.journeys.total - held.taken, "journey")
        parts.append(tr("{journeys} still to be looked at", journeys=left))
    if model.journeys.oldest:
        older = count_of(model.journeys.oldest, "older one")
        parts.append(tr("{older_ones} no longer held and not among them", older_ones=older))
    if not model.transport.following:
        parts.append(model.all_so_far if model.seen.whole_run else tr("until this moment"))
    return ", ".join(parts)


# -- in words


def time_words(clock: Clock, share: Share) -> str:
    """ "≤ 11.2 µs"."""
    return f"{share.bound} {duration(clock.ns(share.cycles))}".strip()


def part_name(share: Share) -> str:
    """By its stages; where no stamp divides them, that it lies between."""
    return share.title if len(share.stops) == 1 or share.bound else tr("between: {stages}", stages=share.title)


def part_tip(model: LiveModel, bars: TimeBars, bar: TimeBar, key: tuple[int, int]) -> str:
    """All that is known of a part of a bar, or why it has none."""
    title = f"{bars.letters[key]}  {part_name(bars.titles[key])}"
    if bar.why_not(key) or bar.told is None:
        return f"{title}\n{bar.called}: – {bar.why_not(key)}"
    share, percent = bar.parts[key]
    places = tr_as("between places", " and ").join(tr(PLACE_NAMES[place]) for place in share.places)
    lines = [title, tr("{bar} {number}, in {places}", bar=bar.called, number=bar.number, places=places)]
    lines.append(
        tr(
            "{time} ({cycles} cycles, {ns} ns): {percent} of {whole}",
            time=time_words(model.clock, share),
            cycles=grouped(share.cycles),
            ns=grouped(model.clock.ns(share.cycles)),
            percent=percent_words(percent, alone=len(bar.parts) == 1),
            whole=duration(model.clock.ns(bar.told.cycles)),
        )
    )
    if share.since and share.until:
        since, until = tr(WORDS_OF_STAMPS[share.since]), tr(WORDS_OF_STAMPS[share.until])
        lines.append(tr("Since {since}, until {until}", since=since, until=until))
    if share.rule:
        lines.append(tr("{bound} because {rule}", bound=share.bound, rule=share.rule))
    elif len(share.stops) > 1:
        lines.append(tr("No stamp divides its {stages} stages", stages=len(share.stops)))
    return "\n".join(lines)


def bar_tip(model: LiveModel, bar: TimeBar) -> str:
    """What a bar stands for."""
    if bar.told is None:
        return f"{bar.called}: – {bar.why}"
    time = duration(model.clock.ns(bar.told.cycles))
    return tr("{bar}: journey {number}, {time}", bar=bar.called, number=bar.number, time=time)


def bars_in_words(model: LiveModel, bars: TimeBars) -> str:
    """Everything in sentences, for whoever does not see it."""
    if bars.way is None:
        return bars.why
    said = [f"{title_of(bars.way)}: {bars.facts}"]
    for bar in bars.bars:
        parts = [
            f"{part_name(share)} {time_words(model.clock, share)}, {percent_words(percent, alone=len(bar.parts) == 1)}"
            for share, percent in bar.parts.values()
        ]
        said.append("; ".join([bar_tip(model, bar), *parts]))
    return ". ".join(said)
