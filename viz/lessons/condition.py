"""What has to hold in a lesson: a comparison of figures, of which each is of the step at hand or of an earlier one.

"exits == 0", "injection.p50 > injection.p50@message": metrics of `bellwire run --assert`, behind an @ a step's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bellwire.engine.findings.assertion import OPERATORS, Assertion, Judgement, parse_assertion
from bellwire.viz.lessons.step_figures import Measure, StepFigures, measure_bounds, measure_value, parse_measure

OF_STEP = re.compile(r"@\s*[\w-]*")
OPERATOR = re.compile("|".join(OPERATORS))


@dataclass(frozen=True)
class Condition:
    """A comparison, and of which steps its left and its right side are, "" for the one at hand."""

    assertion: Assertion
    steps: tuple[str, str] = ("", "")

    @property
    def text(self) -> str:
        """In one spelling: "exits > exits@before"."""
        left, right = (f"{one.operand.text}@{one.step}".removesuffix("@") for one in self.measures)
        return f"{left} {self.assertion.operator} {right}"

    @property
    def measures(self) -> tuple[Measure, Measure]:
        """What is compared."""
        return Measure(self.assertion.left, self.steps[0]), Measure(self.assertion.right, self.steps[1])

    def judge(self, figures: Mapping[str, StepFigures]) -> Judgement:
        """By the figures of each step, that at hand called ""; what is not there holds nothing."""
        value, limit = (measure_value(one, figures) for one in self.measures)
        one, other = (measure_bounds(one, figures) for one in self.measures)
        return replace(self.assertion.compare(value, limit, one, other), text=self.text)


def parse_condition(text: str, steps: Iterable[str]) -> Condition:
    """A condition; AssertionTextError says what is allowed. steps: the names of the earlier ones."""
    names, of = set(steps), []
    for side in OPERATOR.split(text, maxsplit=1):
        _, at, step = (part.strip() for part in side.partition("@"))
        of.append(step)
        if at:
            parse_measure(side, names)
    assertion = parse_assertion(OF_STEP.sub("", text))
    return Condition(assertion, (of[0], of[-1]))
