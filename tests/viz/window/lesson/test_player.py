"""A lesson in the window: to its end and back, over guests and over recordings; what it waits for; who is right."""

from __future__ import annotations

import time
from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.errors import NoKvmError
from bellwire.engine.live.session import Session
from bellwire.engine.recordings import shipped
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.source import Source
from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import lesson_named, shipped_lessons
from bellwire.viz.text.figures import digits
from bellwire.viz.window.lesson.player import Coming
from bellwire.viz.window.window import MainWindow
from tests.support.asking import ASKING, asking
from tests.support.fake_source import FakeSource
from tests.support.playing import PATIENCE_MS, WHY, in_place_of, playing, position_is_on
from tests.support.windows import staged

EACH = pytest.mark.parametrize("lesson", shipped_lessons(), ids=lambda lesson: lesson.name)
QUICKER = 80  # times: some have come to their end before their step begins to count


def no_guest(scenario: Scenario) -> Source:
    source = Source(scenario, {}, Session(scenario).clock)
    source.wait_until_started = refuse  # type: ignore[method-assign]
    return source


def refuse(seconds: float | None = None) -> bool:
    raise NoKvmError(WHY)


def course_of(window: MainWindow) -> Course:
    course = window.lessons.course
    assert course is not None
    return course


def come_to(qtbot: QtBot, window: MainWindow, at: int) -> None:
    """Until that position is on, and what has to happen there has happened."""

    def there() -> bool:
        course = course_of(window)
        return course.at == at and position_is_on(window, course)

    qtbot.waitUntil(there, timeout=PATIENCE_MS)


def walk(qtbot: QtBot, window: MainWindow, lesson: Lesson) -> None:
    """To its end and back: each step says then what it said when it was left."""
    window.lessons.begin(lesson, here=True)
    course = course_of(window)
    said: dict[int, list[str]] = {}
    for at in range(len(course.positions)):
        come_to(qtbot, window, at)
        check_position(window, course)
        if not course.last:
            window.lessons.go_on()
        said[at] = words_at(course, at)
    for at in reversed(range(len(course.positions) - 1)):
        window.lessons.go_back()
        assert course.at == at
        come_back(qtbot, window, course.visits[at].left)
        assert window.lessons.coming is Coming.VISITED
        assert words_at(course, at) == said[at]
    window.close()


def check_position(window: MainWindow, course: Course) -> None:
    """One choice is right, a story stands at its stage, and every figure is known."""
    if window.model.replaying:
        assert window.model.scenario.name == course.scene.in_place.name
    if course.position.revealed:
        answers = course.answers()
        assert [answer.right for answer in answers].count(True) == 1, [(one.choice.text, one.reason) for one in answers]
    if course.scene.stage:
        story = window.model.story
        assert story is not None
        assert story.standpoint.here.stage.name == course.scene.stage
    for text in course.told((*course.step.text, *course.step.notes)):
        assert "–" not in text.split(), f"{course.step.title}: {text}"


def come_back(qtbot: QtBot, window: MainWindow, left: int) -> None:
    qtbot.waitUntil(lambda: window.model.playhead == left or window.model.story is not None, timeout=PATIENCE_MS)


def words_at(course: Course, at: int) -> list[str]:
    """What a position says to its audience, by what was seen of it and before."""
    here, course.at = course.at, at
    words = course.told(course.step.text)
    course.at = here
    return words


@pytest.mark.kvm
@EACH
def test_a_lesson_is_walked_over_guests_to_its_end_and_back(qtbot: QtBot, lesson: Lesson) -> None:
    window = playing(qtbot, Session(lesson.steps[0].scene.scenario), Session)
    walk(qtbot, window, lesson)


