"""What a right click offers: what can be done with the thing under the pointer, in the words of the menus."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.language import tr, tr_later
from bellwire.engine.recordings.annotations.annotation import Ink, PartPin, Pin
from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.annotations.pins import stage_pin_at
from bellwire.viz.panels.annotations import AnnotationsPanel
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.panels.panel import Panel
from bellwire.viz.panels.sequence.panel import SequencePanel
from bellwire.viz.plots.numbers import Numbers
from bellwire.viz.plots.plot import Plot
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.style.plain import plain_words
from bellwire.viz.timeline.widget import Timeline
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.presenter.pointers import take_tool
from bellwire.viz.window.views import Views

INK_WORDS = {
    Ink.SELECTION: tr_later("What is chosen"),
    Ink.DOORBELL: tr_later("Doorbells"),
    Ink.INTERRUPT: tr_later("Interrupts"),
    Ink.GUEST: tr_later("The guest"),
    Ink.KVM: tr_later("The kernel"),
    Ink.HEAVY: tr_later("User space, trouble"),
}
PICTURED = ("sequence", "evidence", "calls", "anatomy", "compare", "explain")  # panels that offer it and little else
ZOOMS = ("zoom_in", "zoom_out", "fit", "fit_all", "zoom_usual", "newest")
STEPS = ("step", "step_back", "step_event", "step_event_back")


def pop_up(menu: QMenu, where: QPoint) -> None:
    """Opens it there on the screens; once it is closed it is gone."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(where)


