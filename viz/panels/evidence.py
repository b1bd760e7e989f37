"""What happened, in sentences that are computed from the events; each leads to the newest event that shows it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from bellwire.engine.events import Events, no_events
from bellwire.engine.findings.finding import Finding
from bellwire.engine.findings.findings import findings
from bellwire.engine.findings.pairing import pairing_findings
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import SIDE, Panel
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.painting import painting
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.event_words import kind_name
from bellwire.viz.text.figures import count_of

# -- Which event stands for a finding.


def newest_that_shows(model: LiveModel, finding: Finding) -> Events:
    """The newest event of the finding's first kind up to what the view shows, else of the next; shape (0,) or (1,)."""
    for kind in finding.kinds:
        event = model.past.newest(kind, model.playhead)
        if event.size:
            return event
    return no_events()


def why_none(model: LiveModel) -> str:
    """Why no event that shows it can be gone to."""
    past = model.past
    if not past.size:
        return tr("No event that shows it is held: none has come")
    return tr("No event that shows it is held: {why}", why=past.missing(0, past.last))


CLAIM_SIZE, SHOWN_BY_SIZE = 14, 11
MARGIN, GAP = 12, 6  # pixels around a row's text, and between its two parts
WRAP = int(Qt.TextFlag.TextWordWrap)
NOTHING = tr_later("Nothing to tell yet")


class FindingRow(QAbstractButton):
    """A claim, and which events show it; a click, or Space, goes to the newest of them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.finding = theme, Finding("", {}, ())
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(tr("Go to the newest event that shows it"))

    def show_finding(self, finding: Finding) -> None:
        """Says this one from now on."""
        if finding == self.finding:
            return
        self.finding = finding
        self.setAccessibleName(self.claim)
        self.setAccessibleDescription(self.shown_by)
        self.updateGeometry()
        self.update()

    @property
    def claim(self) -> str:
        """The sentence, as it is written on the screen."""
        return self.finding.claim

    @property
    def shown_by(self) -> str:
        """The kinds of events, in words."""
        return tr("shown by {kinds}", kinds=", ".join(kind_name(kind) for kind in self.finding.kinds))

    def _parts(self, width: float) -> tuple[QRectF, QRectF]:
        """Where claim and kinds are in a row of this width."""
        claim, small = (QFontMetricsF(self.theme.font(size)) for size in (CLAIM_SIZE, SHOWN_BY_SIZE))
        room = QRectF(MARGIN, MARGIN, width - 2 * MARGIN, 10_000)
        above = claim.boundingRect(room, WRAP, self.claim)
        room.setTop(above.bottom() + GAP)
        return above, small.boundingRect(room, WRAP, self.shown_by)

    def hasHeightForWidth(self) -> bool:
        """The claim is wrapped."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As the claim needs it."""
        return round(self._parts(width)[1].bottom()) + MARGIN

    def sizeHint(self) -> QSize:
        """Any width will do."""
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """The two texts on a raised surface."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(self.theme.color("surface_raised"))
        active = "focus" if self.hasFocus() else "border_strong" if self.underMouse() else self.theme.edge
        painter.setPen(QPen(self.theme.color(active), 1.5 if self.hasFocus() else 1))
        painter.drawRoundedRect(frame, 8, 8)
        above, below = self._parts(self.width())
        for size, color, place, text in (
            (CLAIM_SIZE, "text", above, self.claim),
            (SHOWN_BY_SIZE, "text_muted", below, self.shown_by),
        ):
            painter.setFont(self.theme.font(size))
            painter.setPen(self.theme.color(color))
            place.setWidth(self.width() - 2 * MARGIN)
            painter.drawText(place, WRAP, text)


class EvidencePanel(Panel):
    """A row a finding, what is out of the ordinary first."""

    title = tr_later("Evidence")
    name = "evidence"
    place = SIDE
    tip = tr_later("What happened, in sentences that are computed from the events")

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.rows: list[FindingRow] = []
        self.trouble = ""  # why the event that was asked for last cannot be shown
        self._inner = QWidget()
        self._box = QVBoxLayout(self._inner)
        self._box.setContentsMargins(0, 0, PADDING - 6, 0)
        self._box.setSpacing(8)
        self._box.addStretch(1)
        self._scroll = UprightArea(self._inner, self)
        self.setAccessibleDescription(self.tip)

    def redraw(self) -> None:
        """What there is to tell now."""
        seen = self.model.seen
        found = [*pairing_findings(seen.latencies), *findings(seen.told, seen.evidence)]
        while len(self.rows) < len(found):
            self._add_row()
        for number, row in enumerate(self.rows):
            row.setVisible(number < len(found))
            if number < len(found):
                row.show_finding(found[number])
        self.facts = self.trouble or self._how_many(len(found))

    def _how_many(self, found: int) -> str:
        if not found:
            return tr(NOTHING)
        many = count_of(found, "finding")
        return tr("{findings} since the jump", findings=many) if self.model.jumped else many

    def to_newest(self) -> None:
        """What could not be gone to is no matter any more."""
        self.trouble = ""

    def _add_row(self) -> None:
        row = FindingRow(self.theme, self._inner)
        row.clicked.connect(partial(self._go_by, row))
        self._box.insertWidget(len(self.rows), row)
        self.rows.append(row)

    def _go_by(self, row: FindingRow) -> None:
        self.go_to(row.finding)

    def go_to(self, finding: Finding) -> None:
        """Pauses the view at the newest event that shows it, which is chosen in all views."""
        event = newest_that_shows(self.model, finding)
        self.trouble = "" if event.size else why_none(self.model)
        if event.size:
            self.model.steps.to_event(event)
        self.redraw()

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        for row in self.rows:
            row.theme = theme
            row.updateGeometry()
            row.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The rows fill the card."""
        super().resizeEvent(event)
        self._scroll.setGeometry(self.body.adjusted(0, 0, PADDING - 6, 0).toRect())
