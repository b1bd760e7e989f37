"""Several views that share one place; the tabs above them say which is in front."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from bellwire.engine.language import tr
from bellwire.viz.style.card import HEADER, PADDING, Card
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.theme import Theme

QWIDGETSIZE_MAX = (1 << 24) - 1  # Qt's own: no limit
GAP = 6  # between the tabs and what is under them


class Tabs(QWidget):
    """The pages. Where all of them are cards the tabs stand in place of the cards' titles, else above the pages.

    Tabs that have no room are lines of a menu behind the others. With a single page there are no tabs.
    """

    def __init__(self, pages: Sequence[tuple[str, str, QWidget]], theme: Theme, parent: QWidget | None = None) -> None:
        """pages: title, tooltip, widget; the first is in front."""
        super().__init__(parent)
        self.setObjectName("plain")
        self.theme = theme
        self.pages = [page for _, _, page in pages]
        self.cards = [page for page in self.pages if isinstance(page, Card)]
        self.bar, self.stack = QTabBar(self), QStackedWidget(self)
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(False)
        self.rest = IconButton(self)
        self.rest.setAccessibleName(tr("more panels"))
        self.rest.setToolTip(tr("What else can be shown here"))
        self.rest.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.rest.setMenu(QMenu(self.rest))
        self.rest.menu().aboutToShow.connect(self._list_rest)
        self.rest.hide()
        self.back = Button(tr("Back to the diagram"), self)  # where the pages have all the room
        self.back.hide()
        self.folded = False  # only the tabs are seen
        self._fitted: object = None  # what tabs have been left out for
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
            row = QHBoxLayout()
            row.setSpacing(0)
            row.addWidget(self.bar)
            row.addWidget(self.rest)
            row.addWidget(self.back)
            row.addStretch(1)
            box.addLayout(row)
        box.addWidget(self.stack)
        self.bar.raise_()

    def bring(self, page: int) -> None:
        """Brings a page to the front, by its number."""
        self.bar.setCurrentIndex(page)

    def _show(self, number: int) -> None:
        """What was behind may be old."""
        self.stack.setCurrentIndex(number)
        self._place()
        page = self.pages[number]
        if isinstance(page, Card):
            page.redraw()

    def set_theme(self, theme: Theme) -> None:
        """The tabs' size goes with the text."""
        self.theme = theme
        self.rest.show_icon("more", theme)
        self._place()

    def event(self, event: QEvent) -> bool:
        """The tabs are placed once their style is known, and whenever it changes."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self._place()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def fold(self, on: bool) -> None:
        """Only the tabs, where there is no room for what they bring; or the pages, too."""
        self.folded = on
        self.stack.setHidden(on)
        self.setMinimumHeight(self.theme.px(HEADER) if on else 0)
        self.setMaximumHeight(self.theme.px(HEADER) if on else QWIDGETSIZE_MAX)
        self._place()

    def _list_rest(self) -> None:
        """The pages whose tabs have no room."""
        menu = self.rest.menu()
        menu.clear()
        for page in range(self.bar.count()):
            if not self.bar.isTabVisible(page):
                menu.addAction(self.bar.tabText(page), partial(self.bring, page))

    def _fit(self, room: int) -> None:
        """Leaves out the last tabs, but for the one in front, until the others have room."""
        count, front = self.bar.count(), self.bar.currentIndex()
        asked = room, front, [self.bar.tabSizeHint(page).width() for page in range(count)]
        if asked == self._fitted:
            return
        for page in range(count):
            self.bar.setTabVisible(page, True)
        whole = self.bar.sizeHint().width() <= room
        for page in reversed(range(count)):
            if not whole and page != front and self.bar.sizeHint().width() + self.rest.sizeHint().width() > room:
                self.bar.setTabVisible(page, False)
        self.rest.setVisible(not whole)
        self.bar.updateGeometry()
        self._fitted = room, front, [self.bar.tabSizeHint(page).width() for page in range(count)]

    def _place(self) -> None:
        if len(self.pages) == 1:
            return
        beside = [button for button in (self.rest, self.back) if button.isVisibleTo(self)]
        back = self.back.sizeHint().width() if self.back in beside else 0
        self._fit(round(self.width() - 2 * PADDING * self._inside - back - self._kept()))
        if self._inside:
            self._place_inside([button for button in (self.rest, self.back) if button.isVisibleTo(self)])

    def _kept(self) -> float:
        """The width at the right of the front card's header that its own controls have."""
        front = self.pages[self.bar.currentIndex()]
        return front.kept_right if self._inside and isinstance(front, Card) else 0.0

    def _place_inside(self, beside: list[QWidget]) -> None:
        """The tabs in the cards' headers, and what stands beside them."""
        size, header = self.bar.sizeHint(), self.theme.px(HEADER)
        for card in self.cards:
            card.leave_title_to(size.width() + sum(button.sizeHint().width() for button in beside))
        self.bar.setGeometry(PADDING - self.theme.px(4), (header - size.height()) // 2 + 2, size.width(), size.height())
        left = self.bar.geometry().right() + 1
        for button in beside:
            size = button.sizeHint()
            button.setGeometry(left, (header - size.height()) // 2 + 2, size.width(), size.height())
            button.raise_()
            left += size.width()
