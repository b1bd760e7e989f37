"""A device of Qt's that writes what is painted on it as SVG: each line where it is, each text as text.

Qt's own QSvgGenerator loses where a clip is, and leaves to whoever shows it how wide a line is that does not grow with
its curve. Here all is in pixels of the picture: nothing is transformed any more but text.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from math import sqrt
from typing import Any

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QFont,
    QGradient,
    QImage,
    QPaintDevice,
    QPaintEngine,
    QPaintEngineState,
    QPainterPath,
    QPen,
    QPixmap,
    QRegion,
    QTextItem,
    QTransform,
)

from bellwire.viz.pictures.raster import png_file
from bellwire.viz.pictures.svg_brushes import brush_tile, gradient_markup, opacity_of, tile_markup
from bellwire.viz.pictures.typefaces import Typeface, typeface_of

CAPS = {Qt.PenCapStyle.SquareCap: "square", Qt.PenCapStyle.RoundCap: "round"}
JOINS = {Qt.PenJoinStyle.RoundJoin: "round", Qt.PenJoinStyle.BevelJoin: "bevel"}
DPI = 96  # pixels an inch, as CSS has them
GRADIENTS = (Qt.BrushStyle.LinearGradientPattern, Qt.BrushStyle.RadialGradientPattern)
Dirty = QPaintEngine.DirtyFlag
Element = QPainterPath.ElementType


class SvgEngine(QPaintEngine):
    """What was painted: `parts` as markup, `defs` what it refers to, `letters` which of them in which typeface."""

    def __init__(self) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.parts: list[str] = []
        self.defs: dict[str, str] = {}  # name by markup, in which the name is left out
        self.letters: dict[Typeface, set[str]] = {}
        self.words: list[str] = []  # what was written
        self._transform = QTransform()
        self._pen, self._brush, self._opacity = QPen(), QBrush(), 1.0
        self._clip: QPainterPath | None = None
        self._enabled = True
        self._open = ""  # the clip of the group that is open
        self._dots: tuple[str, list[str]] = ("", [])  # the style and the outlines of what is filled alike in a row

    # -- what Qt calls

    def begin(self, _device: QPaintDevice) -> bool:
        return True

    def end(self) -> bool:
        self._flush()
        self._group("")
        return True

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def updateState(self, state: QPaintEngineState) -> None:
        flags = state.state()
        if flags & Dirty.DirtyTransform:
            self._transform = QTransform(state.transform())
        if flags & Dirty.DirtyPen:
            self._pen = QPen(state.pen())
        if flags & Dirty.DirtyBrush:
            self._brush = QBrush(state.brush())
        if flags & Dirty.DirtyOpacity:
            self._opacity = state.opacity()
        if flags & Dirty.DirtyClipEnabled:
            self._enabled = state.isClipEnabled()
        if flags & Dirty.DirtyClipPath:
            self._clip_to(state.clipPath(), state.clipOperation())
        if flags & Dirty.DirtyClipRegion:
            region = QPainterPath()
            region.addRegion(state.clipRegion())
            self._clip_to(region, state.clipOperation())

    def drawPath(self, path: QPainterPath) -> None:
        rule = ' fill-rule="evenodd"' if path.fillRule() == Qt.FillRule.OddEvenFill else ""
        self._draw(path, self._fill(), self._stroke(), rule)

    def drawRects(self, rects: Iterable[Any]) -> None:
        for rect in rects:
            path = QPainterPath()
            path.addRect(QRectF(rect))
            self._draw(path, self._fill(), self._stroke())

    def drawLines(self, lines: Iterable[Any]) -> None:
        """One line on from another is drawn in one stroke."""
        path, end = QPainterPath(), None
        for line in map(QLineF, lines):
            if line.p1() != end:
                path.moveTo(line.p1())
            path.lineTo(line.p2())
            end = line.p2()
        self._draw(path, "", self._stroke())

    def drawPoints(self, points: Iterable[Any]) -> None:
        pen = QPen(self._pen)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        self._pen, before = pen, self._pen
        self.drawLines(QLineF(QPointF(point), QPointF(point) + QPointF(0.01, 0)) for point in points)
        self._pen = before

    def drawPolygon(self, points: Iterable[Any], mode: QPaintEngine.PolygonDrawMode) -> None:
        path, corners = QPainterPath(), [QPointF(point) for point in points]
        path.moveTo(corners[0])
        for corner in corners[1:]:
            path.lineTo(corner)
        open_ = mode == QPaintEngine.PolygonDrawMode.PolylineMode
        if not open_:
            path.closeSubpath()
        rule = ' fill-rule="evenodd"' if mode == QPaintEngine.PolygonDrawMode.OddEvenMode else ""
        self._draw(path, "" if open_ else self._fill(), self._stroke(), rule)

    def drawImage(
        self,
        rect: Any,
        image: Any,
        source: Any,
        flags: Qt.ImageConversionFlag = Qt.ImageConversionFlag.AutoColor,
    ) -> None:
        part = QImage(image).copy(QRectF(source).toAlignedRect())
        part.setDevicePixelRatio(1)
        url = "data:image/png;base64," + base64.b64encode(png_file(part, {})).decode()
        place = self._transform.mapRect(QRectF(rect))
        sharp = ' style="image-rendering:pixelated"' if place.width() > part.width() else ""
        faded = f' opacity="{short_number(self._opacity)}"' if self._opacity < 1 else ""
        self._put(place, f'<image {box_of(place)} preserveAspectRatio="none" href="{url}"{sharp}{faded}/>')

    def drawPixmap(self, rect: Any, pixmap: Any, source: Any) -> None:
        self.drawImage(rect, QPixmap(pixmap).toImage(), source)

    def drawTiledPixmap(self, rect: Any, pixmap: Any, _offset: Any) -> None:
        self._brush, before = QBrush(pixmap), self._brush
        self._pen, pen = QPen(Qt.PenStyle.NoPen), self._pen
        self.drawRects([rect])
        self._brush, self._pen = before, pen

    def drawTextItem(self, at: Any, item: QTextItem) -> None:
        font, text = item.font(), item.text()
        typeface = typeface_of(font.families(), font.weight())
        self.letters.setdefault(typeface, set()).update(text)
        size = font.pixelSize() if font.pixelSize() > 0 else font.pointSizeF() * 96 / 72
        place = QRectF(at.x(), at.y() - item.ascent(), item.width(), item.ascent() + item.descent())
        if not text.strip() or self._hidden(self._transform.mapRect(place)):
            return
        self.words.append(text)
        color, opacity = opacity_of(self._pen.color(), self._opacity)
        faded = f' fill-opacity="{opacity}"' if opacity != "1" else ""
        wide = f' textLength="{short_number(item.width())}" lengthAdjust="spacingAndGlyphs"' if len(text) > 1 else ""
        words = (
            f'<text {self._text_place(at)} font-family="{families_of(typeface)}" font-size="{short_number(size)}"'
            f' font-weight="{typeface.weight}" fill="{color}"{faded}{wide}{decoration_of(font)}>{escape(text)}</text>'
        )
        self._put(self._transform.mapRect(place), words)

    def _text_place(self, at: QPointF) -> str:
        t = self._transform
        if not (t.isScaling() or t.isRotating()):
            place = t.map(at)
            return f'x="{short_number(place.x())}" y="{short_number(place.y())}"'
        matrix = " ".join(short_number(value, 5) for value in (t.m11(), t.m12(), t.m21(), t.m22(), t.dx(), t.dy()))
        return f'x="{short_number(at.x())}" y="{short_number(at.y())}" transform="matrix({matrix})"'

    # -- how it is filled and stroked

    def _fill(self) -> str:
        """The attributes; "" for nothing."""
        brush = self._brush
        if brush.style() == Qt.BrushStyle.NoBrush:
            return ""
        if brush.style() in GRADIENTS:
            gradient: QGradient = brush.gradient()
            markup = gradient_markup(gradient, self._transform)
            return f'fill="url(#{self._named(markup)})"' + self._faded("fill", self._opacity)
        if brush.style() != Qt.BrushStyle.SolidPattern:
            origin = QPointF(self._transform.dx(), self._transform.dy())
            markup = tile_markup(brush_tile(brush), origin)
            return f'fill="url(#{self._named(markup)})"' + self._faded("fill", self._opacity)
        if brush.color().alpha() == 0:
            return ""
        color, opacity = opacity_of(brush.color(), self._opacity)
        return f'fill="{color}"' + ("" if opacity == "1" else f' fill-opacity="{opacity}"')

    def _faded(self, what: str, opacity: float) -> str:
        return f' {what}-opacity="{short_number(opacity)}"' if opacity < 1 else ""

    def _stroke(self) -> str:
        """The attributes; "" for nothing."""
        pen = self._pen
        if pen.style() == Qt.PenStyle.NoPen or pen.brush().style() == Qt.BrushStyle.NoBrush or not pen.color().alpha():
            return ""
        width = pen.widthF() or 1.0
        if not pen.isCosmetic() and pen.widthF():
            width *= sqrt(abs(self._transform.determinant()))
        color, opacity = opacity_of(pen.color(), self._opacity)
        found = [f'stroke="{color}" stroke-width="{short_number(width)}"']
        if opacity != "1":
            found.append(f'stroke-opacity="{opacity}"')
        if pen.capStyle() in CAPS:
            found.append(f'stroke-linecap="{CAPS[pen.capStyle()]}"')
        if pen.joinStyle() in JOINS:
            found.append(f'stroke-linejoin="{JOINS[pen.joinStyle()]}"')
        if pen.style() != Qt.PenStyle.SolidLine and pen.dashPattern():
            found.append(f'stroke-dasharray="{" ".join(short_number(width * dash) for dash in pen.dashPattern())}"')
            if pen.dashOffset():
                found.append(f'stroke-dashoffset="{short_number(width * pen.dashOffset())}"')
        return " ".join(found)

    def _named(self, markup: str) -> str:
        """The name under which it stands in the definitions."""
        return self.defs.setdefault(markup, f"d{len(self.defs)}")

    # -- where it goes

    def _draw(self, path: QPainterPath, fill: str, stroke: str, rule: str = "") -> None:
        if not path.elementCount() or not (fill or stroke):
            return
        outline = self._transform.map(path)
        data = outline_data(outline)
        rect = outline.controlPointRect()
        if stroke:
            wide = (self._pen.widthF() or 1) * max(1.0, sqrt(abs(self._transform.determinant())))
            rect = rect.adjusted(-wide, -wide, wide, wide)
        style = " ".join(filter(None, (fill or 'fill="none"', stroke))) + (rule if fill else "")
        alike = bool(fill) and not stroke and not rule and "opacity" not in fill
        if alike and self._needs(rect) == self._open and self._dots[0] == style:
            self._dots[1].append(data)
            return
        self._put(rect, "" if alike else f'<path {style} d="{data}"/>')
        if alike and not self._hidden(rect):
            self._dots = style, [data]

    def _put(self, rect: QRectF, markup: str) -> None:
        """Writes what lies in this rectangle of the picture, in a group with the clip that it needs."""
        self._flush()
        if self._hidden(rect):
            return
        self._group(self._needs(rect))
        if markup:
            self.parts.append(markup)

    def _flush(self) -> None:
        style, outlines = self._dots
        if outlines:
            self.parts.append(f'<path {style} d="{"".join(outlines)}"/>')
        self._dots = "", []

    def _group(self, clip: str) -> None:
        if clip == self._open:
            return
        if self._open:
            self.parts.append("</g>")
        if clip:
            self.parts.append(f'<g clip-path="url(#{clip})">')
        self._open = clip

    # -- the clip

    def _clip_to(self, path: QPainterPath, operation: Qt.ClipOperation) -> None:
        self._enabled = True
        if operation == Qt.ClipOperation.NoClip:
            self._clip = None
            return
        mapped = self._transform.map(path)
        if operation == Qt.ClipOperation.IntersectClip and self._clip is not None:
            mapped = within_both(self._clip, mapped)
        self._clip = mapped

    def _shown(self) -> QPainterPath | None:
        """What can be seen: the painter's clip, within the widget's; None: all."""
        region: QRegion = self.systemClip()
        found = self._clip if self._enabled else None
        if region.isEmpty():
            return found
        whole = QPainterPath()
        whole.addRegion(region)
        return whole if found is None else within_both(found, whole)

    def _hidden(self, rect: QRectF) -> bool:
        shown = self._shown()
        return shown is not None and not touches(shown.controlPointRect(), rect)

    def _needs(self, rect: QRectF) -> str:
        """The name of the clip that cuts something off a rectangle; "" if none does."""
        shown = self._shown()
        if shown is None or (is_box(shown) and shown.controlPointRect().contains(rect)):
            return ""
        rule = "" if is_box(shown) else ' clip-rule="evenodd"'
        return self._named(f'<clipPath id="{{name}}"><path{rule} d="{outline_data(shown)}"/></clipPath>')


class SvgDevice(QPaintDevice):
    """Paper of so many pixels for an SvgEngine."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.engine = SvgEngine()
        self._metrics = {"PdmWidth": width, "PdmHeight": height, "PdmDepth": 32, "PdmNumColors": 1 << 24}
        self._metrics |= {"PdmWidthMM": round(width * 25.4 / DPI), "PdmHeightMM": round(height * 25.4 / DPI)}
        self._metrics |= {f"Pdm{which}{side}": DPI for which in ("Dpi", "PhysicalDpi") for side in "XY"}

    def paintEngine(self) -> QPaintEngine:
        return self.engine

    def metric(self, which: QPaintDevice.PaintDeviceMetric) -> int:
        return self._metrics[which.name] if which.name in self._metrics else super().metric(which)


