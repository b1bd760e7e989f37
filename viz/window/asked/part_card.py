"""A card beside the diagram about the part that is chosen: what it is, its figure now, its call, its stage."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.language import tr, tr_as
from bellwire.viz.diagram.blueprint import Box, Counter, LatencyPill, Node, Part, RingBuffer, Wire
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.panels.calls.state import call_at, calls_now
from bellwire.viz.panels.panel import Panel
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.latency_words import latency_name

MARGIN, GAP = 16, 8


def name_of_part(part: Part) -> str:
    """What the picture calls it, or what kind of thing it is."""
    if isinstance(part, Box | Node):
        return part.title
    if isinstance(part, Counter):
        return part.name
    if isinstance(part, LatencyPill):
        return tr("Latency: {latency}", latency=latency_name(part.of))
    if isinstance(part, RingBuffer):
        return tr_as("a buffer", "Ring")
    return tr("Wire") if isinstance(part, Wire) else type(part).__name__


def figure_of(diagram: Diagram, name: str) -> str:
    """What the part shows now; "" if it shows nothing."""
    words = diagram.words
    if name in words.rings:
        return tr("{used} in use of {size}", used=words.rings[name].text, size=words.rings[name].size)
    count = diagram.counts.get(name, "")
    return words.facts.get(name, "") or words.pills.get(name, "") or (tr("count {count}", count=count) if count else "")


class PartCard(QFrame):
    """Over the column beside the diagram, so that all of the picture is seen. It reads what the diagram shows.

    panels: by name, those that tell of a part; where one is in front already, there is no card. show_panel: brings one
    to the front. beside: the room that the card may have.
    """

    def __init__(
        self,
        over: QWidget,
        diagram: Diagram,
        theme: Theme,
        panels: dict[str, Panel],
        show_panel: Callable[[str], object],
        beside: Callable[[], QRect],
    ) -> None:
        super().__init__(over)
        self.diagram, self.model, self.panels = diagram, diagram.model, panels
        self.show_panel, self.beside = show_panel, beside
        self.setObjectName("popover")
        self.name, self.figure = PlainLabel(), PlainLabel()
        self.help, self.call, self.stage = PlainLabel(), PlainLabel(), PlainLabel()
        self.name.setObjectName("heading")
        self.figure.setObjectName("mono")
        self.to_call, self.to_stage, self.close_button = (
            Button(tr("Show the call")),
            Button(tr("Show the anatomy")),
            IconButton(),
        )
        self.to_call.clicked.connect(lambda: self._leave_to("calls"))
        self.to_stage.clicked.connect(lambda: self._leave_to("anatomy"))
        self.close_button.setToolTip(tr("Dismiss (Esc)"))
        self.close_button.setAccessibleName(tr("dismiss what is said about the part"))
        self.close_button.clicked.connect(lambda: self.model.selection.choose(part=""))
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._box.setSpacing(GAP)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.close_button)
        self._box.addLayout(head)
        for words in (self.name, self.figure, self.help, self.call, self.stage):
            words.setWordWrap(True)
        for widget in (self.figure, self.help, self.call, self.to_call, self.stage, self.to_stage):
            self._box.addWidget(widget)
        self.set_theme(theme)
        self.hide()
        self.model.selection.changed.append(self.follow)

    def _leave_to(self, panel: str) -> None:
        self.hide()
        self.show_panel(panel)

    def follow(self) -> None:
        """Tells of the part that is chosen now, or goes."""
        if self._told_elsewhere():
            self.hide()
        else:
            self._appear()

    def tell(self, part: str) -> None:
        """Of this part, whatever is in front."""
        self.model.selection.choose(part=part)
        self._appear()

    def _appear(self) -> None:
        self.refresh(always=True)
        self.show()
        self.raise_()

    def _told_elsewhere(self) -> bool:
        """Whether nothing is chosen, or a panel that tells of it is in front."""
        part = self.model.selection.part
        if not part or not self.diagram.isVisible() or self.diagram.blueprint.part(part) is None:
            return True
        fronts = {"calls": bool(self.call_words(part)), "anatomy": bool(self.stage_words(part))}
        return any(told and self.panels[name].isVisible() for name, told in fronts.items())

    def call_words(self, part: str) -> str:
        """The call behind a part; "" if there is none."""
        call = call_at(self.model, calls_now(self.model), part)
        return f"{call.title}: {call.says}" if call else ""

    def stage_words(self, part: str) -> str:
        """The stage of a signal's way that a part stands for; "" if it stands for none."""
        found = self.diagram.blueprint.part(part)
        stage = load_anatomy().stages.get(found.stage if found else "")
        if stage is None:
            return ""
        return f"{stage.title}: {stage.function}, {stage.file}" if stage.function else stage.title

    def refresh(self, always: bool = False) -> None:
        """The figure of now; called once a frame."""
        part = self.diagram.blueprint.part(self.model.selection.part)
        if part is None or (self.isHidden() and not always):
            return
        name, words = self.model.selection.part, self.diagram.words
        call, stage = self.call_words(name), self.stage_words(name)
        told = (
            (self.name, name_of_part(part)),
            (self.figure, figure_of(self.diagram, name)),
            (self.help, part.tip(words.passages[name].why if name in words.passages else "")),
            (self.call, call),
            (self.stage, stage),
        )
        if always or any(label.text() != text for label, text in told):
            for label, text in told:
                label.setText(text)
                label.setVisible(bool(text))
            self.to_call.setVisible(bool(call))
            self.to_stage.setVisible(bool(stage))
            self.setAccessibleName(". ".join(text for _, text in told if text))
            self.place()

    def place(self) -> None:
        """At the top of what is beside the diagram."""
        room = self.beside()
        height = min(self._box.totalHeightForWidth(room.width()), room.height())
        self.setGeometry(room.x(), room.y(), room.width(), height)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.close_button.show_icon("close", theme)
        self.place()
