"""Break when: the view freezes at the first event of a kind that somebody waits for, with what came before and after.

Guarantees: every event that comes after a break is armed is looked at, once, however it is cut into batches; the
capture goes on. Of several hits the earliest counts, also if it is known of later. A latency is that of the table, of
the same journeys and with the same end. The view is moved only when enough of what came after is there; a view that
somebody has paused is not moved at all, it is told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import EventKind, Events, Switch, exit_name, no_events
from bellwire.engine.folds.journeys import HEAVY_DOORBELL, Journeys, no_journeys
from bellwire.engine.folds.latency import cycles_of, ends
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.told_kinds import never_told
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.filter import Filter
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.search import Search
from bellwire.viz.text.event_words import Wording, kind_name
from bellwire.viz.text.figures import duration, grouped
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.text.trust import agreement

AFTER_SECONDS = 0.25  # of the source's time, that are let come after the event
UNSEEN_EXITS = tr_later("exits to QEMU, which is another process, are not seen")
OF_THE_GUEST = ("IO", "MMIO")  # exits that a guest's access causes; others are asked for by the host


@dataclass(frozen=True)
class Hit:
    """The event that was waited for (shape (1,)), its journey if it has one, and why it counts, in one sentence."""

    event: Events
    journey: Journeys
    why: str

    @property
    def tsc(self) -> int:
        """When it was."""
        return int(self.event["tsc"][0])


Look = Callable[[], Hit | None]  # asked after each batch: the first hit in it


class Break(ABC):
    """What is waited for."""

    @property
    @abstractmethod
    def text(self) -> str:
        """ "round trip > 200 µs"."""

    @abstractmethod
    def begin(self, model: LiveModel) -> Look:
        """From now on."""

    def cannot(self, model: LiveModel) -> str:
        """Why it can never happen in this model's scenario, as a clause; "" if it can."""
        return ""


@dataclass(frozen=True)
class Slow(Break):
    """A latency above a bound."""

    name: str  # as in engine/folds/latency.py
    ns: float

    @property
    def text(self) -> str:
        return f"{latency_name(self.name)} > {duration(self.ns)}"

    def cannot(self, model: LiveModel) -> str:
        """Without what begins and ends it there is none, and without a clock that tells of both none is known."""
        there = {
            "doorbell": Trait.DOORBELL in model.traits and Trait.PARTNERED not in model.traits,
            "injection": bool(model.scenario.interrupt) and not model.scenario.direct,
            "store_cost": Trait.DOORBELL in model.traits,
            "round_trip": model.whole_latency == "round_trip",
        }
        if not there[self.name]:
            return tr("it has no {latency}", latency=latency_name(self.name))
        latencies = model.present.latencies
        return "" if latencies.known(self.name) else agreement(latencies.clock_error)

    def begin(self, model: LiveModel) -> Look:
        def look() -> Hit | None:
            journeys = model.present.latencies.counted(self.name)
            ns = model.clock.ns_array(cycles_of(journeys, self.name))
            slow = np.flatnonzero(ns > self.ns)
            if not slow.size:
                return None
            ended = ends(journeys, self.name)[1]
            first = slow[np.argmin(ended[slow])]
            why = tr(
                "The {latency} of #{number} took {took}, more than {bound}.",
                latency=latency_name(self.name),
                number=grouped(int(journeys["seq"][first])),
                took=duration(float(ns[first])),
                bound=duration(self.ns),
            )
            return hit_by(model, journeys[first : first + 1], int(ended[first]), why)

        return look


@dataclass(frozen=True)
class Merged(Break):
    """One read() or one run of the handler that serves more than so many signals."""

    count: int

    @property
    def text(self) -> str:
        return tr("more than {number} merged", number=grouped(self.count))

    def begin(self, model: LiveModel) -> Look:
        def look() -> Hit | None:
            kind, many = model.batch["kind"], model.batch["arg"] > np.uint64(self.count)
            merged = np.flatnonzero(((kind == EventKind.DOORBELL) | (kind == EventKind.HANDLER)) & many)
            if not merged.size:
                return None
            event = model.batch[merged[:1]]
            served, bound = grouped(int(event["arg"][0])), grouped(self.count)
            why = tr("One run of the handler served {served} signals, more than {bound}.", served=served, bound=bound)
            if event["kind"][0] == EventKind.DOORBELL:
                why = tr("One read() served {served} signals, more than {bound}.", served=served, bound=bound)
            return Hit(event, no_journeys(), why)

        return look


