"""Journeys of the shipped recordings with everything around them, as the narration is told of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bellwire.engine.events import EVENT, Events
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import Latencies, begin
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.moments import moments
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.times import times_of_stages
from bellwire.viz.stages.way import WaysOf
from bellwire.viz.wires.plugged import PluggedCourse

MOST_EVENTS = 4000  # of the beginning of a recording
EACH_WAY = 3  # journeys


def told_of(name: str) -> Iterator[tuple[Standpoint, Circumstances]]:
    """A few journeys of each way that the recording's beginning has, each at its first stop."""
    recording = Recording(path_of_shipped(name))
    scenario, clock = recording.header.scenario, recording.header.clock
    backend, kernel = recording.header.host.get("backend", ""), recording.header.host.get("kernel", "")
    events = beginning(recording)
    latencies, plugged, tally = Latencies(scenario, clock), PluggedCourse(scenario), Tally()
    journeys = latencies.feed(events)
    plugged.feed(events)
    tally.feed(events)
    around = Circumstances(scenario, clock, backend, events, plugged, False, tally.partner_pid)
    ways = WaysOf(scenario, backend, kernel)
    found = moments(journeys, events, ways.traits)
    for way, rows in ways.of(journeys, found):
        for row in rows[np.linspace(0, rows.size - 1, min(EACH_WAY, rows.size)).astype(int)]:
            one: Journeys = journeys[row : row + 1]
            when = {stamp: times[row : row + 1] for stamp, times in found.items()}
            yield Standpoint(one, when, times_of_stages(way, one, when), 0, 0, 0, int(begin(one)[0])), around


def beginning(recording: Recording) -> Events:
    """Its first events, in order."""
    batches, count = [], 0
    for batch in recording.batches():
        batches.append(batch)
        count += batch.size
        if count >= MOST_EVENTS:
            break
    events: Events = np.concatenate(batches).astype(EVENT)
    return events[np.argsort(events["tsc"], kind="stable")]
