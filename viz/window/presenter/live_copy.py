"""The audience's window once more, small: painted by the very parts that the audience sees, so that it is the same."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from bellwire.engine.language import tr
from bellwire.viz.diagram.pointing.painter import paint_pointing
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.presenter.front_panel import PanelPlace

USUAL = QSize(16, 9)
LEAST_COPY = QSize(320, 180)
VEIL = 0.7  # over what the audience does not see
COPIED = 3  # of the frames in which what costs more is redrawn: one in so many


class LiveCopy(QWidget):
    """What is clicked at here is clicked at there."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.audience: AudienceWindow | None = None
        self._frames = 0
        self.setAccessibleName(tr("copy of what the audience sees"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(LEAST_COPY)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def refresh(self) -> None:
        """In each frame in which what costs more may be redrawn: it gets seldomer where that costs too much."""
        self._frames = (self._frames + 1) % COPIED
        moves = self.audience is not None and not self.audience.pointing.nothing
        if self.isVisible() and (moves or not self._frames):
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.update()

    @property
    def area(self) -> QRectF:
        """Where the copy is, in its own shape."""
        whole = self.audience.size() if self.audience else USUAL
        room = whole.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - room.width()) / 2, 0, room.width(), room.height())

    @property
    def scale(self) -> float:
        """Its pixels for one of the audience's."""
        return self.area.width() / self.audience.width() if self.audience else 1.0

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.audience is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(self.area.topLeft())
        painter.scale(self.scale, self.scale)
        painter.fillRect(self.audience.rect(), self.audience.theme.color("background"))
        self.audience.slide_view.paint_on(painter)
        self._paint_panel(painter, self.audience.panel)
        painter.translate(self.audience.picture.pos())
        painter.setClipRect(self.audience.picture.rect())
        picture = self.audience.picture
        picture.paint_on(painter, QRegion(picture.rect()))
        if not self.audience.pointing.nothing:
            paint_pointing(painter, picture.scene_geometry, self.audience.pointing, QRectF(picture.rect()))
        painter.resetTransform()
        painter.setClipping(False)
        painter.setPen(QPen(self.theme.color("border_strong"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.area.adjusted(0, 0, -1, -1))
        if self.audience.blank:
            self._paint_blank(painter, self.audience.blank)

    def _paint_panel(self, painter: QPainter, panel: PanelPlace) -> None:
        painter.save()
        painter.translate(panel.pos())
        panel.paint_on(painter)
        painter.restore()

    def _paint_blank(self, painter: QPainter, blank: Blank) -> None:
        """Whoever leads it goes on seeing what there is, and reads what the audience sees instead."""
        painter.fillRect(self.area, self.theme.color("background", VEIL))
        words = tr("The audience sees black") if blank is Blank.BLACK else tr("The audience sees white")
        font = self.theme.font(24, 700)
        frame = QFontMetricsF(font).boundingRect(words).adjusted(-24, -14, 24, 14)
        frame.moveCenter(self.area.center())
        painter.setBrush(QColor(blank.value))
        painter.drawRoundedRect(frame, 10, 10)
        painter.setPen(QColor((Blank.WHITE if blank is Blank.BLACK else Blank.BLACK).value))
        painter.setFont(font)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """No higher than its shape, so that what is below it is next to it."""
        super().resizeEvent(event)
        whole = self.audience.size() if self.audience else USUAL
        self.setMaximumHeight(max(math.ceil(self.width() * whole.height() / whole.width()), LEAST_COPY.height()))

    # -- the pointer and the keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._hand_on(event)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hand_on(event)
        if self.audience and self.audience.pointing.tool:
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hand_on(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A panel is scrolled at both places, and a tool is used there."""
        if below := self._below(event.position()):
            part, local, there = below
            wheel = QWheelEvent(
                local,
                there,
                *(event.pixelDelta(), event.angleDelta(), event.buttons(), event.modifiers(), event.phase()),
                event.inverted(),
            )
            QCoreApplication.sendEvent(part, wheel)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        if self.audience:
            QCoreApplication.sendEvent(self.audience.picture, QEvent(QEvent.Type.Leave))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, Down and Enter, as in the picture itself; it is the window that knows all others."""
        own = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.audience and event.key() in own:
            QCoreApplication.sendEvent(self.audience.picture, event)
        else:
            super().keyPressEvent(event)

    def _below(self, position: QPointF) -> tuple[QWidget, QPointF, QPointF] | None:
        """The part of the audience's window that is there, and where: in the part, and on the screens. None outside."""
        if self.audience is None or not self.area.contains(position):
            return None
        at = ((position - self.area.topLeft()) / self.scale).toPoint()
        part = self._part_at(self.audience, at)
        return part, QPointF(part.mapFrom(self.audience, at)), QPointF(self.audience.mapToGlobal(at))

    def _part_at(self, audience: AudienceWindow, at: QPoint) -> QWidget:
        """The innermost part that is clicked at there; nothing of the picture is one by itself."""
        for part in (audience.slide_view, audience.panel):
            if part.geometry().contains(at) and not part.isHidden():
                return part.childAt(part.mapFrom(audience, at)) or part
        return audience.picture

    def _hand_on(self, event: QMouseEvent) -> None:
        """To the part of the audience's window that is there."""
        if below := self._below(event.position()):
            part, local, there = below
            mouse = QMouseEvent(event.type(), local, there, event.button(), event.buttons(), event.modifiers())
            QCoreApplication.sendEvent(part, mouse)
