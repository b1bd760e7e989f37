"""A lesson in the language that is spoken. Each of its texts is a message: a title, a paragraph, an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bellwire.viz.lessons.lesson import BULLET, HOMEWORK, Lesson, LessonStep, Question, ending
from bellwire.viz.lessons.step_figures import text_spoken
from bellwire.viz.text.assets import asset

Say = Callable[[str], str]


def lesson_spoken(lesson: Lesson) -> Lesson:
    """A lesson that is shipped, told in the language of now; one's own as it is written."""
    return with_texts(lesson, text_spoken) if lesson.path.parent == asset("lessons") else lesson


def with_texts(lesson: Lesson, say: Say) -> Lesson:
    """The lesson with what `say` makes of each text. Names, conditions and command lines are no texts."""
    steps = [step_with(step, say) for step in lesson.steps if step.name != HOMEWORK]
    homework = tuple(map(say, lesson.homework))
    return replace(
        lesson,
        title=say(lesson.title),
        knows=tuple(map(say, lesson.knows)),
        steps=(*steps, *ending(steps[-1], homework, lesson.commands)),
        homework=homework,
    )


def step_with(step: LessonStep, say: Say) -> LessonStep:
    """The same for a step."""
    return replace(
        step,
        title=say(step.title),
        text=tuple(paragraph_with(text, say) for text in step.text),
        notes=tuple(paragraph_with(text, say) for text in step.notes),
        question=question_with(step.question, say) if step.question else None,
    )


def question_with(question: Question, say: Say) -> Question:
    """The same for a question."""
    choices = (replace(one, text=say(one.text), reason=say(one.reason)) for one in question.choices)
    return replace(question, ask=say(question.ask), choices=tuple(choices))


def paragraph_with(text: str, say: Say) -> str:
    """The same for a paragraph, or for an item of a list, whose sign stays before it."""
    return f"{BULLET}{say(text.removeprefix(BULLET))}" if text.startswith(BULLET) else say(text)
