"""A scenario's purpose, as long as it holds: what is wired or set otherwise than as it is shipped is told beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bellwire.engine.events import Switch
from bellwire.engine.language import tr
from bellwire.engine.scenarios.rules import DERIVED, SETTINGS
from bellwire.engine.scenarios.scenario import Scenario, setting_words, shipped_scenario
from bellwire.viz.wires.plugged import Plugged

SWITCHES = {"ioeventfd": Switch.IOEVENTFD, "irqfd": Switch.IRQFD}
PACE = "pace"  # no purpose speaks of it


def purpose_words(scenario: Scenario, states: Iterable[Plugged]) -> str:
    """What the scenario is for; where settings or the wires are not those of the shipped file, these as well.

    states: how the wires were, at one moment or at all of a time. Of somebody's own scenario there is none to compare
    with, but the scenario as it starts.
    """
    purpose = tr(scenario.purpose)
    others = ", ".join(unlike_shipped(scenario, states)) if purpose else ""
    return tr("As shipped: {purpose} Here: {settings}.", purpose=purpose, settings=others) if others else purpose


def unlike_shipped(scenario: Scenario, states: Iterable[Plugged]) -> Iterator[str]:
    """What is otherwise than in the shipped file, as the command line says it: "burst=8".

    What a lab switches by itself is its purpose; what follows from another setting is not told beside that.
    """
    tables = (shipped_scenario(scenario.name) or scenario).tables()
    own = scenario.settings()
    held = {} if scenario.lab else switched(own, states)
    others = {}
    for name, value in own.items():
        table, key = SETTINGS[name]
        others[name] = held.get(name, {value}) - {tables.get(table, {}).get(key)}
    follow = {derived for name, values in others.items() if values for derived in DERIVED.get(name, ())}
    for name in (name for name in others if name not in {PACE, *follow}):
        yield from (f"{name}={setting_words(other)}" for other in sorted(others[name]))


def switched(settings: Mapping[str, Any], states: Iterable[Plugged]) -> dict[str, set[bool]]:
    """All that each switch was; before the first word on it, what it starts with."""
    found: dict[str, set[bool]] = {name: set() for name in SWITCHES if name in settings}
    for state in states:
        for name, values in found.items():
            values.add(getattr(state, name) if SWITCHES[name] in state.once else settings[name])
    return {name: values for name, values in found.items() if values}
