"""What has come of a guest that is in trouble: all that symptoms, evidence and causes are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bellwire.engine.events import NAMES, Clock, EventKind, Events, Setting, no_events
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.lessons.labs.lab_texts import Riddle
from bellwire.viz.lessons.step_figures import StepFigures, figures_told

if TYPE_CHECKING:
    from bellwire.engine.recordings.recording import Recording

OURS = next(number for number, name in NAMES.items() if name == "INTR")  # the exit by which this program stops a vCPU
PACING = (Setting.PACE, Setting.BURST, Setting.IDLE, Setting.RUNNING)  # how often there is a signal changes no wire
MOST_CHANGES = 64  # of the wiring and the settings that are kept, the first


class LabRun:
    """A fold over the events of one run, fed in the order of time."""

    def __init__(self, scenario: Scenario, backend: str, clock: Clock) -> None:
        self.scenario, self.backend, self.clock = scenario, backend, clock
        self.figures = StepFigures(scenario, clock, no_events(), backend)
        self.evidence = Evidence(scenario, backend)
        self.changes: list[np.void] = []
        self.changed = 0  # how many changes there were
        self._stood: dict[int, bool] = {}  # switches, as told last: the first word on one is no change
        self.newest: dict[int, np.void] = {}  # event by lane
        self.first = self.last = 0  # TSC

    @classmethod
    def of_recording(cls, recording: Recording) -> LabRun:
        """All of a recording."""
        header = recording.header
        run = cls(header.scenario, header.backend, header.clock)
        for batch in recording.sorted_batches():
            run.feed(batch)
        return run

    @property
    def tally(self) -> Tally:
        """The counters."""
        return self.figures.tally

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), dtype EVENT)."""
        if not events.size:
            return
        self.figures.feed(events)
        self.evidence.feed(events)
        self.first = self.first or int(events["tsc"][0])
        self.last = int(events["tsc"][-1])
        changed = np.isin(events["kind"], (EventKind.WIRE, EventKind.SETTING, EventKind.REFUSED))
        changed &= (events["kind"] != EventKind.SETTING) | ~np.isin(events["id"], PACING)
        for at in np.flatnonzero(changed & (events["kind"] == EventKind.WIRE)).tolist():
            switch, on = int(events["id"][at]), bool(events["arg"][at])
            changed[at] = self._stood.get(switch, on) != on
            self._stood[switch] = on
        self.changes.extend(events[changed][: MOST_CHANGES - len(self.changes)])
        self.changed += int(changed.sum())
        guests = events[(events["kind"] != EventKind.EXIT) | (events["id"] != OURS)]
        for lane in np.unique(guests["lane"]).tolist():
            self.newest[lane] = guests[guests["lane"] == lane][-1]

    def seconds(self, tsc: int) -> float:
        """After the run's first event."""
        return self.clock.ns(tsc - self.first) / 1e9

    def told(self, text: str) -> str:
        """A text with the figures of this run in place of the names."""
        return figures_told(text, {"": self.figures})

    def symptom(self, lab: Riddle) -> str:
        """What somebody would complain of."""
        for symptom in lab.symptoms:
            if symptom.when is None or symptom.when.judge(self.tally, self.figures.latencies).holds:
                return self.told(symptom.text)
        return ""
