"""What an audience reads above the picture: a title, a sentence, a question with its choices."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.source import Label
from bellwire.viz.lessons.course import Course
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.figures import ratio


@dataclass(frozen=True)
class SlideChoice:
    """One answer. right: None while that is not known; hands: how many people were for it."""

    text: str
    chosen: bool = False
    hands: int = 0
    right: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Slide:
    """state: what the run is, where it is anything but live. key: what it is about; with another one all is new."""

    key: tuple[object, ...]
    title: str
    state: str
    text: str
    ask: str = ""
    choices: tuple[SlideChoice, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether it is known who was right."""
        return any(choice.right is not None for choice in self.choices)

    @property
    def spoken(self) -> str:
        """All of it, for whoever has it read out."""
        marks = {None: "", True: ": right", False: ": wrong"}
        answers = [f"{n} {one.text}{marks[one.right]} {one.reason}" for n, one in enumerate(self.choices, 1)]
        return "\n".join(filter(None, (self.title, self.state, self.text, self.ask, *answers)))


def slide_of(model: LiveModel, course: Course | None, caption: str) -> Slide:
    """The lesson's step, or without a lesson the scenario and the sentence about what happens."""
    state = state_words(model)
    if course is None:
        return Slide((model,), model.scenario.title, state, caption)
    step = course.step
    question = step.question
    return Slide(
        (course, step.name),
        step.title,
        state,
        "\n".join(course.told(step.text)),
        course.told([question.ask])[0] if question else "",
        choices_of(course),
    )


def state_words(model: LiveModel) -> str:
    """ "REPLAY, 1 : 1 000": whatever is not as it is by itself."""
    states = [str(Label.REPLAY)] if model.replaying else []
    states += [model.state] if model.state not in (Label.LIVE, Label.REPLAY) else []
    states += ["ENDED"] if model.ended else []
    factor = model.transport.factor
    return ", ".join(states + ([ratio(factor)] if factor > 1 and model.story is None else []))


def choices_of(course: Course) -> tuple[SlideChoice, ...]:
    """As they stand: with hands, and once it is revealed with who was right."""
    name, question = course.step.name, course.step.question
    answers = course.answers()
    return tuple(
        SlideChoice(
            choice.text,
            course.chosen.get(name) == number,
            course.hands.get((name, number), 0),
            answers[number].right if answers else None,
            answers[number].reason if answers else "",
        )
        for number, choice in enumerate(question.choices if question else ())
    )
