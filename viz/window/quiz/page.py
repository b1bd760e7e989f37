"""The page of a quiz: the symptom, evidence to be asked for, causes to be named; once it is over, what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.language import tr
from bellwire.viz.lessons.labs.causes import Ruling
from bellwire.viz.lessons.labs.clues import CLUES
from bellwire.viz.lessons.labs.quiz import Quiz
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.fitting import ElidedLabel
from bellwire.viz.style.plain import PlainLabel, plain_words
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.verdicts import MARKS
from bellwire.viz.window.quiz.quiz_player import QuizPlayer

NARROW = 900  # pixels at 100 % text
MARGIN = 22  # pixels, as the window's other rows have


class AskedRow(QWidget):
    """A button, what it is for beside it, and below that what it brought."""

    def __init__(self, chosen: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName("plain")
        self.button, self.what, self.answer = Button(), PlainLabel(), PlainLabel()
        self.button.clicked.connect(chosen)
        for label in (self.what, self.answer):
            label.setWordWrap(True)
        beside = QVBoxLayout()
        beside.setSpacing(2)
        beside.addWidget(self.what)
        beside.addWidget(self.answer)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(beside, 1)

    def say(self, key: str, what: str, answer: str, open_: bool) -> None:
        """key: on the button; answer: what it brought, "" for nothing yet; open_: whether it can still be clicked."""
        self.button.setText(plain_words(key))
        self.button.setAccessibleName(f"{key}: {what}")
        self.button.setEnabled(open_)
        self.what.setText(what)
        self.answer.setText(answer)
        self.answer.setVisible(bool(answer))

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        for part in (self.button, self.what, self.answer):
            part.ensurePolished()  # the style sheet's font comes then, and would replace ours
        self.button.setFont(theme.font(14, 600))
        self.button.setFixedWidth(theme.px(52))
        self.what.setFont(theme.font(16, 600))
        self.what.setContentsMargins(0, theme.px(5), 0, 0)
        self.answer.setFont(theme.font(15))


class QuizPage(QWidget):
    """Shown while there is a quiz: instead of the views, and above them once it is over."""

    def __init__(self, player: QuizPlayer, theme: Theme) -> None:
        super().__init__()
        self.player, self.theme = player, theme
        self.setAccessibleName(tr("quiz"))
        self.head, self.symptom, self.result = ElidedLabel(), PlainLabel(), PlainLabel()
        self.head.setObjectName("muted")
        for label in (self.symptom, self.result):
            label.setWordWrap(True)
        self.gives_up, self.another, self.close_ = Button(), Button(), IconButton()
        self.ask, self.name_ = PlainLabel(), PlainLabel()
        self.clues = [AskedRow(partial(player.ask, clue)) for clue in CLUES]
        self.causes: list[AskedRow] = []
        self._of: Quiz | None = None  # whose causes the rows are
        self._lay_out()
        self.gives_up.clicked.connect(player.give_up)
        self.another.clicked.connect(lambda: player.begin())
        self.close_.clicked.connect(player.end)
        self.set_theme(theme)

    def _lay_out(self) -> None:
        self.close_.setAccessibleName(tr("end the quiz"))
        self.close_.setToolTip(tr("Ends the quiz; what runs, runs on"))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.head, 1)
        for button in (self.gives_up, self.another, self.close_):
            top.addWidget(button)
        self._evidence, self._named = QVBoxLayout(), QVBoxLayout()
        for column, title in ((self._evidence, self.ask), (self._named, self.name_)):
            column.setSpacing(6)
            column.addWidget(title)
        for row in self.clues:
            self._evidence.addWidget(row)
        for column in (self._evidence, self._named):
            column.addStretch(1)
        inside = QWidget()
        inside.setObjectName("plain")
        self._beside = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._beside.setContentsMargins(0, 0, 0, 0)
        self._beside.setSpacing(MARGIN)
        self._beside.addLayout(self._named, 1)
        self._beside.addLayout(self._evidence, 1)
        self.riddle = UprightArea(inside)
        box = QVBoxLayout(self)
        box.setContentsMargins(MARGIN, 6, MARGIN, 8)
        box.setSpacing(8)
        box.addLayout(top)
        box.addWidget(self.symptom)
        box.addWidget(self.result)
        box.addWidget(self.riddle, 1)
        box.addStretch()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        for label in (self.head, self.symptom, self.result, self.ask, self.name_):
            label.ensurePolished()
        self.head.setFont(theme.font(13))
        self.symptom.setFont(theme.font(20, 600))
        self.result.setFont(theme.font(16))
        for label in (self.ask, self.name_):
            label.setFont(theme.font(16, 700))
        self.close_.show_icon("close", theme)
        for row in (*self.clues, *self.causes):
            row.set_theme(theme)

    def refresh(self) -> None:
        """From the player, when something has changed."""
        quiz, player = self.player.quiz, self.player
        self.setVisible(quiz is not None)
        if quiz is None:
            return
        state = "" if player.run is None else tr("REPLAY") if player.replayed else tr("LIVE")
        self.head.setText(" · ".join(filter(None, (tr("Quiz {seed}", seed=quiz.seed), state, quiz.score))))
        self.gives_up.setText(tr("Give up"))
        self.another.setText(tr("Another guest"))
        self.gives_up.setVisible(player.hides)
        self.ask.setText(tr("What do you want to know?"))
        self.name_.setText(tr("What is the cause?"))
        self.riddle.setVisible(player.ready and player.hides)
        self.symptom.setText(self._symptom(quiz))
        self.result.setText("\n".join(self._result(quiz)))
        self.result.setVisible(quiz.over)
        self._show_clues(quiz)
        self._show_causes(quiz)

    def _symptom(self, quiz: Quiz) -> str:
        run = self.player.run
        if run is None or not self.player.ready:
            return tr("A guest runs until it is in trouble: some seconds.")
        return run.symptom(quiz.lab)

    def _result(self, quiz: Quiz) -> list[str]:
        """What it was, what shows it, and how it is mended."""
        ruled = self.player.ruled.get(quiz.lab.cause.name)
        if ruled is None:
            return []
        return [f"{MARKS[True]} {quiz.lab.cause.text} {ruled.why}", quiz.lab.mended]

    def _show_clues(self, quiz: Quiz) -> None:
        for clue, row in zip(CLUES, self.clues, strict=True):
            told = self.player.told.get(clue.name, [])
            row.say(f"−{clue.cost}", tr(clue.ask), "\n".join(told), not told and not quiz.over)

    def _show_causes(self, quiz: Quiz) -> None:
        choices = quiz.choices(self.player.run) if self.player.run and self.player.ready else ()
        if self._of is not quiz or len(self.causes) != len(choices):
            self._of = quiz
            self._make_causes([partial(self.player.name, one) for one in choices])
        for number, (one, row) in enumerate(zip(choices, self.causes, strict=True), 1):
            ruled = self.player.ruled.get(one.name)
            row.say(str(number), one.text, ruled_words(ruled), ruled is None and not quiz.over)

    def _make_causes(self, chosen: Sequence[Callable[[], None]]) -> None:
        for row in self.causes:
            self._named.removeWidget(row)
            row.deleteLater()
        self.causes = [AskedRow(does) for does in chosen]
        for number, row in enumerate(self.causes, 1):
            self._named.insertWidget(number, row)
            row.set_theme(self.theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow page has the evidence below the causes."""
        super().resizeEvent(event)
        narrow = self.width() < self.theme.px(NARROW)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._beside.setDirection(way)


def ruled_words(ruled: Ruling | None) -> str:
    """What the run says of a cause; "" if nobody has named it."""
    return "" if ruled is None else f"{MARKS[ruled.holds]} {ruled.why}"
