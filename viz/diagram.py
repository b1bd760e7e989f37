"""The Host / QEMU / Guest picture with the journeys travelling through it.

Painted in three layers: boxes and wires into a pixmap when the wiring, the theme or the size changes; words and numbers
over a copy of it a few times a second; the tokens on top once a frame, and only where they are and were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.events import Eventfd, Switch
from viz import blueprint, facts, pulse
from viz.blueprint import Wire, load_blueprint, present
from viz.geometry import Geometry
from viz.model import LiveModel
from viz.plots.turns import Turns
from viz.sketch import RIGHT, Sketch, square
from viz.text import grouped
from viz.theme import Theme
from viz.tokens import Token

EVENTFDS = {"doorbell": (Eventfd.DOORBELL, None), "irq": (Eventfd.IRQ, Switch.IRQFD)}
SWITCHES = {"ioeventfd": Switch.IOEVENTFD, "irqfd": Switch.IRQFD}


@dataclass(frozen=True)
class Placed:
    """A token where it is painted; `label` is empty if it would cover another."""

    token: Token
    at: QPointF
    label: str
    label_at: QPointF
    region: QRect


@dataclass(frozen=True)
class Words:
    """Everything that the still layer says; equal words need no new painting."""

    boxes: dict[str, str]
    nodes: dict[str, str]
    notes: dict[str, str]
    pills: dict[str, str]
    lit: dict[str, bool]
    wiring: dict[str, bool]

    @property
    def plate(self) -> tuple[object, ...]:
        """What the layer of boxes and wires depends on."""
        return tuple(self.lit.items()), tuple(self.wiring.items())

    @classmethod
    def of(cls, model: LiveModel) -> Words:
        """What is to be said now."""
        plan, heavy = load_blueprint(), facts.heavy_counts(model)
        return cls(
            facts.box_facts(model),
            facts.node_facts(model),
            facts.notes(model),
            {name: facts.latency_text(model, pill.of) for name, pill in plan.pills.items()},
            {name: count > 0 for name, count in heavy.items()},
            {name: model.wired(switch) for name, switch in SWITCHES.items()},
        )


class Diagram(QWidget):
    """The diagram of one model."""

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.theme = model, theme
        self.still_motion = False  # reduced motion: tokens stand in the middle of their leg
        self.blueprint = load_blueprint()
        self.words = Words.of(model)
        self.placed: list[Placed] = []
        self._geometry = Geometry.fit(1040, 572, self.blueprint.size, theme)
        self._tracks: dict[str, pulse.Track] = {}
        self._plate: QPixmap | None = None  # boxes and wires
        self._still: QPixmap | None = None  # the same with words
        self._turns = Turns(every=4)  # words change at a reader's pace
        self._looked_at = (False, 0)
        self._counts: dict[str, tuple[int, bool]] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(480, 270)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Diagram of host, QEMU and guest")

    def sizeHint(self) -> QSize:
        return QSize(1040, 572)

    # -- once a frame

    def refresh(self, words: bool = True) -> None:
        """Takes the model's newest state; repaints what has changed. words: not only the tokens."""
        if self._jumped() or (words and self._turns.come()):
            self._say(Words.of(self.model))
        before, counts = self.placed, self._counts
        self.placed = self._place(self.model.tokens())
        self._counts = {name: self._counter(name) for name in EVENTFDS}
        region = QRegion()
        for placed in (*before, *self.placed) if before != self.placed else ():
            region += placed.region
        for name, eventfd in self.blueprint.eventfds.items():
            if counts.get(name) != self._counts[name]:
                region += self._circle(eventfd, 1.2).toAlignedRect()
        if not region.isEmpty():
            self.update(region)

    def _counter(self, name: str) -> tuple[int, bool]:
        """An eventfd's count, and whether a token is in it."""
        circle = self._circle(self.blueprint.eventfds[name], 1)
        inside = any(circle.contains(placed.at) for placed in self.placed)
        return facts.eventfd_count(self.model, EVENTFDS[name][0]), inside

    def _jumped(self) -> bool:
        """Whether a paused view has gone elsewhere: a step is answered at once."""
        before, self._looked_at = self._looked_at, (self.model.transport.paused, self.model.playhead)
        return self.model.transport.paused and before != self._looked_at

    def set_model(self, model: LiveModel) -> None:
        """Shows another source."""
        self.model, self.placed = model, []
        self._say(Words.of(model))
        self._plate = None
        self._redraw()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self._arrange()

    def _say(self, words: Words) -> None:
        if words != self.words:
            if words.plate != self.words.plate:
                self._plate = None
            self.words = words
            self.setAccessibleDescription(words.notes["caption"])
            self._redraw()

    def _redraw(self) -> None:
        self._still = None
        self.update()

    # -- where things are

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        self._geometry = Geometry.fit(self.width(), self.height(), self.blueprint.size, self.theme)
        self._tracks = {name: pulse.Track(self._geometry.path(leg.points)) for name, leg in self.blueprint.legs.items()}
        self.placed = []
        self._plate = None
        self._redraw()

    def _place(self, tokens: list[Token]) -> list[Placed]:
        """Where each token is, and which labels have room."""
        placed: list[Placed] = []
        taken = [self._circle(eventfd, 0.9) for eventfd in self.blueprint.eventfds.values()]
        metrics = QFontMetricsF(self._geometry.font(12.5, 600, mono=True))
        for token in sorted(tokens, key=lambda token: -token.seq):
            at = self._tracks[token.leg].point(0.5 if self.still_motion else token.at)
            label = self._label_rect(token, at, metrics)
            free = self._free_of_nodes(token) and not any(label.intersects(other) for other in taken)
            if free:
                taken.append(label)
            around = square(at, pulse.GLOW * self._geometry.scale)
            around = around.united(label) if free else around
            region = around.toAlignedRect().adjusted(-1, -1, 1, 1)
            placed.append(Placed(token, at, token.label if free else "", label.topLeft(), region))
        return placed

    def _free_of_nodes(self, token: Token) -> bool:
        """At the ends of a leg a label would cover the node's words."""
        length = max(self._tracks[token.leg].length, 1.0)
        end = min(0.4, 30 * self._geometry.scale / length)
        return self.blueprint.legs[token.leg].label == "right" or end < token.at < 1 - end

    def _label_rect(self, token: Token, at: QPointF, metrics: QFontMetricsF) -> QRectF:
        width, height = metrics.horizontalAdvance(token.label) + pulse.LABEL_PAD, metrics.height()
        away = 15 * self._geometry.scale
        rect = QRectF(at.x() - width / 2, at.y() - away - height, width, height)
        side = self.blueprint.legs[token.leg].label
        arriving = abs(at.y() - self._tracks[token.leg].point(1).y()) < 1  # on the wire that others travel too
        if side == "below" and not arriving:
            rect.moveTop(at.y() + away)
        elif side == "right":
            rect.moveTopLeft(QPointF(at.x() + away, at.y() - height / 2))
        return rect

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._still_layer())
        for placed in reversed(self.placed):
            if event.region().intersects(placed.region):
                self._paint_token(painter, placed)
        self._paint_counters(Sketch(painter, self._geometry), event.region())

    def _paint_token(self, painter: QPainter, placed: Placed) -> None:
        color = self.theme.color(pulse.color_of(placed.token))
        chosen = placed.token.seq in self.model.selection.journeys["seq"]
        image = pulse.sprite(
            pulse.shape_of(placed.token),
            color.name(),
            self.theme.selection if chosen else color.name(),
            round(self._geometry.scale, 2),
            self.devicePixelRatioF(),
            not self.still_motion,
        )
        half = pulse.GLOW * round(self._geometry.scale, 2)
        painter.drawPixmap(placed.at - QPointF(half, half), image)
        if placed.label:
            font = self._geometry.font(12.5, 600, mono=True)
            back = self.theme.color("surface", 0.6)
            image = pulse.label(placed.label, font, color.rgba(), back.rgba(), self.devicePixelRatioF())
            painter.drawPixmap(placed.label_at, image)

    def _still_layer(self) -> QPixmap:
        if self._still is None:
            self._plate = self._plate or self._painted(self._paint_plate)
            self._still = self._painted(self._paint_words, self._plate)
        return self._still

    def _painted(self, paint: Callable[[Sketch], None], upon: QPixmap | None = None) -> QPixmap:
        """A new layer: `paint` upon a copy of another layer, or upon the background."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(upon) if upon else QPixmap(self.size() * ratio)
        if not upon:
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(self.theme.color("background"))
        painter = QPainter(pixmap)
        paint(Sketch(painter, self._geometry))
        painter.end()
        return pixmap

    def _paint_plate(self, sketch: Sketch) -> None:
        scenario = self.model.scenario
        sketch.card(QRectF(self.rect()))
        for box in self.blueprint.boxes.values():
            sketch.box(box)
        for wire in self.blueprint.wires.values():
            if present(wire.part, scenario):
                sketch.wire(wire, self._plugged(wire), self.words.lit.get(wire.heavy, False))
        for node in self.blueprint.nodes.values():
            sketch.node(node, present(node.part, scenario))

    def _paint_words(self, sketch: Sketch) -> None:
        scenario, words = self.model.scenario, self.words
        self._paint_host(sketch)
        for name, box in self.blueprint.boxes.items():
            sketch.box_words(box, words.boxes[name])
        for name, node in self.blueprint.nodes.items():
            sketch.node_words(node, words.nodes[name], present(node.part, scenario))
        self._paint_pills(sketch)
        for eventfd in self.blueprint.eventfds.values():
            sketch.eventfd_words(eventfd, present(eventfd.part, scenario))
        for name, note in self.blueprint.notes.items():
            if present(note.part, scenario):
                sketch.note(note, words.notes[name])

    def _paint_host(self, sketch: Sketch) -> None:
        left, width = self.blueprint.boxes["qemu"].rect[0], self.blueprint.size[0]
        rect = self._geometry.rect((left - 4, 20, width - 2 * left, 24))
        big = self._geometry.font(18, 700)
        sketch.text(rect, "Host", big, "text")
        rect.adjust(QFontMetricsF(big).horizontalAdvance("Host") + self._geometry.px(10), 0, 0, 0)
        sketch.text(rect, self.words.boxes["host"], self._geometry.font(13), "text_muted")
        sketch.text(rect, self.words.boxes["rate"], self._geometry.font(12, mono=True), "text_muted", RIGHT)

    def _paint_pills(self, sketch: Sketch) -> None:
        for name, pill in self.blueprint.pills.items():
            if present(pill.part, self.model.scenario):
                sketch.pill(pill, self.words.pills[name])

    def _paint_counters(self, sketch: Sketch, region: QRegion) -> None:
        """Over the tokens: a token goes into the counter and comes out of it."""
        for name, eventfd in self.blueprint.eventfds.items():
            if not region.intersects(self._circle(eventfd, 1.2).toAlignedRect()):
                continue
            switch = EVENTFDS[name][1]
            plugged = switch is None or self.model.wired(switch)
            count, inside = self._counts.get(name, (0, False))
            sketch.eventfd(eventfd, grouped(count), present(eventfd.part, self.model.scenario), plugged, inside)

    def _circle(self, eventfd: blueprint.Eventfd, share: float) -> QRectF:
        return square(self._geometry.point(eventfd.center), eventfd.radius * self._geometry.scale * share)

    def _plugged(self, wire: Wire) -> bool:
        return self.words.wiring.get(wire.needs, True)

    # -- the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = [p for p in self.placed if (p.at - event.position()).manhattanLength() < 20 * self._geometry.scale]
        if near:
            self._choose(near[0].token)
        super().mousePressEvent(event)

    def _choose(self, token: Token) -> None:
        """Chooses the journey that the token stands for, everywhere."""
        newest = self.model.under_way() if self.model.transport.exact else self.model.journeys.newest(1 << 16)
        self.model.selection.choose(journeys=newest[newest["seq"] == token.seq][-1:])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.help_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def help_at(self, at: QPointF) -> str:
        """What the thing at this point is; the innermost one."""
        plan, geometry = self.blueprint, self._geometry
        things = [(self._circle(eventfd, 1), eventfd.help) for eventfd in plan.eventfds.values()]
        things += [(square(geometry.point(pill.center), geometry.px(30)), pill.help) for pill in plan.pills.values()]
        things += [(geometry.rect(node.rect), node.help) for node in plan.nodes.values()]
        things += [(geometry.rect(box.rect), box.help) for box in reversed(plan.boxes.values())]
        return next((help for rect, help in things if rect.contains(at)), "")
