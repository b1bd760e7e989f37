"""Presenting: what a clicker's keys do, from the first step of a lesson to its last; screens that come and go."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.lesson_file import lesson_named
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.presenter import presenter as presenting
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.window import MainWindow
from tests.support.playing import PATIENCE_MS, in_place_of, playing, position_is_on
from tests.support.windows import Stage, staged_in_front

KEYS = Qt.Key


def audience_of(window: MainWindow) -> AudienceWindow:
    assert window.presenter.audience is not None
    return window.presenter.audience


def has_audience(window: MainWindow) -> bool:
    return window.presenter.audience is not None


def blank_of(window: MainWindow) -> Blank | None:
    return audience_of(window).blank


def click(window: MainWindow, key: Qt.Key) -> None:
    """A clicker is a keyboard: its keys go to whichever window is in front."""
    audience = window.presenter.audience
    front = audience if audience and audience.isVisible() else window
    front.activateWindow()
    assert QTest.qWaitForWindowActive(front)
    QTest.keyClick(front.focusWidget() or front, key)


def test_a_lesson_is_given_with_a_clicker_from_its_first_step_to_its_last(qtbot: QtBot) -> None:
    lesson = lesson_named("vm-exit")
    window = playing(qtbot, in_place_of(lesson.steps[0].scene.in_place), in_place_of)
    window.lessons.begin(lesson, here=True)
    course = window.lessons.course
    assert course is not None
    click(window, KEYS.Key_F5)
    audience = audience_of(window)
    assert QTest.qWaitForWindowExposed(audience)

    def seen() -> bool:
        return position_is_on(window, course) and audience.slide_view.slide.title == course.step.title

    for at in range(len(course.positions)):
        qtbot.waitUntil(seen, timeout=PATIENCE_MS)
        assert course.at == at
        assert "REPLAY" in audience.slide_view.slide.state
        assert audience.picture.model is window.model
        click(window, KEYS.Key_Period)
        assert blank_of(window) is Blank.BLACK
        click(window, KEYS.Key_Escape)
        assert blank_of(window) is None
        click(window, KEYS.Key_PageDown)
    assert course.last
    for at in reversed(range(len(course.positions) - 1)):
        click(window, KEYS.Key_PageUp)
        assert course.at == at
    click(window, KEYS.Key_Escape)
    assert not has_audience(window)
    window.close()


def test_the_keys_of_slides_are_theirs_while_there_is_an_audience_only(qtbot: QtBot) -> None:
    with staged_in_front(qtbot, 1280, 720) as stage:
        window = stage.window
        click(window, KEYS.Key_F5)
        audience = audience_of(window)
        assert QTest.qWaitForWindowExposed(audience)
        for key, blank in (
            (KEYS.Key_B, Blank.BLACK),
            (KEYS.Key_W, Blank.WHITE),
            (KEYS.Key_Period, Blank.BLACK),
            (KEYS.Key_Period, None),
        ):
            click(window, key)
            assert blank_of(window) is blank
        click(window, KEYS.Key_F5)
        assert audience_of(window) is audience
        assert not window.model.transport.paused
        assert not window.breaks.popover.isVisible()
        click(window, KEYS.Key_P)
        assert not has_audience(window)
        BY_NAME["white"].run(window.commands)
        assert "P opens one" in window.notice.words.text()
        click(window, KEYS.Key_Period)
        assert window.model.transport.paused


def test_another_source_is_seen_by_the_audience_as_well(qtbot: QtBot) -> None:
    with staged_in_front(qtbot, 1280, 720) as stage:
        window = stage.window
        window.look.set_presenting(True)
        stage.run(3)
        before = audience_of(window).picture.geometry()
        window.commands.run_scenario_called("doorbell-pio-exit")
        stage.run(3)
        picture = audience_of(window).picture
        assert picture.model is window.model
        assert picture.model.scenario.name == "doorbell-pio-exit"
        assert picture.isVisible()
        assert (picture.x(), picture.width()) == (before.x(), before.width())
        assert audience_of(window).slide_view.slide.title == picture.model.scenario.title


def test_on_one_screen_a_key_turns_between_the_windows(qtbot: QtBot) -> None:
    with staged_in_front(qtbot, 1280, 720) as stage:
        window = stage.window
        click(window, KEYS.Key_P)
        audience = audience_of(window)
        assert QTest.qWaitForWindowExposed(audience)
        assert audience.geometry() == window.screen().geometry()
        for shown in (False, True, False):
            click(window, KEYS.Key_F6)
            assert audience.isVisible() is shown
        window.look.set_presenting(False)


def test_closing_either_window_ends_the_audiences(qtbot: QtBot) -> None:
    with staged_in_front(qtbot, 1280, 720) as stage:
        window = stage.window
        window.look.set_presenting(True)
        audience_of(window).close()
        assert not window.look.presenting
        assert not has_audience(window)
        window.look.set_presenting(True)
        window.close()
        assert not has_audience(window)


def test_a_screen_that_goes_takes_nothing_along(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform of the tests has one screen: the other one is the same, taken for another."""
    with staged_in_front(qtbot, 1280, 720) as stage:
        window, own = stage.window, stage.window.screen()
        monkeypatch.setattr(presenting, "screen_apart", lambda *_: own)
        window.look.set_presenting(True)
        audience = audience_of(window)
        assert window.presenter.apart
        remove(stage, monkeypatch)
        assert not audience.isVisible()
        assert "one screen now" in window.notice.words.text()
        assert window.look.presenting
        click(window, KEYS.Key_F6)
        assert audience.isVisible()
        monkeypatch.setattr(presenting, "screen_apart", lambda *_: own)
        application().screenAdded.emit(own)
        qtbot.waitUntil(lambda: window.presenter.apart)
        assert audience.isVisible()


def remove(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other screen is gone."""
    monkeypatch.setattr(presenting, "screen_apart", lambda *_: None)
    application().screenRemoved.emit(stage.window.screen())
    stage.run(2)
    QTest.qWait(1)


def application() -> QGuiApplication:
    app = QGuiApplication.instance()
    assert isinstance(app, QGuiApplication)
    return app


def test_neither_a_tour_nor_a_quiz_goes_on_beside_an_audience(qtbot: QtBot) -> None:
    with staged_in_front(qtbot, 1280, 720) as stage:
        window = stage.window
        window.tour.begin()
        going_on = [window.tour.on]
        window.look.set_presenting(True)
        going_on += [window.tour.on, has_audience(window)]
        window._end_telling()  # as a quiz begins
        assert (*going_on, window.look.presenting, has_audience(window)) == (True, False, True, False, False)
