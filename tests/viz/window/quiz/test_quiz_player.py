"""A quiz in the window: nothing of the guest is seen until its cause was named, over recordings and over guests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import DEFAULT, load_scenario
from bellwire.viz.lessons.labs.clues import CLUES
from bellwire.viz.lessons.labs.lab_texts import riddle_named
from bellwire.viz.lessons.lesson_file import lesson_named
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.quiz.page import QuizPage
from bellwire.viz.window.window import MainWindow
from tests.support.playing import PATIENCE_MS, in_place_of, playing

LAB = riddle_named("second-irqfd")


def seen(window: MainWindow) -> str:
    """All words that can be read."""
    labels = [label.text() for label in window.findChildren(QLabel) if label.isVisible()]
    named = [part.accessibleName() for part in window.findChildren(QWidget) if part.isVisible()]
    return "\n".join((window.windowTitle(), *labels, *named))


def hides(window: MainWindow) -> bool:
    return window.quiz.hides


def page_of(window: MainWindow) -> QuizPage:
    assert window.quiz_page is not None
    return window.quiz_page


def play(qtbot: QtBot, window: MainWindow) -> None:
    """To its end: a piece of evidence, a wrong cause, the right one."""
    quiz = window.quiz
    assert window.quiz_page is None
    quiz.begin(7, LAB)
    page = page_of(window)
    assert not window.shown.isVisible()
    qtbot.waitUntil(lambda: quiz.ready, timeout=PATIENCE_MS)
    assert quiz.quiz is not None
    assert quiz.run is not None
    told = seen(window)
    assert "Quiz 7" in window.windowTitle()
    assert LAB.scenario.title not in told
    assert LAB.scenario.purpose not in told
    assert "EBUSY" not in told
    assert not window.shown.isVisible()
    assert not window.controls.isVisible()
    page.clues[0].button.click()
    assert page.clues[0].answer.text().startswith("Interrupts signalled")
    choices = quiz.quiz.choices(quiz.run)
    right = choices.index(LAB.cause)
    page.causes[(right + 1) % len(choices)].button.click()
    assert page.causes[(right + 1) % len(choices)].answer.text().startswith("✗")
    assert f"{10 - CLUES[0].cost - 3} points" in page.head.text()
    assert hides(window)
    page.causes[right].button.click()
    assert not hides(window)
    assert window.shown.isVisible()
    assert window.controls.isVisible()
    assert LAB.scenario.title in window.windowTitle()
    assert "EBUSY" in page.result.text()


def test_over_a_recording(qtbot: QtBot) -> None:
    window = playing(qtbot, in_place_of(load_scenario(DEFAULT)), in_place_of)
    play(qtbot, window)
    assert "REPLAY" in page_of(window).head.text()
    page_of(window).set_theme(LIGHT)
    page_of(window).close_.click()
    assert page_of(window).isHidden()
    assert not window.quiz.on
    window.close()


@pytest.mark.kvm
def test_over_a_guest(qtbot: QtBot) -> None:
    window = playing(qtbot, Session(load_scenario(DEFAULT)), Session)
    play(qtbot, window)
    assert "LIVE" in page_of(window).head.text()
    window.close()


def test_giving_up_tells_the_cause_and_other_things_end_it(qtbot: QtBot) -> None:
    window = playing(qtbot, in_place_of(load_scenario(DEFAULT)), in_place_of)
    quiz = window.quiz
    window.run_action(BY_NAME["quiz"])
    assert hides(window)
    quiz.begin(7, LAB)
    qtbot.waitUntil(lambda: quiz.ready, timeout=PATIENCE_MS)
    page_of(window).gives_up.click()
    assert not hides(window)
    assert "0 points" in page_of(window).head.text()
    assert "EBUSY" in page_of(window).result.text()
    ends: tuple[Callable[[], None], ...] = (
        partial(window.commands.run_scenario_called, "irq-msi"),
        partial(window.commands.begin_lesson, lesson_named("ioeventfd")),
        quiz.give_up,  # before there is a symptom
    )
    for end in ends:
        quiz.begin(7, LAB)
        assert hides(window)
        end()
        qtbot.waitUntil(lambda: not quiz.on, timeout=PATIENCE_MS)
        assert window.shown.isVisible()
    window.close()
