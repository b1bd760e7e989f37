"""What a diagram paints, as rectangles and lines: its own painting code is run with a painter that writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen, QRegion

from bellwire.viz.diagram.painter import Sketch
from bellwire.viz.diagram.widget import Diagram

SEEN = 0.3  # pixels of a line that are no rounding
GAP = 0.5  # pixels of background that two things need between them to be two
TAGGED = (
    *("card", "box", "box_words", "node", "node_words", "glow", "wire", "difference", "counter", "counter_words"),
    *("ring", "pill", "note", "selected_wire", "selected"),
)


@dataclass(frozen=True)
class Mark:
    """Something that was painted. of: the kind of part that painted it; opaque: it hides what it is painted over."""

    kind: str  # "text", "line" or "plate"
    of: str
    rect: QRectF
    path: QPainterPath
    words: str = ""
    opaque: bool = False
    pixels: int = 0  # of a text's font


class Scribe(QPainter):
    """A painter of nothing, which keeps marks of what it was told; it knows what the diagram uses of a painter."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []
        self.of = ""
        self._font, self._pen, self._opacity, self._filled = QFont(), QPen(), 1.0, False

    def setRenderHint(self, hint: Any, on: bool = True) -> None: ...

    def setFont(self, font: Any) -> None:
        self._font = QFont(font)

    def setPen(self, pen: Any) -> None:
        self._pen = QPen(pen)

    def setBrush(self, brush: Any) -> None:
        self._filled = brush != Qt.BrushStyle.NoBrush and getattr(brush, "alphaF", lambda: 1.0)() == 1.0

    def setOpacity(self, opacity: float) -> None:
        self._opacity = opacity

    def _plate(self, rect: QRectF, path: QPainterPath) -> None:
        self.marks.append(Mark("plate", self.of, QRectF(rect), path, opaque=self._filled and self._opacity == 1))

    def drawRoundedRect(self, rect: Any, x: float, y: float, mode: Any = None) -> None:  # type: ignore[override]
        path = QPainterPath()
        path.addRoundedRect(QRectF(rect), x, y)
        self._plate(rect, path)

    def drawEllipse(self, rect: Any) -> None:  # type: ignore[override]
        path = QPainterPath()
        path.addEllipse(rect)
        self._plate(rect, path)

    def drawPie(self, rect: Any, start: int, span: int) -> None:  # type: ignore[override]
        self.drawEllipse(rect)

    def _line(self, path: QPainterPath) -> None:
        stroker = QPainterPathStroker()
        stroker.setWidth(max(self._pen.widthF(), 1))
        stroked = stroker.createStroke(path)
        self.marks.append(Mark("line", self.of, stroked.boundingRect(), stroked))

    def drawPath(self, path: QPainterPath) -> None:
        self._line(path)

    def drawLine(self, start: Any, end: Any) -> None:  # type: ignore[override]
        path = QPainterPath(start)
        path.lineTo(end)
        self._line(path)

    def fillPath(self, path: QPainterPath, brush: Any) -> None:
        self.marks.append(Mark("line", self.of, path.boundingRect(), QPainterPath(path)))

    def drawText(self, *where: Any) -> None:  # type: ignore[override]
        if where[-1]:
            rect = ink(self._font, *where)
            path = QPainterPath()
            path.addRect(rect)
            self.marks.append(Mark("text", self.of, rect, path, where[-1], pixels=self._font.pixelSize()))


def ink(font: QFont, *where: Any) -> QRectF:
    """Where drawText(*where) leaves ink: as wide as it moves on, as high as these letters are."""
    metrics, words = QFontMetricsF(font), where[-1]
    if len(where) == 2:  # the left end of the baseline
        return tight(metrics, words).translated(where[0])
    rect, flags = QRectF(where[0]), Qt.AlignmentFlag(int(where[1]) & ~int(Qt.TextFlag.TextDontClip))
    if int(where[1]) & int(Qt.TextFlag.TextWordWrap):
        return metrics.boundingRect(rect, int(where[1]), words)
    wide = metrics.horizontalAdvance(words)
    left = {True: rect.left(), False: rect.right() - wide}[not flags & Qt.AlignmentFlag.AlignRight]
    left = rect.center().x() - wide / 2 if flags & Qt.AlignmentFlag.AlignHCenter else left
    baseline = rect.center().y() - metrics.height() / 2 + metrics.ascent()
    return tight(metrics, words).translated(left, baseline)


