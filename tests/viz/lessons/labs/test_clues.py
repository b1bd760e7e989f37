"""The evidence that a quiz sells, in words."""

from __future__ import annotations

import numpy as np

from bellwire.engine.folds.histogram import Histogram
from bellwire.viz.lessons.labs.clues import course_words


def test_a_percentile_beyond_which_there_is_no_value_is_not_told() -> None:
    """ "99 of 100 at most –" said nothing."""
    histogram = Histogram()
    told = []
    for count in (1, 49, 50):
        histogram.record(np.full(count, 2000.0))
        told.append(course_words("doorbell", histogram))
    assert told[0] == "doorbell: the longest took 2.00 µs."
    assert told[1] == "doorbell: half take at most 2.00 µs, the longest took 2.00 µs."
    assert told[2].startswith("doorbell: half take at most 2.00 µs, 99 of 100 at most 2.00 µs, ")
