"""The journeys in a part of a recording, without the rest of it."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import (
    BUFFERS_ADDED,
    BUFFERS_USED,
    EventKind,
    Events,
    Lane,
    chosen,
    doorbell_numbers,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.journeys import Journeys, JourneyTracker, finish, select
from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.scenario import Scenario

REACH_SECONDS = 0.05  # a journey that is longer is found only if it began or ended so near,
REACH_EVENTS = 1 << 11  # or only so many events before or after
MOST_EVENTS = 1 << 17  # that are looked at: in a part with more, which no view shows journey by journey, the first ones


def journeys_between(recording: Recording, t0: int, t1: int) -> Journeys:
    """The journeys that were under way between t0 and t1 (TSC), by what the events around say; shape (n,)."""
    reach = reach_at(recording, t0)
    events = recording.window(max(t0 - reach, 0), t1 + reach, MOST_EVENTS)
    scenario = recording.header.scenario
    journeys = JourneyTracker(scenario).feed(end_to_end(cut_in(events[:REACH_EVENTS], scenario), events))
    if not journeys.size:
        return journeys
    inside = (begin(journeys) <= np.uint64(max(t1, 0))) & (finish(journeys) >= np.uint64(max(t0, 0)))
    return chosen(journeys, inside)


def reach_at(recording: Recording, tsc: int) -> int:
    """How far around a moment the rest of a journey is looked for, in cycles: less where much happens."""
    entries = recording.entries
    near = entries[(entries["first"] <= np.uint64(max(tsc, 0))) & (entries["last"] >= np.uint64(max(tsc, 0)))]
    longest = recording.header.clock.cycles(REACH_SECONDS)
    spans = ((int(entry["last"] - entry["first"]) * REACH_EVENTS) // int(entry["events"]) for entry in near)
    return min([longest, *(span for span in spans if span > 0)])


def cut_in(events: Events, scenario: Scenario) -> Events:
    """What a stream that begins with these events opens with: the newest numbers before it, as its own say."""
    if not events.size:
        return no_events()
    queues = scenario.doorbell.queues if scenario.doorbell else 1
    rung, reads = select(events, EventKind.RING)["seq"], select(events, EventKind.DOORBELL)
    signalled = select(events, EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT)["seq"]
    handlers, buffers = select(events, EventKind.HANDLER), select(events, EventKind.BUFFERS)
    covered = before_first(handlers)
    numbers = [
        (Before.RUNG, 0, min([*rung[:1] - 1, *doorbell_numbers(reads, queues)[:1] - 1], default=0)),
        (Before.SIGNALLED, 0, min(signalled[:1] - 1, default=0)),
        (Before.COVERED, 0, covered),
        (Before.BUFFERS_ADDED, 0, before_first(buffers[buffers["id"] == BUFFERS_ADDED])),
        (Before.BUFFERS_USED, 0, before_first(buffers[buffers["id"] == BUFFERS_USED])),
        *((Before.RECEIVED, queue, before_first(reads[reads["id"] == queue])) for queue in range(queues)),
    ]
    if scenario.direct:  # the handler receives them
        numbers.append((Before.RECEIVED, 0, covered))
    tsc = int(events["tsc"][0])
    began = [event(tsc, EventKind.BEFORE, Lane.ENGINE, which, int(seq), arg) for which, arg, seq in numbers if seq > 0]
    return np.concatenate([no_events(), *began])


def before_first(events: Events) -> int:
    """The number before those that the first of the events covers, whose arg says how many; 0 if there is none."""
    return int(events["seq"][0] - min(events["arg"][0], events["seq"][0])) if events.size else 0
