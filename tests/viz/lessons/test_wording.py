"""The rules for what an audience reads; and that the shipped lessons keep them."""

from __future__ import annotations

import shlex

import pytest

from bellwire.engine.errors import EngineError
from bellwire.viz.cli import app
from bellwire.viz.cli.terminal import DONE, FAILED
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import shipped_lessons
from bellwire.viz.lessons.wording import complaints, complaints_of
from bellwire.viz.terms.glossary import load_glossary

EACH = pytest.mark.parametrize("lesson", shipped_lessons(), ids=lambda lesson: lesson.name)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("word " * 26 + ".", "a sentence of"),
        ("It takes 3.5 µs.", "a figure"),
        ("It is 12 times as slow.", "a figure"),
        ("There were 200 exits.", "a figure"),
        ("The XYZZY does it.", "XYZZY"),
        ("It calls frob_nicate.", "frob_nicate"),
        ("A frobfd is written.", "frobfd"),
    ],
)
def test_a_text_that_breaks_a_rule_is_named(text: str, complaint: str) -> None:
    assert any(complaint in found for found in complaints_of(text, load_glossary()))


def test_a_text_that_keeps_them_is_not() -> None:
    text = "KVM adds {rung} to the eventfd. The guests and vCPUs go on: {doorbell.p50} later a thread wakes."
    assert list(complaints_of(text, load_glossary())) == []


@EACH
def test_the_shipped_lessons_keep_the_rules(lesson: Lesson) -> None:
    assert list(complaints(lesson, load_glossary())) == []


@EACH
def test_the_shipped_lessons_are_whole(lesson: Lesson) -> None:
    assert len(lesson.homework) == 3
    assert lesson.commands
    assert 5 <= len(lesson.steps) - 1 <= 15
    assert all(step.notes for step in lesson.steps[:-1])
    assert any(step.question for step in lesson.steps)


@EACH
def test_what_students_type_is_understood(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """No guest runs: a scenario, a call or an option that is not there is found before."""
    monkeypatch.setattr(app, "run_scenario", no_run)
    for command in lesson.commands:
        program, *arguments = shlex.split(command)
        assert program == "bellwire"
        if arguments[0] in ("run", "call"):
            assert app.main(arguments) in (DONE, FAILED), command


def no_run(*_: object, **__: object) -> None:
    raise EngineError("It is not run here.")
