"""What every view shows: one fold over the source's events, and the moment in time that the view looks at.

viz/window/frame.py drains and moves it; the controls change the transport and the selection; the views only read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Switch, by_kind, exit_name, no_events
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.exit_split import ExitSplit
from bellwire.engine.folds.journeys import JOURNEY, Journeys, no_journeys
from bellwire.engine.folds.latency import Latencies, begin, cycles_of, has
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import NotThere, Tally
from bellwire.engine.language import Spoken, Untold, tr
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.source import Label, Source
from bellwire.viz.model.annotations.kept import Annotations
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.history import History, Rows
from bellwire.viz.model.markers import Markers
from bellwire.viz.model.moments.readings import SINCE_JUMP, WHOLE_RUN, Moments, Readings
from bellwire.viz.model.past import HeldPast, RecordedPast
from bellwire.viz.model.rates import BAR, SECOND, Rates
from bellwire.viz.model.steps import EVENTS, JOURNEYS, Place, Selection, Steps
from bellwire.viz.model.transport import Transport
from bellwire.viz.model.travel import Launcher, Token, Travel
from bellwire.viz.text.event_words import SWITCH_NAMES
from bellwire.viz.wires.plugged import Plugged, PluggedCourse

if TYPE_CHECKING:
    from bellwire.engine.recordings.replay import Replay
    from bellwire.viz.stages.story import Story


EVENT_LIMIT = 1 << 21  # 64 MB
JOURNEY_LIMIT = 1 << 18  # 23 MB
CHANGE_LIMIT = 1 << 13  # marks in the timeline of what changed, and of losses: of a session some ten
OF_OUR_VCPU = ("exit", "left")  # counts of what a vCPU thread of this process does; of another VMM's nobody tells
LATE_SECONDS = 1.5  # a second that was over so long ago is not the last one
FOLD_SECONDS = 0.0035  # of this thread's time, that one drain may fold; on a busy machine it takes up to twice as long
LEAST_FOLDED = 1 << 10  # events that it folds in any case
LEARN = 0.25  # how much the newest drain weighs in what folding is known to cost

Times = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Change:
    """The wiring changed at `tsc`: a mark in every plot."""

    tsc: int
    switch: Switch
    on: bool

    @property
    def text(self) -> str:
        """ "ioeventfd on"."""
        switch = SWITCH_NAMES[self.switch]
        return tr("{switch} on", switch=switch) if self.on else tr("{switch} off", switch=switch)

    @property
    def short(self) -> str:
        """ "on", where there is room for no more."""
        return tr("on") if self.on else tr("off")


@dataclass(frozen=True)
class Loss:
    """Events were lost just before `tsc`."""

    tsc: int
    lane: Lane
    count: int


def event_span(events: Events) -> tuple[Times, Times]:
    """An event has no length."""
    return events["tsc"], events["tsc"]


def journey_span(journeys: Journeys) -> tuple[Times, Times]:
    """From the cause to the last effect on the other side."""
    return begin(journeys), np.maximum(journeys["doorbell"], journeys["handler"])


def recorded(source: Source) -> Replay | None:
    """The source, if it is a recording; its module, and Arrow with it, is imported only then."""
    if source.label is not Label.REPLAY:
        return None
    from bellwire.engine.recordings.replay import Replay

    return source if isinstance(source, Replay) else None


def histories(replay: Replay | None) -> tuple[History, History]:
    """Of events and of journeys; those of a recording go on on the disk."""
    if replay is None:
        return History(EVENT, EVENT_LIMIT, event_span), History(JOURNEY, JOURNEY_LIMIT, journey_span)
    from bellwire.engine.recordings.excerpts.excerpt import Excerpts
    from bellwire.viz.model.recorded_history import RecordedHistory

    recording = replay.recording
    excerpts = Excerpts(recording)

    def events(t0: int, t1: int) -> Events:
        return recording.window(t0, t1 + 1)

    def played() -> tuple[int, int]:
        return replay.yields_from, replay.complete

    def travelled() -> tuple[int, int]:  # what was under way where it begins is none of it
        return replay.yields_from and excerpts.over(replay.yields_from), replay.complete

    return (
        RecordedHistory(EVENT, EVENT_LIMIT, event_span, recording, events, played),
        RecordedHistory(JOURNEY, JOURNEY_LIMIT, journey_span, recording, excerpts.between, travelled),
    )


def no_readings(source: Source) -> Readings:
    """Of no event yet."""
    scenario, tally = source.scenario, Tally()
    evidence = Evidence(scenario, source.backend)
    return Readings(tally, tally, ExitSplit(scenario), evidence, Latencies(scenario, source.clock, source.backend))


class LiveModel:
    """Folds a source into what the views need.

    Guarantees: everything is computed from events; the history is bounded; a paused or slow view loses nothing of the
    capture; a drain folds no more than there is time for, and what it passes over is told by events and counted;
    of travel.launcher launched + aggregated + waiting = journeys folded.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scenario = source.scenario
        self.clock: Clock = source.clock
        self.present = no_readings(source)  # of all events that have come
        self.baseline: Baseline | None = None  # what this run is compared with
        self.plugged = PluggedCourse(source.scenario)  # what was registered when
        self.rates = Rates(source.clock)
        self.recorded = recorded(source)
        self.events, self.journeys = histories(self.recorded)
        self.past = self._past()  # what is held
        self.rows: Rows = self._rows()  # the events as a table goes through them
        self.changes: list[Change] = []
        self.losses: list[Loss] = []
        self.transport = Transport(source.clock)
        kernel = source.host.get("kernel", "")
        self.travel = Travel(source.scenario, source.clock, self.events, source.backend, kernel)
        self.story: Story | None = None  # the journey that is told stage by stage
        self._told: Place | None = None  # where the view stood when the story was told last
        self.traits = self.travel.ways.traits  # what is true of the scenario
        self.selection = Selection()
        self.markers = Markers(self.past, self.traits)
        self.annotations = self._annotated()
        self.steps = Steps(self.transport, self.selection, self.events, self.journeys, self.past, lambda: self.now)
        self.batch: Events = no_events()  # what the newest drain() brought
        self.fresh: Journeys = no_journeys()  # the journeys that it completed
        self.vms = 1  # whose events have come
        self.taps: list[Callable[[Events], None]] = []  # who else looks at each batch
        self._fold_seconds = FOLD_SECONDS / (4 * LEAST_FOLDED)  # that an event costs, as far as is known
        self.now = 0  # the present, TSC
        self._unknown: tuple[object, str] | None = None  # why_unknown until the next drain: dozens of words ask
        self._not_there: tuple[object, NotThere] | None = None  # as told last, and of when
        self._second_counts: dict[str, float | None] = {}  # in_last_second, as long as that holds
        self._passed = 0  # up to where a slow playhead's journeys have set out together
        self.started_at = 0  # TSC of the first event
        self._resume()
        self.moments = Moments(self.present, self.past, self.events, self.journeys, self.recorded)

    def _rows(self) -> Rows:
        if self.recorded is None:
            return self.events
        from bellwire.viz.model.recorded_history import RecordedRows

        return RecordedRows(self.recorded)

    def _past(self) -> HeldPast:
        of = self.events, self.journeys, self.rates, self.present.latencies.series
        past = HeldPast(self.clock, *of) if self.recorded is None else RecordedPast(self.recorded, *of)
        past.latencies = self.present.latencies
        return past

    def _resume(self) -> None:
        """Begins where a replay goes on that does not begin at its start."""
        if self.recorded is None or self.recorded.resumed is None:
            return
        opening = self.recorded.resumed.opening
        present = self.present
        present.tally, present.told = copy.deepcopy(self.recorded.resumed.tally), Tally()
        present.told.feed(opening)
        if self.recorded.recording.closing is not None:
            self._note_earlier(self.recorded.recording.closing.wiring, int(opening["tsc"][0]) if opening.size else 0)
        for fold in (present.latencies, present.exits, present.evidence, self.plugged):
            fold.feed(opening)
        self.started_at = self.recorded.recording.first

    def leave(self) -> None:
        """Whoever has looked at each batch, or at what is chosen, does so no more: other views take over."""
        self.taps.clear()
        self.selection.changed.clear()

    def look_anew(self) -> None:
        """As if it had been folded and nothing of it looked at: at the newest, nothing chosen, nothing on its way."""
        self.leave()
        self.transport, self.selection = Transport(self.clock), Selection()
        self.travel.land()
        self.story, self._told, self._passed = None, None, 0
        self.markers = Markers(self.past, self.traits)
        self.annotations = self._annotated()
        self.steps = Steps(self.transport, self.selection, self.events, self.journeys, self.past, lambda: self.now)
        self.rates.forget("tokens")

    # -- once a frame

    def tick(self, seconds: float) -> None:
        """Everything new, and the view on by `seconds` of the viewer's time."""
        self.drain()
        self.move(seconds)

    def drain(self, sets_out: bool = True) -> None:
        """Takes what the source has, or what there is time for, and folds it in.

        sets_out: what it completes goes on its way; else whoever drains lets it, see viz/pictures/played.py.
        """
        self._unknown = None
        most = max(LEAST_FOLDED, round(FOLD_SECONDS / self._fold_seconds))
        self.batch = self.source.take(most)
        self.now = max(self.now, self.source.now(), int(self.batch["tsc"][-1]) if self.batch.size else 0)
        began = thread_time()
        self._fold(self.batch)
        if sets_out:
            self.travel.feed(self.fresh, self.batch)
        self.past.feed(self.batch, min(self.source.complete, self.now))
        if self.batch.size > most // 2:  # of few events each costs more, and says nothing of many
            spent = (thread_time() - began) / self.batch.size
            self._fold_seconds += (spent - self._fold_seconds) * LEARN
        for tap in self.taps:
            tap(self.batch)

    def beginning(self) -> Events:
        """What a stream opens with that begins with the next event of the source."""
        return prologue(self.present.tally, self.events.last or self.now)

    def move(self, seconds: float, now: int | None = None) -> None:
        """Moves the view on by `seconds` of the viewer's time. now: the present (TSC), unless it is the source's."""
        self.now = max(self.now, self.source.now()) if now is None else now
        stood = self.playhead
        if self.story is not None:
            self._tell_on(self.story, seconds)
        if self.transport.away:
            self.transport.judge(self.usual_seconds)
        last, before = max(self.journeys.last, self.events.last if self.travel.only_echoes else 0), self.playhead
        self.transport.advance(seconds, self.now, self._travelling(), self._next_start, last)
        if self.transport.following:
            self.rates.count("tokens", self.now, self.travel.advance(seconds))
        elif self.transport.together and not self.transport.paused:
            self._pass(seconds, before)
        still = self.transport.paused if self.story is None else self.story.paused
        leapt = self.transport.following and self.playhead - stood > self.clock.cycles(seconds + LATE_SECONDS)
        self.annotations.advance(self.playhead if leapt else stood, self.playhead, seconds, still)

    def tell(self, story: Story) -> None:
        """Looks at what the story tells now; whoever moves the view elsewhere, or chooses something else, ends it."""
        self.story = story
        self.transport.seek(story.standpoint.tsc)
        self._told = self.steps.here

    def _tell_on(self, story: Story, seconds: float) -> None:
        if self._told is None or not (self.transport.paused and self._told.same(self.steps.here)):
            self.story = None
        elif not story.paused:
            story.advance(seconds)
            self.tell(story)

    def _pass(self, seconds: float, before: int) -> None:
        """The playhead has moved on from `before`, in slow motion that is too quick to show each journey for itself."""
        if before != self._passed:  # it has been elsewhere meanwhile
            self.travel.passing = Launcher()
        self._passed = self.playhead
        near = self.journeys.window(before + 1, self.playhead)
        starts = begin(near)
        self.travel.go_by(seconds, near[(starts > np.uint64(before)) & (starts <= np.uint64(self.playhead))])

    def _fold(self, events: Events) -> None:
        self._note_changes(by_kind(events).of(EventKind.WIRE))
        self._note_losses(by_kind(events).of(EventKind.LOST))
        self.moments.feed(events)
        self.rates.feed(events, self.now)
        self.plugged.feed(events)
        self.fresh = self.present.latencies.feed(events)
        self.moments.latencies.note()
        if events.size:
            self.started_at = self.started_at or int(events["tsc"][0])
            self.vms = max(self.vms, int(events["vm"].max()) + 1)
            self.events.append(events)
        if self.fresh.size:
            self.journeys.append(self.fresh)

    def _note_changes(self, wires: Events) -> None:
        """The first word on a switch is no change."""
        known = dict(self.present.tally.wiring)
        for wire in wires:
            switch, on = Switch(int(wire["id"])), bool(wire["arg"])
            if known.get(switch, on) != on:
                self.changes = [*self.changes, Change(int(wire["tsc"]), switch, on)][-CHANGE_LIMIT:]
            known[switch] = on

    def _note_earlier(self, wiring: list[list[Any]], tsc: int) -> None:
        """The changes before `tsc`, as a recording lists them; the first word on a switch is none."""
        known: dict[Switch, int] = {}
        for at, name, on in wiring:
            switch = Switch[name]
            if at < tsc and known.get(switch, on) != on:
                self.changes = [*self.changes, Change(at, switch, bool(on))][-CHANGE_LIMIT:]
            known[switch] = on

    def _note_losses(self, lost: Events) -> None:
        losses = [Loss(int(one["tsc"]), Lane(int(one["id"])), int(one["arg"])) for one in lost[-CHANGE_LIMIT:]]
        self.losses = [*self.losses, *losses][-CHANGE_LIMIT:]

    # -- the figures of the moment that the view shows: whatever says something reads these

    @property
    def seen(self) -> Readings:
        """All of them; what a switch or a button stands at is in `present`."""
        return self.present if self.transport.following else self.moments.at(self.playhead)

    @property
    def tally(self) -> Tally:
        """How often what happened until then."""
        return self.seen.tally

    @property
    def told(self) -> Tally:
        """The same of the events that `evidence` is of."""
        return self.seen.told

    @property
    def exits(self) -> ExitSplit:
        """What signals took until then."""
        return self.seen.exits

    @property
    def evidence(self) -> Evidence:
        """What shows what happened until then."""
        return self.seen.evidence

    @property
    def latencies(self) -> Latencies:
        """How long journeys took until then."""
        return self.seen.latencies

    # -- the state

    @property
    def forgotten(self) -> Tally:
        """Of the events that the history no longer holds."""
        return self.past.forgotten

    @property
    def fill(self) -> float:
        """How full the memory for events and journeys is, 0..1."""
        return min(max(len(self.events) / self.events.limit, len(self.journeys) / self.journeys.limit), 1.0)

    @property
    def dropped_from_memory(self) -> int:
        """Events that have made room for newer ones: counted, but no longer to be gone back to."""
        return self.events.total - len(self.events)

    @property
    def jumped(self) -> bool:
        """Whether journeys and evidence are only those since a moment in a recording that a replay was sent to."""
        return self.seen.jumped

    @property
    def all_so_far(self) -> str:
        """Of what time figures are that are not of the moment that the view shows: of all that was folded."""
        return tr(SINCE_JUMP) if self.present.jumped else tr(WHOLE_RUN)

    @property
    def replaying(self) -> bool:
        """Whether this is a recording."""
        return self.source.label is Label.REPLAY

    @property
    def state(self) -> str:
        """LIVE, REPLAY, PAUSED or STORY; NO KVM, of a program without a source, the window says itself."""
        if self.story is not None:
            return "STORY"
        return "PAUSED" if self.transport.paused else self.source.label

    @property
    def ended(self) -> bool:
        """Whether the view is at the present of a guest that runs no more, so that nothing can come."""
        return self.state == Label.LIVE and not self.transport.exact and not self.source.alive

    @property
    def playhead(self) -> int:
        """The moment that the view shows, TSC."""
        return self.transport.playhead

    @property
    def second(self) -> tuple[int, int]:
        """The newest second that is over at the playhead, as bins of the rates: from the first, to before the second.

        Whatever says how much there was in a second says it of this one; it moves on by a bar of the plots at a time.
        """
        end = (min(self.playhead, self.past.last) + 1) // self.rates.bin_cycles // BAR * BAR
        return end - SECOND, end

    @property
    def not_there(self) -> NotThere:
        """What was dropped until the moment that is shown, anew with each `second`: whoever says it says the same."""
        tally, live = self.tally, self.transport.following and self.source.alive
        asked = (self.second, live, None if live else (self.playhead, tally.lost, tally.passed_over))
        if self._not_there is None or self._not_there[0] != asked:
            self._not_there = asked, NotThere(tally.lost, tally.passed_over)
        return self._not_there[1]

    @property
    def why_unknown(self) -> str:
        """Why it is not known what there was in that second, as a clause; "" if it is known."""
        asked = self.second, self.playhead, Spoken.name
        if self._unknown is None or self._unknown[0] != asked:
            self._unknown, self._second_counts = (asked, self._why_unknown(*self.second)), {}
        return self._unknown[1]

    def _why_unknown(self, first: int, end: int) -> str:
        cycles = self.rates.bin_cycles
        if self.playhead - end * cycles > self.clock.cycles(LATE_SECONDS):
            return tr("what is newer has not come yet")
        return self.past.missing(first * cycles, end * cycles - 1, counts=True)

    def in_second(self, name: str) -> float | None:
        """How many of viz/model/rates.py's `name` there were in that second; None if it is not known."""
        if self.why_unknown or (Trait.REAL_QEMU in self.traits and name.startswith(OF_OUR_VCPU)):
            return None
        if name not in self._second_counts:
            self._second_counts[name] = self.past.sum(name, *self.second)
        return self._second_counts[name]

    @property
    def behind(self) -> float:
        """Seconds that the view is behind the present."""
        return max(0.0, self.clock.ns(self.now - self.playhead) / 1e9)

    @property
    def wires(self) -> Plugged:
        """How the wires were at the moment that is looked at."""
        return self.plugged.at(self.playhead) if self.transport.away else self.plugged.now

    @property
    def guest_alive(self) -> bool:
        """Whether the guest runs at the moment that is looked at; of one that was only stopped it is not asked."""
        last = self.evidence.ended
        fell = last is not None and exit_name(last[0]) == "SHUTDOWN" and self.playhead >= last[1]
        return not fell and not self.ended

    def wired(self, switch: Switch) -> bool:
        """Whether the switch is on, at the moment that the view shows."""
        return self.seen.wired(switch)

    @property
    def usual_seconds(self) -> float | None:
        """How long a journey usually takes; None if there is none yet."""
        ns = self.present.latencies.now(self.whole_latency)
        return None if ns is None else ns / 1e9

    @property
    def whole_latency(self) -> str:
        """The latency from a journey's first cause to its last effect, in this scenario."""
        if Trait.DOORBELL not in self.traits:
            return "injection"
        return "round_trip" if self.traits & {Trait.ANSWERED, Trait.PARTNERED} else "doorbell"

    def window(self, t0: int, t1: int) -> Events:
        """The events between t0 and t1 that are still held."""
        return self.events.window(t0, t1)

    def _annotated(self) -> Annotations:
        """Those of the recording, unless a picture shall have none."""
        told = self.recorded if "annotations" not in Untold.facts else None
        return Annotations(told.recording.annotations if told else ())

    # -- what travels

    def tokens(self) -> list[Token]:
        """What is on the wires at the playhead."""
        if self.story is not None:
            return self.travel.told(self.story.standpoint)
        if self.transport.exact:
            return self.travel.exact(self.under_way(), self.playhead)
        return self.travel.passing.tokens() if self.transport.away else self.travel.tokens()

    def under_way(self) -> Journeys:
        """The journeys that the playhead is in the middle of."""
        return self.journeys.window(self.playhead, self.playhead + 1)

    def newest_shown(self) -> Journeys:
        """The newest journey as of the playhead; shape (1,), or (0,) if there is none."""
        if not self.transport.away:
            return self.journeys.newest(1)
        start = self.journeys.start_before(self.playhead + 1)
        return no_journeys() if start is None else self.journeys.starting_at(start)[-1:]

    def _travelling(self) -> bool:
        if not self.transport.away:
            return False
        if self.transport.together:
            return bool(self.travel.passing.carriers or self.travel.passing.waiting)
        return bool(self.under_way().size) or (self.travel.only_echoes and bool(self.tokens()))

    def _next_start(self, tsc: int) -> int | None:
        """When the next thing sets out."""
        return self.travel.next_echo(tsc) if self.travel.only_echoes else self.journeys.start_after(tsc)

    # -- moving through time

    def step(self, direction: int) -> bool:
        """Pauses and goes to the next (+1) or previous (-1) journey and chooses it; False if there is none.

        From the live view the first step goes to the newest journey, whichever way.
        """
        return self.steps.take(JOURNEYS, direction)

    def step_event(self, direction: int) -> bool:
        """The same from event to event, whatever it is; the journey that an event belongs to is chosen with it."""
        return self.steps.take(EVENTS, direction)

    def to_start(self) -> bool:
        """To the oldest journey that is held; False if there is none."""
        return self.steps.to_start()

    def to_slowest(self, name: str) -> bool:
        """To the journey with the longest latency `name`; False if none has it."""
        return self.steps.to_slowest(self.slowest(name)[0])

    def slowest(self, name: str) -> tuple[Journeys, str]:
        """The journey with the longest latency `name` of those in the figures, and why there may be a longer one."""
        latencies = self.present.latencies
        return self.past.slowest(name, latencies.warmup, latencies.left_out)

    def why_not_slowest(self, name: str) -> str:
        """Why a journey that is not held may have taken longer than the slowest that is, as a clause, or ""."""
        journey, why = self.slowest(name)
        longest = self.present.latencies.histograms[name].max
        held = self.clock.ns(int(cycles_of(journey, name)[0])) if journey.size else -1.0
        return why if self.recorded or longest > held * 1.001 else ""

    def scrub(self, tsc: int) -> None:
        """Pauses, and moves the playhead to `tsc`, or as near as something is held; what was chosen stays chosen."""
        self.transport.seek(min(max(tsc, self.past.first), self.now))

    def to_newest(self) -> None:
        """Back to the present."""
        self.selection.choose()
        self.transport.to_newest()


# -- What the diagram's words are made of: the counts of the second before the playhead, the journey shown.


def in_last_second(model: LiveModel, name: str) -> float | None:
    """How many of viz/model/rates.py's `name` in the second before the playhead; None if it is not known."""
    return model.in_second(name)


def whole_in_last_second(model: LiveModel, *names: str) -> list[int]:
    """The same as whole numbers; only where it is known, see LiveModel.why_unknown."""
    return [round(in_last_second(model, name) or 0) for name in names]


def journey_shown(model: LiveModel) -> Journeys:
    """The journey that the view is about: the chosen one, one under way in slow motion, else the newest."""
    if model.selection.journeys.size:
        return model.selection.journeys
    return model.under_way()[:1] if model.transport.exact else model.newest_shown()


def shown_latency(model: LiveModel, journeys: Journeys, name: str) -> float | None:
    """The journey's latency in ns; None if it has none, or none that can be told."""
    if not journeys.size or not has(journeys[:1], name)[0] or not model.present.latencies.known(name):
        return None
    return model.clock.ns(int(cycles_of(journeys[:1], name)[0]))
