"""The Host / QEMU / Guest picture with the journeys travelling through it.

Painted in layers: boxes and wires into a pixmap when the wiring, the theme or the size changes; names and numbers
over a copy of it a few times a second; the tokens on top once a frame, and only where they are and were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from bellwire.engine.language import tr
from bellwire.engine.recordings.annotations.annotation import Annotation
from bellwire.viz.diagram import counter_words, sprites
from bellwire.viz.diagram.annotations.layer import AnnotationLayer
from bellwire.viz.diagram.blueprint import Blueprint, Counter, Node, Rect, Wire, blueprint_of
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import RIGHT, Sketch, width_of
from bellwire.viz.diagram.placing import NEAR, SMEAR, Light, Placed, PlacedBlueprint
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.travel import Token
from bellwire.viz.style.painting import painter_on, painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import hatched
from bellwire.viz.style.turns import Turns
from bellwire.viz.wires.passable import Passable

IN_THE_GUEST = ("guest-write", "handler", "eoi", "vcpu")  # stages of nodes that are gone with it

SOLID = Qt.PenStyle.SolidLine
VEIL = 0.68  # of the background's colour, over what is not spoken of


class Diagram(QWidget):
    """The diagram of one model."""

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.theme = model, theme
        self.least = 0  # pixels of a font that no text is smaller than
        self.still_motion = False  # reduced motion: tokens jump from part to part
        self.in_strokes = False  # for a picture of any size: painted without the layers, which are of the screen's
        self.extended = False  # with the parts of the kernel
        self.part: Rect | None = None  # of the canvas, which fills the widget in place of all of it
        self.highlight: frozenset[str] = frozenset()  # what is spoken of; the rest is dimmed
        self.silent = False  # about causes: somebody is asked for one
        self.blueprint = self._blueprint()
        self.words = Words.of(model, self.blueprint)
        self.annotated = AnnotationLayer(model)
        self.placed: list[Placed] = []
        self._stage = self._new_stage()
        self._veil: QPainterPath | None = None  # what is dimmed
        self._plate: QPixmap | None = None  # boxes and wires
        self._named: QPixmap | None = None  # the same with the words that seldom change
        self._changed: frozenset[str] = frozenset()  # parts whose words have just changed
        self._lively: frozenset[str] = frozenset()  # nodes and rings whose words change again and again
        self._nameless: frozenset[str] = frozenset()  # nodes that have no room for it
        self._names = list[QRectF](), list[tuple[QRectF, str]]()  # where those are, and which of them had no room
        self._still: QPixmap | None = None  # the same with all words
        self._turns = Turns(every=6)  # words change with the second that they speak of, else at a reader's pace
        self._second = model.second
        self._looked_at: tuple[object, ...] = ()
        self.shortened: list[tuple[QRectF, str]] = []  # words that had no room, whole, and where they are
        self._counts: dict[str, tuple[str, bool]] = {}
        self._lit: dict[str, Light] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(440, 220)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Diagram of host, QEMU and guest"))

    def sizeHint(self) -> QSize:
        return QSize(1040, 572)

    def _blueprint(self) -> Blueprint:
        return blueprint_of(self.model.scenario, self.model.source.backend, self.extended)

    # -- once a frame

    def refresh(self, words: bool = True) -> None:
        """Takes the model's newest state; repaints what has changed. words: not only the tokens."""
        if self._jumped() or (words and (self._another_second() or self._turns.come())):
            self._turns.claim()
            self._second = self.model.second
            self._say(Words.of(self.model, self.blueprint))
        before, counts = self.placed, self._counts
        tokens = self.model.tokens()
        self.placed = self._place(tokens)
        self._counts = {name: self._counter(counter, tokens) for name, counter in self.blueprint.counters.items()}
        region = QRegion()
        for placed in (*before, *self.placed) if before != self.placed else ():
            region += placed.region
        for name, counter in self.blueprint.counters.items():
            if self._counts[name] != counts.get(name):
                region += self._stage.circle(counter, 1.2).toAlignedRect()
        region += self._relight()
        if self.annotated.look():
            region = QRegion(self.rect())
        if not region.isEmpty():
            self.update(region)

    def _relight(self) -> QRegion:
        """Which nodes shine; the region of those that have changed."""
        before, self._lit = self._lit, self._stage.lit(self.placed) if self._lights else {}
        region = QRegion()
        for name in before.keys() | self._lit.keys():
            if before.get(name) != self._lit.get(name):
                region += self._around(name)
        return region

    @property
    def _lights(self) -> bool:
        """Whether parts shine: those of the kernel always, the others where each journey is shown for itself."""
        return self.blueprint.lights or self.model.transport.exact or self.model.story is not None

    def _around(self, node: str) -> QRect:
        """The pixels of a node and its edge."""
        return self._stage.geometry.rect(self.blueprint.nodes[node].rect).toAlignedRect().adjusted(-3, -3, 3, 3)

    def _counter(self, counter: Counter, tokens: list[Token]) -> tuple[str, bool]:
        """What a counter shows, and whether a token is in it."""
        circle = self._stage.circle(counter, 1)
        inside = any(circle.contains(placed.at) for placed in self.placed)
        return counter_words.counter_text(self.model, counter.of, counter.lane, tokens), inside

    def _jumped(self) -> bool:
        """Whether another part was chosen, a paused view has gone elsewhere, or another signal is on its way where each
        is shown for itself: all are answered at once."""
        transport, part, story = self.model.transport, self.model.selection.part, self.model.story
        place = transport.paused and (self.model.playhead, story.step if story else None)
        begun = tuple(self.model.under_way()["seq"][:1].tolist()) if transport.exact else ()
        before, self._looked_at = self._looked_at, (transport.paused, place, part, begun)
        return before != self._looked_at

    def _another_second(self) -> bool:
        """Whether another second is counted than the words speak of: the numbers below change in the same frame."""
        return self._second != self.model.second

    def set_extended(self, on: bool) -> None:
        """The parts of the kernel that a signal passes, or the simple picture."""
        self.extended = on
        self._redesign()

    def _redesign(self) -> None:
        self.blueprint = self._blueprint()
        self.placed, self._counts, self._lit = [], {}, {}
        self._say(Words.of(self.model, self.blueprint))
        self._arrange()

    def set_highlight(self, parts: frozenset[str]) -> None:
        """These parts are spoken of, and the rest is dimmed; with none all is as bright as ever."""
        if parts != self.highlight:
            self.highlight = parts
            self._veil = None
            self.update()

    def set_silent(self, on: bool) -> None:
        """It shows what happens, and neither says it nor why: whoever looks at it is asked."""
        if on != self.silent:
            self.silent = on
            self._named = None
            self._redraw()

    def show_part(self, part: Rect | None) -> None:
        """This part of the canvas fills the widget; None: all of it."""
        self.part = part
        self._arrange()

    @property
    def scene_geometry(self) -> Geometry:
        """Where the canvas is in the widget."""
        return self._stage.geometry

    def lay_annotations(self) -> None:
        """Finds the places of those that belong to the moment."""
        self.annotated.lay_out(self._stage, QRectF(self.rect()))

    def box_for(self, one: Annotation) -> QRect:
        """Where the words of an annotation would be, pixels."""
        return self.annotated.box_for(one, self._stage, QRectF(self.rect())).toAlignedRect()

    def area_of(self, name: str) -> Rect | None:
        """The rectangle around a part, on the canvas; None if there is no such part here."""
        found = next((outline for part, _, outline in self._stage.outlines() if part == name), None)
        if found is None:
            return None
        rect = found.boundingRect()
        left, top = self.scene_geometry.on_canvas(rect.topLeft())
        right, bottom = self.scene_geometry.on_canvas(rect.bottomRight())
        return left, top, right - left, bottom - top

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self._arrange()

    def _say(self, words: Words) -> None:
        if words != self.words:
            if words.plate != self.words.plate:
                self._plate = None
            before, lively = self._lively, self._livelier(words.changed_since(self.words))
            if words.names_layer(lively) != self.words.names_layer(before):
                self._named = None
            self.words, self._lively = words, lively
            self._redraw()

    def _livelier(self, changed: frozenset[str]) -> frozenset[str]:
        """What changes twice in a row is painted with the figures from then on, so that the names need not be.

        Not where text has a least size: there what comes first has the room, whatever changes.
        """
        again, self._changed = changed & self._changed, changed
        parts = frozenset() if self.least else self.blueprint.nodes.keys() | self.blueprint.rings.keys()
        return self._lively & parts | again & parts

    @property
    def caption(self) -> str:
        """The sentence that is said now."""
        return "" if self.silent else self.words.facts["note caption"]

    def _redraw(self) -> None:
        self._still = None
        self.update()

    # -- where things are

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _new_stage(self) -> PlacedBlueprint:
        part = self.part or (0, 0, *self.blueprint.size)
        return PlacedBlueprint(self.blueprint, Geometry.fit(self.width(), self.height(), part, self.theme, self.least))

    def _arrange(self) -> None:
        self._stage = self._new_stage()
        self.placed = []
        self._plate = self._named = self._veil = None
        self._redraw()

    def _place(self, tokens: list[Token]) -> list[Placed]:
        return self._stage.place(tokens, self.still_motion, self.model.clock)

    # -- painting

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        if self.in_strokes:
            self.paint_in_strokes(QPainter(self))
        else:
            self.paint_on(QPainter(self), event.region())

    def paint_on(self, painter: QPainter, region: QRegion) -> None:
        """All that is in this region, as it is now."""
        painter.drawPixmap(0, 0, self._still_layer())
        for placed in reversed(self.placed):
            if region.intersects(placed.region):
                self._paint_token(painter, placed)
        self._paint_over(painter, region)

    def _paint_over(self, painter: QPainter, region: QRegion) -> None:
        """What is over the tokens."""
        self._paint_lights(Sketch(painter, self._stage.geometry), region)
        self._paint_counters(Sketch(painter, self._stage.geometry), region)
        if self.highlight:
            painter.fillPath(self._veiled(), self.theme.color("background", VEIL))
            self._paint_named(painter)
        self._paint_labels(painter, region)
        self.lay_annotations()
        self.annotated.paint(painter, region, self._stage, self.theme)

    def paint_in_strokes(self, painter: QPainter) -> None:
        """All of it, stroke by stroke: no layer and no token is a picture of pixels, whatever it is painted on."""
        for paint in (self._paint_plate, self._paint_names, self._paint_figures):
            paint(Sketch(painter, self._stage.geometry))
        for placed in reversed(self.placed):
            self._paint_token(painter, placed)
        self._paint_over(painter, QRegion(self.rect()))

    def _paint_labels(self, painter: QPainter, region: QRegion) -> None:
        """As bright as what they are of, each as a whole."""
        for placed in reversed(self.placed):
            if placed.label and region.intersects(placed.region):
                told = self.model.story is not None  # what is told of is never dimmed
                dimmed = bool(self.highlight) and not told and self._veiled().contains(placed.at)
                painter.setOpacity(1 - VEIL if dimmed else 1.0)
                self._paint_label(painter, placed)
        painter.setOpacity(1.0)

    def _paint_named(self, painter: QPainter) -> None:
        """The names of what is spoken of and has no room for its own: over what is beside it, which is dimmed."""
        sketch = Sketch(painter, self._stage.geometry)
        for name in sorted(self._nameless & self.highlight):
            sketch.name_over(self.blueprint.nodes[name])

    def _veiled(self) -> QPainterPath:
        """All parts but those that are spoken of; the sentence below them says what happens, and is never dimmed."""
        if self._veil is None:
            outlines = list(self._stage.outlines())
            around = QRectF()
            for _, _, outline in outlines:
                around = around.united(outline.boundingRect())
            self._veil = QPainterPath()
            self._veil.addRect(around)
            for name, _, outline in outlines:
                if name in self.highlight:
                    self._veil -= outline
            for pill in self.blueprint.pills.values():
                self._veil = whole_or_not_at_all(self._veil, self._stage.geometry.pill(pill.center))
        return self._veil

    def _paint_lights(self, sketch: Sketch, region: QRegion) -> None:
        """Over the tokens: a token goes into the part, which shines meanwhile."""
        for name, node in self.blueprint.nodes.items() if self._lights or self._lit else ():
            around = self._around(name)
            if not region.intersects(around) or not (name in self._lit or self._passed_by(around)):
                continue
            sketch.node(node, self._used(name, node))
            if name in self._lit:
                sketch.glow(node, *self._lit[name])
            sketch.node_words(node, self.words.facts[name], self._used(name, node), name in self._lit)

    def _passed_by(self, area: QRect) -> bool:
        """Whether a token is painted there; else the still layer has all of it."""
        return any(placed.region.intersects(area) for placed in self.placed)

    def _used(self, name: str, node: Node) -> bool:
        """Whether signals can come by, or could: of a guest that has ended none of its parts is."""
        closed = node.unused or self.words.passages[name].standing is Passable.UNPLUGGED
        return not closed and (self.words.alive or node.stage not in IN_THE_GUEST)

    def _paint_token(self, painter: QPainter, placed: Placed) -> None:
        if placed.smear:
            self._paint_smear(painter, placed)
            return
        scale = round(self._stage.geometry.scale, 2)
        color = self.theme.color(sprites.token_color(placed.token, placed.turned))
        chosen = placed.token.seq in self.model.selection.journeys["seq"]
        shape = sprites.shape_of(placed.token, placed.turned)
        edge = self.theme.selection if chosen else color.name()
        ring = "" if self.theme.glow and not self.still_motion else self.theme.surface
        size = self.theme.stroke**0.5
        if self.in_strokes:
            painter.save()
            painter.translate(placed.at)
            sprites.paint_sprite(painter, shape, color.name(), edge, ring, scale, size)
            painter.restore()
        else:
            image = sprites.sprite(shape, color.name(), edge, ring, scale, self.devicePixelRatioF(), size)
            half = sprites.GLOW * scale
            painter.drawPixmap(placed.at - QPointF(half, half), image)

    def _paint_smear(self, painter: QPainter, placed: Placed) -> None:
        """It is somewhere on this stretch: that much is known; where it may be an interrupt already, in that colour."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        track, scale = self._stage.track(placed.token), self._stage.geometry.scale
        for stretch, turned in placed.smears:
            path, color = track.between(*stretch), self.theme.color(sprites.token_color(placed.token, turned))
            for width, brush in self._smear_brushes(color):
                painter.setPen(QPen(brush, width * scale, SOLID, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
                painter.drawPath(path)

    def _smear_brushes(self, color: QColor) -> list[tuple[float, QBrush]]:
        """Widths on the canvas, and what they are painted with: pale light, or a hatching on a plain ground."""
        if self.theme.marked:
            ground = QBrush(self.theme.color("surface"))
            return [(1.6 * SMEAR, ground), (1.2 * SMEAR, hatched(color.rgba(), "checks"))]
        pale, strong = QColor(color), QColor(color)
        pale.setAlphaF(0.22)
        strong.setAlphaF(0.5)
        return [(2 * SMEAR, QBrush(pale)), (SMEAR, QBrush(strong))]

    def _paint_label(self, painter: QPainter, placed: Placed) -> None:
        color = self.theme.color(sprites.token_color(placed.token, placed.turned))
        font = self._stage.geometry.font(12.5, 600, mono=True)
        back = self.theme.color("surface", self.theme.faded(0.6))
        if self.in_strokes:
            painter.save()
            painter.translate(placed.label_at)
            sprites.paint_label(painter, placed.label, font, color, back)
            painter.restore()
        else:
            image = sprites.label(placed.label, font, color.rgba(), back.rgba(), self.devicePixelRatioF())
            painter.drawPixmap(placed.label_at, image)

    def _still_layer(self) -> QPixmap:
        if self._still is None:
            self._plate = self._plate or self._painted(self._paint_plate)
            self._named = self._named or self._painted(self._paint_names, self._plate)
            self._still = self._painted(self._paint_figures, self._named)
        return self._still

    def _painted(self, paint: Callable[[Sketch], None], upon: QPixmap | None = None) -> QPixmap:
        """A new layer: `paint` upon a copy of another layer, or upon the background."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(upon) if upon else QPixmap(self.size() * ratio)
        if not upon:
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(self.theme.color("background"))
        with painter_on(pixmap) as painter:
            paint(Sketch(painter, self._stage.geometry))
        return pixmap

    def _paint_plate(self, sketch: Sketch) -> None:
        sketch.card(QRectF(self.rect()))
        for box in self.blueprint.boxes.values():
            sketch.box(box, self.words.alive or box.stage != "guest")
        self._paint_choice(sketch)
        for name, wire in self.blueprint.wires.items():
            sketch.wire(wire, self.words.passages[name])
        for name, node in self.blueprint.nodes.items():
            sketch.node(node, self._used(name, node))

    def _paint_choice(self, sketch: Sketch) -> None:
        """What is chosen shines from behind."""
        for name, part, outline in self._stage.outlines():
            if name != self.words.chosen:
                continue
            if isinstance(part, Wire):
                sketch.selected_wire(part)
            else:
                sketch.selected(outline.boundingRect(), round_=isinstance(part, Counter))

    def _paint_names(self, sketch: Sketch) -> None:
        """The words that seldom change."""
        words, self._names = self.words, (sketch.written, sketch.shortened)
        self._paint_host(sketch)
        for name, box in self.blueprint.boxes.items():
            sketch.box_words(box, words.facts[name], self.blueprint.headroom(box))
        self._nameless = frozenset(
            name
            for name, node in self.blueprint.nodes.items()
            if name not in self._lively and not self._paint_node_words(sketch, name, node)
        )
        kept = [self._stage.geometry.pill(pill.center) for pill in self.blueprint.pills.values()]
        sketch.written += kept  # where a latency will be no name begins
        self._paint_rings(sketch, self.blueprint.rings.keys() - self._lively)
        for name, counter in self.blueprint.counters.items():
            sketch.counter_words(counter, words.names[name])
        sketch.written[:] = [place for place in sketch.written if place not in kept]
        for name, wire in self.blueprint.wires.items() if not self.silent else ():
            sketch.difference(wire, words.passages[name])

    def _paint_node_words(self, sketch: Sketch, name: str, node: Node) -> bool:
        return sketch.node_words(node, self.words.facts[name], self._used(name, node))

    def _paint_rings(self, sketch: Sketch, names: Collection[str]) -> None:
        for name, ring in self.blueprint.rings.items():
            if name in names:
                sketch.ring(ring, self.words.rings[name])

    def _paint_figures(self, sketch: Sketch) -> None:
        """The words that change with the second that they speak of, over the names."""
        words = self.words
        sketch.written, sketch.shortened = [*self._names[0]], [*self._names[1]]
        for name, node in self.blueprint.nodes.items():
            if name in self._lively:
                self._paint_node_words(sketch, name, node)
        self._paint_rings(sketch, self._lively)
        sketch.text(self._beside_host, words.rate, self._stage.geometry.font(12, mono=True), "text_muted", RIGHT)
        for name, pill in self.blueprint.pills.items():
            sketch.pill(pill, words.pills[name])
        for name, note in self.blueprint.notes.items():
            silent = bool(note.carries) and not words.passages[f"note {name}"].lit
            said = self.caption if name == "caption" else words.facts[f"note {name}"]
            said = "" if self.least and self._runs_through(sketch.place_of(note, said)) else said
            sketch.note(note, said, "text_muted" if silent else note.color)
        self.shortened = sketch.shortened
        self._stage.keep_free(sketch.written)

    def _runs_through(self, place: QRectF) -> bool:
        """Whether a wire leads through words there: they are left out where nothing may be smaller."""
        geometry = self._stage.geometry
        lines = (pairwise(map(geometry.point, wire.points)) for wire in self.blueprint.wires.values())
        inner = place.adjusted(0, place.height() / 8, 0, -place.height() / 8)
        return any(
            QRectF(a, b).normalized().adjusted(-1, -1, 1, 1).intersects(inner) for line in lines for a, b in line
        )

    def _paint_host(self, sketch: Sketch) -> None:
        geometry = self._stage.geometry
        sketch.text(self._top_line, tr("Host"), geometry.font(18, 700), "text")
        sketch.text(self._beside_host, self.words.host, geometry.font(13), "text_muted")

    @property
    def _top_line(self) -> QRectF:
        """Where the host's name begins."""
        return self._stage.geometry.rect((24, 20, self.blueprint.size[0] - 56, 24))

    @property
    def _beside_host(self) -> QRectF:
        """Where its facts are, the rate at the right end."""
        geometry = self._stage.geometry
        return self._top_line.adjusted(width_of(tr("Host"), geometry.font(18, 700)) + geometry.px(10), 0, 0, 0)

    def _paint_counters(self, sketch: Sketch, region: QRegion) -> None:
        """Over the tokens: a token goes into the counter and comes out of it."""
        for name, counter in self.blueprint.counters.items():
            if region.intersects(self._stage.circle(counter, 1.2).toAlignedRect()):
                count, inside = self._counts.get(name, ("", False))
                sketch.counter(counter, count, self.words.passages[name].open, inside)

    # -- the pointer and the keys

    @property
    def counts(self) -> dict[str, str]:
        """What the eventfds' circles show, by the part's name."""
        return {name: count for name, (count, _) in self._counts.items()}

    def part_at(self, at: QPointF) -> str:
        """The name of the innermost part at this point; "" if there is none."""
        found = self._stage.at(at)
        return found[0] if found else ""

    def token_at(self, at: QPointF) -> Token | None:
        """The token that is near this point."""
        reach = NEAR * self._stage.geometry.scale
        return next((one.token for one in self.placed if (one.at - at).manhattanLength() < reach), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses the token that is near, or else the part."""
        token = self.token_at(event.position())
        if token:
            self._choose(token)
        else:
            self.model.selection.choose(part=self.part_at(event.position()))
        super().mousePressEvent(event)

    def _choose(self, token: Token) -> None:
        """Chooses the journey that the token stands for, everywhere."""
        newest = self.model.under_way() if self.model.transport.exact else self.model.journeys.newest(1 << 16)
        self.model.selection.choose(journeys=newest[newest["seq"] == token.seq][-1:])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go from part to part, in the order of the blueprint."""
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() in steps:
            self.choose_next(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def choose_next(self, step: int) -> None:
        """Chooses the next part (+1), or the one before (-1)."""
        names = [name for name, _, _ in self._stage.outlines()]
        at = names.index(self.model.selection.part) if self.model.selection.part in names else min(-step, 0)
        self.model.selection.choose(part=names[(at + step) % len(names)])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.help_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def help_at(self, at: QPointF) -> str:
        """What the thing at this point is, the innermost one; before that the words there that had no room."""
        whole = [words for rect, words in self.shortened if rect.contains(at)]
        if found := self._stage.at(at):
            name, part = found
            whole.append(part.tip(self.words.passages[name].why if name in self.words.passages else ""))
        return "\n".join(whole)


def whole_or_not_at_all(veil: QPainterPath, pill: QRectF) -> QPainterPath:
    """The veil over all of a pill, or over nothing of it."""
    place = QPainterPath()
    place.addRoundedRect(pill.adjusted(-2, -2, 2, 2), pill.height() / 2, pill.height() / 2)
    return veil.united(place) if veil.contains(pill.center()) else veil.subtracted(place)
