"""What an audience reads above the picture: a title, a sentence, a question with its choices."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.language import tr, tr_later
from bellwire.engine.source import Label
from bellwire.viz.lessons.course import ChoiceSoFar, Course
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.figures import ratio

ANSWERS = {  # by who was right, as it is read out
    None: tr_later("{number} {choice} {reason}"),
    True: tr_later("{number} {choice}: right {reason}"),
    False: tr_later("{number} {choice}: wrong {reason}"),
}


@dataclass(frozen=True)
class Slide:
    """state: what the run is, where it is anything but live. key: what it is about; with another one all is new."""

    key: tuple[object, ...]
    title: str
    state: str
    text: str
    ask: str = ""
    choices: tuple[ChoiceSoFar, ...] = ()
    replaying: bool = False

    @property
    def answered(self) -> bool:
        """Whether it is known who was right."""
        return any(choice.answered for choice in self.choices)

    @property
    def spoken(self) -> str:
        """All of it, for whoever has it read out."""
        answers = [
            tr(ANSWERS[one.right], number=number, choice=one.text, reason=one.reason)
            for number, one in enumerate(self.choices, 1)
        ]
        return "\n".join(filter(None, (self.title, self.state, self.text, self.ask, *answers)))


def slide_of(model: LiveModel, course: Course | None, caption: str) -> Slide:
    """The lesson's step, or without a lesson the scenario and the sentence about what happens."""
    state = state_words(model)
    if course is None:
        return Slide((model,), tr(model.scenario.title), state, caption, replaying=model.replaying)
    step = course.step
    return Slide(
        (course, step.name),
        step.title,
        state,
        "\n".join(course.told(step.text)),
        course.asked,
        course.choices(),
        model.replaying,
    )


def state_words(model: LiveModel) -> str:
    """ "REPLAY, 1 : 1 000": whatever is not as it is by itself. States are messages of the bar."""
    states = [tr(Label.REPLAY)] if model.replaying else []
    states += [tr(model.state)] if model.state not in (Label.LIVE, Label.REPLAY) else []
    states += [tr("ENDED")] if model.ended else []
    factor = model.transport.factor
    return ", ".join(states + ([ratio(factor)] if factor > 1 and model.story is None else []))
