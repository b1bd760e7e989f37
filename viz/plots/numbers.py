"""The strip of large numbers under the timeline: what is true now, at a pace that can be read."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QToolTip, QWidget

from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.live import LiveModel, in_last_second
from bellwire.viz.model.moments.shown import rung_by_hand, usual_latency
from bellwire.viz.style.curves import curves_of
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import duration, grouped
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.text.trust import agreement, no_times, not_there

VALUE_SIZE, UNIT_SIZE, LABEL_SIZE = 26, 18, 13
HEIGHT = 64
NOTHING = "–"
PER_SECOND = "/s"

# What a number is.
DOORBELL_P50 = tr_later("from the guest's store to the I/O thread that has read the eventfd; half were faster.")
DOORBELL_ONE = tr_later("from the guest's store to the I/O thread that has read the eventfd.")
INJECTION = tr_later("from the write to the irqfd, or the ioctl, to the guest's handler.")
ROUND_TRIP = tr_later("from the guest's store to its handler of the answer.")
EXITS_ONE = tr_later("whether that signal's store left KVM_RUN to user space.")
EXITS = tr_later("returns of KVM_RUN in the last second that is over.")
IN_ALL = tr_later("all since the run began.")
DOORBELLS = tr_later("stores of the guest in the last second that is over.")
INTERRUPTS = tr_later("signals of the host in the last second that is over.")
JOURNEYS = tr_later("signals followed from their first event to their last, and whether each one is accounted for.")


class Number(NamedTuple):
    """One of the strip: `color` names a theme's colour; `told` is the message of what it is.

    why: for a number that is not known, why that is so, as a clause; "" for one that nothing was measured of yet.
    """

    value: str
    unit: str
    label: str
    color: str
    told: str = ""
    why: str = ""

    @property
    def shown_color(self) -> str:
        """What is not known is muted, and so is a way by user space that nothing took: red says that something did."""
        quiet = self.value == NOTHING or (self.color == "heavy" and self.value == "0")
        return "text_muted" if quiet else self.color


class Numbers(QLabel):
    """Reads the model at most four times a second: the numbers are those of the moment that the view shows.

    For a screen reader it is a text, as a label is.
    """

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.theme = model, theme
        self.numbers = numbers_of(model)
        self._second, self._at = model.second, model.playhead  # that they speak of
        self._whole = model.past.complete >= model.playhead  # everything up to there had come
        self._turns = Turns(every=6, light=True)  # a second's end, four times a second, is first
        self._lines = 1
        self.setObjectName("numbers")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._name()

    def refresh(self) -> None:
        """Reads anew if it is time, or another second is counted; called once a frame."""
        stands = self.model.transport.paused and self._whole and self._at == self.model.playhead
        if self._second != self.model.second or (not stands and self._turns.come()):
            self.redraw()

    def redraw(self) -> None:
        """Reads the model; paints if anything has changed."""
        self._turns.put_off()
        self._show(numbers_of(self.model))

    def _show(self, numbers: tuple[Number, ...]) -> None:
        self._second, self._at = self.model.second, self.model.playhead
        self._whole = self.model.past.complete >= self._at
        if numbers != self.numbers:
            self.numbers = numbers
            self._name()
            self.update()

    def _name(self) -> None:
        self.setAccessibleName(", ".join(f"{n.label} {n.value} {n.unit}".strip() for n in self.numbers))

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        self.theme = theme
        self.updateGeometry()
        self.update()

    def set_lines(self, lines: int) -> None:
        """All side by side, or in several lines where that is too narrow for them."""
        self._lines = lines
        self.updateGeometry()
        self.update()

    @property
    def _columns(self) -> int:
        return -(-len(self.numbers) // self._lines)

    def number_at(self, x: float, y: float = 0.0) -> Number:
        """The one whose cell has this place."""
        column = min(max(int(x * self._columns / max(self.width(), 1)), 0), self._columns - 1)
        line = min(max(int(y * self._lines / max(self.height(), 1)), 0), self._lines - 1)
        return self.numbers[min(line * self._columns + column, len(self.numbers) - 1)]

    def event(self, event: QEvent) -> bool:
        """A tooltip says what the number under the pointer is."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self.number_at(event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), help_of(number, self.model.clock.emulated), self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        """A line of numbers, one of labels; both again in each further line."""
        return QSize(900, self.theme.px(HEIGHT) * self._lines)

    def minimumSizeHint(self) -> QSize:
        """It may be squeezed sideways; then the type gets smaller."""
        return QSize(480, self.theme.px(HEIGHT) * self._lines)

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Columns of equal width."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("background"))
        width, height = self.width() / self._columns, self.height() / self._lines
        scale = min(1.0, width / self.theme.px(190))
        label = self.theme.font(LABEL_SIZE * max(scale, 0.85))
        longest = max(QFontMetricsF(label).horizontalAdvance(number.label) for number in self.numbers)
        if longest > width - 20:  # smaller, rather than cut off
            label.setPixelSize(max(int(label.pixelSize() * (width - 20) / longest), 1))
        for i, number in enumerate(self.numbers):
            line, column = divmod(i, self._columns)
            self._paint(painter, QRectF(column * width + 16, line * height, width - 20, height), number, scale, label)

    def _paint(self, painter: QPainter, cell: QRectF, number: Number, scale: float, label: QFont) -> None:
        font = self.theme.font(VALUE_SIZE * scale, 600, mono=True)
        baseline = cell.top() + QFontMetricsF(font).ascent() + 2
        painter.setFont(font)
        painter.setPen(self.theme.color(number.shown_color))
        painter.drawText(round(cell.left()), round(baseline), number.value)
        x = cell.left() + QFontMetricsF(font).horizontalAdvance(number.value + " ") * 0.94
        painter.setFont(self.theme.font(UNIT_SIZE * scale, 500, mono=True))
        painter.drawText(round(x), round(baseline), number.unit if number.value != NOTHING else "")
        painter.setFont(label)
        painter.setPen(self.theme.color("text_muted"))
        below = baseline + self.theme.px(4)
        rest = QRectF(cell.left(), below, cell.width() + 16, cell.bottom() - below)
        painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, number.label)


def help_of(number: Number, emulated: bool = False) -> str:
    """What a number is; why there is none, if there is none. emulated: it is of a CPU that is."""
    if not number.told:
        return number.label
    missing = tr("Not known: {why}.", why=number.why) if number.why else tr("Nothing has been measured yet.")
    missing = no_times() if emulated else missing
    missing = missing if number.value == NOTHING else ""
    return f"{number.label}: {tr(number.told)} {missing}".strip()


def numbers_of(model: LiveModel) -> tuple[Number, ...]:
    """The strip's numbers as of now."""
    rings = "doorbell" in {curve.name for curve in curves_of(model.scenario)}
    journey = rung_by_hand(model)
    counted = counted_by_hand(model, journey, rings) if journey.size else counted_in_a_second(model, rings)
    return (
        latency(model, "doorbell", "doorbell", DOORBELL_ONE if journey.size else DOORBELL_P50),
        latency(model, "injection", "interrupt", INJECTION),
        latency(model, "round_trip", "roundtrip", ROUND_TRIP),
        *counted,
        Number(grouped(model.latencies.journeys), "", journeys_label(model), "live", JOURNEYS),
    )


