"""What whoever leads a lesson sees while there is an audience."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from bellwire.viz.window.presenter.audience import Blank
from bellwire.viz.window.window import MainWindow
from tests.support.accented import accented, in_accents
from tests.support.asking import ASKING, asking
from tests.support.painted_text import clashes, texts_painted
from tests.support.windows import Stage, staged

TWO_STEPS = f"""{ASKING}
## Afterwards

It rang {{rung}} times.
"""


def begun(stage: Stage) -> MainWindow:
    """A lesson, and an audience for it."""
    window = stage.window
    window.lessons.begin(asking(TWO_STEPS), here=True)
    window.look.set_presenting(True)
    stage.run(2)
    return window


def test_notes_the_next_step_hands_and_time_are_the_lecturers_alone(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        window = begun(stage)
        console, course = window.console, window.lessons.course
        assert course is not None
        assert console.isVisible()
        assert not window.shown.isVisible()
        assert not window.lesson_bar.isVisible()
        assert console.notes.text() == "Say that it rings."
        assert console.next.text() == "The answer, from the run"
        assert console.left.text().endswith("left")
        assert console.gone.text().endswith("of 3 min")
        console.question.rows[0].hands.setValue(17)
        console.buttons["page_on"].click()
        stage.run_until(lambda: bool(course.answers()))
        assert console.next.text() == "Afterwards\nIt rang … times."
        assert window.presenter.audience is not None
        spoken = window.presenter.audience.slide_view.slide.spoken
        assert "Say that" not in spoken
        assert [one.hands for one in window.presenter.audience.slide_view.slide.choices] == [17, 0]
        window.look.set_presenting(False)
        assert window.shown.isVisible()
        assert not console.isVisible()
        stage.run(2)
        assert window.lesson_bar.isVisible()
        assert window.lesson_bar.question.rows[0].hands.value() == 17


def test_without_a_lesson_its_notes_are_what_the_scenario_is_for(qtbot: QtBot) -> None:
    with in_accents(), staged(qtbot, 1280, 720) as stage:
        window = stage.window
        window.look.set_presenting(True)
        stage.run(2)
        console, scenario = window.console, window.model.scenario
        assert console.notes.text() == accented(f"{scenario.purpose}\n\n{scenario.shows}")
        assert console.step.text() == accented(scenario.title)
        assert window.presenter.audience is not None
        assert window.presenter.audience.slide_view.slide.title == accented(scenario.title)
        assert not console.buttons["page_on"].isVisible()
        assert not console.next_head.isVisible()
        assert console.gone.text() == ""
        assert console.left.text()


def test_each_of_its_buttons_does_what_it_says(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        console = begun(stage).console
        audience = stage.window.presenter.audience
        assert audience is not None
        console.buttons["white"].click()
        assert audience.blank is Blank.WHITE
        console.buttons["white"].click()
        console.buttons["turn"].click()
        assert not audience.isVisible()
        console.buttons["turn"].click()
        assert audience.isVisible()
        assert all(button.accessibleName() or button.text() for button in console.findChildren(QAbstractButton))
        console.buttons["presenter"].click()
        assert not stage.window.look.presenting


@pytest.mark.parametrize("size", [(960, 600), (1280, 720), (1920, 1080)], ids=lambda size: "x".join(map(str, size)))
def test_all_of_it_can_be_read(size: tuple[int, int], qtbot: QtBot) -> None:
    with staged(qtbot, *size) as stage:
        console = begun(stage).console
        stage.run(4)
        qtbot.wait(50)  # for what the layout of one part asks of the next
        assert console.copy.height() <= console.height()
        assert console.copy.area.width() > 300
        seen = [button for button in console.buttons.values() if not button.isHidden()]
        places = [console.copy.geometry(), *(button.geometry() for button in seen)]
        assert [a for n, a in enumerate(places) for b in places[:n] if a.intersects(b)] == []
        pieces = [piece for piece in texts_painted(console) if not console.copy.geometry().contains(piece.ink.toRect())]
        assert clashes(pieces, [console.scrolled.geometry().toRectF()]) == []
