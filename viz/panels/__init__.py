"""What can be looked at beside the plots and in place of the timeline. Another panel is one file and one name here."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.anatomy.panel import AnatomyPanel
from bellwire.viz.panels.annotations import AnnotationsPanel
from bellwire.viz.panels.calls.panel import CallPanel
from bellwire.viz.panels.compare.panel import ComparePanel
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.panels.evidence import EvidencePanel
from bellwire.viz.panels.explain.panel import ExplainPanel
from bellwire.viz.panels.glossary import GlossaryPanel
from bellwire.viz.panels.panel import Panel
from bellwire.viz.panels.sequence.panel import SequencePanel
from bellwire.viz.style.theme import Theme

PANELS: tuple[type[Panel], ...] = (
    *(SequencePanel, EvidencePanel, CallPanel, AnatomyPanel),
    *(EventsPanel, ComparePanel, ExplainPanel, GlossaryPanel, AnnotationsPanel),
)


def panel_of(model: LiveModel, name: str, theme: Theme, parent: QWidget | None = None) -> Panel:
    """The panel of that name, made anew."""
    return next(panel for panel in PANELS if panel.name == name)(model, theme, parent)
