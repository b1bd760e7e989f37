"""A lesson's file: what it may hold, and a mistake that names file, line and what is allowed."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from bellwire.engine.errors import LessonError
from bellwire.engine.events import Switch
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.viz.lessons import lesson_file
from bellwire.viz.lessons.lesson import HOMEWORK, TimeOfScene
from bellwire.viz.lessons.lesson_file import lesson_named, lesson_of, read_lesson, shipped_lessons

PATH = Path("mine.md")
LESSON = """+++
title = "Mine"
minutes = 5
knows = ["something"]
homework = ["Why {rung}?"]
commands = ["bellwire list"]
+++

## First

```scene
name = "first"
scenario = "roundtrip"
settings = { pace = 20, ioeventfd = false }
highlight = ["driver"]
until = ["rung >= 10", "doorbell.p50 < 1s"]
```

It rang `{rung}` times.

- And *once* more.

> For the lecturer.

## Second

```scene
name = "asked"
time = "slowest"
stage = "eventfd"
diagram = "extended"
```

{doorbell.p50@first / doorbell.p50} of it.

```question
ask = "What now?"
reveal = { name = "after", part = "driver", switches = { irqfd = false }, until = "rung >= 10" }
[[choices]]
text = "One"
when = ["exits == 0", "rung@first < rung@asked"]
reason = "There were {exits}, and {exits@asked} before."
[[choices]]
part = "driver"
when = "exits > 0"
reason = "No."
```
"""


def test_a_step_goes_on_with_the_scene_before() -> None:
    first, second, home = lesson_of(PATH, LESSON).steps
    assert first.text == ("It rang {rung} times.", "• And once more.")
    assert first.notes == ("For the lecturer.",)
    assert (first.scene.scenario.pace.per_second, first.scene.highlight) == (20, frozenset({"driver"}))
    assert not second.scene.afresh
    assert second.scene.scenario == first.scene.scenario
    assert (second.scene.telling, second.scene.stage, second.scene.extended) == (TimeOfScene.SLOWEST, "eventfd", True)
    assert second.scene.highlight == frozenset()
    assert second.question is not None
    assert second.question.reveal.switches == {Switch.IRQFD: False}
    assert [choice.parts for choice in second.question.choices] == [(), ("driver",)]
    assert (second.question.name, second.question.reveal.part, second.scene.part) == ("after", "driver", "")
    assert [condition.text for condition in second.question.choices[0].when][1] == "rung@first < rung@asked"
    assert home.name == HOMEWORK
    assert home.text == ("1. Why {rung}?", "bellwire list")


MISTAKES = {
    "no front matter": ("+++\ntitle", "title", 1, "begins with the line +++"),
    "no minutes": ("minutes = 5\n", "", 2, "the head has no minutes"),
    "too many minutes": ("minutes = 5", "minutes = 500", 3, "from 1 to 180"),
    "a truth for a number": ("minutes = 5", "minutes = true", 3, "from 1 to 180"),
    "not TOML": ("minutes = 5", "minutes =", 3, "not TOML"),
    "an unknown key": ("minutes = 5", "minutes = 5\ncolor = 3", 4, "'color' is unknown; allowed are"),
    "no list": ('knows = ["something"]', "knows = 3", 4, "a list of texts"),
    "no such scenario": ('"roundtrip"', '"roundtrop"', 13, "did you mean roundtrip?"),
    "no such setting": ("pace = 20", "pase = 20", 14, "pase"),
    "no such part": ('["driver"]', '["drover"]', 15, "the diagram has no part 'drover'; there are"),
    "no such metric": ("rung >= 10", "rang >= 10", 16, "rang is no metric"),
    "no such figure": ("{rung}` times", "{rang}` times", 9, "rang is no metric"),
    "no such step": ("p50@first", "p50@frist", 25, "no earlier step is called 'frist'"),
    "a time by a count": ("@first / doorbell.p50}", "@first / rung}", 25, "divides a time and a count"),
    "no such stage": ('stage = "eventfd"', 'stage = "eventfds"', 30, "did you mean eventfd?"),
    "a condition on no step": ("rung@first <", "rung@frist <", 41, "called 'frist'; those that are: asked, first."),
    "a reveal of a step's name": ('name = "after"', 'name = "asked"', 38, "called 'asked' already"),
    "a chosen part that is not there": ('part = "driver", sw', 'part = "drover", sw', 38, "no part 'drover'"),
    "a stage without a story": ('time = "slowest"\n', "", 29, "a story stops there"),
    "no such switch": ("{ irqfd = false }", "{ irq = false }", 38, "ioeventfd = true or false"),
    "one choice": ('[[choices]]\npart = "driver"\nwhen = "exits > 0"\nreason = "No."\n', "", 39, "2 to 5"),
    "a choice that nothing decides": ('when = "exits > 0"\n', "", 43, "has a `when`"),
    "an unknown fence": ("```question", "```quiz", 36, "called scene or question"),
    "a step without words": ("{doorbell.p50@first / doorbell.p50} of it.\n", "", 25, "a text for the audience"),
    "two steps of a name": ('name = "asked"', 'name = "first"', 28, "called 'first' already"),
    "something above the steps": ("+++\n\n## First", "+++\n\nHello.\n\n## First", 9, "above the first heading"),
    "a number beyond TOML's": ("pace = 20", f"pace = 0x{'f' * 4500}", 14, "a number is at most"),
    "digits without end": ("pace = 20", f"pace = {'9' * 4500}", 12, "a number has thousands of digits"),
    "lists without end": ("pace = 20", f"pace = {'[' * 3000}", 12, "in one another without end"),
    "a table in a table": ("pace = 20", f"pace{'.a' * 12} = 20", 14, "too many tables and lists"),
    "a key in a key in a key": ("pace = 20", f"pace{'.a' * 99} = 20", 14, "not TOML: A key has at most 16 parts."),
    "a line that is read for minutes": ("pace = 20", f"pace{'.a' * 9999} = 20", 14, "a line has at most 8000"),
    "a title that fills the screen": ("## Second", f"## {'W' * 300}", 25, "the title of a step: at most 200"),
    "a text that fills the screen": ("- And *once* more.", "W " * 3000, 9, "the text of a step: at most 4000"),
    "a question that fills the screen": ('"What now?"', "'" + "W" * 3000 + "'", 37, "a text has at most 2000"),
    "conditions without end": (
        '["rung >= 10", "doorbell.p50 < 1s"]',
        "[" + '"rung >= 1",' * 30 + "]",
        16,
        "more than 20 conditions",
    ),
    "steps without end": ("> For the lecturer.", "\n\n## Once more\n\nWords." * 300, 821, "at most 200 steps"),
    "HTML": ("> For the lecturer.", "<b>bold</b>", 23, "allowed are headings"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_and_line_and_what_is_allowed(mistake: str) -> None:
    right, wrong, line, allowed = MISTAKES[mistake]
    assert right in LESSON
    with pytest.raises(LessonError) as found:
        lesson_of(PATH, LESSON.replace(right, wrong, 1))
    assert str(found.value).startswith(f"mine.md:{line}: ")
    assert allowed in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff\xfe", "is not in UTF-8"), (b"x" * 300_000, "more than 256 kB"), (b"", "begins with")]
)
def test_a_file_that_is_no_lesson_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "no.md"
    path.write_bytes(content)
    with pytest.raises(LessonError, match=why):
        read_lesson(path)


def test_what_is_no_file_is_refused_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.md")
    (tmp_path / "loop.md").symlink_to("loop.md")
    for name, why in (("fifo.md", "it is not a file"), ("loop.md", os.strerror(errno.ELOOP)), (".", "Is a directory")):
        with pytest.raises(LessonError) as found:
            lesson_named(str(tmp_path / name))
        assert str(found.value).startswith(f"{tmp_path / name}: cannot be read: {why}.")


def test_a_scenario_of_ones_own_stands_beside_the_lesson(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text(LESSON.replace('scenario = "roundtrip"', 'scenario = "own.toml"'))
    with pytest.raises(LessonError, match=r"mine\.md:\d+: .*own\.toml: cannot be read"):
        read_lesson(path)
    (tmp_path / "own.toml").write_text((GUESTS / "roundtrip.toml").read_text())
    assert read_lesson(path).steps[0].scene.scenario.name == "own"


def test_a_mark_of_the_byte_order_is_no_part_of_a_lesson(tmp_path: Path) -> None:
    path = tmp_path / "marked.md"
    path.write_text(LESSON, encoding="utf-8-sig")
    assert read_lesson(path).title == "Mine"


def test_a_name_that_nobody_has_is_answered_by_one_that_is_like_it() -> None:
    with pytest.raises(LessonError, match="did you mean round-trip"):
        lesson_named("round-tripp")
    with pytest.raises(LessonError, match="cannot be read"):
        lesson_named("missing.md")


def test_a_diagram_is_looked_through_only_for_parts_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than all else of a lesson, and most scenes and answers name none."""
    asked = Mock(return_value=["driver"])
    monkeypatch.setattr(lesson_file, "parts_of_diagram", asked)
    lesson_of(PATH, LESSON)
    assert asked.call_count == LESSON.count('"driver"')


def test_lessons_come_in_the_order_of_the_course() -> None:
    ranks = [lesson.rank for lesson in shipped_lessons()]
    assert ranks
    assert ranks == sorted(ranks)


def test_nothing_of_a_lesson_steers_who_prints_it(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(
        '+++\ntitle = "T\\u001b[31m"\nminutes = 1\nknows = ["K\\u202e"]\n+++\n\n## S \u202e\n\n'
        '```scene\nscenario = "roundtrip"\n```\n\nW\x1b[31m &#8238;\n\n> N \u2028\x07\n'
    )
    lesson = read_lesson(path)
    step = lesson.steps[0]
    assert (lesson.title, lesson.knows) == ("T␛[31m", ("K\\u202e",))
    assert (step.title, step.text, step.notes) == ("S \\u202e", ("W␛[31m \\u202e",), ("N ␇",))