@dataclass(frozen=True)
class OfKind(Break):
    """An event of a kind."""

    kind: EventKind

    @property
    def text(self) -> str:
        return tr("{kind} event", kind=kind_name(self.kind))

    def cannot(self, model: LiveModel) -> str:
        """Kinds that no part of it tells."""
        if not never_told(self.kind, model.traits):
            return ""
        if Trait.REAL_QEMU in model.traits and self.kind in (EventKind.EXIT, EventKind.ENTRY):
            return tr(UNSEEN_EXITS)
        return tr("it has no event of kind {kind}", kind=kind_name(self.kind))

    def begin(self, model: LiveModel) -> Look:
        def look() -> Hit | None:
            found = np.flatnonzero(model.batch["kind"] == self.kind)
            if not found.size:
                return None
            event = model.batch[found[:1]]
            text = Wording(model.scenario).text(event[0])
            why = tr("An event of kind {kind}: {text}.", kind=kind_name(self.kind), text=text)
            return Hit(event, no_journeys(), why)

        return look


@dataclass(frozen=True)
class Fits(Break):
    """An event that passes a filter; where it asks for latencies, as soon as the journey is complete."""

    words: str
    wanted: Filter

    @property
    def text(self) -> str:
        return self.words

    def cannot(self, model: LiveModel) -> str:
        """Of latencies that cannot be told none is above or below anything."""
        latencies = model.present.latencies
        return agreement(latencies.clock_error) if self.wanted.never(latencies.known) else ""

    def begin(self, model: LiveModel) -> Look:
        search = Search(model, Wording(model.scenario), self.wanted, start=model.rows.total)

        def look() -> Hit | None:
            found = [search.advance()]
            while not search.done:
                found.append(search.advance())
            position = min((int(some[0]) for some in found if some.size), default=-1)
            if position < model.rows.oldest:
                return None
            event = model.rows.pick(np.array([position]))
            text = Wording(model.scenario).text(event[0])
            return Hit(event, no_journeys(), tr("An event fits {filter}: {text}.", filter=self.words, text=text))

        return look


@dataclass(frozen=True)
class LeftAnyway(Break):
    """An access of the guest that leaves to user space although the ioeventfd is on.

    A doorbell that was rung before the ioeventfd was assigned may leave after it, and does not count.
    """

    @property
    def text(self) -> str:
        return tr("exit though ioeventfd is on")

    def cannot(self, model: LiveModel) -> str:
        """Where nobody rings there is no ioeventfd, and what leaves for another process is not seen."""
        if not model.scenario.doorbell:
            return tr("it has no ioeventfd")
        return tr(UNSEEN_EXITS) if Trait.REAL_QEMU in model.traits else ""

    def begin(self, model: LiveModel) -> Look:
        return Leaving(model).look


