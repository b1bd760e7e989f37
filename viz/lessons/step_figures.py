"""What has happened since a step of a lesson began, and the texts that say so.

A text holds names in braces in place of figures: {exits}, {doorbell.p50}; {exits@alone} is that of the step called
alone; {doorbell.p50@slow / doorbell.p50} is how many times as much. The names are those of `bellwire run --assert`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bellwire.engine.errors import AssertionTextError
from bellwire.engine.events import Clock, EventKind, Events, by_kind
from bellwire.engine.findings.assertion import Operand, metric
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Bounds, Tally
from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.text.figures import digits, duration
from bellwire.viz.text.trust import bounded

UNKNOWN = "–"
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class StepFigures:
    """A fold over the events since a step began."""

    def __init__(self, scenario: Scenario, clock: Clock, opening: Events, backend: str = "") -> None:
        """opening: what a stream opens with that begins there (LiveModel.beginning()). backend: KVM's."""
        self.tally, self.latencies = Tally(), Latencies(scenario, clock, backend)
        self._clock = clock
        self._span: tuple[int, int] | None = None  # TSC of its first and its newest event
        self.feed(opening)
        if by_kind(opening).counts[EventKind.BEFORE]:  # which tells how things stood, whenever that is said
            self._span = None

    def feed(self, events: Events) -> None:
        """Adds the next batch, in the order of time."""
        self.tally.feed(events)
        self.latencies.feed(events)
        times = events["tsc"][events["kind"] != EventKind.BEFORE]
        if times.size:
            first, newest = self._span or (int(times.min()), 0)
            self._span = first, max(newest, int(times.max()))

    @property
    def seconds(self) -> float:
        """From the step's first event to its newest."""
        first, newest = self._span or (0, 0)
        return self._clock.ns(newest - first) / 1e9

    def value(self, operand: Operand) -> float | None:
        """A count, or ns; None if there is none."""
        return operand.value(self.tally, self.latencies)


@dataclass(frozen=True)
class Measure:
    """One side of a placeholder: a metric, and of which step ("" for the one at hand)."""

    operand: Operand
    step: str


@dataclass(frozen=True)
class Placeholder:
    """What stands in a text for a figure, or for how many times one is another one."""

    text: str
    measure: Measure
    divisor: Measure | None = None


def parse_placeholder(text: str, steps: Iterable[str] | None = None) -> Placeholder:
    """What stands between braces; AssertionTextError says what is allowed. steps: those before, if known."""
    sides = [parse_measure(side, steps if steps is None else set(steps)) for side in text.split("/")]
    if len(sides) > 2:
        raise AssertionTextError(f"{{{text}}} has more than one division.")
    if len(sides) == 2 and sides[0].operand.is_time != sides[1].operand.is_time:
        raise AssertionTextError(f"{{{text}}} divides a time and a count.")
    return Placeholder(text, *sides)


def parse_measure(text: str, steps: set[str] | None) -> Measure:
    """A metric, with @ and the name of an earlier step, or without."""
    name, _, step = (part.strip() for part in text.partition("@"))
    if step and steps is not None and step not in steps:
        named = ", ".join(sorted(steps)) or "none"
        raise AssertionTextError(f"no earlier step is called {step!r}; those that are: {named}.")
    return Measure(metric(name), step)


def placeholders_of(text: str, steps: Iterable[str]) -> list[Placeholder]:
    """All of a text; AssertionTextError for one that nobody understands."""
    names = set(steps)
    return [parse_placeholder(found, names) for found in PLACEHOLDER.findall(text)]


def text_spoken(text: str) -> str:
    """A text with names in braces in the language that is spoken; as it is written, if the translation has others."""
    spoken = tr(text)
    return spoken if set(PLACEHOLDER.findall(spoken)) == set(PLACEHOLDER.findall(text)) else text


def figures_told(text: str, figures: Mapping[str, StepFigures]) -> str:
    """The text with the figures of the run in place of the names. figures: by step; that at hand is called ""."""

    def told(found: re.Match[str]) -> str:
        placeholder = parse_placeholder(found[1])
        value, bounds = measure_value(placeholder.measure, figures), measure_bounds(placeholder.measure, figures)
        if placeholder.divisor is None:
            return UNKNOWN if value is None else figure_words(value, placeholder.measure.operand.is_time, bounds)
        divisor = measure_value(placeholder.divisor, figures)
        bounds = bounds or measure_bounds(placeholder.divisor, figures)
        return UNKNOWN if value is None or not divisor or bounds else digits(value / divisor)

    return PLACEHOLDER.sub(told, text)


def measure_value(measure: Measure, figures: Mapping[str, StepFigures]) -> float | None:
    """In ns if it is a time; None if that step was not seen, or has none."""
    of = figures.get(measure.step)
    return None if of is None else of.value(measure.operand)


def measure_bounds(measure: Measure, figures: Mapping[str, StepFigures]) -> Bounds | None:
    """Between what it lies, where events are missing that it is made of."""
    of = figures.get(measure.step)
    return None if of is None else measure.operand.bounds(of.tally)


def figure_words(value: float, is_time: bool, bounds: Bounds | None = None) -> str:
    """ "1 204", "≥ 1 204" or "12.3 µs"."""
    return duration(value) if is_time else bounded(value, bounds)