@pytest.fixture
def played_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is played in place of a guest passes more quickly than it happened; nothing else of it is different."""
    monkeypatch.setattr(shipped, "Replay", partial(Replay, monotonic_ns=lambda: QUICKER * time.monotonic_ns()))


@pytest.mark.usefixtures("played_quickly")
@EACH
def test_a_lesson_is_walked_over_recordings_to_its_end_and_back(qtbot: QtBot, lesson: Lesson) -> None:
    window = playing(qtbot, in_place_of(lesson.steps[0].scene.in_place), no_guest)
    walk(qtbot, window, lesson)


def test_a_recording_that_has_ended_is_played_again_until_enough_has_happened(qtbot: QtBot) -> None:
    """A lecturer may talk for longer than a recording lasts."""
    lesson = asking()
    window = playing(qtbot, in_place_of(lesson.steps[0].scene.in_place), no_guest)
    window.lessons.begin(lesson, here=True)
    come_to(qtbot, window, 0)
    ended = window.model
    ended.source.stop()
    qtbot.waitUntil(lambda: not ended.source.alive, timeout=PATIENCE_MS)
    window.lessons.go_on()
    come_to(qtbot, window, 1)
    assert window.model is not ended
    window.close()


def test_next_comes_once_what_has_to_happen_has_happened(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        lessons = stage.window.lessons
        lessons.begin(asking(), here=True)
        stage.run(2)
        course = course_of(stage.window)
        lessons.go_on()
        stage.window.lesson_bar.refresh()
        assert (course.at, lessons.wants_on) == (0, True)
        assert "goes on once rung >= 40" in stage.window.lesson_bar.waits.text()
        stage.run_until(lambda: course.at == 1)
        assert not lessons.wants_on
        stage.run_until(lambda: bool(course.answers()))
        assert [answer.right for answer in course.answers()] == [True, False]
        assert course.last


def test_the_bar_asks_and_counts_hands_and_shows_who_was_right(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        bar, lessons = stage.window.lesson_bar, stage.window.lessons
        assert bar.isHidden()
        lessons.begin(asking(), here=True)
        stage.run(2)
        course = course_of(stage.window)
        assert bar.on.text() == "Reveal"
        assert [row.mark.text() for row in bar.question.rows] == ["", ""]
        bar.question.rows[1].button.click()
        bar.question.rows[0].hands.setValue(1)
        assert bar.question.rows[0].hands.text() == "1 hand"
        line = bar.question.rows[0].hands.lineEdit()
        QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(12, line.height() // 2))
        QTest.keyClicks(line, "17")
        assert bar.question.rows[0].hands.text() == "17 hands"
        assert (course.chosen, course.hands) == ({"step-1": 1}, {("step-1", 0): 17})
        stage.run_until(lambda: not course.unmet())
        bar.on.click()
        stage.run_until(lambda: bool(course.answers()))
        stage.run(2)
        assert [row.mark.text() for row in bar.question.rows] == ["✓", "✗"]
        assert "not none" in bar.question.rows[1].reason.text()
        assert not stage.window.views.purpose.isVisible()
        bar.close_.click()
        assert bar.isHidden()
        assert stage.window.views.purpose.isVisible()


def test_a_digit_answers_while_a_question_is_asked_and_opens_a_scenario_before_and_after(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        window = stage.window

        def digits_of_scenarios() -> list[str]:
            return [one.shortcut().toString() for one in window.menus._digits.values() if not one.shortcut().isEmpty()]

        assert digits_of_scenarios() == list("123456789")
        window.lessons.begin(asking(), here=True)
        stage.run(2)
        course, scenario = course_of(window), window.model.scenario
        assert digits_of_scenarios() == []
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        stage.press(qtbot, Qt.Key.Key_2)
        stage.run_until(lambda: course.chosen == {"step-1": 1})
        assert window.model.scenario is scenario
        window.lesson_bar.close_.click()
        stage.run(2)
        assert digits_of_scenarios() == list("123456789")


def test_a_part_that_is_clicked_at_is_an_answer(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        lesson = asking(ASKING.replace('text = "None"', 'part = ["exit", "vcpu"]'))
        stage.window.lessons.begin(lesson, here=True)
        stage.run(2)
        select = stage.window.model.selection.choose
        for part, chosen in (("driver", {}), ("vcpu", {"step-1": 1}), ("", {"step-1": 1}), ("exit", {"step-1": 1})):
            select(part=part)
            stage.run(2)
            assert course_of(stage.window).chosen == chosen
        assert stage.window.lesson_bar.question.rows[1].button.isChecked()


def test_a_part_that_a_scene_chooses_is_shown_by_the_panels_and_is_no_answer(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        text = ASKING.replace('text = "None"', 'part = "exit"').replace(
            'scenario = "roundtrip"',
            """scenario = "roundtrip"
