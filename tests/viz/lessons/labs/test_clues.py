"""The evidence that a quiz sells, in words."""

from __future__ import annotations

import numpy as np

from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.lessons.labs.clues import changes, course_words
from bellwire.viz.lessons.labs.lab_run import LabRun


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


def test_how_a_switch_stands_at_first_is_no_change() -> None:
    """ "0.00 s: irqfd on." was sold as what was changed while it ran."""
    still = LabRun.of_recording(Recording(path_of_shipped("lab-no-eoi")))
    assert changes(still) == ["Nothing was changed while it ran."]
    cut = LabRun.of_recording(Recording(path_of_shipped("lab-wire-cut")))
    told = [line.split(" s: ")[1] for line in changes(cut) if "step" not in line]
    assert told == ["ioeventfd off.", "ioeventfd on.", "ioeventfd off."]
    assert cut.changed == len(cut.changes)
