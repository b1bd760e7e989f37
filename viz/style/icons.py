"""The transport's icons, drawn here so that they have the theme's colour and any size."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from bellwire.viz.style.painting import clear_pixmap, painter_on
from bellwire.viz.style.theme import Theme

SIZE = 20  # the icons' own grid
RATIO = 3  # drawn larger than shown, so that they are sharp on every screen


def bar(painter: QPainter, x: float) -> None:
    """An upright bar."""
    painter.drawRoundedRect(QRectF(x, 3, 3, 14), 1, 1)


def triangle(painter: QPainter, tip: float, base: float) -> None:
    """A triangle that points from base to tip."""
    painter.drawPolygon(QPolygonF([QPointF(tip, 10), QPointF(base, 3), QPointF(base, 17)]))


def play(painter: QPainter) -> None:
    triangle(painter, 16.5, 5)


def pause(painter: QPainter) -> None:
    bar(painter, 5)
    bar(painter, 12)


def home(painter: QPainter) -> None:
    bar(painter, 3)
    triangle(painter, 7, 17)


def newest(painter: QPainter) -> None:
    bar(painter, 14)
    triangle(painter, 13, 3)


def step(painter: QPainter) -> None:
    triangle(painter, 14.5, 6)
    painter.drawRoundedRect(QRectF(15, 4.5, 1.8, 11), 0.9, 0.9)


def step_back(painter: QPainter) -> None:
    triangle(painter, 5.5, 14)
    painter.drawRoundedRect(QRectF(3.2, 4.5, 1.8, 11), 0.9, 0.9)


def more(painter: QPainter) -> None:
    for x in (4.5, 10, 15.5):
        painter.drawEllipse(QPointF(x, 10), 1.7, 1.7)


def menus(painter: QPainter) -> None:
    for y in (4.5, 9, 13.5):
        painter.drawRoundedRect(QRectF(3, y, 14, 2), 1, 1)


def close(painter: QPainter) -> None:
    painter.setPen(QPen(painter.brush().color(), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(6, 6), QPointF(14, 14))
    painter.drawLine(QPointF(14, 6), QPointF(6, 14))


def stroke(painter: QPainter) -> None:
    """From now on lines, in the colour that areas had."""
    painter.setPen(QPen(painter.brush().color(), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def again(painter: QPainter) -> None:
    color = painter.brush()
    stroke(painter)
    painter.drawArc(QRectF(4, 4, 12, 12), 40 * 16, -290 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(11.5, 1), QPointF(11.5, 8), QPointF(6.5, 4.5)]))


def minus(painter: QPainter) -> None:
    stroke(painter)
    painter.drawLine(QPointF(5, 10), QPointF(15, 10))


def plus(painter: QPainter) -> None:
    minus(painter)
    painter.drawLine(QPointF(10, 5), QPointF(10, 15))


def story(painter: QPainter) -> None:
    """Stages on a way, one after the other, of which one is told."""
    for x in (3.0, 17.0):
        painter.drawEllipse(QPointF(x, 10), 2, 2)
    painter.drawEllipse(QPointF(10, 10), 4, 4)
    stroke(painter)
    painter.drawLine(QPointF(3, 10), QPointF(17, 10))


ICONS: dict[str, Callable[[QPainter], None]] = {
    "play": play,
    "pause": pause,
    "home": home,
    "newest": newest,
    "step": step,
    "step_back": step_back,
    "more": more,
    "menus": menus,
    "close": close,
    "again": again,
    "minus": minus,
    "plus": plus,
    "story": story,
}


def icon(name: str, theme: Theme) -> QIcon:
    """The icon in the theme's colours, muted where its button is disabled."""
    made = QIcon()
    made.addPixmap(drawn(name, icon_color(theme, True)), QIcon.Mode.Normal)
    made.addPixmap(drawn(name, icon_color(theme, False)), QIcon.Mode.Disabled)
    return made


def icon_color(theme: Theme, enabled: bool) -> QColor:
    """Of a button's icon."""
    return theme.color("text") if enabled else theme.color("text_muted", 0.5)


def drawn(name: str, color: QColor) -> QPixmap:
    """One icon in one colour."""
    pixmap = clear_pixmap(SIZE * RATIO, SIZE * RATIO, 1)
    with painter_on(pixmap) as painter:
        paint_icon(painter, name, color, RATIO)
    return pixmap


def paint_icon(painter: QPainter, name: str, color: QColor, scale: float) -> None:
    """One icon in one colour, from where the painter stands on; scale: pixels to one of its grid."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    ICONS[name](painter)
    painter.restore()


def logo(theme: Theme, size: int) -> QPixmap:
    """The program's mark, so many pixels high."""
    pixmap = clear_pixmap(size * RATIO, size * RATIO, RATIO)
    with painter_on(pixmap) as painter:
        paint_logo(painter, theme, size)
    return pixmap


def paint_logo(painter: QPainter, theme: Theme, size: int) -> None:
    """The mark: a wire that rings, out in one colour and back in the other."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 24, size / 24)
    for y, name, left in ((8, "doorbell", False), (16, "interrupt", True)):
        painter.setPen(QPen(theme.color(name), 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(3, y), QPointF(21, y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(name))
        x = 9 if left else 15
        path = QPainterPath()
        if left:
            path.addPolygon(QPolygonF([QPointF(x, y - 5), QPointF(x + 5, y), QPointF(x, y + 5), QPointF(x - 5, y)]))
        else:
            path.addEllipse(QPointF(x, y), 4.2, 4.2)
        painter.drawPath(path)
    painter.restore()
