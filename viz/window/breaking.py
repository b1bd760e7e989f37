"""Break when, in the window: the frame in which it is picked, the pill that says it, the notice when it happens."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from bellwire.engine.events import EventKind
from bellwire.engine.language import tr
from bellwire.viz.model.breaks import Break, Fits, LeftAnyway, Merged, OfKind, Slow, Watch
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.events.filter_line import FilterLine
from bellwire.viz.style.controls import ASIDE, Button, Combo, place_below
from bellwire.viz.style.curves import curves_of
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.event_words import kind_name
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.shown import Shown

# -- What the view shall break at: one of five conditions, picked and armed in a small frame.

UNITS = {"ns": 1.0, "µs": 1e3, "ms": 1e6}
USUAL = 200  # µs
EXAMPLES = "kind=exit, latency>200us, …"  # of what a filter asks
SLOW, LEFT, MERGED, KIND, FITS = range(5)
USUAL_LINE, LEAST_LINE = 300, 160  # pixels at 100 % text of the filter; where the window is narrow


class BreakPopover(QFrame):
    """Enter arms what is picked; Esc, or a click elsewhere, leaves everything as it was."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popover")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Break when"))
        self.theme = theme
        self.watch: Watch | None = None
        self.choices = QButtonGroup(self)
        self.latency, self.unit, self.kind = Combo(theme), Combo(theme), Combo(theme)
        self.bound, self.count = QSpinBox(), QSpinBox()
        self.line = FilterLine()
        self.trouble = PlainLabel()
        self.arm, self.none = Button(tr("Arm")), Button(tr("No break"))
        self._fill()
        self._lay_out()
        self._connect()

    def _fill(self) -> None:
        self.latency.setAccessibleName(tr("latency"))
        self.bound.setAccessibleName(tr("bound"))
        self.bound.setRange(1, 10**6)
        self.bound.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.bound.setValue(USUAL)
        self.unit.setAccessibleName(tr("unit of the bound"))
        self.unit.addItems(list(UNITS))
        self.unit.setCurrentText("µs")
        self.count.setAccessibleName(tr("signals merged"))
        self.count.setRange(1, 10**6)
        self.kind.setAccessibleName(tr("kind of event"))
        for kind in EventKind:
            self.kind.addItem(kind_name(kind), kind)
        self.trouble.setObjectName("muted")
        self.trouble.setWordWrap(True)
        self.trouble.hide()

    def _lay_out(self) -> None:
        self.grid = grid = QGridLayout(self)
        grid.setContentsMargins(18, 14, 18, 16)
        grid.setSpacing(10)
        title = PlainLabel(tr("Break when"))
        title.setObjectName("heading")
        grid.addWidget(title, 0, 0, 1, 2)
        rows = (
            (tr("latency"), (self.latency, PlainLabel(tr("above")), self.bound, self.unit)),
            (tr("a guest's access leaves to user space although the ioeventfd is on"), ()),
            (tr("merged signals: more than"), (self.count,)),
            (tr("an event of kind"), (self.kind,)),
            (tr("an event fits"), (self.line,)),
        )
        for row, (words, widgets) in enumerate(rows):
            self._row(row, words, widgets)
        grid.addWidget(self.trouble, len(rows) + 1, 0, 1, 2)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.none)
        buttons.addWidget(self.arm)
        grid.addLayout(buttons, len(rows) + 2, 0, 1, 2)

    def _row(self, row: int, words: str, widgets: tuple[QWidget, ...]) -> None:
        """A condition; whoever touches its fields picks it."""
        radio = QRadioButton(words)
        self.choices.addButton(radio, row)
        self.grid.addWidget(radio, row + 1, 0, 1, 1 if widgets else 2)
        fields = QHBoxLayout()
        for widget in widgets:
            widget.installEventFilter(self)
            widget.setProperty("choice", row)
            fields.addWidget(widget, int(isinstance(widget, FilterLine)))
        if widgets == (self.count,):
            fields.addStretch(1)
        self.grid.addLayout(fields, row + 1, 1)

    def _connect(self) -> None:
        self.choices.button(SLOW).setChecked(True)
        self.arm.clicked.connect(self._arm)
        self.none.clicked.connect(self._clear)
        self.line.asked.connect(self._say_trouble)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """A field in focus picks its condition."""
        if event.type() == QEvent.Type.FocusIn and isinstance(watched, QWidget):
            self.choices.button(int(watched.property("choice"))).setChecked(True)
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter arms."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._arm()
        else:
            super().keyPressEvent(event)

    def open_below(self, widget: QWidget, watch: Watch) -> None:
        """Shows itself under a widget, for what watches a model; what was picked last is picked still."""
        self.watch = watch
        self._offer(watch.model)
        self._say_trouble()  # and no longer why something else could not be armed
        self.none.setEnabled(watch.wanted is not None)
        self._fit(widget.window().width() - 2 * ASIDE)
        place_below(self, widget)
        self.show()
        self.choices.button(self.choices.checkedId()).setFocus()

    def _fit(self, room: int) -> None:
        """As wide as it likes, or in so many pixels as narrow as it can be, long words in two lines."""
        words = {self.choices.button(row): self.choices.button(row).text().replace("\n", " ") for row in (LEFT, MERGED)}
        self.line.setMinimumWidth(self.theme.px(USUAL_LINE))
        for radio, text in words.items():
            radio.setText(text)
        self.adjustSize()
        if self.width() > room:
            self.line.setMinimumWidth(self.theme.px(LEAST_LINE))
            for radio, text in words.items():
                radio.setText(in_two_lines(text))
            self.grid.activate()  # else what was the least before still is
            self.resize(self.grid.totalMinimumSize())

    def _offer(self, model: LiveModel) -> None:
        """The latencies that the scenario has, the whole way first."""
        names = [curve.name for curve in curves_of(model.scenario)]
        names = list(dict.fromkeys([model.whole_latency, *names]))
        if [self.latency.itemData(n) for n in range(self.latency.count())] == names:
            return
        self.latency.clear()
        for name in names:
            self.latency.addItem(latency_name(name), name)

    def picked(self) -> Break | None:
        """What is picked; None if the filter is not understood, or empty."""
        match self.choices.checkedId():
            case 0:
                return Slow(self.latency.currentData(), self.bound.value() * UNITS[self.unit.currentText()])
            case 1:
                return LeftAnyway()
            case 2:
                return Merged(self.count.value())
            case 3:
                return OfKind(EventKind(self.kind.currentData()))
        self.line.say(self.line.text())
        text = self.line.text().strip()
        return Fits(text, self.line.wanted) if text and not self.line.trouble else None

    def _say_trouble(self) -> None:
        self.trouble.setText(self.line.trouble)
        self.trouble.setVisible(bool(self.line.trouble))

    def _arm(self) -> None:
        wanted = self.picked()
        if wanted is None:
            self._refuse(self.line.trouble or tr("Say what the event must fit: {examples}", examples=EXAMPLES))
        elif self.watch and (why := wanted.cannot(self.watch.model)):
            self._refuse(tr("That cannot happen here: {why}.", why=why))
        else:
            if self.watch:
                self.watch.arm(wanted)
            self.hide()

    def _refuse(self, why: str) -> None:
        self.trouble.setText(why)
        self.trouble.show()
        self.adjustSize()

    def _clear(self) -> None:
        if self.watch:
            self.watch.clear()
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        for combo in (self.latency, self.unit, self.kind):
            combo.theme = theme
        for box in (self.bound, self.count):
            box.setFixedWidth(theme.px(76))
            box.lineEdit().setTextMargins(theme.px(6), 0, 0, 0)  # Qt leaves the style sheet's padding out here
        self.unit.setFixedWidth(theme.px(66))
        self.latency.setMinimumWidth(theme.px(110))
        self.kind.setMinimumWidth(theme.px(150))


