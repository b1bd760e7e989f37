"""Several views that share one place; the tabs above them say which is in front."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from bellwire.viz.style.card import HEADER, PADDING, Card
from bellwire.viz.style.theme import Theme

GAP = 6  # between the tabs and what is under them


class Tabs(QWidget):
    """The pages. Where all of them are cards the tabs stand in place of the cards' titles, else above the pages.

    With a single page there are no tabs.
    """

    def __init__(self, pages: Sequence[tuple[str, str, QWidget]], theme: Theme) -> None:
        """pages: title, tooltip, widget; the first is in front."""
        super().__init__()
        self.setObjectName("plain")
        self.theme = theme
        self.pages = [page for _, _, page in pages]
        self.cards = [page for page in self.pages if isinstance(page, Card)]
        self.bar, self.stack = QTabBar(self), QStackedWidget()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.stack.setObjectName("plain")
        for title, tip, page in pages:
            self.bar.setTabToolTip(self.bar.addTab(title), tip)
            self.stack.addWidget(page)
        self.bar.setVisible(len(self.pages) > 1)
        self._lay_out()
        self.bar.currentChanged.connect(self._show)

    @property
    def _inside(self) -> bool:
        """Whether the tabs stand in the cards' headers."""
        return len(self.cards) == len(self.pages)

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(GAP)
        if not self._inside:
            box.addWidget(self.bar)
        box.addWidget(self.stack)
        self.bar.raise_()

    def bring(self, page: int) -> None:
        """Brings a page to the front, by its number."""
        self.bar.setCurrentIndex(page)

    def _show(self, number: int) -> None:
        """What was behind may be old."""
        self.stack.setCurrentIndex(number)
        page = self.pages[number]
        if isinstance(page, Card):
            page.redraw()

    def set_theme(self, theme: Theme) -> None:
        """The tabs' size goes with the text."""
        self.theme = theme
        self._place(self.bar.sizeHint())

    def event(self, event: QEvent) -> bool:
        """The tabs are placed once their style is known, and whenever it changes."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self._place(self.bar.sizeHint())
        return super().event(event)

    def _place(self, size: QSize) -> None:
        if not self._inside or len(self.pages) == 1:
            return
        for card in self.cards:
            card.leave_title_to(size.width())
        top = (self.theme.px(HEADER) - size.height()) // 2 + 2
        self.bar.setGeometry(PADDING - self.theme.px(4), top, size.width(), size.height())
