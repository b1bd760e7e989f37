"""The widget of a view, made for a picture: nobody sees it, nothing moves in it, and it is painted once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QPushButton,
    QScrollBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from bellwire.engine.errors import EngineError
from bellwire.engine.language import tr
from bellwire.engine.recordings.shipped import file_or_shipped
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import PANEL_OF, PictureAsked
from bellwire.viz.style.card import Card, LegendEntry
from bellwire.viz.style.painting import painter_on
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.stylesheet import palette, stylesheet
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.host_words import back_end_words

DOTS = 3780  # to a metre, as at 96 to an inch
ROOM = 10  # pixels at 100 % text around a card, as in the window


class Drawing:
    """A view of a model as it is to be painted. widget: what is painted; of: the view itself, which may be in it."""

    def __init__(self, widget: QWidget, of: QWidget, asked: PictureAsked, theme: Theme) -> None:
        self.widget, self.of, self.asked, self.theme = widget, of, asked, theme

    def paint(self, painter: QPainter) -> None:
        """On whatever the painter paints, width × height pixels of its own."""
        width, height = self.asked.pixels
        if not self.asked.transparent:
            painter.fillRect(QRectF(0, 0, width, height), self.theme.color("background"))
        held = not self.widget.updatesEnabled()
        self.widget.setUpdatesEnabled(True)
        self.widget.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
        self.widget.setUpdatesEnabled(not held)


@contextmanager
def drawing_of(model: LiveModel, asked: PictureAsked, theme: Theme) -> Iterator[Drawing]:
    """The drawing of a view, while it is needed."""
    of = view_of(model, asked, theme)
    frame = framed(of, theme)
    try:
        switch_off(of, asked.off)
        if model.clock.emulated:
            say_below(frame, back_end_words(model.source.backend, model.source.host), theme)
        frame.setStyleSheet(stylesheet(theme))
        frame.setPalette(palette(theme))
        frame.setUpdatesEnabled(False)  # it is painted when somebody asks for it, not when its layout settles as well
        with shown_to_nobody(frame, asked):
            if isinstance(of, Diagram):
                learn_where_names_are(of)
            bring_up_to_date(of, theme)
            yield Drawing(frame, of, asked, theme)
    finally:
        frame.deleteLater()


@contextmanager
def shown_to_nobody(widget: QWidget, asked: PictureAsked) -> Iterator[None]:
    """A widget that counts as shown, in the size that the picture has, while nobody sees it."""
    widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    widget.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    widget.setMinimumSize(1, 1)
    widget.resize(*asked.pixels)
    try:
        widget.show()
        settle_layout()
        yield
    finally:
        widget.hide()


def framed(of: QWidget, theme: Theme) -> QWidget:
    """A card has some room around it; the diagram fills its picture."""
    frame = QWidget()
    frame.setObjectName("plain")
    box = QVBoxLayout(frame)
    room = 0 if isinstance(of, Diagram) else theme.px(ROOM)
    box.setContentsMargins(room, room, room, room)
    box.addWidget(of)
    return frame


def say_below(frame: QWidget, words: str, theme: Theme) -> None:
    """A line that the picture of no view may lack, at its right below the view."""
    label = PlainLabel(words)
    label.setObjectName("muted")
    label.setAlignment(Qt.AlignmentFlag.AlignRight)
    label.setContentsMargins(theme.px(ROOM), 0, theme.px(ROOM), theme.px(ROOM // 2))
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    box = frame.layout()
    assert box is not None
    box.addWidget(label)


def settle_layout() -> None:
    """Everything has its size: what one row leaves out the next layout asks anew."""
    for _ in range(3):
        QApplication.sendPostedEvents()
        QApplication.processEvents()


def curves_off(of: QWidget) -> tuple[str, ...]:
    """Which curves are switched off, in a view or in all that are in a widget."""
    return tuple(name for card in cards_in(of) for name, entry in entries_named(card).items() if not entry.isChecked())


def switch_off(of: QWidget, names: tuple[str, ...]) -> None:
    """Switches curves off. EngineError if there is no such."""
    known = {name: entry for card in cards_in(of) for name, entry in entries_named(card).items()}
    for name in names:
        if name not in known:
            allowed = ", ".join(known) or tr("none")
            raise EngineError(tr("There is no curve {name!r} here; there is {names}.", name=name, names=allowed))
        known[name].setChecked(False)


def cards_in(of: QWidget) -> list[Card]:
    """A view, if it is a card, or the cards in a widget."""
    return [of] if isinstance(of, Card) else of.findChildren(Card)


def entries_named(card: Card) -> dict[str, LegendEntry]:
    """A card's legend, each entry with the card's name before its own."""
    return {f"{getattr(card, 'name', '')}:{key}": entry for key, entry in card.legend.items()}


def leave_out_controls(of: QWidget) -> None:
    """Nothing in a picture can be pressed or scrolled."""
    for button in (*of.findChildren(QPushButton), *of.findChildren(QToolButton)):
        button.hide()
    for area in of.findChildren(QAbstractScrollArea):
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for bar in of.findChildren(QScrollBar):
        bar.hide()


def view_of(model: LiveModel, asked: PictureAsked, theme: Theme) -> QWidget:
    """The widget of one of the views. EngineError if the scenario has nothing that it could show.

    Each is imported once it is wanted: a picture of the diagram needs none of the others.
    """
    view = asked.view
    choose_part(model, asked)
    if asked.other:
        model.baseline = read_baseline(file_or_shipped(Path(asked.other)))
    if view in ("diagram", "extended"):
        diagram = Diagram(model, theme)
        diagram.still_motion = diagram.in_strokes = True
        diagram.set_extended(view == "extended")
        return diagram
    if view == "timeline":
        from bellwire.viz.timeline.widget import Timeline

        return Timeline(model, theme)
    if view == "numbers":
        from bellwire.viz.plots.numbers import Numbers

        return Numbers(model, theme)
    from bellwire.viz.plots import PLOTS

    for plot in PLOTS:
        if plot.name == view:
            if not plot.suits(model.scenario):
                raise EngineError(
                    tr("{scenario} has nothing that the view {view} shows.", scenario=model.scenario.name, view=view)
                )
            return plot(model, theme)
    from bellwire.viz.panels import panel_of

    return panel_of(model, PANEL_OF.get(view, view), theme)


def choose_part(model: LiveModel, asked: PictureAsked) -> None:
    """Chooses what was asked for; EngineError if the diagram has no such part, for other views with the kernel's."""
    if not asked.part:
        return
    diagrams = [asked.view == "extended"] if asked.view in ("diagram", "extended") else [False, True]
    plans = [blueprint_of(model.scenario, model.source.backend, extended) for extended in diagrams]
    names = list(dict.fromkeys(chain(*(chain(one.nodes, one.wires, one.counters, one.boxes) for one in plans))))
    if asked.part not in names:
        raise EngineError(
            tr("The diagram has no part {part!r}; it has {names}.", part=asked.part, names=", ".join(names))
        )
    model.selection.choose(part=asked.part)