def in_two_lines(words: str) -> str:
    """Broken at the blank next to the middle."""
    blanks = [at for at, sign in enumerate(words) if sign == " "]
    middle = min(blanks, key=lambda at: abs(at - len(words) // 2), default=len(words))
    return f"{words[:middle]}\n{words[middle + 1 :]}"


class BreakControl(QObject):
    """Watches what is shown: what is armed stays armed as long as the scenario does, and is said not to be in another.

    asked: what to break at shall be picked; whoever shows it has the place for the popover. changed: the view breaks,
    goes on, or waits for something else.
    """

    asked, changed = Signal(), Signal()

    def __init__(self, shown: Shown, notice: NoticeBar, popover: BreakPopover) -> None:
        super().__init__()
        self.shown, self.notice, self.popover = shown, notice, popover
        self.watch = Watch(shown.model)
        self.watch.changed.append(self._changed)
        self._told = ""  # the notice that is ours

    def follow(self) -> None:
        """Watches another model."""
        wanted, before, self.watch = self.watch.wanted, self.watch.model.scenario, Watch(self.shown.model)
        self.watch.changed.append(self._changed)
        self._told = ""
        if wanted and before.name == self.shown.model.scenario.name:
            self.watch.arm(wanted)
        elif wanted:
            self._say_disarmed(wanted, tr(before.title))
            self.changed.emit()

    def _say_disarmed(self, wanted: Break, title: str) -> None:
        """It was meant for another scenario; here it can be armed again, if it can happen."""
        watch = self.watch
        if why := wanted.cannot(self.shown.model):
            said = tr(
                "The break at {what} was set for {scenario} and is no longer armed: here {why}.",
                what=wanted.text,
                scenario=title,
                why=why,
            )
            self.notice.say(said)
        else:
            said = tr(
                "The break at {what} was set for {scenario} and is no longer armed.", what=wanted.text, scenario=title
            )
            self.notice.say(said, tr("Arm it here"), lambda: self._arm_again(watch, wanted))

    def _arm_again(self, watch: Watch, wanted: Break) -> None:
        self.notice.hide()
        watch.arm(wanted)

    def open(self) -> None:
        """Asks what to break at."""
        self.asked.emit()

    def open_below(self, widget: QWidget) -> None:
        """Asks it here."""
        self.popover.open_below(widget, self.watch)

    def clear(self) -> None:
        """Nothing is waited for any more."""
        self.watch.clear()

    def _changed(self) -> None:
        watch = self.watch
        if watch.broken and watch.hit:
            self._told = watch.hit.why
            if watch.shown:
                self._fit()
                self.notice.say(self._told, tr("Go on"), watch.go_on)
            else:
                stays = tr("The view was paused and stays where it is.")
                self.notice.say(f"{self._told} {stays}", tr("Show it"), watch.show)
        elif self._told:
            self._told = ""
            self.notice.hide()
        self.changed.emit()

    def _fit(self) -> None:
        """The journey whole in the timeline, with a little of what came before and after."""
        if self.shown.model.selection.journeys.size:
            self.shown.views.timeline.fit()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.popover.set_theme(theme)
