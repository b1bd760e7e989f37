"""Numbers as the screen shows them: grouped by thin spaces, with three digits and a unit."""

from __future__ import annotations

import math

from engine.events import FLAT_OUT

THIN = "\u202f"  # thin, and does not break


def grouped(number: float) -> str:
    """1204311 as 1 204 311."""
    return f"{round(number):,}".replace(",", THIN)


def short(number: float) -> str:
    """20000 as 20 k, 1500000 as 1.5 M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g}"


def duration(ns: float | None) -> str:
    """2914 as 2.91 µs; a dash for None."""
    if ns is None:
        return "–"
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= size:
            return f"{digits(ns / size)} {unit}"
    return f"{ns:.0f} ns"


def digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value >= 1 else f"{value:.2f}"


def pace(per_second: float) -> str:
    """A pace as its control says it."""
    if per_second == 0:
        return "by hand"
    if math.isinf(per_second) or per_second >= FLAT_OUT:
        return "flat out"
    return f"{short(per_second)}{'' if per_second >= 1000 else ' '}/s"


def ratio(factor: float) -> str:
    """A slow-motion factor: 1 : 10 000."""
    return f"1 : {grouped(factor)}"


def count_of(number: float, thing: str) -> str:
    """1 doorbell, 1 204 doorbells, no doorbell."""
    if round(number) == 0:
        return f"no {thing}"
    return f"{grouped(number)} {thing}{'' if round(number) == 1 else 's'}"
