"""What travels through the picture of one scenario, in real time and in slow motion.

Besides journeys there are echoes: signals that end at a masked pin, and a device's hearing that its line is low.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, Events
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import begin
from bellwire.engine.outlet import rows_by_sort
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model import ways
from bellwire.viz.model.history import History
from bellwire.viz.model.ways import HEAVY_LEGS, LEGS, Route, Ways
from bellwire.viz.stages import moments
from bellwire.viz.stages.moments import Moments, none_of, those
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.times import Known, StageTimes, stamps, times_of_stages
from bellwire.viz.stages.way import StageWay, WaysOf
from bellwire.viz.text.figures import grouped

# -- What travels on the wires: the journeys, as tokens.
#
# Two ways to show a journey, both of them counted:
#
# - In slow motion (and at a step) a token says at which stages its journey may be at the playhead: one, or several that
#   no stamp tells apart, which are drawn as a stretch. Tokens that would cover each other share one with their count.
# - In real time a journey of 10 µs cannot be seen. So a token sets out at most every LAUNCH_SECONDS on each route and
#   carries every journey completed meanwhile, at a pace for the eye. launched + aggregated + waiting = journeys.

LAUNCH_SECONDS = 0.2
PLACES = 40  # tokens nearer than 1/40 of a leg share one
PLACES_OF_A_STAGE = 10  # those at one stage, if nearer than a tenth of its time

Routes = Iterable[tuple[Route, npt.NDArray[np.intp]]]


@dataclass(frozen=True, slots=True)
class Token:
    """One thing to draw: on which leg, where (0..1), its newest journey's number, how many journeys it stands for.

    lane: which of several lines the leg is. In slow motion way, first, last: the stops at which the journeys may be;
    share: of one stop's time, how much has passed; cycles: within which the stages lie that no stamp tells apart;
    somewhere: it is on the whole of one stop's parts, as no stamp tells when; beside: the stage of another's branch
    that is told of.
    """

    leg: str
    at: float
    seq: int
    count: int = 1
    lane: int = 0
    way: StageWay | None = None
    first: int = 0
    last: int = 0
    share: float = 0.5
    cycles: int = 0
    beside: str = ""
    somewhere: bool = False

    @property
    def stages(self) -> tuple[str, ...]:
        """At which its journeys may be, and what is told beside; empty in real time."""
        possible = self.way.names[self.first : self.last + 1] if self.way else ()
        return (*possible, self.beside) if self.beside else possible

    @property
    def heavy(self) -> bool:
        """Whether it takes the way by user space."""
        return self.leg in HEAVY_LEGS

    @property
    def label(self) -> str:
        """#48 213, or ×37 for several."""
        return f"#{grouped(self.seq)}" if self.count == 1 else f"×{grouped(self.count)}"


def tokens_at(journeys: Journeys, moments: Moments, routes: Routes, tsc: int) -> list[Token]:
    """Tokens of the journeys under way at `tsc`; their counts add up to the number of those journeys."""
    found = []
    for route, index in routes:
        for leg in route.legs:
            found += on_leg(leg, route.lane(leg), journeys[index], those(moments, index), tsc)
    return found


def on_leg(leg: str, lane: int, journeys: Journeys, moments: Moments, tsc: int) -> list[Token]:
    """Tokens of those journeys that are on this leg at `tsc`; a leg holds its beginning, not its end."""
    t0, t1 = (stamps(stage, journeys, moments) for stage in LEGS[leg][:2])
    there = (t0 <= np.uint64(tsc)) & (np.uint64(tsc) < t1)
    if not there.any():
        return []
    at = (tsc - t0[there].astype(np.float64)) / (t1[there] - t0[there])
    return shared_token(leg, lane, at, journeys["seq"][there])


