"""What a sentence about a journey's stage needs to know, taken out of the model."""

from __future__ import annotations

from bellwire.engine.events import Lane, Setting
from bellwire.engine.folds.journeys import finish
from bellwire.viz.model.live import LiveModel
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.standpoint import Standpoint

LOOK_BACK = (1e-4, 1e-2, 1.0)  # seconds, one after the other, until an event of the I/O thread is found


def circumstances(model: LiveModel, point: Standpoint) -> Circumstances:
    """Around the journey of a standpoint."""
    until = max(int(finish(point.journey)[0]), *(int(times[0]) for times in point.moments.values()))
    for seconds in LOOK_BACK:
        since = max(point.start - model.clock.cycles(seconds), 0)
        events = model.window(since, until)
        before = (events["lane"] == Lane.IO_THREAD) & (events["tsc"] < point.start)
        if before.any():
            break
    spins = bool(model.tally.settings.get(Setting.IDLE, int(model.scenario.pace.idle == "spin")))
    scenario, backend = model.scenario, model.source.backend
    apart, partner = model.present.latencies.clock_error.apart, model.tally.partner_pid
    return Circumstances(scenario, model.clock, backend, events, model.plugged, spins, partner, apart)
