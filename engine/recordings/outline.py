"""What a recording comes to: how many events of which kind, what was switched and set when, what was lost.

It is a fold over the events, so a file whose recorder was killed has it as well; one that was closed has it written
down in its last message, and need not be read for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from bellwire.engine.events import EventKind, Events, Lane, Setting, Switch, event, no_events
from bellwire.engine.folds.tally import pairs

CHANGES_LIMIT = 10_000  # changes that are listed; those beyond are counted


@dataclass
class Outline:
    """Times are TSC. wiring: [tsc, name of the Switch, 1 on or 0 off]; settings: [tsc, name of the Setting, value]."""

    events: int = 0
    first: int = 0
    last: int = 0
    kinds: dict[str, int] = field(default_factory=dict)  # name of the EventKind: how many
    lost: dict[str, int] = field(default_factory=dict)  # name of the Lane: events that were dropped
    wiring: list[list[Any]] = field(default_factory=list)
    settings: list[list[Any]] = field(default_factory=list)
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
        self._list(self.settings, events[events["kind"] == EventKind.SETTING], Setting)

    def _extend(self, events: Events) -> None:
        first, last = int(events["tsc"].min()), int(events["tsc"].max())
        self.first = min(self.first, first) if self.events else first
        self.last = max(self.last, last)
        self.events += events.size

    def _list(self, changes: list[list[Any]], events: Events, names: type[Switch] | type[Setting]) -> None:
        room = max(0, CHANGES_LIMIT - len(changes))
        self.unlisted += max(0, events.size - room)
        for change in events[:room]:
            changes.append([int(change["tsc"]), names(int(change["id"])).name, int(change["arg"])])

    def stood_before(self, tsc: int, direct: bool) -> Events:
        """Events at `tsc` that say how switches and settings stood then, as far as their changes are listed."""
        wires = {Switch[name]: on for at, name, on in self.wiring if at < tsc and name in Switch.__members__}
        values = {Setting[name]: value for at, name, value in self.settings if at < tsc and name in Setting.__members__}
        stood = [event(tsc, EventKind.WIRE, Lane.ENGINE, switch, int(direct), on) for switch, on in wires.items()]
        stood += [event(tsc, EventKind.SETTING, Lane.ENGINE, setting, 0, value) for setting, value in values.items()]
        return np.concatenate([no_events(), *stood])

    def to_json(self) -> str:
        """As it is written down."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """As it was written down; ValueError if it is something else."""
        content = json.loads(text)
        if not isinstance(content, dict) or set(content) != set(asdict(cls())):
            raise ValueError("no outline")
        outline = cls(**content)
        for value, kind in zip(content.values(), (int, int, int, dict, dict, list, list, int), strict=True):
            if type(value) is not kind:
                raise ValueError("no outline")
        if not all(type(count) is int for table in (outline.kinds, outline.lost) for count in table.values()):
            raise ValueError("no outline")
        for tsc, name, value in (*outline.wiring, *outline.settings):
            if (type(tsc), type(name), type(value)) != (int, str, int) or not 0 <= value < 2**64:
                raise ValueError("no outline")
        return outline
