"""What a recording comes to: how many events of which kind, what was switched and set when, what was lost.

It is a fold over the events, so a file whose recorder was killed has it as well; one that was closed has it written
down in its last message, and need not be read for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Self

import numpy as np

from bellwire.engine.events import HAPPENED, EventKind, Events, Lane, Setting, Switch, event, no_events, telling_beside
from bellwire.engine.folds.tally import pairs
from bellwire.engine.language import tr
from bellwire.engine.recordings.metadata import Table, json_table

CHANGES_LIMIT = 10_000  # changes that are listed; those beyond are counted


@dataclass
class Outline:
    """Times are TSC. wiring: [tsc, name of the Switch, 1 on or 0 off]; settings: [tsc, name of the Setting, value].

    beside: of settings whose `seq` says how something stands, too, [tsc, name of the Setting, seq] where it is not 0.
    """

    events: int = 0
    first: int = 0
    last: int = 0
    kinds: dict[str, int] = field(default_factory=dict)  # name of the EventKind: how many
    lost: dict[str, int] = field(default_factory=dict)  # name of the Lane: events that were dropped
    wiring: list[list[Any]] = field(default_factory=list)
    settings: list[list[Any]] = field(default_factory=list)
    beside: list[list[Any]] = field(default_factory=list)
    unlisted: int = 0  # changes beyond CHANGES_LIMIT

    @property
    def dropped(self) -> int:
        """Events that were lost."""
        return sum(self.lost.values())

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,))."""
        if not events.size:
            return
        self._extend(events)
        counts = np.bincount(events["kind"], minlength=max(EventKind) + 1)
        for kind in np.flatnonzero(counts).tolist():
            name = EventKind(kind).name
            self.kinds[name] = self.kinds.get(name, 0) + int(counts[kind])
        for lane, lost in pairs(events[events["kind"] == EventKind.LOST]):
            self.lost[Lane(lane).name] = self.lost.get(Lane(lane).name, 0) + lost
        self._list(self.wiring, events[events["kind"] == EventKind.WIRE], Switch)
        settings = events[events["kind"] == EventKind.SETTING]
        self._list(self.settings, settings, Setting)
        beside = telling_beside(settings)
        self.beside += in_the_outline(beside[beside["seq"] > 0][: CHANGES_LIMIT - len(self.beside)], Setting, "seq")

    def _extend(self, events: Events) -> None:
        first, last = int(events["tsc"].min()), int(events["tsc"].max())
        self.first = min(self.first, first) if self.events else first
        self.last = max(self.last, last)
        self.events += events.size

    def _list(self, changes: list[list[Any]], events: Events, names: type[Switch] | type[Setting]) -> None:
        room = max(0, CHANGES_LIMIT - len(changes))
        self.unlisted += max(0, events.size - room)
        changes += in_the_outline(events[:room], names)

    def stood_before(self, tsc: int, reader: int) -> Events:
        """Events at `tsc` that say how switches and settings stood then, as far as their changes are listed.

        reader: who reads the doorbells, as `seq` of EventKind.WIRE has it, which is the same all the run.
        """
        wires = {Switch[name]: on for at, name, on in self.wiring if at < tsc}
        values = {Setting[name]: (at, value) for at, name, value in self.settings if at < tsc}
        beside = {(at, Setting[name]): value for at, name, value in self.beside if at < tsc}
        stood = [event(tsc, EventKind.WIRE, Lane.ENGINE, switch, reader, on) for switch, on in wires.items()]
        stood += [
            event(tsc, EventKind.SETTING, Lane.ENGINE, setting, beside.get((at, setting), 0), value)
            for setting, (at, value) in values.items()
            if setting not in HAPPENED
        ]
        return np.concatenate([no_events(), *stood])

    def to_json(self) -> str:
        """As it is written down."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """As it was written down; ValueError if it is something else, or contradicts itself."""
        content = json_table(text, "the outline")
        outline = cls(
            **{name: content.whole(name) for name in ("events", "first", "last", "unlisted")},
            kinds=numbers_by_name(content.table("kinds"), EventKind),
            lost=numbers_by_name(content.table("lost"), Lane),
            wiring=changes_of(content, "wiring", Switch),
            settings=changes_of(content, "settings", Setting),
            beside=changes_of(content, "beside", Setting) if "beside" in content.names() else [],
        )
        if outline.first > outline.last or sum(outline.kinds.values()) != outline.events:
            raise ValueError(tr("the outline contradicts itself"))
        return outline


def in_the_outline(changes: Events, names: type[Switch] | type[Setting], value: str = "arg") -> list[list[Any]]:
    """The changes as an Outline lists them."""
    return [[tsc, names(id).name, number] for tsc, id, number in changes[["tsc", "id", value]].tolist()]


def newest_changes(changes: Events, tsc: int) -> Events:
    """Of changes (shape (n,), WIRE, SETTING) the newest of each switch and setting before `tsc`, as events at that."""
    happened = (changes["kind"] == EventKind.SETTING) & np.isin(changes["id"], HAPPENED)
    before: Events = changes[(changes["tsc"] < np.uint64(tsc)) & ~happened]
    before = before[np.argsort(before["tsc"], kind="stable")]
    newest = {(kind, id): at for at, (kind, id) in enumerate(before[["kind", "id"]].tolist())}
    stood: Events = before[sorted(newest.values())]
    stood["tsc"] = tsc
    masked = (stood["kind"] == EventKind.SETTING) & (stood["id"] == Setting.MASKED)
    stood["seq"][masked] = 0  # of what comes after it nothing is counted yet
    return stood


def numbers_by_name(content: Table, names: type[EventKind] | type[Lane]) -> dict[str, int]:
    """How many of each."""
    return {name: content.whole(name) for name in known(content.names(), names)}


def changes_of(content: Table, key: str, names: type[Switch] | type[Setting]) -> list[list[Any]]:
    """The changes that a text lists."""
    changes = list(content.rows(key, CHANGES_LIMIT))
    known({name for _, name, _ in changes}, names)
    return [list(change) for change in changes]


def known(found: Iterable[str], names: type[IntEnum]) -> Iterable[str]:
    """The same names; ValueError if there is another one than those of an enum."""
    if not names.__members__.keys() >= set(found):
        raise ValueError(tr("the outline names what there is not"))
    return found
