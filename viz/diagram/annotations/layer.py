"""The annotations that a diagram shows now: laid out beside their parts when one comes or goes, painted over all."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QRegion

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind
from bellwire.viz.diagram.annotations.places import part_annotated
from bellwire.viz.diagram.annotations.room import Obstacles
from bellwire.viz.diagram.blueprint import Box, Wire
from bellwire.viz.diagram.placing import PlacedBlueprint
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.note_paper import line_between, nearest_point, note_size, paint_line, paint_note
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import arrow_head

SIZE = 13  # canvas pixels of its words
EDGE = 6  # pixels between a note and the edge of the picture
TITLE = 34  # canvas pixels at the top of a box: its name, where a line ends that leads to it
WORDS, NODES, WIRES = 60.0, 12.0, 1.5  # what it costs to cover a square pixel of each
ARROW, ARROW_HEAD = 3.2, 17.0  # canvas pixels: how thick, and the length of its head
BENDS = (0.16, -0.16, 0.0, 0.32, -0.32, 0.5, -0.5)  # of an arrow's length, how far its middle is aside
SAMPLES = 24  # points of an arrow, at which it is asked what it crosses


@dataclass(frozen=True)
class LaidAnnotation:
    """Where one is. box: its words; place: the part, or the middle of an arrow's way, that they are beside."""

    index: int
    one: Annotation
    box: QRectF
    place: QRectF
    way: QPainterPath | None = None

    @property
    def region(self) -> QRectF:
        """All that is painted of it."""
        whole = self.box.united(self.place)
        if self.way is not None:
            whole = whole.united(self.way.boundingRect())
        return whole.adjusted(-ARROW_HEAD, -ARROW_HEAD, ARROW_HEAD, ARROW_HEAD)


class AnnotationLayer:
    """Of one diagram.

    dragged: an index, and where the middle of its words is held meanwhile, pixels; hidden: the index of one whose words
    are just typed.
    """

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self.dragged: tuple[int, QPointF] | None = None
        self.hidden = -1
        self.laid: list[LaidAnnotation] = []
        self._seen: tuple[tuple[int, Annotation], ...] = ()  # which belong to the moment, by index
        self._shown: tuple[object, ...] = ()  # what was painted last
        self._laid_of: tuple[object, ...] = ()  # what `laid` is of

    def look(self) -> bool:
        """Once a frame: which belong to the moment; whether something else is to be painted than before."""
        annotations = self.model.annotations
        self._seen = tuple((index, annotations.all[index]) for index in annotations_seen(self.model))
        shown = self._seen, annotations.chosen, self.dragged, self.hidden
        changed, self._shown = shown != self._shown, shown
        return changed

    def at(self, point: QPointF) -> int:
        """The index of the annotation whose words are there; -1: none."""
        return next((laid.index for laid in reversed(self.laid) if laid.box.contains(point)), -1)

    def box_of(self, index: int) -> QRectF | None:
        """Where its words are; None if it is not shown."""
        return next((laid.box for laid in self.laid if laid.index == index), None)

    def box_for(self, one: Annotation, stage: PlacedBlueprint, whole: QRectF) -> QRectF:
        """Where the words of one would be that is not there yet; in the middle if it is at nothing of this picture."""
        layout = AnnotationLayout(stage, whole)
        for laid in self.laid:
            layout.obstacles.add([laid.box], WORDS)
        found = layout.laid(-1, one, None)
        if found is None:
            return QRectF(whole.center(), QSizeF(1, 1))
        return found.box

    # -- where they are

    def lay_out(self, stage: PlacedBlueprint, whole: QRectF) -> None:
        """All that belong to the moment, unless nothing has changed; whole: the picture."""
        asked = self._seen, stage, whole, self.dragged
        if asked == self._laid_of:
            return
        self._laid_of = asked
        self.laid = []
        if self._seen:
            self._lay_all(AnnotationLayout(stage, whole))

    def _lay_all(self, layout: AnnotationLayout) -> None:
        """First those whose words were moved: the others make room for them."""
        held, at = self.dragged or (-1, QPointF())
        for index, one in sorted(self._seen, key=lambda known: known[1].moved is None):
            found = layout.laid(index, one, at if index == held else None)
            if found is not None:
                self.laid.append(found)

    # -- painting

    def paint(self, painter: QPainter, region: QRegion, stage: PlacedBlueprint, theme: Theme) -> None:
        """Those in this region: all lines first, so that none crosses words."""
        near = [laid for laid in self.laid if region.intersects(laid.region.toAlignedRect())]
        if not near:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = stage.geometry.scale * theme.stroke
        for laid in near:
            if laid.way is not None:
                paint_line(painter, theme, laid.way, laid.one.ink, ARROW * scale)
                paint_head(painter, theme, laid, scale)
            elif not laid.box.intersects(laid.place):
                paint_line(painter, theme, line_between(laid.box, laid.place), laid.one.ink, 1.6 * scale)
        font, chosen = note_font(stage), self.model.annotations.chosen
        for laid in near:
            if laid.one.text and laid.index != self.hidden:
                paint_note(painter, theme, laid.box, laid.one.text, font, laid.one.ink, laid.index == chosen)
        painter.restore()


def note_font(stage: PlacedBlueprint) -> QFont:
    """Of their words."""
    return stage.geometry.font(SIZE, 500)


