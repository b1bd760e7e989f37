"""A lesson's question: its choices, how many hands were raised for each, and once it is revealed who is right."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QGridLayout, QSpinBox, QVBoxLayout, QWidget

from bellwire.engine.language import tr, tr_n
from bellwire.viz.lessons.course import ChoiceSoFar, Course
from bellwire.viz.lessons.lesson import LessonChoice, LessonStep
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel, plain_words
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.verdicts import MARKS, verdict_word
from bellwire.viz.window.lesson.player import LessonPlayer

MOST_HANDS = 999


class HandCount(QSpinBox):
    """How many hands; "hands" while nobody has counted. A click selects that, so that what is typed takes its place."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, MOST_HANDS)
        self.setSpecialValueText(tr("hands"))
        self.setSuffix(hands_counted(0))
        self.valueChanged.connect(lambda count: self.setSuffix(hands_counted(count)))
        self.lineEdit().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and not self.lineEdit().hasSelectedText():
            self.selectAll()
        return super().eventFilter(watched, event)


class ChoiceRow(QObject):
    """One choice: a click is for it, a number says how many hands were; then whether it is right, and why.

    chosen: a click is for it. counted: so many hands.
    """

    chosen, counted = Signal(), Signal(int)

    def __init__(self, number: int, choice: LessonChoice) -> None:
        super().__init__()
        self.button = Button(plain_words(f"{number}  {choice.text}"))
        self.button.setCheckable(True)
        self.button.setObjectName("choice")
        self.key = QShortcut(QKeySequence(str(number)), self.button, self.button.click)
        self.button.setAccessibleName(tr("choice {number}: {text}", number=number, text=choice.text))
        self.hands = HandCount()
        self.hands.setAccessibleName(tr("hands for choice {number}", number=number))
        self.hands.setToolTip(tr("How many hands were raised for it"))
        self.mark, self.reason = PlainLabel(), PlainLabel()
        self.reason.setWordWrap(True)
        self.button.clicked.connect(self.chosen)
        self.hands.valueChanged.connect(self.counted)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """From the left to the right."""
        return self.button, self.hands, self.mark, self.reason

    def show_choice(self, choice: ChoiceSoFar) -> None:
        """As it stands."""
        self.button.setChecked(choice.chosen)
        self.hands.setValue(choice.hands)
        self.mark.setText(MARKS[choice.right] if choice.answered else "")
        self.reason.setText(choice.reason)
        self.button.setEnabled(not choice.answered)
        self.hands.setReadOnly(choice.answered)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.button.setFont(theme.font(17, 600))
        self.hands.setFixedWidth(theme.px(116))
        self.hands.lineEdit().setTextMargins(theme.px(6), 0, 0, 0)  # Qt leaves the style sheet's padding out here
        self.mark.setFont(theme.font(22, 700))
        self.mark.setFixedWidth(theme.px(24))
        self.reason.setFont(theme.font(16))


def hands_counted(count: int) -> str:
    """What stands behind a number of hands: of one it is another word."""
    return f" {tr_n('{n} hand', '{n} hands', count).partition(' ')[2]}"


class QuestionBox(QWidget):
    """The question of the step at hand; it takes no room without one. A choice's number is its key.

    asks: whether there is one; who has these keys for something else gives them up meanwhile.
    """

    asks = Signal(bool)

    def __init__(self, player: LessonPlayer, theme: Theme, reasons: bool = True) -> None:
        """reasons: why a choice is right or wrong is beside it."""
        super().__init__()
        self.player, self.theme, self.reasons = player, theme, reasons
        self.setAccessibleName(tr("question"))
        self.ask = PlainLabel()
        self.ask.setWordWrap(True)
        self.rows: list[ChoiceRow] = []
        self._step: LessonStep | None = None  # which the rows are of: a course would keep all that it has shown
        self.choices = QGridLayout()
        self.choices.setHorizontalSpacing(10)
        self.choices.setVerticalSpacing(4)
        self.choices.setColumnStretch(3, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.ask)
        column.addLayout(self.choices)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.ask.setFont(theme.font(19, 600))
        for row in self.rows:
            row.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        self.asks.emit(True)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.asks.emit(False)
        super().hideEvent(event)

    @property
    def spoken(self) -> str:
        """For whoever hears it: what is asked, and of each choice whether and why it is right, once that is known."""
        marks = {mark: verdict_word(right) for right, mark in MARKS.items()}
        known = [(row, marks[row.mark.text()]) for row in self.rows if row.mark.text()]
        answers = (f"{row.button.accessibleName()}: {mark}, {row.reason.text()}" for row, mark in known)
        return "\n".join(filter(None, (self.ask.text(), *answers)))

    def show_question(self, course: Course) -> None:
        """As it stands."""
        self.ask.setText(course.asked)
        if self._step is not course.step:
            self._step = course.step
            self._make_rows(course)
        for row, choice in zip(self.rows, course.choices(), strict=True):
            row.show_choice(choice)
        self.setVisible(course.step.question is not None)

    def _make_rows(self, course: Course) -> None:
        for row in self.rows:
            for part in row.parts:
                self.choices.removeWidget(part)
                part.deleteLater()
        question = course.step.question
        self.rows = [ChoiceRow(number, choice) for number, choice in enumerate(question.choices if question else (), 1)]
        for number, row in enumerate(self.rows):
            row.set_theme(self.theme)
            row.chosen.connect(lambda number=number: self._choose(number))
            row.counted.connect(lambda hands, number=number: self._raise_hands(number, hands))
            for column, part in enumerate(row.parts):
                self.choices.addWidget(part, number, column)
            row.reason.setVisible(self.reasons)
        for before, part in pairwise((self, *(part for row in self.rows for part in (row.button, row.hands)))):
            self.setTabOrder(before, part)  # they have been made after all else

    def _choose(self, number: int) -> None:
        self.player.choose(number)
        if self.player.course:
            self.show_question(self.player.course)

    def _raise_hands(self, number: int, hands: int) -> None:
        course = self.player.course
        if course:
            course.hands[course.step.name, number] = hands