def tight(metrics: QFontMetricsF, words: str) -> QRectF:
    """The same around a baseline that begins at the origin."""
    high = metrics.tightBoundingRect(words)
    return QRectF(0, high.top(), metrics.horizontalAdvance(words), high.height())


class Noting(Sketch):
    """A sketch whose painter knows which kind of part paints."""


def noted(name: str) -> Callable[..., None]:
    """A sketch's way to paint that kind of part."""
    paint = getattr(Sketch, name)

    def painted(sketch: Noting, *args: Any, **kwargs: Any) -> None:
        assert isinstance(sketch.painter, Scribe)
        with of(sketch.painter, name):
            paint(sketch, *args, **kwargs)

    return painted


for _name in TAGGED:
    setattr(Noting, _name, noted(_name))


@contextmanager
def of(painter: Scribe, name: str) -> Iterator[None]:
    """Marks that are made meanwhile are of this kind of part, but for those of parts within it."""
    before, painter.of = painter.of, name
    yield
    painter.of = before


def painted_by(diagram: Diagram) -> list[Mark]:
    """All that a diagram paints now, but for the tokens, from the bottom up."""
    scribe = Scribe()
    sketch = Noting(scribe, diagram._stage.geometry)
    diagram._paint_plate(sketch)
    diagram._paint_names(sketch)
    diagram._paint_figures(sketch)
    everywhere = QRegion(diagram.rect())
    diagram._paint_lights(sketch, everywhere)
    diagram._paint_counters(sketch, everywhere)
    return scribe.marks


def visible(marks: list[Mark]) -> list[Mark]:
    """Without texts that were painted over, and painted again: a part that lights up does both."""
    kept: list[Mark] = []
    for mark in marks:
        if mark.kind == "plate" and mark.opaque:
            kept = [old for old in kept if old.kind != "text" or not mark.rect.contains(old.rect)]
        kept.append(mark)
    return kept


def faults_of(marks: list[Mark], room: QRectF) -> list[str]:
    """What is wrong with the picture, a line each."""
    marks = visible(marks)
    written = {(mark.words, str(mark.rect)): (n, mark) for n, mark in enumerate(marks) if mark.kind == "text"}
    texts = list(written.values())  # the same words at the same place are painted twice where a part is pale
    wide = [(mark.words, grown(mark.rect)) for _, mark in texts]
    found = [f"“{a}” meets “{b}”" for (a, one), (b, other) in combinations(wide, 2) if one.intersects(other)]
    lines = [(n, mark) for n, mark in enumerate(marks) if mark.kind == "line"]
    plates = [(n, mark) for n, mark in enumerate(marks) if mark.kind == "plate"]
    for n, text in texts:
        if not room.contains(text.rect):
            found.append(f"“{text.words}” leaves the picture")
        found += [f"a {line.of} crosses “{text.words}”" for line in crossing(lines, plates, n, text)]
        found += [f"“{text.words}” meets the edge of a {plate.of}" for plate in edges(plates, n, text)]
    return found


def meet(a: QRectF, b: QRectF) -> bool:
    """Whether there is no background between them."""
    return grown(a).intersects(grown(b))


def grown(rect: QRectF) -> QRectF:
    """With the half of what is between it and another one that does not meet it."""
    return rect.adjusted(-GAP / 2, -GAP / 2, GAP / 2, GAP / 2)


Numbered = list[tuple[int, Mark]]  # each with its place among all that are painted


def crossing(lines: Numbered, plates: Numbered, at: int, text: Mark) -> Iterator[Mark]:
    """Lines that are seen within a text."""
    for n, line in lines:
        if not line.rect.intersects(text.rect):
            continue
        seen = line.path.intersected(text.path)
        for m, plate in plates:
            if n < m < at and plate.opaque and plate.rect.intersects(text.rect):
                seen = seen.subtracted(plate.path)
        if seen.boundingRect().width() > SEEN and seen.boundingRect().height() > SEEN:
            yield line


def edges(plates: Numbered, at: int, text: Mark) -> Iterator[Mark]:
    """Outlines of boxes that a text is neither inside nor outside of."""
    near = text.rect.adjusted(-GAP, -GAP, GAP, GAP)
    for n, plate in plates:
        if not near.intersects(plate.rect) or plate.rect.contains(near):
            continue
        if plate.path.intersects(near) and not any(
            n < m < at and over.opaque and over.rect.contains(near) for m, over in plates
        ):
            yield plate
