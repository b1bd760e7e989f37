"""Numbers as screen and terminal show them: grouped by thin spaces, with three digits and a unit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bellwire.engine.counted import count_of as count_of
from bellwire.engine.events import FLAT_OUT, Clock
from bellwire.engine.language import MINUS as MINUS
from bellwire.engine.language import THIN as THIN
from bellwire.engine.language import Spoken, tr, tr_n
from bellwire.engine.language import grouped as grouped


def short(number: float) -> str:
    """20000 as 20 k, 1500000 as 1.5 M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return localized(f"{number / size:.3g} {unit}")
    return localized(f"{number:.3g}")


@dataclass(frozen=True)
class Unit:
    """In what durations are said. size: ns; 0: in s, ms, µs or ns, whichever gives a number that is easy to read."""

    name: str
    size: float
    text: str  # as it stands behind a number
    tick: str = ""  # as it stands on an axis


FITTING = Unit("fitting", 0, "")
MICROSECONDS = Unit("us", 1e3, "µs", "µs")
UNIT_NAMES = ("fitting", "ns", "us", "cycles")
EQUALLY_LONG = 1e-3  # of cycles: what two starts of one machine measure its TSC to differ by is no difference
NO_BREAK = "\u00a0"
BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ns|µs|ms|s)\b)")


def unit_called(name: str, hz: float) -> Unit:
    """One of UNIT_NAMES; hz: TSC cycles a second."""
    units = (Unit("ns", 1, "ns", "ns"), MICROSECONDS, Unit("cycles", 1e9 / hz, tr("cycles"), "cyc"))
    return next((unit for unit in units if unit.name == name), FITTING)


def common_unit(one: Unit, other: Unit) -> Unit:
    """In what figures of two clocks can be held against each other: not in cycles that are not equally long."""
    return one if math.isclose(one.size, other.size, rel_tol=EQUALLY_LONG) else MICROSECONDS


class Durations:
    """In what the window says its durations: whoever opens one chooses, once a source is there."""

    unit = FITTING


def duration(ns: float | None, unit: Unit | None = None) -> str:
    """2914 as 2.91 µs, or in `unit` (by default the one that the window has chosen); a dash for None."""
    unit = unit or Durations.unit
    if ns is None:
        return "–"
    if ns < 0:
        return f"{MINUS}{duration(-ns, unit)}"
    if unit.size:
        return f"{in_unit(ns / unit.size, whole=unit.size < 1e3)} {unit.text}"
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= size * 0.9995:  # else it would be rounded to 1000 of the smaller unit
            return f"{digits(ns / size)} {name}"
    return f"{ns:.0f} ns"


def spent(clock: Clock, cycles: float) -> str:
    """How long so many cycles lasted; a dash where an emulated CPU took them, which says nothing."""
    return duration(None if clock.emulated else clock.ns(cycles))


def in_bin(value: float) -> float:
    """Without the digits that a bin of a histogram does not have, which is a 1024th as wide: 102 763 as 102 800."""
    return round(value, 3 - math.floor(math.log10(value))) if value >= 1e4 else value


def in_unit(value: float, whole: bool) -> str:
    """Four digits before the point up to a million, behind it as many as make three: 2 914, 102 800, 29.1M."""
    if value >= 1e6:
        size, letter = (1e9, "G") if value >= 1e9 else (1e6, "M")
        return f"{digits(value / size)}{letter}"
    return grouped(in_bin(value)) if whole or value >= 1000 else digits(value)


def signed(ns: float, unit: Unit | None = None) -> str:
    """A difference with its sign: +2.91 µs, −310 ns."""
    return f"{MINUS if ns < 0 else '+'}{duration(abs(ns), unit)}"


def round_duration(ns: float) -> str:
    """500 µs, 1 ms, 33.3 ms: without zeros at the end."""
    number, _, unit = duration(ns, FITTING).partition(" ")
    sign = Spoken.decimal_sign
    return f"{number.rstrip('0').rstrip(sign) if sign in number else number} {unit}"


def digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    return localized(f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value >= 1 else f"{value:.2f}")


def localized(number: str) -> str:
    """A number as Python writes it, with a minus for its hyphen and the decimal sign of the language that is spoken."""
    return number.replace("-", MINUS).replace(".", Spoken.decimal_sign)


def pace(per_second: float) -> str:
    """A pace as its control says it."""
    if per_second == 0:
        return tr("by hand")
    if math.isinf(per_second) or per_second >= FLAT_OUT:
        return tr("flat out")
    return f"{short(per_second)}{'' if per_second >= 1000 else ' '}/s"


def listed(parts: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    *first, last = parts or ("",)
    return tr("{first} and {last}", first=", ".join(first), last=last) if first else last


def ratio(factor: float) -> str:
    """A slow-motion factor: 1 : 10 000."""
    return f"1 : {grouped(factor)}"


def times(number: float) -> str:
    """Once, 1 204 times, not once."""
    match round(number):
        case 0:
            return tr("not once")
        case 1:
            return tr("once")
    return tr_n("{n} time", "{n} times", round(number))


def unparted(text: str) -> str:
    """A sentence in which no line ends between a duration and its unit."""
    return BEFORE_UNIT.sub(NO_BREAK, text)


def breakable(text: str, after: str) -> str:
    """A long name as HTML that may be broken after each of the characters `after`."""
    return "".join(f"{escape(one)}&#8203;" if one in after else escape(one) for one in text)