def read_baseline(path: Path) -> Baseline:
    """Another recording, read as a whole; EngineError if it cannot be."""
    baseline = Baseline(path)
    baseline.wait()
    if baseline.error:
        raise EngineError(baseline.error)
    return baseline


def bring_up_to_date(of: QWidget, theme: Theme) -> None:
    """The view shows what its model does now, in its room, and nothing to press: a view shows its buttons anew."""
    if isinstance(of, Diagram):
        of.refresh()
    else:
        redraw_in_room(of, theme)
    leave_out_controls(of)


def learn_where_names_are(diagram: Diagram) -> None:
    """Which names have room is known once they are painted, if only on nothing; tokens keep clear of them."""
    with painter_on(paper(1, 1)) as painter:
        diagram.paint_in_strokes(painter)


def paper(width: int, height: int) -> QImage:
    """So many pixels, nothing on them; premultiplied, as Qt paints best."""
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDotsPerMeterX(DOTS)
    image.setDotsPerMeterY(DOTS)
    image.fill(Qt.GlobalColor.transparent)
    return image


def redraw_in_room(of: QWidget, theme: Theme) -> None:
    """Anything but the diagram, in these colours, once its layout has settled."""
    set_theme, take_in_all, redraw = (getattr(of, name, None) for name in ("set_theme", "take_in_all", "redraw"))
    if set_theme:
        set_theme(theme)
    if take_in_all:
        take_in_all()
    if redraw:
        redraw()
        settle_layout()
        redraw()
    settle_layout()
