"""What makes do with the width there is: a row that leaves things out, a label that is cut short and says so."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import PlainLabel, plain_tip

SPACING = 6


class FittingRow(QFrame):
    """A row that leaves out what there is no room for; menus, a popover or keys do the same."""

    short = False  # its words are cut short
    _fitted: object = None  # what room has been made for
    _fitting = False  # it is being made

    def spare(self) -> list[QWidget]:
        """What is left out first."""
        return []

    def stands_in(self, left_out: QWidget) -> QWidget | None:
        """What is shown where this has been left out, if anything is."""
        return None

    def shorten(self, on: bool) -> None:
        """Cuts words short that can be read elsewhere, where all that can be left out is left out, or no longer."""

    def saved(self) -> int:
        """Pixels that cutting these words short saves."""
        return 0

    def minimumSizeHint(self) -> QSize:
        """The width without what can be left out, its words cut short."""
        spare, layout = self.spare(), self.layout()
        between = layout.spacing() if layout else SPACING
        gone = sum(least_width(widget) + between for widget in spare if not widget.isHidden())
        came = sum(least_width(other) + between for widget in spare if (other := self._absent(widget)))
        size = super().minimumSizeHint()
        return QSize(size.width() - gone + came - (0 if self.short else self.saved()), size.height())

    def _absent(self, widget: QWidget) -> QWidget | None:
        other = self.stands_in(widget)
        return other if other and other.isHidden() else None

    def event(self, event: QEvent) -> bool:
        """What is in it may have another size of text, or other words."""
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and not self._fitting and self._fitted != self._asked():
            self.make_room()
        return handled

    def _asked(self) -> object:
        """What decides what there is room for; leaving something out does not change it."""
        inside = [widget for widget in self.children() if isinstance(widget, QWidget) and not widget.isWindow()]
        kept = set(inside) - set(self.spare())
        return self.width(), [w.sizeHint().width() for w in inside], sum(not w.isHidden() for w in kept)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.make_room()

    def make_room(self) -> None:
        """Shows as much of the spare as there is room for.

        A widget that is shown for the first time gets its font, and asks for another layout, before it is there: who
        hid it again then would have a widget that is hidden and seen.
        """
        if self._fitting:
            return
        self._fitting = True
        try:
            self._fit()
        finally:
            self._fitting = False
        self._fitted = self._asked()

    def _fit(self) -> None:
        spare, self.short = self.spare(), False
        self.shorten(False)
        for widget in spare:
            widget.show()
            if other := self.stands_in(widget):
                other.hide()
        for widget in spare:
            if super().minimumSizeHint().width() > self.width():
                widget.hide()
                if other := self.stands_in(widget):
                    other.show()
        if super().minimumSizeHint().width() > self.width():
            self.short = True
            self.shorten(True)


def least_width(widget: QWidget) -> int:
    """Pixels that a layout gives a widget at least."""
    if widget.minimumWidth():
        return widget.minimumWidth()
    shrinks = widget.sizePolicy().horizontalPolicy().value & QSizePolicy.PolicyFlag.ShrinkFlag.value
    return max(widget.minimumSizeHint().width(), 0 if shrinks else widget.sizeHint().width())


class ElidedLabel(PlainLabel):
    """One line that takes the width it gets; where its text is longer it ends in an ellipsis, and a tooltip has it."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip(plain_tip(self.text() if words != self.text() else ""))
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), self.alignment().value, words)