part = "exit"
panel = "calls"
""",
        )
        stage.window.lessons.begin(asking(text), here=True)
        stage.run(2)
        course = course_of(stage.window)
        assert stage.window.model.selection.part == "exit"
        assert course.chosen == {}
        stage.run_until(lambda: not course.unmet())
        stage.window.lessons.go_on()
        stage.run(2)
        assert stage.window.model.selection.part == ""


def test_a_machine_that_began_with_a_step_is_counted_from_its_first_signal(qtbot: QtBot) -> None:
    """It may have no other: a level that nobody ends."""
    lesson = asking(ASKING.replace("reveal = {", 'reveal = { scenario = "doorbell-pio",'))
    with staged(qtbot, 1280, 720) as stage:
        window = stage.window
        window.lessons.begin(lesson, here=True)
        course = course_of(window)

        def signal() -> None:
            assert isinstance(window.model.source, FakeSource)
            stage.source = window.model.source
            stage.source.run(0.5)

        window.commands.shown.changed.connect(signal)
        window.lessons.go_on()
        stage.run_until(lambda: bool(course.answers()))
        assert course.visits[1].figures.tally.doorbells_rung == window.model.present.tally.doorbells_rung


def test_the_figures_of_what_is_asked_and_of_what_is_revealed_have_names(qtbot: QtBot) -> None:
    text = ASKING.replace("reveal = {", 'reveal = { name = "after",').replace(
        "There were {rung}.", "{rung@step-1 / rung}"
    )
    with staged(qtbot, 1280, 720) as stage:
        lessons = stage.window.lessons
        lessons.begin(asking(text), here=True)
        stage.run(2)
        course = course_of(stage.window)
        lessons.go_on()
        stage.run_until(lambda: bool(course.answers()))
        asked, after = (course.visits[at].figures.tally.doorbells_rung for at in (0, 1))
        assert {"step-1", "after"} < set(course.figures())
        assert course.answers()[0].reason == digits(asked / after)


def test_who_asks_for_a_labs_cause_does_not_tell_it_by_its_name(qtbot: QtBot) -> None:
    """Nor by the sentence below the diagram, nor by what stands at a wire that is blocked."""
    text = ASKING.replace('scenario = "roundtrip"', 'scenario = "lab-wrong-datamatch"')
    scenario = load_scenario("lab-wrong-datamatch")
    with staged(qtbot, 1280, 720) as stage:
        window, said = stage.window, list[bool]()
        window.look.set_presenting(True)

        def follow() -> None:
            assert isinstance(window.model.source, FakeSource)
            stage.source = window.model.source

        window.commands.shown.changed.connect(follow)
        window.lessons.begin(asking(text))
        course = course_of(window)

        def look() -> None:
            stage.run(12)
            assert window.presenter.audience is not None
            combo, diagram, audiences = window.controls.scenarios, window.views.diagram, window.presenter.audience
            said.extend((scenario.title in window.windowTitle(), combo.currentText() == scenario.title))
            said.extend((bool(diagram.caption), not audiences.picture.silent))

        look()
        assert said == [False] * 4
        stage.run_until(lambda: not course.unmet())
        window.lessons.go_on()
        stage.run_until(lambda: bool(course.answers()))
        look()
        assert said[4:] == [True] * 4
        window.look.set_presenting(False)


def test_the_menu_begins_a_lesson(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        menu = stage.window.menus.lessons
        menu.aboutToShow.emit()
        titles = [action.text() for action in menu.actions()]
        assert titles == [lesson.title for lesson in shipped_lessons()]
        menu.actions()[-1].trigger()
        stage.run(2)
        assert course_of(stage.window).lesson.title == titles[-1]


def test_a_shipped_lesson_is_found_by_its_name() -> None:
    assert lesson_named("round-trip").title.startswith("Round trip")
