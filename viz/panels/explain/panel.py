"""What is slow: how the median, the p99, the slowest and the chosen journey divide into the parts of their way."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.explain.chart import Aim, BarsChart
from bellwire.viz.panels.explain.held import WholesHeld
from bellwire.viz.panels.explain.shown_bars import TimeBars, bar_tip, bars_in_words, ended_until, part_tip, time_bars_of
from bellwire.viz.panels.panel import BELOW, Panel
from bellwire.viz.stages.shares import title_of
from bellwire.viz.stages.way import StageWay
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.controls import Combo
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import ScreenClock, Turns
from bellwire.viz.text.figures import Durations

LOOKS = 10_000  # at a run, of which each takes in 2 000 journeys
STAND_SECONDS = 1.0  # that the bars of a run that goes on stand
OF_CHOSEN, COMBO = tr_later("the newest way, or the chosen journey's"), 260


class ExplainPanel(Panel):
    """Four bars and a table of their parts, as of the moment that is looked at."""

    title = tr_later("Explain")
    name = "explain"
    place = BELOW
    tip = tr_later("What is slow: the share of each stage in the median, the p99, the slowest and the chosen journey")
    note = tr_later("Each bar adds up to its journey's whole. A click goes to that journey, and into that part of it.")

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        self.bars = TimeBars()
        super().__init__(model, theme, parent)
        self.held = WholesHeld(model)
        self.computed = 0  # how often the bars were made
        self._turns = Turns(every=5)
        self._made_at, self._made_of = 0.0, self._of
        self._chosen = model.selection.journeys
        self.wanted: StageWay | None = None
        self.chart = BarsChart(theme, self.tell)
        self.chart.chosen.connect(self.choose)
        self._scroll = UprightArea(self.chart, self)
        self.ways = Combo(theme, self)
        self.ways.setAccessibleName(tr("way that is explained"))
        self.ways.addItem(tr(OF_CHOSEN))
        self.ways.hide()
        self.ways.activated.connect(self._want)

    # -- what is shown

    def redraw(self) -> None:
        """Looks at what is new; bars that are of the present stand for a second."""
        self.held.take()
        if self._due():
            self._make()
        self._place()

    def take_in_all(self) -> None:
        """All journeys that are held, which redraw() takes in slice by slice: for a picture."""
        for _ in range(LOOKS):
            if self.held.complete:
                return
            self.held.take()

    def _due(self) -> bool:
        """Whether the bars are of something else now. What is in motion has others once a second."""
        if not np.array_equal(self._chosen, self.model.selection.journeys):
            return True
        if self._of == self._made_of:
            return False
        still = self.model.transport.paused and self.held.complete
        return self.bars.way is None or still or ScreenClock.now() - self._made_at >= STAND_SECONDS

    @property
    def _of(self) -> tuple[int, int, str]:
        """What bars that are made now would be of."""
        return ended_until(self.model), self.held.taken, Durations.unit.name

    def _make(self) -> None:
        self.computed += 1
        self._made_at, self._made_of = ScreenClock.now(), self._of
        self._chosen = self.model.selection.journeys
        self.bars = time_bars_of(self.model, self.held, self.wanted)
        self.facts = self.bars.facts
        self.chart.show_bars(self.bars, self.theme)
        self._offer_ways()
        self.setAccessibleDescription(bars_in_words(self.model, self.bars))
        self.update()

    def _offer_ways(self) -> None:
        """Only where there are several."""
        names = [tr(OF_CHOSEN), *(title_of(way) for way in self.bars.ways)]
        if names != [self.ways.itemText(n) for n in range(self.ways.count())]:
            self.ways.clear()
            self.ways.addItems(names)
        at = self.bars.ways.index(self.wanted) + 1 if self.wanted in self.bars.ways else 0
        self.ways.setCurrentIndex(at)
        self.ways.setToolTip(plain_tip(tr("The way whose journeys are explained, of several: {way}", way=names[at])))

    def _want(self, index: int) -> None:
        """This way from now on; the first line: whichever is the newest or the chosen journey's."""
        self.wanted = self.bars.ways[index - 1] if index else None
        self._make()

    # -- pointing

    def tell(self, aim: Aim) -> str:
        """All that is known of what is pointed at."""
        bar = self.bars.bars[aim.bar]
        return bar_tip(self.model, bar) if aim.part is None else part_tip(self.model, self.bars, bar, aim.part)

    def choose(self, aim: Aim) -> None:
        """Pauses at that journey, which is chosen in all views, and in the midst of that part of it."""
        bar = self.bars.bars[aim.bar]
        if bar.told is None:
            return
        tsc = None
        if aim.part in bar.parts:
            latest, (share, _) = bar.told.times.latest[0], bar.parts[aim.part]
            tsc = (int(latest[share.first]) + int(latest[share.end])) // 2
        self.model.steps.to_journey(bar.told.journey, tsc)
        self.redraw()

    # -- where it stands

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card; where there are no bars, why."""
        super().paintEvent(event)
        if self.bars.why:
            self.paint_reason(QPainter(self), self.bars.why)

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self.ways.theme = theme
        self.chart.show_bars(self.bars, theme)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The bars fill the card; the ways are at the right of the header."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        px, several = self.theme.px, len(self.bars.ways) > 1
        width, height = min(px(COMBO), self.width() // 3), min(self.ways.sizeHint().height(), self.header - 8)
        self.ways.setVisible(several)
        self.ways.setGeometry(self.width() - PADDING - width, (self.header - height) // 2 + 2, width, height)
        self.kept_right = PADDING + width if several else 0.0
        self._scroll.setVisible(self.bars.way is not None)
        self._scroll.setGeometry(self.body.adjusted(0, 0, PADDING - 6, 0).toRect())
        self.chart.room = self._scroll.viewport().height()