def counted_in_a_second(model: LiveModel, rings: bool) -> tuple[Number, Number]:
    """The rates of signals and of exits."""
    exits = Number(per_second(model, "exits"), PER_SECOND, tr("exits to user space"), "heavy", EXITS)
    if rings:
        signals = Number(per_second(model, "doorbells"), PER_SECOND, tr("doorbells"), "doorbell", DOORBELLS)
    else:
        signals = Number(per_second(model, "interrupts"), PER_SECOND, tr("interrupts"), "interrupt", INTERRUPTS)
    why = model.why_unknown if model.events.total else ""
    return signals._replace(why=why), exits._replace(why=why)


def counted_by_hand(model: LiveModel, journey: Journeys, rings: bool) -> tuple[Number, Number]:
    """Signals in all, and whether the newest left to user space: a rate would be 0 before anybody has read it."""
    seq = grouped(int(journey["seq"][0]))
    exits = NOTHING if Trait.REAL_QEMU in model.traits else str(int(journey["exit"][0] > 0))  # QEMU's are not seen
    left = Number(exits, "", tr("exits of #{number}", number=seq), "heavy", EXITS_ONE)
    if rings:
        return Number(grouped(model.tally.doorbells_rung), "", tr("doorbells in all"), "doorbell", IN_ALL), left
    return Number(grouped(model.tally.irqs_signalled), "", tr("interrupts in all"), "interrupt", IN_ALL), left


def latency(model: LiveModel, name: str, color: str, told: str) -> Number:
    """The p50 of a latency, or that of the one signal that was rung by hand."""
    value, _, unit = duration(usual_latency(model, name)).partition(" ")
    journey, label = rung_by_hand(model), latency_name(name)
    if journey.size:
        label = tr("{latency} of #{number}", latency=label, number=grouped(int(journey["seq"][0])))
    elif model.seen.whole_run:
        label = tr("{latency} p50, {when}", latency=label, when=model.all_so_far)
    else:
        label = tr("{latency} p50", latency=label)
    return Number(value, unit, label, color, told, why_no_latency(model, name))


def why_no_latency(model: LiveModel, name: str) -> str:
    """Why a latency is not known though something was signalled, as a clause; "" if nothing was, or it is known."""
    if name not in {curve.name for curve in curves_of(model.scenario)}:
        return tr("in this scenario there is none")
    if model.tally.irqs_kept:
        return tr("no irqfd listens, so what is rung waits in the eventfd")
    if model.tally.irqs_lost:
        return tr("the interrupts were lost, so no journey comes to its end")
    latencies, begun = model.latencies, model.tally.doorbells_rung or model.tally.irqs_signalled
    if name in latencies.hidden([one for one, histogram in latencies.histograms.items() if histogram.count]):
        return agreement(latencies.clock_error)
    if latencies.journeys and latencies.journeys == latencies.warmup:
        return tr("each journey so far belongs to the warm-up")
    return tr("no journey has come to its end") if begun and not latencies.journeys else ""


def per_second(model: LiveModel, name: str) -> str:
    """How many there were in the last second that is over, the same that the sentences speak of."""
    number = in_last_second(model, name)
    return NOTHING if number is None else grouped(number)


def journeys_label(model: LiveModel) -> str:
    """What the number of journeys is, and whether it is all of them."""
    if model.seen.whole_run:
        return tr("journeys, {state}", state=model.all_so_far)
    if model.jumped:
        return tr("journeys since the jump")
    begun = model.latencies.journeys or model.tally.doorbells_rung or model.tally.irqs_signalled
    return tr("journeys, {state}", state=reconciled(model)) if begun or model.tally.dropped else tr("journeys")


def reconciled(model: LiveModel) -> str:
    """Whether every signal is accounted for, or what is not."""
    tally, given_up = model.tally, model.latencies.tracker.given_up
    if missing := not_there(model.not_there):
        return missing
    if given_up:
        return tr("{number} incomplete", number=grouped(given_up))
    if model.latencies.tracker.contradicted:
        return tr("{number} out of order", number=grouped(model.latencies.tracker.contradicted))
    if not tally.possible:
        return tr("counts differ")
    return tr("all reconciled")