def shared_token(leg: str, lane: int, at: npt.NDArray[np.float64], seqs: npt.NDArray[np.uint64]) -> list[Token]:
    """One token for all that stand at nearly the same place; it stands where its newest does."""
    order = np.argsort(seqs, kind="stable")
    at, seqs = at[order], seqs[order]
    place, counts = np.unique((at * PLACES).astype(np.int64), return_counts=True)
    newest = [int(np.flatnonzero((at * PLACES).astype(np.int64) == p)[-1]) for p in place]
    return [Token(leg, float(at[i]), int(seqs[i]), int(n), lane) for i, n in zip(newest, counts, strict=True)]


def standing_at(route: Route, way: StageWay, journeys: Journeys, moments: Moments, tsc: int) -> list[Token]:
    """Tokens of journeys under way at `tsc` that all went one way; those at the same stops share one."""
    if not way.stops:  # a damaged recording has journeys that pass no stage: they are on their wires all the same
        return [token for leg in route.legs for token in on_leg(leg, route.lane(leg), journeys, moments, tsc)]
    times = times_of_stages(way, journeys, moments)
    first, last = times.standing(tsc)
    rows = np.arange(first.size)
    began = times.latest[rows, first].astype(np.float64)
    ends = np.where(last + 1 < len(way.stops), times.earliest[rows, np.minimum(last + 1, len(way.stops) - 1)], tsc)
    share = np.clip((tsc - began) / np.maximum(ends - began, 1), 0, 1)
    found = []
    for leg in route.legs:
        t0, t1 = (stamps(stage, journeys, moments) for stage in LEGS[leg][:2])
        there = np.flatnonzero((t0 <= np.uint64(tsc)) & (np.uint64(tsc) < t1))
        place = np.where(first == last, (share * PLACES_OF_A_STAGE).astype(np.int64), 0)
        keys = (first * len(way.stops) + last) * (PLACES_OF_A_STAGE + 1) + place
        for _, index in rows_by_sort(keys[there].astype(np.uint64)):
            some = there[index]
            newest = int(some[np.argmax(journeys["seq"][some])])
            stops = int(first[newest]), int(last[newest])
            cycles = int(times.latest[newest, stops[1]] - times.latest[newest, stops[0]]) if stops[0] < stops[1] else 0
            seq, at = int(journeys["seq"][newest]), float((tsc - float(t0[newest])) / (t1[newest] - t0[newest]))
            found.append(Token(leg, at, seq, some.size, route.lane(leg), way, *stops, float(share[newest]), cycles))
    return found


@dataclass(slots=True)
class Carrier:
    """A token in real time: on its way for `age` seconds, standing for `count` journeys up to `seq`."""

    route: Route
    seq: int
    count: int
    age: float = 0.0

    def token(self) -> Token | None:
        """Where it is now; None once it has arrived."""
        rest = self.age
        for leg in self.route.legs:
            seconds = LEGS[leg].seconds
            if rest < seconds:
                return Token(leg, rest / seconds, self.seq, self.count, self.route.lane(leg))
            rest -= seconds
        return None


class Launcher:
    """Sends tokens off in real time. Bounded: a handful of carriers on each route, whatever the rate."""

    def __init__(self) -> None:
        self.launched = 0  # tokens that set out
        self.aggregated = 0  # journeys that share a token with another
        self.carriers: list[Carrier] = []
        self._waiting: dict[Route, Carrier] = {}  # to set out at the next chance
        self._since: dict[Route, float] = {}  # seconds since the last one set out

    @property
    def waiting(self) -> int:
        """Journeys that no token carries yet."""
        return sum(carrier.count for carrier in self._waiting.values())

    def feed(self, journeys: Journeys, routes: Routes) -> None:
        """Adds completed journeys to those that wait."""
        for route, index in routes:
            carrier = self._waiting.setdefault(route, Carrier(route, 0, 0))
            carrier.seq = int(journeys["seq"][index].max())
            carrier.count += index.size

    def advance(self, seconds: float) -> None:
        """Moves everything on by `seconds`, then lets the next ones set out."""
        for carrier in self.carriers:
            carrier.age += seconds
        self.carriers = [carrier for carrier in self.carriers if carrier.age < carrier.route.seconds]
        for route in self._since:
            self._since[route] += seconds
        for route in list(self._waiting):
            if self._since.get(route, LAUNCH_SECONDS) >= LAUNCH_SECONDS:
                self._launch(route)

    def _launch(self, route: Route) -> None:
        carrier = self._waiting.pop(route)
        self._since[route] = 0.0
        self.carriers.append(carrier)
        self.launched += 1
        self.aggregated += carrier.count - 1

    def tokens(self) -> list[Token]:
        """What is on the wires now."""
        return [token for token in (carrier.token() for carrier in self.carriers) if token]


