"""The lesson as its audience reads it: the step's text, its question, and what is waited for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.findings.assertion import Judgement
from bellwire.engine.language import tr
from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.step_figures import figure_words
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.fitting import ElidedLabel
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import grouped
from bellwire.viz.window.lesson.lecture_handout import LectureHandout
from bellwire.viz.window.lesson.player import Coming, LessonPlayer
from bellwire.viz.window.lesson.question import QuestionBox
from bellwire.viz.window.lesson.terms import TermLabel

STANDSTILL = 10  # seconds after which it is said how long nothing has changed of what is waited for


class LessonBar(QWidget):
    """Shown while there is a lesson."""

    def __init__(self, player: LessonPlayer, theme: Theme, handout: LectureHandout) -> None:
        super().__init__()
        self.player, self.theme, self.lecture_handout = player, theme, handout
        self.presenting = False  # whoever leads it has more than this in its place
        self.setAccessibleName(tr("lesson"))
        self.head, self.title, self.text = ElidedLabel(), PlainLabel(), TermLabel()
        self.question = QuestionBox(player, theme)
        self.notes, self.waits = PlainLabel(), ElidedLabel()
        self.head.setObjectName("muted")
        self.waits.setObjectName("muted")
        self.notes.setObjectName("muted")
        self.notes.setWordWrap(True)
        self.back, self.on, self.shows_notes = Button(tr("Back")), Button(tr("Next")), Button(tr("Notes"))
        self.handout, self.close_ = Button(tr("Handout")), IconButton()
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self.hide()

    def _lay_out(self) -> None:
        self.back.setToolTip(tr("The step before, as it was (PgUp)"))
        self.on.setToolTip(tr("The next step, once what it waits for has happened (PgDn)"))
        self.shows_notes.setToolTip(tr("The notes for whoever leads the lesson"))
        self.shows_notes.setCheckable(True)
        self.handout.setToolTip(tr("Saves this lecture to read afterwards, with its figures, hands and recordings"))
        self.close_.setToolTip(tr("Ends the lesson; what runs, runs on"))
        self.close_.setAccessibleName(tr("end the lesson"))
        self.waits.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.head, 1)
        top.addWidget(self.waits, 1)
        for button in (self.handout, self.shows_notes, self.back, self.on, self.close_):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 6, 22, 8)
        column.setSpacing(4)
        column.addLayout(top)
        for part in (self.title, self.text, self.question, self.notes):
            column.addWidget(part)

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self._do(self.player.go_back))
        self.on.clicked.connect(lambda: self._do(self.player.go_on))
        self.handout.clicked.connect(self.lecture_handout.ask)
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
        self.notes.setFont(theme.font(14))
        self.close_.show_icon("close", theme)
        self.question.set_theme(theme)

    @property
    def spoken(self) -> str:
        """The step for whoever hears it: its text, its question, and who was right; "" without a lesson."""
        if self.player.course is None:
            return ""
        return "\n".join(filter(None, (self.title.text(), self.text.accessibleName(), self.question.spoken)))

    def refresh(self) -> None:
        """From the course, a few times a second."""
        course = self.player.course
        shown = course is not None and not self.presenting
        if self.isHidden() == shown:
            self.setVisible(shown)
        if course is None or not shown:
            return
        step = course.step
        self.head.setText(step_words(course))
        self.title.setText(step.title)
        self.text.say("\n".join(course.told(step.text)), self.theme.text)
        self.waits.setText(waiting_words(self.player))
        noted = step.notes if self.shows_notes.isChecked() else ()
        self.notes.setText("\n".join(course.told(noted)))
        self.notes.setVisible(bool(noted))
        self.shows_notes.setEnabled(bool(step.notes))
        self.question.show_question(course)
        self.handout.setVisible(self.lecture_handout.offered)
        show_ways(course, self.back, self.on)


def step_words(course: Course) -> str:
    """ "What an exit costs: step 2 of 9"."""
    return tr(
        "{lesson}: step {number} of {steps}",
        lesson=course.lesson.title,
        number=course.number,
        steps=len(course.lesson.steps),
    )


def show_ways(course: Course, back: QAbstractButton, on: QAbstractButton) -> None:
    """Which way there is from this step."""
    back.setEnabled(course.at - 1 in course.visits)
    on.setText(tr("Reveal") if course.asks else tr("Next"))
    on.setEnabled(not course.last)


def waiting_words(player: LessonPlayer) -> str:
    """What is waited for, in words; "" if nothing is."""
    course = player.course
    if course is None:
        return ""
    if player.coming is Coming.VISITED:
        return tr("as it was when this step was left")
    if player.coming is not Coming.ON:
        return tr("the scene is being set")
    wanted = ", ".join(still_wanted(judgement, player.stood_seconds) for judgement in course.unmet())
    if not wanted:
        return ""
    if player.in_vain:
        return tr("this recording never comes to {wanted}", wanted=wanted)
    return (
        tr("goes on once {wanted}", wanted=wanted) if player.wants_on else tr("may go on once {wanted}", wanted=wanted)
    )


def still_wanted(judgement: Judgement, stood: float = 0.0) -> str:
    """ "rung >= 40 (17 so far)". stood: seconds for which that has not changed: it may be that it never will."""
    so_far = tr("none yet")
    if judgement.value is not None:
        so_far = tr("{figure} so far", figure=figure_words(judgement.value, judgement.is_time, judgement.value_bounds))
    if stood >= STANDSTILL:
        so_far = tr("{figure}, unchanged for {seconds} s", figure=so_far, seconds=grouped(int(stood)))
    return f"{judgement.text} ({so_far})"
