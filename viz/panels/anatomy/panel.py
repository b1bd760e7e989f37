"""What the kernel does on a signal's way, stage by stage; the one that is chosen in the diagram is marked.

In slow motion, at a step and in a story it is the way of the signal that is looked at, and the stages at which it may
be are marked and in view; what somebody has clicked at stays in view until the stage changes.
"""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QResizeEvent, QTextBlock, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from bellwire.engine.events import Setting, Switch
from bellwire.engine.language import tr, tr_later
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.panels.anatomy.page import AnatomyPage, anchor_of
from bellwire.viz.panels.calls.state import kernel_stage
from bellwire.viz.panels.panel import SIDE, Panel
from bellwire.viz.stages.anatomy import Path, as_injected, followed_stages, paths_of, told_further
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.theme import Theme

KERNEL = "Linux 6.18"
ABOVE = 0.12  # of the height, above what comes into view


class AnatomyPanel(Panel):
    """The ways that this scenario's signals take as the switches stand."""

    title = tr_later("Anatomy")
    name = "anatomy"
    place = SIDE
    tip = tr_later("What the kernel does at each stage of a signal's way, with the function's name and file")
    follows_stage = True

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.facts = tr("names of {kernel}", kernel=KERNEL)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self.choose)
        self.text.setAccessibleName(tr("Stages of the signals' ways"))
        self._around = QVBoxLayout(self)
        self._around.addWidget(self.text)
        self._html = ""
        self._stage, self._part = "", ""  # that is chosen: the stage, and the diagram's part as it was last
        self._places: dict[str, QTextBlock] = {}  # of the stages, by anchor
        self.mark: StageMark | None = None  # what is marked of the signal that is looked at
        self.model.selection.changed.append(self._follow)
        self._follow()
        self._write()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that the signal looked at went, else those of now."""
        if self.mark is not None:
            return self.mark.point.times.way.paths
        scenario, known = self.model.scenario, self.model.tally.wiring
        begins = {
            Switch.IOEVENTFD: bool(scenario.doorbell and scenario.doorbell.ioeventfd),
            Switch.IRQFD: bool(scenario.interrupt and scenario.interrupt.irqfd),
        }
        paths = paths_of(scenario, lambda switch: known.get(switch, begins[switch]))
        watched = bool(self.model.tally.settings.get(Setting.KERNEL))
        further = frozenset(followed_stages()) if watched else frozenset()
        return tuple(as_injected(told_further(path, further), self.model.source.backend) for path in paths)

    def choose(self, link: QUrl) -> None:
        """The stage of a link, and the diagram's part that stands for it."""
        stage = link.toString().removeprefix("stage:")
        plan = blueprint_of(self.model.scenario, self.model.source.backend)
        names = [name for table in (plan.wires, plan.counters, plan.nodes) for name in table]
        part = next((name for name in names if kernel_stage(self.model, name) == stage), "")
        self.model.selection.choose(part=part)
        self._point_at(stage)

    def _follow(self) -> None:
        """The stage of the part that was chosen elsewhere."""
        if self.model.selection.part != self._part:
            self._part = self.model.selection.part
            self._point_at(kernel_stage(self.model, self._part))

    def _point_at(self, stage: str) -> None:
        self._part = self.model.selection.part
        if stage != self._stage:
            self._stage = stage
            self._write()
            self._bring(*[anchor for anchor in self._places if anchor.endswith(f":{stage}")][:1])

    def redraw(self) -> None:
        """Writes it anew if a switch, the choice, the stage or the theme has changed it."""
        before, self.mark = self.mark, stage_mark(self.model)
        moved = self.mark is not None and (before is None or before.key != self.mark.key)
        if moved:
            self._stage = ""  # what was chosen before is no longer what is looked at
        self._write()
        if moved:
            self._bring_mark()

    def _bring_mark(self) -> None:
        if self.mark is not None:
            self._bring(*(anchor_of(stop.path, stop.name) for stop in self.mark.stops))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is marked stays in view."""
        super().resizeEvent(event)
        self._bring_mark()

    def _page(self) -> AnatomyPage:
        source, mark = self.model.source, self.mark
        bound = mark.bound(self.model.clock) if mark else ""
        return AnatomyPage(self.theme, source.backend, source.host.get("kernel", ""), self._stage, mark, bound)

    def _write(self) -> None:
        """The page, if it has changed; it stays where it was scrolled to."""
        html = self._page().html(self.paths)
        if html == self._html:
            return
        self._html, bar = html, self.text.verticalScrollBar()
        at = bar.value()
        self.text.setHtml(html)
        bar.setValue(at)
        self._places = places_in(self.text.document())

    def _bring(self, *anchors: str) -> None:
        """Entries into view, from the first to the last, if they are not all there; what is above it a little, too."""
        layout, bar = self.text.document().documentLayout(), self.text.verticalScrollBar()
        boxes = [layout.blockBoundingRect(self._places[anchor]) for anchor in anchors if anchor in self._places]
        height, top = self.text.viewport().height(), bar.value()
        if boxes and not (top <= boxes[0].top() and boxes[-1].bottom() <= top + height):
            bar.setValue(round(boxes[0].top() - height * ABOVE))

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._around.setContentsMargins(PADDING - 4, self.header, PADDING - 4, 10)
        self.redraw()


def places_in(document: QTextDocument) -> dict[str, QTextBlock]:
    """Where each anchor is."""
    found: dict[str, QTextBlock] = {}
    block = document.begin()
    while block.isValid():
        for piece in block.textFormats():
            found |= dict.fromkeys(piece.format.anchorNames(), block)
        block = block.next()
    return found
