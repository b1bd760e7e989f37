"""Which stage the view looks at, where a recording is damaged."""

from __future__ import annotations

import numpy as np

from bellwire.engine.folds.journeys import JOURNEY
from bellwire.viz.model.moments.looking import standpoint_of
from tests.support.batch_source import model_of


def test_a_journey_that_passes_no_stage_stands_nowhere() -> None:
    """As a damaged recording may tell of one: a doorbell where the scenario has none."""
    journey = np.zeros(1, JOURNEY)
    journey["ring"], journey["doorbell"], journey["seq"] = 100, 200, 1
    assert standpoint_of(model_of([], "irq-msi"), journey, 150) is None
    assert standpoint_of(model_of([], "doorbell-pio"), journey, 150) is not None
