"""What is scrolled: up and down alone, as wide as it is seen, or where there is no room for all of a window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QScrollArea, QTableWidget, QWidget


class LeastHigh(QWidget):
    """All that a window holds. It takes what it is given down to its least; only then is there anything to scroll.

    A scroll area asks what height a width needs once there are words that wrap, and would hear what is liked best.
    """

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.totalMinimumHeightForWidth(width) if layout else -1


class ScarceArea(QScrollArea):
    """All of a window, which is scrolled only where the window has less room than its content needs."""

    def __init__(self, inside: LeastHigh, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)


class UprightArea(QScrollArea):
    """Holds `inside`, without a frame or a background of its own; Tab goes past it, to what is in it."""

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)
        for part in (self.viewport(), inside):
            part.setAutoFillBackground(False)


class RowTable(QTableWidget):
    """A few rows of words: one is chosen as a whole, nothing is edited, and there is no grid."""

    def __init__(self, name: str, heads: Sequence[str], widest: int, parent: QWidget) -> None:
        """name: for who cannot see it; heads: of the columns; widest: the column that has the room
        that the others leave.
        """
        super().__init__(0, len(heads), parent)
        self.setObjectName("events")
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(widest, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setHorizontalHeaderLabels(heads)