class Offers:
    """The menus of right clicks and of the menu key, for the views that are shown."""

    def __init__(self, commands: Commands, actions: dict[str, QAction]) -> None:
        """actions: those of the menus, by name."""
        self.commands, self.actions = commands, actions
        self.follow()

    @property
    def views(self) -> Views:
        """Those that are shown."""
        return self.commands.shown.views

    def follow(self) -> None:
        """Other views are shown: theirs are the menus from now on."""
        views = self.views
        events, annotations = views.panel("events"), views.panel("annotations")
        if isinstance(events, EventsPanel) and isinstance(annotations, AnnotationsPanel):
            events.annotate.connect(self._annotate)
            annotations.offered.connect(self._pop_up_annotation)
        told = [views.panel(name) for name in PICTURED]
        for widget in (views.diagram, views.timeline, views.numbers, *views.plots, *told):
            widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            widget.customContextMenuRequested.connect(partial(self._pop_up, widget))

    def _pop_up(self, widget: QWidget, at: QPoint) -> None:
        pop_up(self.menu_at(widget, at), widget.mapToGlobal(at))

    def menu_at(self, widget: QWidget, at: QPoint) -> QMenu:
        """What can be done with what `widget` shows there; not yet opened."""
        menu = QMenu(widget)
        if isinstance(widget, Diagram):
            self._offer_part(menu, widget, QPointF(at))
        elif isinstance(widget, Timeline):
            self._offer_moment(menu, widget, at)
        elif isinstance(widget, Numbers):
            self._offer_numbers(menu, widget, at)
        elif isinstance(widget, SequencePanel):
            moment = widget.moment_at(at.y())
            if moment is not None:
                self._offer_stage(menu, widget.journey, moment)
            menu.addAction(self.actions["save_sequence"])
        if isinstance(widget, Plot | Diagram | Timeline | Panel | Numbers):
            menu.addSeparator()
            self._offer_picture(menu, widget)
        if isinstance(widget, Plot):
            menu.addAction(self.actions["export"])
            self._offer_curves(menu, widget)
        return menu

    def _add(self, menu: QMenu, words: str, do: Callable[[], object]) -> None:
        menu.addAction(plain_words(words)).triggered.connect(lambda _=False: do())

    def _offer_part(self, menu: QMenu, diagram: Diagram, at: QPointF) -> None:
        """Of an annotation what can be done with it; of a token its journey; of a part what tells of it."""
        annotation = diagram.annotated.at(at)
        if annotation >= 0:
            self._offer_annotation(menu, annotation)
            return
        if diagram.token_at(at) is not None:
            self._add(menu, tr("Its sequence chart"), lambda: self.views.bring_panel("sequence"))
            self._add(menu, tr("Its events"), lambda: self.views.bring_panel("events"))
            menu.addActions([self.actions[name] for name in (*STEPS, "fit")])
            return
        part = diagram.part_at(at) or self.commands.model.selection.part  # where the menu key was pressed: the chosen
        if not part:
            menu.addActions([self.actions[name] for name in ("extended", "presenter", *Tool, "ring", "interrupt")])
            return
        card = self.views.part_card
        self._add(menu, tr("Explain it"), partial(card.tell, part))
        if card.call_words(part):
            self._add(menu, tr("Show the call"), partial(self._show, part, "calls"))
        if card.stage_words(part):
            self._add(menu, tr("Show the anatomy"), partial(self._show, part, "anatomy"))
        self._add(menu, tr("Spotlight on it"), partial(self._point, part, Tool.SPOTLIGHT))
        self._add(menu, tr("Zoom into it"), partial(self._point, part, Tool.ZOOM))
        menu.addSeparator()
        self._offer_pin(menu, PartPin(part), tr("Add a note…"))
        if not self.commands.model.transport.following:
            pin = PartPin(part, self.commands.model.playhead)
            self._add(menu, tr("Add a note for this moment…"), partial(self.commands.annotator.note, pin))

    def _offer_pin(self, menu: QMenu, pin: Pin, words: str) -> None:
        """To annotate it. words: of a note."""
        self._add(menu, words, partial(self.commands.annotator.note, pin))
        self._add(menu, tr("Draw an arrow to…"), partial(self.commands.annotator.arrow, pin))

    def _annotate(self, pin: Pin, arrow: bool) -> None:
        """A panel's own menu has offered it."""
        (self.commands.annotator.arrow if arrow else self.commands.annotator.note)(pin)

    def _pop_up_annotation(self, index: int, at: QPoint) -> None:
        """A row of the list of annotations was clicked at."""
        menu = QMenu(self.views)
        self._offer_annotation(menu, index)
        pop_up(menu, at)

    def _offer_annotation(self, menu: QMenu, index: int) -> None:
        """What can be done with one that is there."""
        annotator = self.commands.annotator
        self._add(menu, tr("Edit it…"), partial(annotator.edit, index))
        inks = menu.addMenu(tr("Colour"))
        for ink in Ink:
            made = inks.addAction(plain_words(tr(INK_WORDS[ink])))
            made.setCheckable(True)
            made.setChecked(self.commands.model.annotations.all[index].ink is ink)
            made.triggered.connect(lambda _=False, ink=ink: annotator.recolor(ink, index))
        self._add(menu, tr("Delete it"), partial(annotator.delete, index))

    def _offer_stage(self, menu: QMenu, journey: Journeys, moment: int) -> None:
        """To annotate the stage of a journey at a moment, if there is one."""
        pin = stage_pin_at(self.commands.model, journey, moment)
        if pin is not None:
            stage = load_anatomy().stages[pin.stage].title
            self._offer_pin(menu, pin, tr("Add a note to “{stage}”…", stage=stage))
            menu.addSeparator()

    def _point(self, part: str, tool: Tool) -> None:
        """At that part, whether or not the tool is taken already."""
        self.commands.shown.pointing.clear()
        self.commands.model.selection.choose(part=part)
        take_tool(self.commands.shown, tool)

    def _show(self, part: str, panel: str) -> None:
        self.commands.model.selection.choose(part=part)
        self.views.bring_panel(panel)

    def _offer_moment(self, menu: QMenu, timeline: Timeline, at: QPoint) -> None:
        journey = timeline.journey_at(QPointF(at))
        if journey.size:
            self._offer_stage(menu, journey, timeline.scale.tsc(at.x()))
        if timeline.grip.contains(QPointF(at)):
            moment = timeline.snapped(at.x())
            for marker in "AB":
                self._add(menu, tr("Marker {marker} here", marker=marker), partial(self._mark, marker, moment))
        menu.addAction(self.actions["clear_markers"])
        menu.addSeparator()
        menu.addActions([self.actions[name] for name in ZOOMS])

    def _mark(self, marker: str, moment: int) -> None:
        self.commands.model.markers.put(marker, moment)
        self.views.timeline.redraw()

    def _offer_numbers(self, menu: QMenu, numbers: Numbers, at: QPoint) -> None:
        lines = [f"{n.label}\t{n.value} {n.unit}".strip() for n in numbers.numbers]
        one = numbers.number_at(at.x(), at.y())
        copy = QGuiApplication.clipboard().setText
        self._add(menu, tr("Copy {label}", label=one.label), partial(copy, f"{one.value} {one.unit}".strip()))
        self._add(menu, tr("Copy all numbers"), partial(copy, "\n".join(lines)))

    def _offer_curves(self, menu: QMenu, plot: Plot) -> None:
        """Each can be switched, whether or not the legend has room for it."""
        menu.addSeparator()
        for entry in plot.legend.values():
            made = menu.addAction(plain_words(entry.label))
            made.setCheckable(True)
            made.setChecked(entry.isChecked())
            made.toggled.connect(entry.setChecked)

    def _offer_picture(self, menu: QMenu, widget: QWidget) -> None:
        copy = QGuiApplication.clipboard().setPixmap
        self._add(menu, tr("Copy the picture"), lambda: copy(widget.grab()))
        self._add(menu, tr("Save the picture…"), lambda: self.commands.pictures.save(widget))
