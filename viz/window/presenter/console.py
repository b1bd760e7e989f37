"""What whoever leads a lesson sees: a copy of the audience's view, notes, the next step, the time, controls."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from bellwire.engine.language import tr, tr_as, tr_later
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.lessons.course import Course
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.actions import BY_NAME, tooltip
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.lesson.bar import show_ways, step_words, waiting_words
from bellwire.viz.window.lesson.question import QuestionBox
from bellwire.viz.window.presenter.audience import AudienceWindow
from bellwire.viz.window.presenter.lecture_clock import LectureClock, time_of_day
from bellwire.viz.window.presenter.live_copy import LiveCopy

WORDS = {
    "page_back": tr_later("Back"),
    "page_on": tr_later("Next"),
    "black": tr_later("Black"),
    "white": tr_later("White"),
    "turn": tr_later("Screens"),
    "handout": tr_later("Handout"),
    "presenter": tr_later("End"),
}
TOOLS = {
    "laser": tr_later("Laser"),
    "pen": tr_later("Pen"),
    "spotlight": tr_later("Spotlight"),
    "zoom": tr_later("Zoom"),
    "undo_mark": tr_later("Undo"),
    "clear_marks": tr_later("Clear"),
}
GAP = 14
FIGURE = re.compile(r"\{[^}]*\}")  # in a text, of a step that is yet to come


class Console(QWidget):
    """Shown while there is an audience."""

    def __init__(self, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self.commands, self.player, self.theme = commands, commands.lessons, theme
        self.setObjectName("plain")
        self.setAccessibleName(tr("lecturer's view"))
        self.copy = LiveCopy(theme)
        self.clock = LectureClock()
        self._of: Course | None = None  # what the clock runs for
        self.day, self.left, self.gone = PlainLabel(), PlainLabel(), PlainLabel()
        self.step, self.waits = PlainLabel(), PlainLabel()
        self.next_head, self.next = PlainLabel(tr_as("above what comes after a step", "Next")), PlainLabel()
        self.notes_head, self.notes = PlainLabel(tr("Notes")), PlainLabel()
        self.question = QuestionBox(self.player, theme, reasons=False)  # the copy has them
        self.afresh = Button(tr("Restart the clock"))
        self.buttons = {name: Button(tr(words)) for name, words in (WORDS | TOOLS).items()}
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self.hide()

    def _connect(self) -> None:
        for name, button in self.buttons.items():
            button.setAccessibleName(BY_NAME[name].text)
            button.setToolTip(plain_tip(tooltip(name)))
            button.clicked.connect(lambda _=False, name=name: self._run(name))
            button.setCheckable(BY_NAME[name].checkable and name in TOOLS)
        self.afresh.setToolTip(tr("The time counts from now on"))
        self.afresh.clicked.connect(self._start_clock)

    def _run(self, name: str) -> None:
        BY_NAME[name].run(self.commands)
        self.refresh()

    def _start_clock(self) -> None:
        self.clock.start()
        self.refresh()

    # -- where what is

    def _lay_out(self) -> None:
        for label in (self.next, self.notes, self.waits):
            label.setWordWrap(True)
        for label in (self.gone, self.step, self.waits, self.next_head, self.notes_head):
            label.setObjectName("muted")
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        left = QVBoxLayout()
        left.setSpacing(GAP // 2)
        left.addWidget(self.copy, 100)
        left.addLayout(self._row(WORDS))
        left.addLayout(self._row(TOOLS))
        left.addWidget(self.next_head)
        left.addWidget(self.next)
        left.addStretch()
        whole = QHBoxLayout(self)
        whole.setContentsMargins(22, 8, 22, 12)
        whole.setSpacing(GAP)
        whole.addLayout(left, 60)
        whole.addLayout(self._beside(), 40)

    def _row(self, names: Iterable[str]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for name in names:
            row.addWidget(self.buttons[name], 2 if name.startswith("page") else 1)
        return row

    def _beside(self) -> QVBoxLayout:
        """The time, the notes, the question's hands."""
        times = QGridLayout()
        times.setHorizontalSpacing(GAP)
        times.setColumnStretch(0, 1)
        times.addWidget(self.left, 0, 0)
        times.addWidget(self.day, 0, 1, Qt.AlignmentFlag.AlignRight)
        times.addWidget(self.gone, 1, 0)
        times.addWidget(self.afresh, 1, 1, Qt.AlignmentFlag.AlignRight)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GAP, 0)
        column.addWidget(self.notes_head)
        column.addWidget(self.notes)
        column.addWidget(self.question)
        column.addStretch(1)
        self.scrolled = UprightArea(inside)
        self.scrolled.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        beside = QVBoxLayout()
        beside.setSpacing(GAP // 2)
        beside.addLayout(times)
        beside.addWidget(self.step)
        beside.addWidget(self.waits)
        beside.addWidget(self.scrolled, 1)
        return beside

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.left.setFont(theme.font(34, 700))
        self.day.setFont(theme.font(34, 500))
        self.gone.setFont(theme.font(16))
        for label in (self.step, self.waits, self.next_head, self.notes_head):
            label.setFont(theme.font(14))
        self.next.setFont(theme.font(17))
        self.notes.setFont(theme.font(21))
        self.question.set_theme(theme)
        self.copy.set_theme(theme)

    # -- what it says

    def follow(self, audience: AudienceWindow | None) -> None:
        """There is an audience, or there is none any more."""
        self.copy.audience = audience
        self.setVisible(audience is not None)
        if audience:
            self._of = None
            self.clock = LectureClock()
            self.refresh()
            self.copy.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """A few times a second."""
        course = self.player.course
        if course is not self._of:
            self._of = course
            self.clock = LectureClock(course.lesson.minutes if course else 0)
        self._tell_time()
        self.waits.setText(waiting_words(self.player))
        self.waits.setVisible(bool(self.waits.text()))
        if course is None:
            self._tell_scenario(self.commands.model.scenario)
        else:
            self._tell_step(course)
        for tool in Tool:
            self.buttons[tool].setChecked(tool is self.commands.shown.pointing.tool)
        offered = self.commands.lecture_handout.offered  # where there is no next step
        for name, on in {"page_back": True, "page_on": not offered, "handout": offered}.items():
            self.buttons[name].setVisible(course is not None and on)

    def _tell_time(self) -> None:
        self.left.setText(self.clock.left_words or self.clock.gone_words)
        self.gone.setText(self.clock.gone_words if self.clock.minutes else "")
        self.day.setText(time_of_day())

    def _tell_scenario(self, scenario: Scenario) -> None:
        """Without a lesson its notes are what the scenario is for."""
        self.step.setText(tr(scenario.title))
        self.notes.setText("\n\n".join(filter(None, (tr(scenario.purpose), tr(scenario.shows)))))
        self.next.setText("")
        self.next_head.setVisible(False)
        self.question.setVisible(False)

    def _tell_step(self, course: Course) -> None:
        self.step.setText(step_words(course))
        self.notes.setText("\n\n".join(course.told(course.step.notes)) or tr("No notes for this step."))
        self.next_head.setVisible(True)
        self.next.setText(next_words(course))
        self.question.show_question(course)
        show_ways(course, self.buttons["page_back"], self.buttons["page_on"])


def next_words(course: Course) -> str:
    """What comes after the step at hand."""
    if course.last:
        return tr("This is the last step.")
    following = course.positions[course.at + 1]
    if following.revealed:
        return tr("The answer, from the run")
    return "\n".join((following.step.title, *(FIGURE.sub("…", text) for text in following.step.text)))
