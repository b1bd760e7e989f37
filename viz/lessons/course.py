"""Where somebody is in a lesson: the step, what was seen at each, what was answered. The window plays it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bellwire.engine.findings.assertion import Judgement
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.language import tr
from bellwire.engine.source import Source
from bellwire.viz.lessons.lesson import Lesson, LessonChoice, LessonScene, LessonStep
from bellwire.viz.lessons.step_figures import StepFigures, figures_told
from bellwire.viz.lessons.translated import lesson_spoken
from bellwire.viz.text.trust import UNTOLD


@dataclass(frozen=True)
class Position:
    """A step; one with a question is passed twice: asked, then revealed."""

    step: LessonStep
    revealed: bool = False

    @property
    def scene(self) -> LessonScene:
        """What the window shows there."""
        return self.step.question.reveal if self.revealed and self.step.question else self.step.scene

    @property
    def name(self) -> str:
        """By which texts call its figures: a reveal without a name of its own has its step's, from then on."""
        named = self.step.question.name if self.revealed and self.step.question else ""
        return named or self.step.name


@dataclass
class Visit:
    """What was seen at a position. left: the TSC that the view stood at when it was left; 0: it is not left."""

    source: Source
    figures: StepFigures
    left: int = 0
    journey: Journeys = field(default_factory=no_journeys)  # that was told; shape (1,) or (0,)


@dataclass(frozen=True)
class Answered:
    """What the run says of a choice: whether it is right (None: that cannot be told), and why."""

    choice: LessonChoice
    right: bool | None
    reason: str


@dataclass(frozen=True)
class ChoiceSoFar:
    """A choice as it stands. hands: how many people were for it; right: None before the run has said that, and where
    it cannot be told, of which the reason says so; until then there is none."""

    text: str
    chosen: bool = False
    hands: int = 0
    right: bool | None = None
    reason: str = ""

    @property
    def answered(self) -> bool:
        """Whether the run has said what it can of it."""
        return self.right is not None or bool(self.reason)


class Course:
    """A lesson, and how far it has come."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson_spoken(lesson)  # it may have been read before it was known which language is wanted
        self.positions = [
            Position(step, revealed)
            for step in self.lesson.steps
            for revealed in (False, True)
            if step.question or not revealed
        ]
        self.at = 0
        self.visits: dict[int, Visit] = {}  # by position
        self.hands: dict[tuple[str, int], int] = {}  # how many people were for a choice of the step called so
        self.chosen: dict[str, int] = {}  # which choice was clicked at the step called so

    @property
    def position(self) -> Position:
        """Where it is."""
        return self.positions[self.at]

    @property
    def step(self) -> LessonStep:
        """The step of that."""
        return self.position.step

    @property
    def scene(self) -> LessonScene:
        """What is to be shown."""
        return self.position.scene

    @property
    def number(self) -> int:
        """Of the step, from 1."""
        return self.lesson.steps.index(self.step) + 1

    @property
    def visit(self) -> Visit | None:
        """What was seen here so far; None before anything has come."""
        return self.visits.get(self.at)

    @property
    def furthest(self) -> int:
        """The last position that was come to."""
        return max(self.visits, default=self.at)

    @property
    def last(self) -> bool:
        """Whether nothing comes after it."""
        return self.at == len(self.positions) - 1

    @property
    def asks(self) -> bool:
        """Whether there is a question that is not yet answered."""
        return self.step.question is not None and not self.position.revealed

    def unmet(self) -> list[Judgement]:
        """What has to happen before the next step may come."""
        if self.visit is None:
            return []
        figures = self.figures()
        return [judged for judged in (condition.judge(figures) for condition in self.scene.until) if not judged.holds]

    def figures(self) -> dict[str, StepFigures]:
        """Of each position that was seen up to here, by its name, that at hand also as ""."""
        so_far = [(at, self.visits[at]) for at in sorted(self.visits) if at <= self.at]
        seen = {self.positions[at].name: visit.figures for at, visit in so_far}
        return seen | ({"": self.visit.figures} if self.visit else {})

    def told(self, sentences: Iterable[str]) -> list[str]:
        """With the figures of the run."""
        figures = self.figures()
        return [figures_told(sentence, figures) for sentence in sentences]

    @property
    def asked(self) -> str:
        """The step's question, with the figures of the run; "" without one."""
        question = self.step.question
        return self.told([question.ask])[0] if question else ""

    def choices(self) -> tuple[ChoiceSoFar, ...]:
        """Of the step's question, as they stand: with hands, and once it is revealed with who was right."""
        name, question, answers = self.step.name, self.step.question, self.answers()
        return tuple(
            ChoiceSoFar(
                choice.text,
                self.chosen.get(name) == number,
                self.hands.get((name, number), 0),
                answers[number].right if answers else None,
                answers[number].reason if answers else "",
            )
            for number, choice in enumerate(question.choices if question else ())
        )

    def answers(self) -> list[Answered]:
        """What the run says of each choice; none before it is revealed and what has to happen has happened."""
        question, visit = self.step.question, self.visit
        if question is None or visit is None or not self.position.revealed or self.unmet():
            return []
        figures = self.figures()
        return [answered(choice, figures) for choice in question.choices]


def answered(choice: LessonChoice, figures: Mapping[str, StepFigures]) -> Answered:
    """What the figures of the steps say of a choice."""
    held = {condition.judge(figures).holds for condition in choice.when}
    if None in held and False not in held:
        return Answered(choice, None, tr(UNTOLD))
    return Answered(choice, False not in held, figures_told(choice.reason, figures))
