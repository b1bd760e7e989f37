"""What is read above the picture: every step of every lesson fits, in type that can be read; clicks are answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.course import ChoiceSoFar
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import shipped_lessons
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.trust import UNTOLD
from bellwire.viz.window.presenter.slide import Slide
from bellwire.viz.window.presenter.slide_view import LEAST, MOST, SlideView, with_hands
from tests.support.type_sizes import sizes_painted

SCREENS = ((1920, 1080), (1280, 720), (1024, 768))
ASKED = Slide(("asked",), "How many?", "", "It rang.", "Which?", (ChoiceSoFar("Many", hands=3), ChoiceSoFar("None")))


def test_what_cannot_be_told_is_answered_all_the_same() -> None:
    """It looked as if nobody had asked the run yet."""
    untold = ChoiceSoFar("Many", reason=UNTOLD)
    assert not ASKED.answered
    assert replace(ASKED, choices=(untold, untold)).answered


def slides_of(lesson: Lesson) -> list[Slide]:
    """Each step, asked and answered, with its figures' names in place of figures: they are longer."""
    found = []
    for step in lesson.steps:
        choices = step.question.choices if step.question else ()
        ask = step.question.ask if step.question else ""
        asked = tuple(ChoiceSoFar(choice.text, hands=100) for choice in choices)
        answered = tuple(
            ChoiceSoFar(one.text, hands=100, right=not n, reason=one.reason) for n, one in enumerate(choices)
        )
        found.append(Slide((step.name,), step.title, "REPLAY, STORY", "\n".join(step.text), ask, asked))
        found.append(replace(found[-1], choices=answered))
    return found


@pytest.mark.parametrize("lesson", shipped_lessons(), ids=lambda lesson: lesson.name)
def test_every_step_leaves_the_picture_its_share_and_can_be_read(lesson: Lesson, qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    view = SlideView(DARK, top)
    for slide in slides_of(lesson):
        for width, height in SCREENS:
            high = view.show_slide(slide, width, height)
            assert high <= round(MOST * height), slide.title
            view.resize(width, high)
            with sizes_painted() as found:
                view.grab()
            assert slide.title in found
            assert {choice.text for choice in slide.choices} <= {words.partition("   ")[0] for words in found}
            assert {words: pixels for words, pixels in found.items() if pixels < LEAST * height} == {}
            places = [one.rect for one in view.laid_out.written]
            assert all(view.rect().contains(place.toAlignedRect()) for place in places)
            assert [a for n, a in enumerate(places) for b in places[:n] if a.intersects(b)] == []


def test_a_click_at_a_choice_is_an_answer(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    top.resize(1280, 720)
    view = SlideView(DARK, top)
    view.resize(1280, view.show_slide(ASKED, 1280, 720))
    top.show()
    heard: list[int] = []
    view.chosen.connect(heard.append)
    for row in reversed(view.laid_out.rows):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=row.center().toPoint())
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert heard == [1, 0]


def test_words_that_change_with_each_second_do_not_move_the_picture(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    view = SlideView(DARK, top)
    long = Slide(("one",), "Roundtrip", "", "The guest rang, and rang, and rang. " * 6)
    tall = view.show_slide(long, 1280, 720)
    assert view.show_slide(replace(long, text="It rang."), 1280, 720) == tall
    assert view.show_slide(replace(long, key=("other",), text="It rang."), 1280, 720) < tall


def test_one_hand_is_one_hand() -> None:
    said = [with_hands(ChoiceSoFar("Many", hands=hands)).replace("\u00a0", " ") for hands in (0, 1, 2)]
    assert said == ["Many", "Many   1 hand", "Many   2 hands"]