AROUND_SECONDS = 0.02  # before and after: longer than an echo takes
AHEAD_SECONDS = 0.5  # as far as one looks for the next echo at first,
FARTHER = 4  # and so many times as far, and again, until there is one


class Travel:
    """The tokens of one source. Both launchers keep: launched + aggregated + waiting = what they were fed."""

    def __init__(self, scenario: Scenario, clock: Clock, events: History, backend: str = "", kernel: str = "") -> None:
        """kernel: its release; which stages there are depends on it, and on the back end."""
        self.clock, self.events = clock, events
        self.ways = Ways(scenario)
        self.stages = WaysOf(scenario, backend, kernel)
        self.land()
        self._waits = bool(self.ways.traits & {Trait.COALESCED, Trait.WINDOW, Trait.TWO_VCPUS, Trait.REROUTE})
        self._parts = bool(
            self.ways.traits & {Trait.COALESCED, Trait.RESAMPLE, Trait.WAITS}
        )  # ways by stamps beside the record
        self._echo = next((trait for trait in (Trait.MASKED, Trait.LEVEL) if trait in self.ways.traits), None)
        self._echo_legs = ("masked",) if self._echo is Trait.MASKED else ("resample",)

    def land(self) -> None:
        """Nothing is on its way, and nothing has been."""
        self.launcher = Launcher()  # of journeys, as they come
        self.passing = Launcher()  # of journeys that a slow playhead passes, while they are too short to be seen
        self.echoes = Launcher()

    @property
    def only_echoes(self) -> bool:
        """Whether no journey is to be waited for: at a masked pin nothing arrives."""
        return self._echo is Trait.MASKED

    def feed(self, fresh: Journeys, batch: Events) -> None:
        """Lets what a batch of events completed set out; the events are in the history already."""
        if fresh.size:
            self.launcher.feed(fresh, self.ways.routes(fresh, self._moments(fresh)))
        if self._echo and batch.size:
            heard = ways.echo_events(batch, self.ways.traits)
            self.echoes.feed(heard, self._echo_routes(heard))

    def advance(self, seconds: float) -> int:
        """Moves what is on its way on; how many journeys' tokens set out."""
        before = self.launcher.launched
        self.launcher.advance(seconds)
        self.echoes.advance(seconds)
        return self.launcher.launched - before

    def go_by(self, seconds: float, passed: Journeys) -> None:
        """In slow motion: moves on the tokens of journeys that the playhead passes, and lets the new ones go."""
        if passed.size:
            self.passing.feed(passed, self.ways.routes(passed, self._moments(passed)))
        self.passing.advance(seconds)

    def tokens(self) -> list[Token]:
        """What is on the wires, in real time."""
        return self.launcher.tokens() + self.echoes.tokens()

    def exact(self, journeys: Journeys, tsc: int) -> list[Token]:
        """What is on the wires at `tsc`: journeys are those under way then."""
        when = self._stamped(journeys) if journeys.size else none_of(journeys)
        found = []
        for route, index in self.ways.routes(journeys, when):
            some, beside = journeys[index], those(when, index)
            for way, rows in self.stages.of(some, beside):
                found += standing_at(route, way, some[rows], those(beside, rows), tsc)
        if self._echo:
            echoes = self._echoes(tsc, AROUND_SECONDS)
            found += tokens_at(echoes, none_of(echoes), self._echo_routes(echoes), tsc)
        return found

    def staged(self, journeys: Journeys) -> tuple[Moments, StageTimes]:
        """The stamps beside their record and the stages of journeys that all went one way, so of one journey."""
        when = self._stamped(journeys)
        [(way, _)] = self.stages.of(journeys, when)
        return when, times_of_stages(way, journeys, when)

    def by_way(self, journeys: Journeys) -> Iterator[tuple[npt.NDArray[np.intp], StageTimes]]:
        """The journeys by their way: the indices of those that went each, and their stages.

        Stamps beside their record are only looked for where a way depends on them: parts of a way may lack a bound.
        """
        when = self._stamped(journeys) if self._parts and journeys.size else none_of(journeys)
        for way, rows in self.stages.of(journeys, when):
            yield rows, times_of_stages(way, journeys[rows], those(when, rows))

    def told(self, point: Standpoint) -> list[Token]:
        """The token of a story, at the stop that it looks at; of what happens beside, wherever the signal may be."""
        leg, lane = self.leg_at(point)
        seq, way = int(point.journey["seq"][0]), point.times.way
        if point.beside is not None:
            first, last, cycles = point.first, point.last, point.cycles_between(point.first, point.last)
            return [Token(leg, 0.5, seq, 1, lane, way, first, last, 0.5, cycles, point.beside.name)]
        bounded, cycles = point.known(point.stop) is not Known.MEASURED, point.cycles_between(point.stop, point.stop)
        share = float(point.stop == len(point.stops) - 1)  # a stage begins where it begins; the last one is the end
        return [Token(leg, 0.5, seq, 1, lane, way, point.stop, point.stop, share, cycles, somewhere=bounded)]

    def leg_at(self, point: Standpoint) -> tuple[str, int]:
        """On which leg a journey is at its stop, and which of several lines that is."""
        route = self.ways.routes(point.journey, point.moments)[0][0]
        if point.stop > point.times.way.index("handler", out=False) >= 0:
            return "resample", route.lane("resample")
        leg = next((leg for leg in reversed(route.legs) if point.stamp(LEGS[leg].start) <= point.tsc), route.legs[0])
        return leg, route.lane(leg)

    def legs_of(self, journey: Journeys) -> tuple[str, ...]:
        """The legs of one journey; shape (1,)."""
        return self.ways.routes(journey, self._moments(journey))[0][0].legs

    def held(self, journeys: Journeys) -> float:
        """How long the guest kept their interrupts off, cycles, the median; 0 if it did not."""
        window = self._moments(journeys)["window"]
        there = window > 0
        return float(np.median((window - journeys["irq"])[there])) if there.any() else 0.0

    def next_echo(self, tsc: int) -> int | None:
        """When the next echo sets out, however far that is; None if none does any more."""
        ahead = AHEAD_SECONDS
        while True:
            starts = self._echoes(tsc, ahead)["irq"]
            later = starts[starts > np.uint64(tsc)]
            if later.size or tsc + self.clock.cycles(ahead) >= self.events.last:
                return int(later.min()) if later.size else None
            ahead *= FARTHER

    def _echoes(self, tsc: int, ahead: float) -> Journeys:
        start = max(tsc - self.clock.cycles(AROUND_SECONDS), 0)
        return ways.echoes(self.events.window(start, tsc + self.clock.cycles(ahead)), self.ways.traits)

    def _echo_routes(self, echoes: Journeys) -> Routes:
        return [(Route(self._echo_legs), np.arange(echoes.size))] if echoes.size else []

    def _moments(self, journeys: Journeys) -> Moments:
        """Those on which a route depends, which only some scenarios have."""
        return self._stamped(journeys, 0.0) if self._waits and journeys.size else none_of(journeys)

    def _stamped(self, journeys: Journeys, after: float = AROUND_SECONDS) -> Moments:
        """Every moment on their ways, also seconds `after` their end: a call's return, a device's word."""
        ends = np.maximum(journeys["doorbell"], journeys["handler"])
        until = int(ends.max()) + self.clock.cycles(after)
        return moments.moments(journeys, self.events.window(int(begin(journeys).min()), until), self.ways.traits)
