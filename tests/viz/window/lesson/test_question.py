"""A choice shows what the run says of it, and takes no more clicks once it has spoken."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.course import ChoiceSoFar
from bellwire.viz.lessons.lesson import LessonChoice
from bellwire.viz.text.trust import UNTOLD
from bellwire.viz.text.verdicts import MARKS
from bellwire.viz.window.lesson.question import ChoiceRow


@pytest.mark.parametrize(
    ("choice", "mark"),
    [
        (ChoiceSoFar("Many"), ""),
        (ChoiceSoFar("Many", right=True, reason="It rang."), MARKS[True]),
        (ChoiceSoFar("Many", right=False), MARKS[False]),
        (ChoiceSoFar("Many", reason=UNTOLD), MARKS[None]),
    ],
    ids=["asked", "right", "wrong", "untold"],
)
def test_a_choice_shows_what_the_run_says_of_it(choice: ChoiceSoFar, mark: str, qtbot: QtBot) -> None:
    """One that cannot be told looked as if it could still be chosen."""
    row = ChoiceRow(1, LessonChoice(choice.text, (), ""))
    for part in row.parts:
        qtbot.addWidget(part)
    row.show_choice(choice)
    assert row.mark.text() == mark
    assert row.button.isEnabled() == (mark == "")
    assert row.hands.isReadOnly() == (mark != "")
