"""What can be looked at beside the plots and in place of the timeline. Another panel is one file and one name here."""

from __future__ import annotations

from viz.panels.anatomy import AnatomyPanel
from viz.panels.call import CallPanel
from viz.panels.compare import ComparePanel
from viz.panels.events import EventsPanel
from viz.panels.evidence import EvidencePanel
from viz.panels.panel import Panel
from viz.panels.sequence import SequencePanel

PANELS: tuple[type[Panel], ...] = (
    *(SequencePanel, EvidencePanel, CallPanel, AnatomyPanel),
    *(EventsPanel, ComparePanel),
)
