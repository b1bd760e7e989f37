"""Pointing at one diagram: its mouse and its keys while a tool is taken, and what is painted over it.

Without a tool and without a mark there is nothing of it but a look once a frame.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from bellwire.viz.diagram.blueprint import Point, Rect
from bellwire.viz.diagram.pointing.marks import Pointing, Tool, rect_of, widened
from bellwire.viz.diagram.pointing.painter import area_of_motion, paint_pointing
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.style.painting import painting

AROUND = 10  # canvas pixels around a part in the spotlight
AROUND_ZOOMED = 30  # the same around one that fills the diagram
LEAST_DRAG = 12  # canvas pixels that mean a rectangle, and not a part that is clicked at
LEAST_ZOOM = 120  # canvas pixels that fill a diagram at least
NOTCH = 1.25  # of the wheel: how much nearer
STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PointingOverlay(QWidget):
    """Over a diagram, and nobody's target."""

    def __init__(self, diagram: Diagram, pointing: Pointing) -> None:
        super().__init__(diagram)
        self._diagram, self._pointing = diagram, pointing
        self._moved = QRect()  # where something moved or faded when it was painted last
        self._stays: tuple[object, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def refresh(self) -> None:
        """Once a frame: what has moved, or faded, or is new."""
        geometry, pointing = self._diagram.scene_geometry, self._pointing
        if self.geometry() != self._diagram.rect():
            self.setGeometry(self._diagram.rect())
        stays = pointing.spot, pointing.dragged, geometry, len(pointing.marks), pointing.laser is None
        before, self._moved = self._moved, area_of_motion(geometry, pointing).toAlignedRect()
        if stays != self._stays:
            self._stays = stays
            self.update()
        elif not (before.isEmpty() and self._moved.isEmpty()):
            self.update(before.united(self._moved))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        within = QRectF(event.rect())
        paint_pointing(QPainter(self), self._diagram.scene_geometry, self._pointing, QRectF(self.rect()), within)


class DiagramPointer(QObject):
    """Of one diagram; several share what is pointed at."""

    def __init__(self, diagram: Diagram, pointing: Pointing) -> None:
        super().__init__(diagram)
        self._diagram, self.pointing = diagram, pointing
        self.overlay: PointingOverlay | None = None
        self._tool: Tool | None = None
        self._pressed: Point | None = None

    def refresh(self) -> None:
        """Once a frame."""
        pointing = self.pointing
        if pointing.tool is not self._tool:
            self._take(pointing.tool)
        if pointing.zoom != self._diagram.part:
            self._diagram.show_part(pointing.zoom)
        if pointing.nothing:
            if self.overlay:
                self.overlay.hide()
            return
        pointing.fade()
        self.overlay = self.overlay or PointingOverlay(self._diagram, pointing)
        self.overlay.refresh()
        self.overlay.show()

    def _take(self, tool: Tool | None) -> None:
        self._tool, self._pressed = tool, None
        self._diagram.removeEventFilter(self)
        self._diagram.setMouseTracking(tool is Tool.LASER)
        if tool:
            self._diagram.installEventFilter(self)
            self._diagram.setCursor(Qt.CursorShape.BlankCursor if tool is Tool.LASER else Qt.CursorShape.CrossCursor)
        else:
            self._diagram.unsetCursor()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whether it was for the tool, and the diagram does not hear of it."""
        if isinstance(event, QMouseEvent):
            return self._use(event)
        if isinstance(event, QWheelEvent) and self._tool is Tool.ZOOM:
            self.zoom_at(event.position(), event.angleDelta().y() / 120)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._press(event)
        if event.type() == QEvent.Type.Leave:
            self.pointing.shine(None)
        return event.type() == QEvent.Type.ContextMenu  # the right button takes a mark back

    def _press(self, event: QKeyEvent) -> bool:
        """Up and Down point at the next part; Enter points at the one that is chosen."""
        key = Qt.Key(event.key())
        if key in STEPS:
            self._diagram.choose_next(STEPS[key])
        elif key not in ENTER:
            return False
        if key in ENTER or self._tool is not Tool.PEN:
            point_at(self.pointing, self._diagram, self._diagram.model.selection.part)
        return True

    # -- the mouse

    def _use(self, event: QMouseEvent) -> bool:
        kind, at = event.type(), self._diagram.scene_geometry.on_canvas(event.position())
        held = bool(event.buttons() & Qt.MouseButton.LeftButton)
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.RightButton:
            self.pointing.undo()
        elif self._tool is Tool.LASER:
            self.pointing.shine(at)
        elif kind == QEvent.Type.MouseButtonPress and held:
            self._begin(at)
        elif kind == QEvent.Type.MouseMove and held:
            self._drag(at)
        elif kind == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            self._end(event.position())
        return True

    def _begin(self, at: Point) -> None:
        if self._tool is Tool.PEN:
            self.pointing.begin_mark(at)
        else:
            self._pressed = at

    def _drag(self, at: Point) -> None:
        if self._tool is Tool.PEN:
            self.pointing.draw_to(at)
        elif self._pressed:
            area = rect_of(self._pressed, at)
            self.pointing.dragged = area if max(area[2:]) >= LEAST_DRAG else None

    def _end(self, at: QPointF) -> None:
        """A rectangle that was drawn, or the part that was clicked at."""
        dragged, self.pointing.dragged, self._pressed = self.pointing.dragged, None, None
        if self._tool is Tool.PEN:
            self.pointing.end_mark()
        elif dragged and self._tool is Tool.SPOTLIGHT:
            self.pointing.light(dragged)
        elif dragged:
            self.pointing.fill_with(no_smaller(dragged, LEAST_ZOOM))
        else:
            point_at(self.pointing, self._diagram, self._diagram.part_at(at))

    def zoom_at(self, at: QPointF, notches: float) -> None:
        """Nearer to what is there, or further away from it; all of it where there is no further."""
        whole: Rect = (0, 0, *self._diagram.blueprint.size)
        x, y, width, height = self.pointing.zoom or whole
        share = NOTCH**-notches
        if width * share >= whole[2]:
            self.pointing.fill_with(None, kept=False)
        elif min(width, height) * share >= LEAST_ZOOM / 2:
            there = self._diagram.scene_geometry.on_canvas(at)
            left, top = (there[n] - (there[n] - corner) * share for n, corner in enumerate((x, y)))
            self.pointing.fill_with((left, top, width * share, height * share), kept=False)


def point_at(pointing: Pointing, diagram: Diagram, part: str) -> None:
    """Does what the tool does to a part; with "" takes spotlight or zoom away."""
    area = diagram.area_of(part) if part else None
    if pointing.tool is Tool.SPOTLIGHT:
        pointing.light(widened(area, AROUND) if area else None)
    elif pointing.tool is Tool.ZOOM:
        pointing.fill_with(no_smaller(widened(area, AROUND_ZOOMED), LEAST_ZOOM) if area else None)
    elif area and pointing.tool is Tool.PEN:
        pointing.ring(area)
    elif area and pointing.tool is Tool.LASER:
        pointing.shine((area[0] + area[2] / 2, area[1] + area[3] / 2))


def no_smaller(area: Rect, least: float) -> Rect:
    """The area, or one around the same middle that is `least` wide and high."""
    wide, high = max(area[2], least), max(area[3], least)
    return area[0] + (area[2] - wide) / 2, area[1] + (area[3] - high) / 2, wide, high
