"""What is said of the labs beside their scenarios (assets/labs.toml): symptoms, causes to choose from, remedies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bellwire.engine.errors import ScenarioError
from bellwire.engine.findings.assertion import Assertion, parse_assertion
from bellwire.engine.scenarios.scenario import Scenario, did_you_mean, load_scenario
from bellwire.viz.lessons.step_figures import text_spoken
from bellwire.viz.text.assets import asset


@dataclass(frozen=True)
class CauseText:
    """What may be the matter, as a statement. side: whose trouble it would be. written: in English."""

    name: str
    side: str
    written: str

    @property
    def text(self) -> str:
        """The statement in the language that is spoken."""
        return text_spoken(self.written)


@dataclass(frozen=True)
class Symptom:
    """What somebody complains of, with figures of the run in braces; told if `when` holds, or if there is none."""

    written: str
    when: Assertion | None

    @property
    def text(self) -> str:
        """The complaint in the language that is spoken."""
        return text_spoken(self.written)


@dataclass(frozen=True)
class Riddle:
    """A guest that breaks by itself. remedy: how it is mended, in English.

    seconds: how long it has to run until the symptom is there; broken_at: a moment at which it is, seconds.
    """

    name: str
    cause: CauseText
    symptoms: tuple[Symptom, ...]
    remedy: str
    seconds: float
    broken_at: float

    @property
    def mended(self) -> str:
        """The remedy in the language that is spoken."""
        return text_spoken(self.remedy)

    @property
    def scenario(self) -> Scenario:
        """What breaks, and what is to be learned from it."""
        return load_scenario(self.name)


@lru_cache(1)
def cause_texts() -> dict[str, CauseText]:
    """All causes that can be named, by name."""
    return {name: CauseText(name, table["side"], table["text"]) for name, table in lab_tables()["cause"].items()}


@lru_cache(1)
def riddles() -> dict[str, Riddle]:
    """All labs, by the name of their scenario."""
    return {name: riddle_of(name, table) for name, table in lab_tables()["lab"].items()}


def riddle_named(name: str) -> Riddle:
    """The lab of that name, with or without "lab-"; ScenarioError if there is none."""
    there = riddles()
    for wanted in (name, f"lab-{name}"):
        if wanted in there:
            return there[wanted]
    raise ScenarioError(f"There is no lab {name!r}; {did_you_mean(name, list(there))} `bellwire list` shows them.")


def lab_tables() -> dict[str, Any]:
    """The file."""
    return tomllib.loads(asset("labs.toml").read_text())


def riddle_of(name: str, table: Mapping[str, Any]) -> Riddle:
    """A lab as its table tells it."""
    symptoms = tuple(
        Symptom(one["text"], parse_assertion(one["when"]) if "when" in one else None) for one in table["symptom"]
    )
    return Riddle(
        name,
        cause_texts()[table["cause"]],
        symptoms,
        table["mended"],
        float(table["seconds"]),
        float(table["broken_at"]),
    )