class Leaving:
    """Since when the ioeventfd has been on, and who left nevertheless."""

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self._spans: list[list[int]] = [[model.now, 2**63]] if model.present.wired(Switch.IOEVENTFD) else []

    def look(self) -> Hit | None:
        """The first in the newest batch."""
        self._note_switches()
        exits, left = self._exits(), self._doorbells()
        if left.size and (not exits.size or int(left["exit"][0]) < int(exits["tsc"][0])):
            number = grouped(int(left["seq"][0]))
            why = tr("Doorbell #{number} left to user space although the ioeventfd is on.", number=number)
            return hit_by(self.model, left[:1], int(left["exit"][0]), why)
        if not exits.size:
            return None
        reason = f"KVM_EXIT_{exit_name(int(exits['id'][0]))}"
        why = tr("The guest left to user space ({reason}) although the ioeventfd is on.", reason=reason)
        return Hit(exits[:1], no_journeys(), why)

    def _note_switches(self) -> None:
        batch = self.model.batch
        for wire in batch[(batch["kind"] == EventKind.WIRE) & (batch["id"] == Switch.IOEVENTFD)]:
            tsc, is_on = int(wire["tsc"]), bool(self._spans) and self._spans[-1][1] == 2**63
            if wire["arg"] and not is_on:
                self._spans = [*self._spans[-100:], [tsc, 2**63]]
            elif not wire["arg"] and is_on:
                self._spans[-1][1] = tsc

    def _exits(self) -> Events:
        """Those that relay no doorbell: of an access to something else."""
        batch = self.model.batch
        exits = batch[(batch["kind"] == EventKind.EXIT) & (batch["seq"] == 0)]
        if not exits.size:
            return no_events()
        by_guest = np.array([exit_name(reason) in OF_THE_GUEST for reason in exits["id"].tolist()])
        on = np.zeros(exits.size, bool)
        for start, end in self._spans:
            on |= (exits["tsc"] > np.uint64(start)) & (exits["tsc"] < np.uint64(end))
        found: Events = exits[by_guest & on]
        return found

    def _doorbells(self) -> Journeys:
        """Those that were rung while it was on."""
        fresh = self.model.fresh
        left = fresh[((fresh["heavy"] & HEAVY_DOORBELL) > 0) & (fresh["ring"] > 0) & (fresh["exit"] > 0)]
        on = np.zeros(left.size, bool)
        for start, end in self._spans:
            on |= (left["ring"] > np.uint64(start)) & (left["exit"] < np.uint64(end))
        found: Journeys = left[on]
        return found


def hit_by(model: LiveModel, journey: Journeys, tsc: int, why: str) -> Hit:
    """A journey as a hit at that moment."""
    at = model.events.starting_at(tsc)
    event = at[:1] if at.size else np.zeros(1, model.events.dtype)
    if not at.size:
        event["tsc"] = tsc
    return Hit(event, journey, why)


class Watch:
    """Looks at all that comes into a model: armed or not, and what it has found.

    `changed` is called when the view breaks, is armed, or goes on.
    """

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self.wanted: Break | None = None
        self.hit: Hit | None = None
        self.broken = False  # the hit has been told
        self.shown = False  # the view stands at it
        self.changed: list[Callable[[], None]] = []
        self._look: Look | None = None
        model.taps.append(lambda _batch: self.look())

    def arm(self, wanted: Break) -> None:
        """From now on."""
        self.wanted, self.hit, self.broken, self.shown = wanted, None, False, False
        self._look = wanted.begin(self.model)
        self._tell()

    def clear(self) -> None:
        """Nothing is waited for any more; the view stays where it is."""
        self.wanted, self.hit, self.broken, self.shown, self._look = None, None, False, False, None
        self._tell()

    def go_on(self) -> None:
        """The view goes on, and waits for the next one."""
        if self.wanted:
            self.arm(self.wanted)
        self.model.selection.choose()
        self.model.transport.play()

    def look(self) -> None:
        """Called after each batch."""
        if self._look is None or self.broken:
            return
        found = self._look()  # late events may end an earlier one
        self.hit = found if found and (self.hit is None or found.tsc < self.hit.tsc) else self.hit
        if self.hit and self._enough(self.hit):
            self.broken = True
            if self.model.transport.paused:
                self._tell()
            else:
                self.show()

    def _enough(self, hit: Hit) -> bool:
        """Whether what came after is there."""
        after = self.model.now - hit.tsc
        return after >= self.model.clock.cycles(AFTER_SECONDS) or not self.model.source.alive

    def show(self) -> None:
        """Moves the view to the hit, which is chosen with its journey."""
        if self.hit is None:
            return
        journey = self.hit.journey if self.hit.journey.size else self.model.steps.journey_of(self.hit.event)
        self.model.transport.seek(self.hit.tsc)
        self.model.selection.choose(journeys=journey, events=self.hit.event)
        self.shown = True
        self._tell()

    def _tell(self) -> None:
        for call in self.changed:
            call()
