"""Two sets of latencies over each other: before and after the last live switch, or this run and a recorded one."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.compare.painter import ComparePainter, Pair, heads
from bellwire.viz.panels.compare.rows import (
    Compared,
    FigureRow,
    how_compared,
    in_words,
    sides_of,
    units_of,
    why_nothing,
)
from bellwire.viz.panels.panel import BELOW, Panel
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.controls import Combo
from bellwire.viz.style.curves import curves_of
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import longer_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import common_unit

SIDES = {"a": "A", "b": "B"}


class ComparePanel(Panel):
    """A is dashed, B is solid. While the view is paused the figures stand still."""

    title = tr_later("Compare")
    name = "compare"
    place = BELOW
    tip = tr_later("Before and after the last switch, or this run and a recorded one")

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        self.pair: Pair | None = None
        super().__init__(model, theme, parent)
        self.curves = curves_of(model.scenario)
        self.rows: list[FigureRow] = []
        self._compared = Compared()
        self.facts = ""
        self.latency = Combo(theme, self)
        self.latency.setAccessibleName(tr("latency that is compared"))
        self.latency.setToolTip(tr("The latency that is compared"))
        self.latency.addItems([tr(curve.label) for curve in self.curves])
        names = [curve.name for curve in self.curves]
        self.latency.setCurrentIndex(names.index("round_trip") if "round_trip" in names else 0)
        self.latency.currentIndexChanged.connect(lambda _: self.redraw())
        self.add_legend("a", "A", "text_muted", dashed=True)
        self.add_legend("b", "B", "text")

    def told_note(self) -> str:
        """How both sides are drawn, and their difference is judged."""
        return how_compared()

    def refresh(self) -> None:
        """Not while the view is paused, unless there is nothing yet."""
        if not self.model.transport.paused or self.pair is None:
            super().refresh()

    def redraw(self) -> None:
        """Takes both sides as they are now."""
        curve = self.curves[max(self.latency.currentIndex(), 0)] if self.curves else None
        sides = sides_of(self.model, self.model.baseline)
        there = sides is not None and curve is not None and any(side.histograms[curve.name].count for side in sides)
        self.latency.setVisible(there)
        if sides is None or curve is None or not there:
            self.pair, self.rows = None, []
            self._place_legend()
            self.setAccessibleDescription(why_nothing(self.model.baseline))
        else:
            a, b = sides
            unit = common_unit(*units_of(a, b))
            self.pair = Pair(a.histograms[curve.name], b.histograms[curve.name], curve.color, unit)
            self.rows = self._compared.rows(a, b, curve.name)
            self._label(a.label, b.label, curve.color)
            self.setAccessibleDescription(in_words(self.rows, a, b, curve.name))
        self.facts = self.model.all_so_far if self.pair and not self.model.transport.following else ""
        self.update()

    def _label(self, a: str, b: str, color: str) -> None:
        """The legend says what A and B are."""
        self.legend["b"].color_name = color
        for key, label in (("a", a), ("b", b)):
            self.legend[key].rename(f"{SIDES[key]}: {label}")
        self._place_legend()

    def _place_legend(self) -> None:
        """Only where there is something to compare."""
        super()._place_legend()
        if self.pair is None:
            for entry in self.legend.values():
                entry.hide()

    # -- painting

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self.latency.theme = theme
        self._place_combo()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The choice of the latency at the right of the header."""
        super().resizeEvent(event)
        self._place_combo()

    def _place_combo(self) -> None:
        px = self.theme.px
        width, height = px(150), min(self.latency.sizeHint().height(), self.header - 8)
        self.kept_right = PADDING + width
        self._place_legend()
        self.latency.setGeometry(self.width() - PADDING - width, (self.header - height) // 2 + 2, width, height)

    def whole_tip(self) -> str:
        """Every figure, too: some may have no room."""
        return longer_tip(super().whole_tip(), "\n".join(map(in_one_line, (heads(), *self.rows))))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card, the charts and figures; or why there is nothing."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.pair is None:
            self.paint_reason(painter, why_nothing(self.model.baseline))
            return
        shown = self.shown("a"), self.shown("b")
        ComparePainter(painter, self.theme, self.body).paint(self.pair, self.rows, shown)


def in_one_line(row: FigureRow) -> str:
    """As a tooltip has it."""
    return "   ".join(filter(None, (row.name, row.a, row.b, row.difference, row.words)))
