"""Which event stands for a finding. No Qt here."""

from __future__ import annotations

import numpy as np

from engine.events import Events, no_events
from engine.findings import Finding
from viz.model import LiveModel


def newest_that_shows(model: LiveModel, finding: Finding) -> Events:
    """The newest event of the finding's first kind that is held, else of the next; shape (0,) or (1,)."""
    for kind in finding.kinds:
        for events in reversed(list(model.events)):
            found = np.flatnonzero(events["kind"] == kind)
            if found.size:
                return events[found[-1:]]
    return no_events()