def paint_head(painter: QPainter, theme: Theme, laid: LaidAnnotation, scale: float) -> None:
    """The head of an arrow."""
    assert laid.way is not None
    end, length = laid.way.pointAtPercent(1), ARROW_HEAD * scale**0.5
    before = laid.way.pointAtPercent(laid.way.percentAtLength(max(laid.way.length() - length, 0)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(laid.one.ink))
    painter.drawPolygon(arrow_head(before, end, length, 0.45))


class AnnotationLayout:
    """Finds places, one after the other; each is in the way of the next."""

    def __init__(self, stage: PlacedBlueprint, whole: QRectF) -> None:
        self.stage, self.words = stage, stage.words
        self.whole = whole.adjusted(EDGE, EDGE, -EDGE, -EDGE)
        self.obstacles = Obstacles(self.whole)
        self.obstacles.add(self.words, WORDS)
        self._solid: list[QRectF] = []
        self._outlines = list(stage.outlines())
        for _, part, outline in self._outlines:
            if isinstance(part, Wire):
                self.obstacles.add(wire_rects(stage, part), WIRES)
            elif not isinstance(part, Box):
                self._solid.append(outline.boundingRect())
        self.obstacles.add(self._solid, NODES)

    def place_of(self, name: str) -> QRectF | None:
        """What a line leads to that leads to a part: of a box its name, of a wire its middle."""
        for known, part, outline in self._outlines:
            if known != name:
                continue
            rect = outline.boundingRect()
            if isinstance(part, Box):
                return QRectF(
                    rect.topLeft(), QSizeF(rect.width(), min(TITLE * self.stage.geometry.scale, rect.height()))
                )
            if isinstance(part, Wire):
                middle = self.stage.geometry.path(part.points).pointAtPercent(0.5)
                return QRectF(middle.x() - 3, middle.y() - 3, 6, 6)
            return rect
        return None

    def laid(self, index: int, one: Annotation, held: QPointF | None) -> LaidAnnotation | None:
        """One of them; None if what it is at is not in this picture."""
        place, way = self.place_of(part_annotated(self.stage.plan, one)), None
        if place is None or not place.intersects(self.whole):  # of a part of the picture alone it is beyond the edge
            return None
        if one.kind is AnnotationKind.ARROW:
            target = self.place_of(one.to)
            if target is None:
                return None
            way = self._way(place, target)
            middle = way.pointAtPercent(0.5)
            place = QRectF(middle.x() - 2, middle.y() - 2, 4, 4)
        box = self._box(one, place, held) if one.text else QRectF(place)
        self.obstacles.add([box], 4 * WORDS)
        return LaidAnnotation(index, one, box, place, way)

    def _box(self, one: Annotation, place: QRectF, held: QPointF | None) -> QRectF:
        """Where it was moved to, else where there is room."""
        size = note_size(one.text, note_font(self.stage), self.whole.width() * 0.5)
        if held is None and one.moved is None:
            return self._beside(size, place)
        box = QRectF(QPointF(), size)
        geometry, moved = self.stage.geometry, one.moved or (0, 0)
        box.moveCenter(held or place.center() + QPointF(moved[0] * geometry.sx, moved[1] * geometry.sy))
        box.moveTopLeft(nearest_point(self.whole.adjusted(0, 0, -size.width(), -size.height()), box.topLeft()))
        return box

    def _beside(self, size: QSizeF, place: QRectF) -> QRectF:
        """The best place from which a line leads to what the words are about that crosses no others."""
        first, *others = self.obstacles.free_places(size, place)
        return next((box for box in (first, *others) if not self._crossing(box, place)), first)

    def _crossing(self, box: QRectF, place: QRectF) -> bool:
        """Whether the line between the two crosses words that are not a part of what it leads to."""
        line = line_between(box, place)
        near = [words for words in self.words if line.boundingRect().adjusted(-1, -1, 1, 1).intersects(words)]
        points = [line.pointAtPercent(n / SAMPLES) for n in range(1, SAMPLES)] if near else []
        return any(words.contains(point) for words in near for point in points if not place.contains(point))

    def _way(self, start: QRectF, end: QRectF) -> QPainterPath:
        """From one part to the other, bent so that it crosses few words."""
        ways = [bent(start, end, bend) for bend in BENDS]
        return min(ways, key=lambda way: self._crossed(way) + 0.1 * ways.index(way))

    def _crossed(self, way: QPainterPath) -> float:
        """How many of its points lie on words or parts, and out of the picture."""
        points = [way.pointAtPercent(n / SAMPLES) for n in range(2, SAMPLES - 1)]
        around = way.boundingRect().adjusted(-1, -1, 1, 1)  # a level line has no height
        near = [rect for rect in (*self.words, *self._solid) if around.intersects(rect)]
        on_words = sum(any(rect.contains(point) for rect in near) for point in points)
        return on_words + 3 * sum(not self.whole.contains(point) for point in points)


def bent(start: QRectF, end: QRectF, bend: float) -> QPainterPath:
    """A curve from the edge of one rectangle to that of another."""
    across: QPointF = end.center() - start.center()
    control = (start.center() + end.center()) / 2 + QPointF(-across.y(), across.x()) * bend
    way = QPainterPath(on_edge(start, control))
    way.quadTo(control, on_edge(end, control))
    return way


def on_edge(rect: QRectF, towards: QPointF) -> QPointF:
    """Where the line from a rectangle's middle to a point leaves it."""
    way: QPointF = towards - rect.center()
    share = max(abs(way.x()) / max(rect.width() / 2, 1e-6), abs(way.y()) / max(rect.height() / 2, 1e-6), 1e-6)
    left: QPointF = rect.center() + way / max(share, 1.0)
    return left


def wire_rects(stage: PlacedBlueprint, wire: Wire) -> list[QRectF]:
    """Small boxes along a wire."""
    path, reach = stage.geometry.path(wire.points), 6 * stage.geometry.scale
    steps = max(round(path.length() / (2 * reach)), 1)
    points = [path.pointAtPercent(n / steps) for n in range(steps + 1)]
    return [QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach) for at in points]
