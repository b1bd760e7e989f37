"""The tour: a veil over the window with holes in it, and a bubble beside that says what is seen there.

The program goes on below and can be used: only the bubble takes clicks.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.language import tr
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.tour.stations import STATIONS, Sights, Station

WIDTH = 400  # pixels at 100 % text, of the bubble
GAP, MARGIN, ROUND = 14, 12, 10  # between hole and bubble; around the bubble; the hole's corners
DIM = 0.62  # how much of the veil's colour lies over what is not shown


class Bubble(QFrame):
    """Says one station, and leads on, back or out."""

    def __init__(self, tour: Tour, parent: QWidget) -> None:
        super().__init__(parent)
        self.tour = tour
        self.setObjectName("popover")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.where, self.title, self.text = PlainLabel(), PlainLabel(), PlainLabel()
        self.where.setObjectName("muted")
        self.text.setWordWrap(True)
        self.title.setWordWrap(True)
        self.close_ = IconButton()
        self.back, self.on = Button(tr("Back")), Button()
        self.close_.setAccessibleName(tr("end the tour"))
        self.close_.setToolTip(plain_tip(tr("Ends the tour (Esc); Help has it")))
        self.close_.clicked.connect(tour.end)
        self.back.clicked.connect(lambda: tour.go(-1))
        self.on.clicked.connect(lambda: tour.go(+1))
        head, foot, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        head.addWidget(self.title, 1)
        head.addWidget(self.close_, 0, Qt.AlignmentFlag.AlignTop)
        foot.addWidget(self.where, 1)
        foot.addWidget(self.back)
        foot.addWidget(self.on)
        column.setContentsMargins(18, 14, 14, 14)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addLayout(foot)

    def say(self, at: int, station: Station, sentences: str) -> None:
        """One station's words."""
        last = at + 1 == len(STATIONS)
        self.title.setText(tr(station.title))
        self.text.setText(sentences)
        self.where.setText(tr("{at} of {all}", at=at + 1, all=len(STATIONS)))
        self.back.setEnabled(at > 0)
        self.on.setText(tr("Done") if last else tr("Next"))
        self.setAccessibleName(tr("tour, {where}: {title}", where=self.where.text(), title=self.title.text()))
        self.setAccessibleDescription(sentences)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.title.setFont(theme.font(19, 700))
        self.text.setFont(theme.font(16))
        self.where.setFont(theme.font(13))
        self.close_.show_icon("close", theme)
        self.setFixedWidth(theme.px(WIDTH))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc ends the tour."""
        if event.key() == Qt.Key.Key_Escape:
            self.tour.end()
        else:
            super().keyPressEvent(event)


class Tour(QWidget):
    """The veil, over all of the window. seen: whether somebody has ended a tour."""

    def __init__(self, sights: Sights, theme: Theme) -> None:
        super().__init__(sights.window)
        self.sights, self.theme = sights, theme
        self.at, self.seen = 0, False
        self.holes: list[QRect] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.bubble = Bubble(self, sights.window)
        self.set_theme(theme)
        self.hide()
        self.bubble.hide()

    @property
    def on(self) -> bool:
        """Whether somebody is led round."""
        return not self.isHidden()

    def begin(self) -> None:
        """From the first station."""
        self.at = 0
        self.show()
        self.raise_()
        self.bubble.show()
        self.bubble.raise_()
        self._arrive()
        self.bubble.on.setFocus(Qt.FocusReason.OtherFocusReason)

    def go(self, by: int) -> None:
        """So many stations on; behind the last one the tour is over."""
        if self.at + by >= len(STATIONS):
            self.end()
            return
        self.at = max(self.at + by, 0)
        self._arrive()

    def end(self) -> bool:
        """Leaves it; whether there was one."""
        if not self.on:
            return False
        self.seen = True
        self.hide()
        self.bubble.hide()
        diagram = self.sights.diagram()
        diagram.set_highlight(frozenset())
        diagram.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def refresh(self) -> None:
        """What it says and where, a few times a second: figures grow, and what is shown may move."""
        if not self.on:
            return
        station = STATIONS[self.at]
        self.setGeometry(self.sights.window.rect())
        self.bubble.say(self.at, station, station.say(self.sights.model(), self.sights.key))
        holes = self.sights.places(*station.show(self.sights))
        if holes != self.holes:
            self.holes = holes
            self.update()
        self._place_bubble()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.bubble.set_theme(theme)
        self.update()
        self.refresh()

    def _arrive(self) -> None:
        station = STATIONS[self.at]
        self.sights.diagram().set_highlight(station.parts)
        self.sights.reveal(station.show(self.sights)[-1])
        self.refresh()

    def _place_bubble(self) -> None:
        room = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        height = self.bubble.heightForWidth(self.bubble.width())
        size = QSize(self.bubble.width(), min(height if height > 0 else self.bubble.sizeHint().height(), room.height()))
        largest = max(self.holes, key=lambda hole: hole.width() * hole.height(), default=QRect())
        self.bubble.setGeometry(QRect(bubble_corner(largest, size, room), size))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil, seen = QPainterPath(), QPainterPath()
        veil.addRect(QRectF(self.rect()))
        for hole in self.holes:
            seen.addRoundedRect(QRectF(hole).adjusted(-4, -4, 4, 4), ROUND, ROUND)
        painter.fillPath(veil.subtracted(seen), self.theme.color("background", DIM))
        painter.setPen(QPen(self.theme.color("selection"), 2.5))
        painter.drawPath(seen)


def bubble_corner(hole: QRect, size: QSize, room: QRect) -> QPoint:
    """Where a bubble of this size stands: below, above, right or left of the hole, where it has room; else over it."""
    middle = room.center() if hole.isEmpty() else hole.center()
    left, top = middle.x() - size.width() // 2, middle.y() - size.height() // 2
    corner = QPoint(left, top)
    if hole.isEmpty():
        return shifted_into(corner, size, room)
    if hole.bottom() + GAP + size.height() <= room.bottom():
        corner.setY(hole.bottom() + GAP)
    elif hole.top() - GAP - size.height() >= room.top():
        corner.setY(hole.top() - GAP - size.height())
    elif hole.right() + GAP + size.width() <= room.right():
        corner.setX(hole.right() + GAP)
    elif hole.left() - GAP - size.width() >= room.left():
        corner.setX(hole.left() - GAP - size.width())
    return shifted_into(corner, size, room)


def shifted_into(corner: QPoint, size: QSize, room: QRect) -> QPoint:
    """The place nearest to this one at which all is to be seen."""
    left = max(min(corner.x(), room.right() + 1 - size.width()), room.left())
    return QPoint(left, max(min(corner.y(), room.bottom() + 1 - size.height()), room.top()))