# -- numbers and outlines


@lru_cache(maxsize=1 << 14)
def short_number(value: float, places: int = 2) -> str:
    """As short as it goes, to a hundredth of a pixel."""
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def box_of(rect: QRectF) -> str:
    """A rectangle as attributes."""
    x, y, width, height = map(short_number, (rect.x(), rect.y(), rect.width(), rect.height()))
    return f'x="{x}" y="{y}" width="{width}" height="{height}"'


def outline_data(path: QPainterPath) -> str:
    """A path as SVG has it."""
    elements = [path.elementAt(at) for at in range(path.elementCount())]
    kinds = [element.type for element in elements]  # each look at one makes it anew
    places = [(element.x, element.y) for element in elements]
    found, at, start = [], 0, (0.0, 0.0)
    while at < len(kinds):
        if kinds[at] is Element.MoveToElement:
            start = places[at]
            found.append(f"M{short_place(start)}")
        elif kinds[at] is Element.LineToElement:
            closes = places[at] == start and ends_there(kinds, at)
            found.append("z" if closes else f"L{short_place(places[at])}")
        else:
            found.append("C" + " ".join(map(short_place, places[at : at + 3])))
            at += 2
            if places[at] == start and ends_there(kinds, at):
                found.append("z")
        at += 1
    return "".join(found)


