"""The card that every view sits in: a rounded surface, a title, a legend that switches curves, a line of facts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QToolTip, QWidget

from bellwire.engine.language import tr
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import longer_tip, plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import area_brush, dashes_of
from bellwire.viz.text.commands import commands_quoted

RADIUS = 12
PADDING = 16  # between the card's edge and what is in it
HEADER = 40
BESIDE = 12  # between the facts and the controls at their right
BETWEEN_FACTS = " · "
LEAST_FACTS = 12  # letters: less of the facts says nothing, and the tooltip has all of them
TITLE_SIZE, REASON_SIZE, FACT_SIZE, LEGEND_SIZE = 14, 13, 11, 11
SAMPLE, LONG_SAMPLE = 10, 24  # length of the line in a legend entry; of one that has gaps


class LegendEntry(QAbstractButton):
    """A curve's colour and name; a click, or Space, hides and shows the curve."""

    def __init__(
        self, parent: QWidget, label: str, color: str, theme: Theme, dashed: bool = False, area: bool = False
    ) -> None:
        """dashed: its line is; area: it is no line, but what is filled so."""
        super().__init__(parent)
        self.label, self.color_name, self.theme = label, color, theme
        self.dashed, self.area = dashed, area
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.rename(label)

    def rename(self, label: str) -> None:
        """The curve is called so from now on."""
        self.label = label
        self.setAccessibleName(tr("show {label}", label=label))
        self.setToolTip(plain_tip(tr("Show or hide {label}", label=label)))
        self.update()

    @property
    def sample(self) -> int:
        """Length of the sample: a line style needs some."""
        return self.theme.px(LONG_SAMPLE if self.theme.marked and not self.area else SAMPLE)

    def sizeHint(self) -> QSize:
        """The sample, the name, and room for the focus frame."""
        font = QFontMetricsF(self.theme.font(LEGEND_SIZE))
        width = font.horizontalAdvance(self.label) + self.sample + 16
        return QSize(round(width), round(font.height()) + 6)

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """A line sample; of a hidden curve a hollow one and muted, struck-out text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown, sample = self.isChecked(), self.sample
        self._paint_sample(painter, shown)
        font = self.theme.font(LEGEND_SIZE)
        if not shown:
            font.setStrikeOut(True)
        painter.setFont(font)
        painter.setPen(self.theme.color("text" if shown and self.underMouse() else "text_muted"))
        text = QRectF(self.rect()).adjusted(sample + 10, 0, 0, 0)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, self.label)
        if self.hasFocus():
            painter.setPen(QPen(self.theme.color("focus"), 1.5 * self.theme.stroke))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)

    def _paint_sample(self, painter: QPainter, shown: bool) -> None:
        color, middle = self.theme.color(self.color_name if shown else "text_muted"), self.height() // 2
        if self.area and self.theme.marked and shown:
            piece = QRectF(5, middle - self.sample / 2, self.sample, self.sample)
            painter.fillRect(piece, area_brush(self.theme, self.color_name))
            painter.setPen(color)
            painter.drawRect(piece)
            return
        pen = QPen(color, 3 if shown else 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        if dashes := (1.0, 0.8) if self.dashed else dashes_of(self.theme, self.color_name):
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern(list(dashes) if self.dashed else [dash * 0.6 for dash in dashes])
        painter.setPen(pen)
        painter.drawLine(6, middle, 4 + self.sample, middle)


class Card(QWidget):
    """The surface. `facts` is the small line at the top right; what has no room is left out, the facts first."""

    title = ""  # of a class a message, of a card what is said
    name = ""  # for settings and tests
    note = ""  # what to know to read it: the header's tooltip; as the title
    kept_right = 0.0  # width at the right of the header that belongs to controls

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.legend: dict[str, LegendEntry] = {}
        self._facts = ""
        self._given = 0.0  # width at the left of the header that belongs to tabs, which say the title
        self.setObjectName(self.name)
        self.title, self.note = tr(self.title), self.told_note()
        self.setAccessibleName(self.title)
        self.setToolTip(plain_tip(self.note))

    def told_note(self) -> str:
        """The note in the language that is spoken; who fills something into it says it anew."""
        return tr(self.note)

    @property
    def facts(self) -> str:
        """The small line at the top right."""
        return self._facts

    @facts.setter
    def facts(self, text: str) -> None:
        if text != self._facts:
            self._facts = text
            left = int(self._header_left()) + 1
            self.update(left, 0, self.width() - left, self.header)

    @property
    def header(self) -> int:
        """Height of the title's line."""
        return self.theme.px(HEADER)

    @property
    def body(self) -> QRectF:
        """What is inside the padding, under the header."""
        return QRectF(self.rect()).adjusted(PADDING, self.header, -PADDING, -PADDING * 0.6)

    def header_rect(self, left: float, size: QSize) -> QRect:
        """Where in the header a control of this size stands."""
        return QRect(QPoint(round(left), (self.header - size.height()) // 2 + 3), size)

    def paint_reason(self, painter: QPainter, text: str) -> None:
        """Why there is nothing in the body."""
        painter.setFont(self.theme.font(REASON_SIZE))
        painter.setPen(self.theme.color("text_muted"))
        painter.drawText(self.body, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, commands_quoted(text))

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        self.theme = theme
        for entry in self.legend.values():
            entry.theme = theme
        self._place_legend()
        self.update()

    def add_legend(self, key: str, label: str, color: str, dashed: bool = False, area: bool = False) -> None:
        """A legend entry; `color` is the name of a theme's colour. Switching it calls `redraw`."""
        entry = LegendEntry(self, label, color, self.theme, dashed, area)
        entry.toggled.connect(lambda _on: self.redraw())
        self.legend[key] = entry
        self._place_legend()

    def shown(self, key: str) -> bool:
        """Whether the legend has that curve switched on."""
        return key in self.legend and self.legend[key].isChecked()

    def redraw(self) -> None:
        """Draws what the model holds now."""
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Keeps the legend beside the title."""
        self._place_legend()

    def _place_legend(self) -> None:
        x = PADDING + self._title_width() + self.theme.px(14)
        for entry in self.legend.values():
            size = entry.sizeHint()
            entry.setGeometry(round(x), (self.header - size.height()) // 2 + 2, size.width(), size.height())
            entry.setVisible(x + size.width() <= self.width() - 8 - self.kept_right)
            x += size.width() + self.theme.px(2)

    def leave_title_to(self, width: float) -> None:
        """Tabs of this width say the title."""
        if width != self._given:
            self._given = width
            self._place_legend()
            self.update()

    def _title_width(self) -> float:
        return self._given or QFontMetricsF(self.theme.font(TITLE_SIZE, 600)).horizontalAdvance(self.title)

    def _header_left(self) -> float:
        """Where the title and the legend end."""
        entries = [entry for entry in self.legend.values() if not entry.isHidden()]
        return float(entries[-1].geometry().right()) if entries else PADDING + self._title_width()

    def event(self, event: QEvent) -> bool:
        """The tooltip has what the header has no room for, too."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.whole_tip(), self)
            return True
        return super().event(event)

    def whole_tip(self) -> str:
        """What the card is, its facts, and the curves that are not named for want of room."""
        unnamed = ", ".join(entry.label for entry in self.legend.values() if entry.isHidden())
        more = [self._facts, tr("Curves, too: {curves}", curves=unnamed) if unnamed else ""]
        return longer_tip(self.toolTip(), *(words for words in more if words))

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Surface, title and facts."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color(self.theme.edge), 1))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        line = QRectF(PADDING, 2, self.width() - 2 * PADDING, self.header)
        painter.setFont(self.theme.font(TITLE_SIZE, 600))
        painter.setPen(self.theme.color("text"))
        if not self._given:
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self.title)
        self._paint_facts(painter, line)

    def _paint_facts(self, painter: QPainter, line: QRectF) -> None:
        font = self.theme.font(FACT_SIZE, mono=True)
        line.setRight(self.width() - max(PADDING, self.kept_right + BESIDE))
        room = line.right() - self._header_left() - 12
        words = as_many_as_fit(self._facts, QFontMetricsF(font), room)
        if len(words) < min(LEAST_FACTS, len(self._facts)):
            return
        painter.setFont(font)
        painter.setPen(self.theme.color("text_muted"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)


def as_many_as_fit(facts: str, metrics: QFontMetricsF, room: float) -> str:
    """Those of the facts, from the first on, that have room; of the first as much as has."""
    told = facts.split(BETWEEN_FACTS)
    while len(told) > 1 and metrics.horizontalAdvance(BETWEEN_FACTS.join(told)) > room:
        told.pop()
    return metrics.elidedText(BETWEEN_FACTS.join(told), Qt.TextElideMode.ElideRight, room)
