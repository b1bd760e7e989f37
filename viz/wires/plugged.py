"""What was registered at any moment of a run: a fold over the few events that change it. No model, no picture."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from bellwire.engine.events import EventKind, Events, Operation, Setting, Switch, by_kind
from bellwire.engine.folds.evidence import registered_after
from bellwire.engine.scenarios.scenario import Doorbell, Scenario

MOST_CHANGES = 1 << 13  # that are held; of what is older the oldest state that is held is told
RARE = (EventKind.WIRE, EventKind.SETTING, EventKind.REFUSED)


@dataclass(frozen=True)
class Plugged:
    """How the wires were at one moment.

    doorbell: as its ioeventfd is registered, or would be. vector, vcpu: where the GSI's route leads. storm: accesses
    where nothing is, before each turn. refused: how often the kernel refused another irqfd. once: what has been
    assigned.
    """

    doorbell: Doorbell | None = None
    ioeventfd: bool = False
    irqfd: bool = False
    masked: bool = False
    vector: int = 0
    vcpu: int = 0
    storm: int = 0
    refused: int = 0
    once: frozenset[Switch] = frozenset()


class PluggedCourse:
    """Feed it batches in order, ask for any moment."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        interrupt = scenario.interrupt
        begins = Plugged(scenario.doorbell)
        if interrupt:
            begins = replace(begins, masked=interrupt.masked, vector=interrupt.vector, vcpu=interrupt.vcpu)
        self._times, self._states = [0], [begins]

    @property
    def now(self) -> Plugged:
        """As of the newest event."""
        return self._states[-1]

    def at(self, tsc: int) -> Plugged:
        """As of a moment."""
        return self._states[max(bisect_right(self._times, tsc) - 1, 0)]

    def between(self, start: int, end: int) -> tuple[Plugged, ...]:
        """All that held at some moment from start to end, in order."""
        first = max(bisect_right(self._times, start) - 1, 0)
        return tuple(self._states[first : bisect_right(self._times, end)])

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), dtype EVENT)."""
        for event in by_kind(events).of(*RARE):
            if (state := self._after(event)) != self.now:
                self._times.append(max(int(event["tsc"]), self._times[-1]))
                self._states.append(state)
        if len(self._times) > MOST_CHANGES:
            del self._times[: MOST_CHANGES // 2], self._states[: MOST_CHANGES // 2]

    def _after(self, event: np.void) -> Plugged:
        kind, id, value = EventKind(int(event["kind"])), int(event["id"]), int(event["arg"])
        if kind == EventKind.WIRE:
            return self._switched(Switch(id), bool(value))
        if kind == EventKind.REFUSED:
            return replace(self.now, refused=self.now.refused + (id == Operation.IRQFD_ASSIGN))
        if id == Setting.STEP:
            doorbell = registered_after(self.scenario, value)
            return replace(self.now, doorbell=doorbell, storm=self._storm_after(value))
        fields = {Setting.MASKED: "masked", Setting.ROUTE: "vector", Setting.VCPU: "vcpu"}
        field = fields.get(Setting(id))
        changed = {field: bool(value) if field == "masked" else value} if field else {}
        return replace(self.now, **changed)  # type: ignore[arg-type]

    def _switched(self, switch: Switch, on: bool) -> Plugged:
        once = self.now.once | {switch} if on else self.now.once
        if switch is Switch.IOEVENTFD:
            return replace(self.now, ioeventfd=on, once=once)
        return replace(self.now, irqfd=on, once=once)

    def _storm_after(self, number: int) -> int:
        """Accesses where nothing is, once so many steps of a lab are done, which may repeat."""
        steps = self.scenario.lab.steps if self.scenario.lab else ()
        done = [steps[n % len(steps)] for n in range(max(0, number - len(steps)), number)] if steps else []
        return next((step.value for step in reversed(done) if step.do == "storm"), 0)
