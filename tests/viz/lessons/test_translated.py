"""A lesson that is shipped is told in the language that is spoken, one's own as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import lesson_named, lesson_paths, shipped_lessons
from bellwire.viz.lessons.translated import paragraph_with
from bellwire.viz.lessons.wording import audience_texts
from tests.support.accented import Accents, accented, in_accents

RINGS = "{rung} doorbells, {exits} exits to user space. The write takes"  # how a text of vm-exit begins


def texts_in(lesson: Lesson) -> list[str]:
    """All that is read of it, and by whoever leads it."""
    steps = [(*audience_texts(step), *step.notes) for step in lesson.steps]
    return [lesson.title, *lesson.knows, *lesson.homework, *(text for step in steps for text in step)]


def names_in(lesson: Lesson) -> list[object]:
    """What is no text."""
    choices = [one for step in lesson.steps if step.question for one in step.question.choices]
    return [
        *(lesson.name, lesson.minutes, lesson.commands),
        [(step.name, step.line, step.scene.scenario, step.scene.highlight) for step in lesson.steps],
        [([condition.text for condition in choice.when], choice.parts) for choice in choices],
    ]


def test_every_text_of_every_lesson_is_said_and_nothing_else_differs() -> None:
    english = shipped_lessons()
    with in_accents():
        told = shipped_lessons()
    for before, lesson in zip(english, told, strict=True):
        assert names_in(lesson) == names_in(before)
        assert texts_in(lesson) == list(map(accented, texts_in(before)))
    assert list(map(texts_in, shipped_lessons())) == list(map(texts_in, english))


def test_a_lesson_that_was_read_before_is_given_in_the_language_of_now() -> None:
    lesson = lesson_named("vm-exit")
    with in_accents():
        assert Course(lesson).lesson.title == accented(lesson.title)


def test_the_sign_of_an_item_is_not_said() -> None:
    assert [paragraph_with(text, str.upper) for text in ("• Two", "No item")] == ["• TWO", "NO ITEM"]


@pytest.mark.parametrize("wrong", ["{of nothing}", "{rung", "", "{rung} {rung@nowhere}"])
def test_a_translation_with_other_places_is_passed_over(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    english = next(text for text in texts_in(lesson_named("vm-exit")) if text.startswith(RINGS))
    with in_accents(), monkeypatch.context() as patched:
        patched.setattr(Accents, "gettext", lambda _, message: wrong if message == english else accented(message))
        told = texts_in(lesson_named("vm-exit"))
    assert english in told
    assert told[0] == accented("What a VM exit costs")


def test_ones_own_lesson_is_shown_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_bytes(next(path for path in lesson_paths() if path.stem == "vm-exit").read_bytes())
    english = texts_in(lesson_named("vm-exit"))
    with in_accents():
        mine = texts_in(Course(lesson_named(str(path))).lesson)
    assert [text for text in mine if text not in english] == [accented("To find out at home")]
