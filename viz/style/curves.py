"""The latencies as curves: what each is called, its colour, and which of them a scenario has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.text.figures import Durations, Unit, localized
from bellwire.viz.text.latency_words import LATENCY_NAMES

THOUSANDS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
TICK_SIZE = 11  # of the text at a tick
UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))

Ticks = list[tuple[float, str]]  # of an axis: where, and what is written there


class Curve(NamedTuple):
    """A latency on the screen; `label` is a message, `color` names a theme's colour."""

    name: str  # as in engine/folds/latency.py
    label: str
    color: str


COLORED = {"doorbell": "doorbell", "injection": "interrupt", "round_trip": "roundtrip", "store_cost": "guest"}
CURVES = tuple(Curve(name, label, COLORED[name]) for name, label in LATENCY_NAMES.items())


def curves_of(scenario: Scenario) -> list[Curve]:
    """The latencies that this scenario can have."""
    traits = traits_of(scenario)
    rings, answered = Trait.DOORBELL in traits, Trait.ANSWERED in traits
    injected = Trait.INTERRUPT in traits and Trait.DIRECT not in traits  # direct: there is one latency for both
    there = {"doorbell": rings, "store_cost": rings, "injection": injected, "round_trip": answered}
    return [curve for curve in CURVES if there[curve.name]]


def no_journey(scenario: Scenario, kept: int = 0) -> str:
    """Why a plot of journeys has nothing to show. kept: interrupts that wait in an eventfd to which nobody listens."""
    if kept:
        return tr("No journey: no irqfd listens, so what is rung waits in the eventfd")
    if scenario.interrupt and scenario.interrupt.masked:
        return tr("No journey: the pin is masked, every interrupt is lost")
    return tr("No journey yet")


def latency_ticks(low: float, high: float, most: int, chosen: Unit | None = None) -> tuple[Ticks, Ticks]:
    """Ticks on a log10(ns) axis from low to high: decades and, while there are at most `most`, threes between them.

    They are round in the unit `chosen`, by default that of the window.
    """
    unit = chosen or Durations.unit
    shift = np.log10(unit.size or 1)
    every = range(int(np.floor(low - shift)), int(np.ceil(high - shift)) + 1)
    decades, threes = (
        [(float(e + shift + np.log10(n)), tick(n * 10.0 ** (e + shift), unit)) for e in every] for n in (1, 3)
    )
    decades, threes = ([(at, text) for at, text in ticks if low <= at <= high] for ticks in (decades, threes))
    return decades, threes if len(decades) + len(threes) <= most else [(at, "") for at, _ in threes]


def tick(ns: float, chosen: Unit | None = None) -> str:
    """A round duration: 300 ns, 1 µs, 30 µs; in a unit that was chosen 30k ns, 1M cyc."""
    unit = chosen or Durations.unit
    if unit.size:
        value = ns / unit.size
        size, thousands = next(((s, t) for s, t in THOUSANDS if value >= s * 0.999), (1.0, ""))
        return localized(f"{value / size:.4g}{thousands} {unit.tick}")
    size, name = next(((s, u) for s, u in UNITS if ns >= s * 0.999), UNITS[-1])
    return localized(f"{ns / size:.4g} {name}")


class LogRange:
    """The range of a log10 axis in half decades: grows at once, shrinks only when it has been too large for a while."""

    def __init__(self, patience: int = 48) -> None:
        self.patience = patience  # calls
        self.low, self.high = 0.0, 0.0
        self._small = 0

    def fit(self, smallest: float, largest: float) -> bool:
        """Takes the smallest and largest value to show (ns); whether the range has changed."""
        low, high = half_decade(smallest, np.floor), half_decade(largest, np.ceil)
        high = max(high, low + 1)
        too_small = low < self.low or high > self.high or self.low == self.high
        self._small = 0 if too_small or (low, high) == (self.low, self.high) else self._small + 1
        if not too_small and self._small < self.patience:
            return False
        grown = (low, high) if self._small >= self.patience or self.low == self.high else None
        self.low, self.high = grown or (min(low, self.low), max(high, self.high))
        self._small = 0
        return True


def half_decade(ns: float, rounding: np.ufunc) -> float:
    """log10 of the next 1 or 3 times a power of ten, below (np.floor) or above (np.ceil)."""
    return float(rounding(np.log10(max(ns, 10.0)) * 2) / 2)
