"""Who sits where below the bar: what the scenario is for, the diagram, the plots beside it, timeline, numbers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from bellwire.engine.language import tr
from bellwire.viz.diagram.geometry import MOST_TEXT
from bellwire.viz.diagram.pointing.marks import Pointing
from bellwire.viz.diagram.pointing.pointer import DiagramPointer
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.panels.glossary import GlossaryPanel
from bellwire.viz.panels.panel import BELOW, SIDE, Panel
from bellwire.viz.plots import PLOTS
from bellwire.viz.plots.numbers import Numbers
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.tabs import Tabs
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.timeline.widget import Timeline
from bellwire.viz.window.access.dividers import DividedParts
from bellwire.viz.window.asked.part_card import PartCard
from bellwire.viz.wires.as_shipped import purpose_words

SPACING, MARGIN = 10, 22
DIAGRAM_SHARE = 0.7  # of the height, where the timeline has the rest
LEAST_DIAGRAM, LEAST_TIMELINE, LEAST_PLOT = 260, 150, 100  # pixels at 100 % text
LOWEST_DIAGRAM = 220  # pixels, with text of any size
STACKED_DIAGRAM = 220  # pixels at 100 % text that it has at least in a window that is scrolled
TABS = 30  # pixels at 100 % text: the height of tabs, which a card leaves free
CARD = 460  # pixels at 100 % text: how wide a card about a part is at most
LABS = "Labs"  # the group of scenarios that break
SIDE_OF_LABS, LABS_FIRST = "side of labs", "evidence"  # a lab is about what went wrong: its sentences come first
LEAST_PANEL, PANEL = 200, 240  # a panel below: what it must have beside the diagram, and what it gets if it can
LOW_DIAGRAM, LOW_PANEL = 220, 130  # what both must have while something else is said above them


class Views(QWidget):
    """All views of one model. They read it; they are refreshed in the order in which they are seen."""

    def __init__(
        self,
        model: LiveModel,
        theme: Theme,
        front: dict[str, str] | None = None,
        pointing: Pointing | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """front: which panel is in front at its place, by name; kept up to date, so that the next views begin so.

        pointing: at the diagram, here and wherever else it is shown.

        What holds others has its parent before it holds them: Qt tells the style anew to all that a widget holds
        whenever that gets another parent, which took as long as to make them.
        """
        super().__init__(parent)
        self.setObjectName("plain")
        self.stacked = False  # a narrow window has below the diagram what is else beside it, and is scrolled
        self.theme = theme
        self._themed: Theme | None = None  # what all parts have been told
        self._front = {} if front is None else front
        self._side_key = SIDE_OF_LABS if model.scenario.group == LABS else SIDE  # its front is remembered apart
        self._brought = SIDE  # where a panel was brought to the front last
        self._alone = False  # a panel below has all the room, where there is none for both
        self.lowered_by: Callable[[], int] = lambda: 0  # pixels that what is said above takes for a while
        self._with_timeline: list[int] = []  # the heights as they were before a panel came in front of it
        self.purpose = PlainLabel("", self)
        self._switched: tuple[object, ...] = ()  # how the switches were when the purpose was told
        self.middle = DividedParts(Qt.Orientation.Vertical, SPACING, tr("above the timeline"), self)
        self.top = DividedParts(Qt.Orientation.Horizontal, 14, tr("between diagram and plots"), self.middle)
        self.diagram = Diagram(model, theme)
        self.top.addWidget(self.diagram)  # before what is beside it, in the order in which it is read aloud
        self.pointer = DiagramPointer(self.diagram, pointing or Pointing())
        self.plots = [plot(model, theme) for plot in PLOTS if plot.suits(model.scenario)]
        self._to_furnish = list(self.plots)
        self.timeline = Timeline(model, theme)
        self.numbers = Numbers(model, theme)
        self._stacked_plots = QWidget()
        self.column = UprightArea(self._stacked_plots)  # of the plots, which are scrolled where they have no room
        self.panels = [panel(model, theme) for panel in PANELS]
        self.side = self._tabs(SIDE, (tr("Plots"), tr("Latency, its distribution, exits"), self.column))
        self.below = self._tabs(BELOW, (self.timeline.title, tr("What each did when"), self.timeline))
        self.below.bar.tabBarClicked.connect(self._clicked_below)
        self.below.back.clicked.connect(self._back_to_diagram)
        self._lay_out()
        telling = {name: self.panel(name) for name in ("calls", "anatomy")}
        self.part_card = PartCard(self, self.diagram, theme, telling, self.bring_panel, self._beside_diagram)
        self._tell_purpose()
        self.set_theme(theme)

    def _tabs(self, place: str, first: tuple[str, str, QWidget]) -> Tabs:
        """The panels of a place behind what is always there; in front is what was so before."""
        panels = self._at(place)
        tabs = Tabs(
            [first, *((panel.title, tr(panel.tip), panel) for panel in panels)],
            self.theme,
            self.top if place == SIDE else self.middle,
        )
        tabs.bar.setAccessibleName(tr("beside the diagram") if place == SIDE else tr("below the diagram"))
        tabs.bar.currentChanged.connect(lambda page: self._note_front(place, page))
        front = self._front.get(self._key(place), LABS_FIRST if self._key(place) == SIDE_OF_LABS else "")
        tabs.bring(next((n for n, panel in enumerate(panels, 1) if panel.name == front), 0))
        return tabs

    def _at(self, place: str) -> list[Panel]:
        return [panel for panel in self.panels if panel.place == place]

    def _key(self, place: str) -> str:
        return self._side_key if place == SIDE else place

    def _note_front(self, place: str, page: int) -> None:
        self._front[self._key(place)] = self._at(place)[page - 1].name if page else ""
        self._brought = place if page else self._brought
        if place == BELOW:
            self._alone = self._alone or page > 0
            if self.isVisible():
                self._make_room()
                self._share()

    def _clicked_below(self, page: int) -> None:
        """Where only the tabs have room, a click gives what it brings all of it; one more gives it back."""
        if self.below.folded:
            self._alone = True
            self._make_room()
        elif self.top.isHidden() and page == self.below.bar.currentIndex():
            self._back_to_diagram()

    def _back_to_diagram(self) -> None:
        self._alone = False
        self._make_room()

    def showEvent(self, event: QShowEvent) -> None:
        """What was in front in the views before is so here; its share is known once all have their sizes."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._share)

    def _share(self) -> None:
        """A panel below needs more height than the timeline; when that is in front again the shares are as before."""
        upper, lower = self.middle.sizes()
        if not (self.top.isVisible() and self.below.isVisible()) or self.below.folded:
            return
        if not self._front.get(BELOW):
            self.middle.setSizes(self._with_timeline or [upper, lower])
            self._with_timeline = []
        elif not self._with_timeline:
            self._with_timeline = [upper, lower]
            lower = max(lower, min(self.theme.px(PANEL), upper + lower - self.theme.px(LEAST_DIAGRAM)))
            self.middle.setSizes([sum(self._with_timeline) - lower, lower])
        self._make_room()

    def _beside_diagram(self) -> QRect:
        """Where a card about a part has room: over the column beside the diagram or over its right, and on down."""
        over = self.side if self.side.isVisible() and not self.stacked else self.diagram
        below = QPoint(0, self.theme.px(TABS) if over is self.side else 0)
        room = QRect(over.mapTo(self, below), over.size().shrunkBy(QMargins(0, below.y(), 0, 0)))
        width = min(room.width(), self.theme.px(CARD))
        return QRect(room.topRight() - QPoint(width - 1, 0), QSize(width, self.height() - room.top() - SPACING))

    def panel(self, name: str) -> Panel:
        """The panel of that name."""
        return next(panel for panel in self.panels if panel.name == name)

    @property
    def in_front(self) -> str:
        """The name of the panel that was brought to the front; "" if plots and timeline are there."""
        fronts = {place: self._front.get(self._key(place), "") for place in (SIDE, BELOW)}
        return fronts[self._brought] or fronts[SIDE] or fronts[BELOW]

    def _is_seen(self, panel: Panel) -> bool:
        """Whether it is in front; while an audience sees it instead, nothing is visible here."""
        return panel.isVisible() if self.isVisible() else panel.name == self.in_front

    def show_panel(self, name: str) -> None:
        """Brings a panel to the front, by its name; one that is there already makes room for plots or timeline."""
        panel = self.panel(name)
        tabs = self.side if panel.place == SIDE else self.below
        shown = self._is_seen(panel)
        alone, self._alone = self.top.isHidden(), panel.place == BELOW and not shown
        if alone and panel.place == SIDE:
            self.below.bring(0)
        tabs.bring(0 if shown else tabs.pages.index(panel))
        self._make_room()
        if self.stacked:
            QTimer.singleShot(0, tabs, lambda: scroll_to(tabs))

    def show_purpose(self, on: bool) -> None:
        """What the scenario is for, unless something else is said in its place."""
        self.purpose.setVisible(on and bool(self.diagram.model.scenario.purpose))
        self._make_room()

    def front(self, name: str) -> None:
        """That panel alone in front, everywhere else plots and timeline; "" for no panel."""
        for tabs in (self.side, self.below):
            tabs.bring(0)
        self._alone = False
        self._make_room()
        if name:
            self.bring_panel(name)

    @property
    def fronts(self) -> tuple[str, ...]:
        """The names of all panels that are in front, in the order in which they can be brought there."""
        return tuple(filter(None, (self._front.get(self._key(place), "") for place in (SIDE, BELOW))))

    def bring_panel(self, name: str) -> Panel:
        """The panel of that name, which is in front now, if it was not already."""
        panel = self.panel(name)
        if not self._is_seen(panel):
            self.show_panel(name)
        return panel

    def find_events(self) -> None:
        """The event table in front, and the keyboard in its filter."""
        panel = self.bring_panel("events")
        if isinstance(panel, EventsPanel):
            panel.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def look_up(self, term: str = "") -> None:
        """The glossary in front at a term, or with the keyboard in the line for one."""
        panel = self.bring_panel("glossary")
        if isinstance(panel, GlossaryPanel) and term:
            panel.show_term(term)
        elif isinstance(panel, GlossaryPanel):
            panel.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _lay_out(self) -> None:
        model = self.diagram.model
        self._stacked_plots.setObjectName("plain")
        column = QVBoxLayout(self._stacked_plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        for plot in self.plots:
            column.addWidget(plot, 1)
        self.top.fill((self.diagram, 68), (self.side, 32))
        lower = round(100 * (1 - DIAGRAM_SHARE))
        self._usual = self._beside = [100 - lower, lower]  # heights, or their shares
        self.middle.fill((self.top, 100 - lower), (self.below, lower))
        self.middle.splitterMoved.connect(self._make_room)
        self.purpose.setObjectName("purpose")
        self.purpose.setWordWrap(True)  # it is never cut short: a narrow window has it in two lines
        self.purpose.setToolTip(plain_tip(tr(model.scenario.shows)))
        self.purpose.setHidden(not model.scenario.purpose)
        box = QVBoxLayout(self)
        box.setContentsMargins(MARGIN, 4, MARGIN, 8)
        box.setSpacing(SPACING)
        box.addWidget(self.purpose)
        box.addWidget(self.middle, 1)
        box.addWidget(self.numbers)

    def refresh(self, everything: bool = True) -> None:
        """From the model's newest state: the tokens, or every view that is due."""
        Turns.begin_frame()
        self.diagram.refresh(everything)
        self.pointer.refresh()
        if everything:
            self._tell_purpose()
            self.numbers.refresh()
            self.part_card.refresh()
            self.timeline.refresh()
            self._furnish()
            for plot in self.plots:
                plot.refresh()
            for panel in self.panels:
                panel.refresh()

    def _tell_purpose(self) -> None:
        """Anew where a switch has changed, or the moment that is looked at has; routes may do so all the time."""
        model = self.diagram.model
        wired = model.wires
        switched = wired.ioeventfd, wired.irqfd, wired.once
        if switched == self._switched:
            return
        self._switched = switched
        words = purpose_words(model.scenario, (wired,))
        if words != self.purpose.text():
            self.purpose.setText(words)
            self._make_room()

    def _furnish(self) -> None:
        """All plots get their canvases in one frame, once there is an event: each takes 20 ms, the first one 200."""
        if self._to_furnish and self.diagram.model.present.tally.recorded:
            while self._to_furnish:
                self._to_furnish.pop().prepare()

    def to_newest(self) -> None:
        """Whatever was moved away by hand follows the newest again."""
        self.timeline.view.following = True
        for panel in self.panels:
            panel.to_newest()
        self.redraw()

    def redraw(self) -> None:
        """What would stand still while the view is paused; the diagram has its words anew several times a second."""
        self._tell_purpose()
        self.numbers.redraw()
        for card in (self.timeline, *self.plots, *self.panels):
            if card.isVisible():
                card.redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Large text in a small window: rather fewer views than views that cannot be read."""
        px = self.theme.px
        self.diagram.setMinimumHeight(px(STACKED_DIAGRAM) + self.added_height if self.stacked else LOWEST_DIAGRAM)
        left = self.height() - self.numbers.sizeHint().height() - self._purpose_height() - 2 * SPACING
        panel = bool(self._front.get(BELOW))
        tall = self.stacked or left >= px(LEAST_DIAGRAM) + px(LEAST_PANEL if panel else LEAST_TIMELINE)
        # A notice, a story or a lesson above makes the diagram and a panel lower, but does not take the diagram away.
        both = px(LEAST_DIAGRAM) + px(LEAST_PANEL) - self.lowered_by()
        tall |= panel and left >= max(both, px(LOW_DIAGRAM) + px(LOW_PANEL))
        self._show_top(tall or not self._alone)
        strip = px(TABS) + SPACING  # that stays of what is below, where there is room for no more
        self.below.setVisible(tall or self._alone or left >= px(LEAST_DIAGRAM) + strip)
        self.below.back.setVisible(self.top.isHidden())
        self.below.fold(not (tall or self._alone))
        self.part_card.place()

    @property
    def added_height(self) -> int:
        """By how much a diagram in a window that is scrolled is higher, so that its text is as large as all other."""
        if not self.stacked:
            return 0
        width, height = self.diagram.blueprint.size
        share = min(self.theme.scale / MOST_TEXT, (self.width() - 2 * MARGIN) / width)
        return max(round(share * height) - self.theme.px(STACKED_DIAGRAM), 0)

    def _purpose_height(self) -> int:
        """Of the sentence above the diagram, as it wraps in this width."""
        return 0 if self.purpose.isHidden() else self.purpose.heightForWidth(self.width() - 2 * MARGIN) + SPACING

    def _show_top(self, on: bool) -> None:
        """The diagram and what is beside it; they come back with the height that they had."""
        if self.top.isHidden() != on:
            return
        if not on:
            self._beside = self.middle.sizes()
        self.top.setVisible(on)
        if on:
            self.middle.setSizes(self._beside if all(self._beside) else self._usual)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        if theme == self._themed:
            return
        self.theme = self._themed = theme
        self.diagram.set_theme(theme)
        self.timeline.set_theme(theme)
        self.numbers.set_theme(theme)
        for card in (*self.plots, *self.panels):
            card.set_theme(theme)
        for plot in self.plots:
            plot.setMinimumHeight(theme.px(LEAST_PLOT))
        for tabs in (self.side, self.below):
            tabs.set_theme(theme)
        self.part_card.set_theme(theme)
        self._make_room()

    def stack(self, on: bool) -> None:
        """One below the other, or the diagram beside the plots."""
        if on == self.stacked:
            return
        self.stacked = on
        self.top.setOrientation(Qt.Orientation.Vertical if on else Qt.Orientation.Horizontal)
        self.top.setSizes([40, 60] if on else [68, 32])
        self.middle.setSizes([78, 22] if on else self._usual)
        self.numbers.set_lines(2 if on else 1)
        self._make_room()


def scroll_to(widget: QWidget) -> None:
    """So that it is seen from its top on, where what it is in is scrolled."""
    area: QWidget | None = widget
    while area and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    if isinstance(area, QScrollArea):
        area.ensureWidgetVisible(widget, 0, 0)
        inside = area.widget()
        if inside and widget.height() > area.viewport().height():  # of what is higher Qt shows the middle
            area.verticalScrollBar().setValue(widget.mapTo(inside, QPoint()).y())
