"""The lesson as its audience reads it: the step's text, its question, and what is waited for."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from bellwire.engine.findings.assertion import Judgement
from bellwire.viz.lessons.course import Answered, Course
from bellwire.viz.lessons.lesson import LessonChoice
from bellwire.viz.lessons.step_figures import figure_words
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.icons import icon
from bellwire.viz.style.plain import PlainLabel, plain_words
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.lesson.player import Coming, LessonPlayer
from bellwire.viz.window.lesson.terms import TermLabel

MOST_HANDS = 999
RIGHT, WRONG = "✓", "✗"


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
        self.button.setAccessibleName(f"choice {number}: {choice.text}")
        self.hands = QSpinBox()
        self.hands.setRange(0, MOST_HANDS)
        self.hands.setSpecialValueText("hands")
        self.hands.setSuffix(" hands")
        self.hands.setAccessibleName(f"hands for choice {number}")
        self.hands.setToolTip("How many hands were raised for it")
        self.mark, self.reason = PlainLabel(), PlainLabel()
        self.reason.setWordWrap(True)
        self.button.clicked.connect(self.chosen)
        self.hands.valueChanged.connect(self.counted)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """From the left to the right."""
        return self.button, self.hands, self.mark, self.reason

    def show_answer(self, answer: Answered | None) -> None:
        """Whether it is right; None while that is not known."""
        self.mark.setText("" if answer is None else RIGHT if answer.right else WRONG)
        self.reason.setText(answer.reason if answer else "")
        self.button.setEnabled(answer is None)
        self.hands.setReadOnly(answer is not None)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.button.setFont(theme.font(17, 600))
        self.hands.setFixedWidth(theme.px(116))
        self.hands.lineEdit().setTextMargins(theme.px(6), 0, 0, 0)  # Qt leaves the style sheet's padding out here
        self.mark.setFont(theme.font(22, 700))
        self.mark.setFixedWidth(theme.px(24))
        self.reason.setFont(theme.font(16))


class LessonBar(QWidget):
    """Shown while there is a lesson."""

    def __init__(self, player: LessonPlayer, theme: Theme) -> None:
        super().__init__()
        self.player, self.theme = player, theme
        self.setAccessibleName("lesson")
        self.head, self.title, self.text, self.ask = PlainLabel(), PlainLabel(), TermLabel(), PlainLabel()
        self.notes, self.waits = PlainLabel(), PlainLabel()
        self.head.setObjectName("muted")
        self.waits.setObjectName("muted")
        self.notes.setObjectName("muted")
        for label in (self.ask, self.notes):
            label.setWordWrap(True)
        self.back, self.on, self.shows_notes = Button("Back"), Button("Next"), Button("Notes")
        self.close_ = IconButton()
        self.rows: list[ChoiceRow] = []
        self._of: tuple[object, ...] = ()  # which course and step the rows are of
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self.hide()

    def _lay_out(self) -> None:
        self.back.setToolTip("The step before, as it was (PgUp)")
        self.on.setToolTip("The next step, once what it waits for has happened (PgDn)")
        self.shows_notes.setToolTip("The notes for whoever leads the lesson")
        self.shows_notes.setCheckable(True)
        self.close_.setToolTip("Ends the lesson; what runs, runs on")
        self.close_.setAccessibleName("end the lesson")
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.waits.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.waits.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.head, 1)
        top.addWidget(self.waits, 1)
        for button in (self.shows_notes, self.back, self.on, self.close_):
            top.addWidget(button)
        self.choices = QGridLayout()
        self.choices.setHorizontalSpacing(10)
        self.choices.setVerticalSpacing(4)
        self.choices.setColumnStretch(3, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 6, 22, 8)
        column.setSpacing(4)
        column.addLayout(top)
        for label in (self.title, self.text, self.ask):
            column.addWidget(label)
        column.addLayout(self.choices)
        column.addWidget(self.notes)

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self._do(self.player.go_back))
        self.on.clicked.connect(lambda: self._do(self.player.go_on))
        self.close_.clicked.connect(lambda: self._do(self.player.end))
        self.shows_notes.toggled.connect(lambda _: self.refresh())

    def _do(self, what: object) -> None:
        assert callable(what)
        what()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.head.setFont(theme.font(13))
        self.waits.setFont(theme.font(13))
        self.title.setFont(theme.font(22, 700))
        self.text.setFont(theme.font(18))
        self.ask.setFont(theme.font(19, 600))
        self.notes.setFont(theme.font(14))
        self.close_.setIcon(icon("close", theme))
        for row in self.rows:
            row.set_theme(theme)

    def refresh(self) -> None:
        """From the course, a few times a second."""
        course = self.player.course
        if self.isHidden() == (course is not None):
            self.setVisible(course is not None)
        if course is None:
            return
        step = course.step
        self.head.setText(f"{course.lesson.title}: step {course.number} of {len(course.lesson.steps)}")
        self.title.setText(step.title)
        self.text.say("\n".join(course.told(step.text)), self.theme.text)
        self.waits.setText(self._waiting(course))
        noted = step.notes if self.shows_notes.isChecked() else ()
        self.notes.setText("\n".join(course.told(noted)))
        self.notes.setVisible(bool(noted))
        self.shows_notes.setEnabled(bool(step.notes))
        self._show_question(course)
        self.back.setEnabled(course.at - 1 in course.visits)
        self.on.setText("Reveal" if course.asks else "Next")
        self.on.setEnabled(not course.last)

    def _show_question(self, course: Course) -> None:
        question = course.step.question
        self.ask.setVisible(question is not None)
        self.ask.setText(course.told([question.ask])[0] if question else "")
        if self._of != (course, course.step.name):
            self._of = course, course.step.name
            self._make_rows(course)
        answers: list[Answered | None] = [*course.answers()]
        for number, row in enumerate(self.rows):
            row.button.setChecked(course.chosen.get(course.step.name) == number)
            row.show_answer(answers[number] if answers else None)

    def _make_rows(self, course: Course) -> None:
        for row in self.rows:
            for part in row.parts:
                self.choices.removeWidget(part)
                part.deleteLater()
        question = course.step.question
        self.rows = [ChoiceRow(number, choice) for number, choice in enumerate(question.choices if question else (), 1)]
        for number, row in enumerate(self.rows):
            row.set_theme(self.theme)
            row.hands.setValue(course.hands.get((course.step.name, number), 0))
            row.chosen.connect(lambda number=number: self._do(lambda: self.player.choose(number)))
            row.counted.connect(lambda hands, number=number: self._raise_hands(number, hands))
            for column, part in enumerate(row.parts):
                self.choices.addWidget(part, number, column)

    def _raise_hands(self, number: int, hands: int) -> None:
        course = self.player.course
        if course:
            course.hands[course.step.name, number] = hands

    def _waiting(self, course: Course) -> str:
        """What is waited for, in words; "" if nothing is."""
        if self.player.coming is Coming.VISITED:
            return "as it was when this step was left"
        if self.player.coming is not Coming.ON:
            return "the scene is being set"
        unmet = course.unmet()
        wanted = ", ".join(self._still(judgement) for judgement in unmet)
        return f"{'goes on' if self.player.wants_on else 'may go on'} once {wanted}" if unmet else ""

    def _still(self, judgement: Judgement) -> str:
        now = "none yet" if judgement.value is None else f"{figure_words(judgement.value, judgement.is_time)} so far"
        return f"{judgement.text} ({now})"
