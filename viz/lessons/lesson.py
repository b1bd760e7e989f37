"""What a lesson is: steps, each a scene with a text for the audience, notes for the lecturer and perhaps a question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.events import Switch
from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from bellwire.viz.lessons.condition import Condition

BULLET = "• "  # what a paragraph begins with that is an item of a list
HOMEWORK = "homework"  # the name of the step that a lesson ends with


class TimeOfScene(StrEnum):
    """How time passes in a scene: as it does, or as the story of one journey."""

    LIVE = "live"
    NEWEST = "newest"
    MEDIAN = "median"
    SLOWEST = "slowest"


@dataclass(frozen=True)
class LessonScene:
    """What the window shows in a step.

    in_place: the scenario whose recording shows the same where no guest can run, and so no switch be turned.
    panel: the one in front, "" for plots and timeline. highlight: parts of the diagram; the rest is dimmed. part: the
    one that is chosen, as by a click: the panels show what belongs to it.
    stage: at which a story stops. until: what has to have happened since the step began before the next one may come.
    """

    scenario: Scenario
    in_place: Scenario
    switches: dict[Switch, bool] = field(default_factory=dict)
    afresh: bool = True  # begins with a new machine, rather than go on with that of the step before
    extended: bool = False
    panel: str = ""
    highlight: frozenset[str] = frozenset()
    part: str = ""
    telling: TimeOfScene = TimeOfScene.LIVE
    stage: str = ""
    break_at: str = ""  # a filter: the view stops at the first event that passes it
    until: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class LessonChoice:
    """What somebody may answer: words, or a click at one of these parts. It is right if `when` holds in the run.

    reason: why it is right, or wrong; with figures of the run, as all texts.
    """

    text: str
    when: tuple[Condition, ...]
    reason: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Asked before the run decides. reveal: the scene that does; name: by which texts call its figures, or ""."""

    ask: str
    choices: tuple[LessonChoice, ...]
    reveal: LessonScene
    name: str = ""


@dataclass(frozen=True)
class LessonStep:
    """One step. name: by which texts name its figures: {exits@NAME}. line: of its heading in the file."""

    name: str
    title: str
    text: tuple[str, ...]  # paragraphs
    notes: tuple[str, ...]
    scene: LessonScene
    question: Question | None = None
    line: int = 1


def scenes_of(lesson: Lesson) -> list[LessonScene]:
    """All that the window shows, in order: of a question also what reveals its answer."""
    return [
        scene for step in lesson.steps for scene in (step.scene, *([step.question.reveal] if step.question else []))
    ]


def ending(last: LessonStep, homework: tuple[str, ...], commands: tuple[str, ...]) -> Iterator[LessonStep]:
    """What a lesson ends with, if it has homework: its questions, and the command lines with which to find out."""
    if homework or commands:
        scene = last.question.reveal if last.question else last.scene
        calm = replace(scene, afresh=False, switches={}, highlight=frozenset(), part="", break_at="", until=())
        calm = replace(calm, telling=TimeOfScene.LIVE, stage="")
        questions = tuple(f"{number}. {question}" for number, question in enumerate(homework, 1))
        yield LessonStep(HOMEWORK, tr("To find out at home"), (*questions, *commands), (), calm)


@dataclass(frozen=True)
class Lesson:
    """A lesson as its file tells it."""

    path: Path
    title: str
    minutes: int
    knows: tuple[str, ...]  # what the audience knows afterwards
    steps: tuple[LessonStep, ...]
    homework: tuple[str, ...]
    commands: tuple[str, ...]  # with which students repeat it
    rank: int = 0

    @property
    def name(self) -> str:
        """By which the command line calls it."""
        return self.path.stem
