"""Which latency stands beside a wire: the p50 under the wiring of the moment, or that of the journey rung by hand."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import Setting
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.viz.model.live import LiveModel, shown_latency


def rung_by_hand(model: LiveModel) -> Journeys:
    """The newest journey, if no pace drives signals and nothing newer is under way; shape (1,) or (0,)."""
    pace = model.tally.settings.get(Setting.PACE, model.scenario.pace.per_second)
    journey = no_journeys() if pace or model.scenario.lab or model.transport.together else model.newest_shown()
    if not journey.size:
        return journey
    rings = bool(journey["ring"][0])
    newest = model.tally.doorbells_rung if rings else model.tally.irqs_signalled
    number = int(max(journey["seq"][0], 0 if rings else journey["interrupt"][0]))
    return journey if number >= newest else no_journeys()


def usual_latency(model: LiveModel, name: str) -> float | None:
    """The p50 of the moment, ns; while signals are rung by hand the latency of the newest. None if there is none.

    The p50 is that of the distribution: of the journeys since the wiring was changed last.
    """
    journey = rung_by_hand(model)
    return shown_latency(model, journey, name) if journey.size else model.latencies.p50(name)


def newest_journeys(model: LiveModel, count: int) -> Journeys:
    """The newest that had begun at the moment that the view shows, not more than `count`; shape (n,)."""
    if model.transport.following:
        return model.journeys.newest(count)
    found = model.journeys.last_of(count, 0, model.playhead)
    newest: Journeys = found[np.argsort(found["handler"], kind="stable")]
    return newest