def short_place(place: tuple[float, float]) -> str:
    """Where something is: "4.5 17"."""
    return f"{short_number(place[0])} {short_number(place[1])}"


def ends_there(kinds: Sequence[Element], at: int) -> bool:
    """Whether a part of a path has its last element there."""
    return at + 1 == len(kinds) or kinds[at + 1] is Element.MoveToElement


def is_box(path: QPainterPath) -> bool:
    """Whether it is one upright rectangle."""
    return path.elementCount() == 5 and all(
        path.elementAt(n).x == path.elementAt(n + 1).x or path.elementAt(n).y == path.elementAt(n + 1).y
        for n in range(4)
    )


def within_both(one: QPainterPath, other: QPainterPath) -> QPainterPath:
    """What lies in both of them."""
    if is_box(one) and is_box(other):
        path = QPainterPath()
        path.addRect(one.controlPointRect() & other.controlPointRect())
        return path
    return one.intersected(other)


def touches(one: QRectF, other: QRectF) -> bool:
    """Whether they have a point in common; a line has no area."""
    return (
        one.left() <= other.right()
        and other.left() <= one.right()
        and one.top() <= other.bottom()
        and other.top() <= one.bottom()
    )


def families_of(typeface: Typeface) -> str:
    """The typeface, and what stands in for it where a picture's own fonts are not shown."""
    rest = "monospace" if "Mono" in typeface.family else "sans-serif"
    return escape(f"'{typeface.family}',{rest}")


def decoration_of(font: QFont) -> str:
    """Lines through or below the text."""
    words = [word for word, on in (("line-through", font.strikeOut()), ("underline", font.underline())) if on]
    return f' text-decoration="{" ".join(words)}"' if words else ""
