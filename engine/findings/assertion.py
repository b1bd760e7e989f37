"""What a run is held to: `bellwire run ... --assert 'doorbell.p99<200us'`.

An assertion compares two operands: a metric of the run, and a limit or another metric of the same kind (both times, or
both counts). Whatever cannot be parsed is refused before anything runs. A count of which only bounds are known
(Tally.bounds) neither holds nor fails where these cannot tell.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from operator import methodcaller

from bellwire.engine.errors import AssertionTextError
from bellwire.engine.folds.histogram import PERCENTILES, Histogram
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.folds.tally import EXIT_REASONS, Bounds, Tally
from bellwire.engine.scenarios.scenario import did_you_mean
from bellwire.engine.scenarios.traits import Trait

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
UNITS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}  # in ns; and "cycles"
STATISTICS: dict[str, Callable[[Histogram], float | None]] = {
    "min": lambda histogram: histogram.min,
    **{f"p{percent:g}": methodcaller("known_percentile", percent) for percent in PERCENTILES.values()},  # "p50" ...
    "max": lambda histogram: histogram.max,
    "mean": lambda histogram: histogram.mean,
    "stddev": lambda histogram: histogram.stddev,
}
CORRECTED = "corrected"  # doorbell.corrected.p99: corrected for coordinated omission


def exits_by(reason: str) -> Callable[[Tally, Latencies], int]:
    """How often KVM_RUN has returned for this reason."""
    return lambda tally, _: tally.exits_to_userspace.get(reason, 0)


def pending_parts(tally: Tally) -> tuple[str, ...]:
    """What is under way, by its names in Tally.counts(): a doorbell that is an interrupt is no second signal."""
    return ("irqs_pending",) if tally.direct and not tally.partner_pid else ("doorbells_pending", "irqs_pending")


COUNTS: dict[str, Callable[[Tally, Latencies], int]] = {
    "rung": lambda tally, _: tally.doorbells_rung,
    "received": lambda tally, _: tally.doorbells_received,
    "reads": lambda tally, _: tally.eventfd_reads,
    "signalled": lambda tally, _: tally.irqs_signalled,
    "handled": lambda tally, _: tally.irqs_handled,
    "merged": lambda tally, _: tally.irqs_merged,
    "spurious": lambda tally, _: tally.irqs_spurious,
    "lost": lambda tally, _: tally.irqs_lost,
    "resamples": lambda tally, _: tally.resamples,  # reads of the resamplefd
    "pending": lambda tally, _: sum(tally.counts()[name] for name in pending_parts(tally)),
    "kept": lambda tally, _: tally.irqs_kept,  # in the count of an eventfd to which no irqfd listens
    "refused": lambda tally, _: sum(tally.refused.values()),  # calls to which KVM answered by an error
    "buffers": lambda tally, _: tally.buffers_used,  # of a virtqueue
    "exits": lambda tally, _: sum(tally.exits_of_guest.values()),
    **{f"exits_{reason.lower()}": exits_by(reason) for reason in EXIT_REASONS},
    "dropped": lambda tally, _: tally.lost,
    "passed_over": lambda tally, _: tally.passed_over,  # by whoever took too slowly; every count has them
    "journeys": lambda _, latencies: latencies.journeys,
}
BOUNDED: dict[str, tuple[str, ...]] = {  # counts, by what Tally.bounds calls what they add up to
    "rung": ("doorbells_rung",),
    "received": ("doorbells_received",),
    "reads": ("eventfd_reads",),
    "signalled": ("irqs_signalled",),
    "handled": ("irqs_handled",),
    "merged": ("irqs_merged",),
    "spurious": ("irqs_spurious",),
    "resamples": ("resamples",),
    "pending": ("doorbells_pending", "irqs_pending"),  # pending_parts() of them
    "refused": ("refused",),
    "buffers": ("buffers_used",),
    "exits": ("exits_to_userspace",),
    **{f"exits_{reason.lower()}": (f"exits_to_userspace.{reason}",) for reason in EXIT_REASONS},
}
UNSEEN: dict[Trait, tuple[str, ...]] = {  # counts of what another process does, which nobody tells
    Trait.REAL_QEMU: ("exits", "exits_io", "exits_mmio", "exits_shutdown", "refused"),
    Trait.PARTNERED: ("reads",),
}
COMPARISON = re.compile(r"\s*(?P<left>[^<>=!]+?)\s*(?P<operator><=|>=|==|!=|<|>)\s*(?P<right>[^<>=!]+?)\s*")
QUANTITY = re.compile(r"(?P<number>\d+(?:_\d+)*(\.\d+)?(e[+-]?\d+)?)\s*(?P<unit>[^\W\d]*)", re.IGNORECASE)
LARGEST = 1e30  # of a limit, in whatever unit: above all that a run can hold, and below what overflows in another unit
EXAMPLES = "as in 'doorbell.p99<200us', 'exits==0' or 'received==rung'"

Value = Callable[[Tally, Latencies], float | None]


@dataclass(frozen=True)
class Operand:
    """A side of an assertion. value: in ns if it is a time; None where the run has none. count: one of COUNTS, ""."""

    text: str
    is_time: bool
    value: Value
    count: str = ""

    def bounds(self, tally: Tally) -> Bounds | None:
        """Between what it lies, where it is not exact."""
        parts, bounds = BOUNDED.get(self.count, ()), tally.bounds()
        parts = pending_parts(tally) if self.count == "pending" else parts
        if bounds.keys().isdisjoint(parts):
            return None
        exact = tally.counts()
        return sum_of_bounds([bounds.get(name) or Bounds(exact[name], exact[name]) for name in parts])


@dataclass(frozen=True)
class Judgement:
    """What became of an assertion; value and limit in ns if they are times, None: the run has no such latency.

    holds: None where one of the two is no more than bounds, which cannot tell; value_bounds, limit_bounds: these.
    """

    text: str
    holds: bool | None
    value: float | None
    limit: float | None
    is_time: bool
    value_bounds: Bounds | None = None
    limit_bounds: Bounds | None = None


@dataclass(frozen=True)
class Assertion:
    """A comparison that is to hold when the run is over."""

    left: Operand
    operator: str
    right: Operand

    @property
    def text(self) -> str:
        """The same in one spelling: "doorbell.p99 < 200us"."""
        return f"{self.left.text} {self.operator} {self.right.text}"

    def judge(self, tally: Tally, latencies: Latencies) -> Judgement:
        """What is not there holds nothing."""
        value, limit = (operand.value(tally, latencies) for operand in (self.left, self.right))
        return self.compare(value, limit, self.left.bounds(tally), self.right.bounds(tally))

    def compare(
        self, value: float | None, limit: float | None, one: Bounds | None = None, other: Bounds | None = None
    ) -> Judgement:
        """The same of values that are known already. one, other: between what they lie, where they are not exact."""
        judged = Judgement(self.text, False, value, limit, self.left.is_time)
        if value is None or limit is None:
            return judged
        if one is None and other is None:
            return replace(judged, holds=OPERATORS[self.operator](value, limit))
        holds = self.told_by(extremes(one, value), extremes(other, limit))
        return replace(judged, holds=holds, value_bounds=one, limit_bounds=other)

    def told_by(self, one: tuple[float, float], other: tuple[float, float]) -> bool | None:
        """Whether it holds of all that lies between these ends, of which one pair differs; None: of some of it."""
        if self.operator in ("==", "!="):
            apart = one[1] < other[0] or other[1] < one[0]
            return self.operator == "!=" if apart else None
        found = {OPERATORS[self.operator](value, limit) for value, limit in product(one, other)}
        return found.pop() if len(found) == 1 else None


def sum_of_bounds(parts: Sequence[Bounds]) -> Bounds:
    """Between what several counts add up to."""
    most = [part.most for part in parts if part.most is not None]
    return Bounds(sum(part.least for part in parts), sum(most) if len(most) == len(parts) else None)


def extremes(bounds: Bounds | None, exact: float) -> tuple[float, float]:
    """Between what a value lies; exact: what it is where it has no bounds."""
    if bounds is None:
        return exact, exact
    return bounds.least, math.inf if bounds.most is None else bounds.most


def parse_assertion(text: str) -> Assertion:
    """An assertion; AssertionTextError with what was probably meant."""
    try:
        return parsed_assertion(text)
    except AssertionTextError as error:
        raise AssertionTextError(f"{text!r}: {error}") from error


def parsed_assertion(text: str) -> Assertion:
    """The same, but the error does not say what the text is."""
    found = COMPARISON.fullmatch(text)
    if not found:
        raise AssertionTextError(f"write METRIC, one of {' '.join(OPERATORS)}, and LIMIT, {EXAMPLES}.")
    left, right = metric(found["left"]), operand(found["right"])
    if left.is_time != right.is_time:
        kinds = ("a count, and the limit is none.", "a time, so the limit needs a unit: ns, us, ms, s or cycles.")
        raise AssertionTextError(f"{left.text} is {kinds[left.is_time]}")
    return Assertion(left, found["operator"], right)


def operand(text: str) -> Operand:
    """A quantity or a metric."""
    found = QUANTITY.fullmatch(text)
    return quantity(text, float(found["number"]), found["unit"]) if found else metric(text)


def quantity(text: str, number: float, unit: str) -> Operand:
    """A number with its unit; without one it is a count."""
    if number > LARGEST:
        raise AssertionTextError(f"{text} is more than {LARGEST:g}, which no run comes to.")
    if not unit:
        return Operand(text, False, lambda _tally, _latencies: number)
    if unit.lower() in ("cycles", "cycle"):
        return Operand(text, True, lambda _, latencies: latencies.clock.ns(number))
    if unit not in UNITS:
        raise AssertionTextError(f"{unit} is no unit of time; {did_you_mean(unit, [*UNITS, 'cycles'])}")
    return Operand(text, True, lambda _tally, _latencies: number * UNITS[unit])


def metric(text: str) -> Operand:
    """A metric of a run: of a latency after a dot, or a count."""
    name, dot, statistic = text.replace("-", "_").partition(".")
    if not dot:
        if name not in COUNTS:
            hint = f"a latency has a statistic: {name}.p99" if name in LATENCIES else did_you_mean(name, metrics())
            raise AssertionTextError(f"{name} is no metric; {hint}")
        return Operand(text, False, lambda tally, latencies: known_count(name, tally, latencies), name)
    if name not in LATENCIES:
        raise AssertionTextError(f"there is no latency {name}; {did_you_mean(name, list(LATENCIES))}")
    return latency_metric(text, name, statistic)


def known_count(name: str, tally: Tally, latencies: Latencies) -> float | None:
    """One of COUNTS; None if it is not known."""
    return None if done_elsewhere(name, latencies.traits) else COUNTS[name](tally, latencies)


def done_elsewhere(name: str, traits: frozenset[Trait]) -> bool:
    """Whether a count is of what another process does."""
    return any(trait in traits and name in names for trait, names in UNSEEN.items())


def latency_metric(text: str, name: str, statistic: str) -> Operand:
    """A statistic of a latency."""
    prefix, _, rest = statistic.partition(".")
    corrected, statistic = (True, rest) if prefix == CORRECTED else (False, statistic)
    if statistic == "count":
        return Operand(text, False, lambda _, latencies: histogram_of(latencies, name, corrected).count)
    if statistic not in STATISTICS:
        hint = did_you_mean(statistic, [*STATISTICS, "count"])
        raise AssertionTextError(f"there is no statistic {statistic!r}; {hint}")

    def value(_: Tally, latencies: Latencies) -> float | None:
        histogram = histogram_of(latencies, name, corrected)
        return STATISTICS[statistic](histogram) if histogram.count and latencies.known(name) else None

    return Operand(text, True, value)


def histogram_of(latencies: Latencies, name: str, corrected: bool) -> Histogram:
    """A latency of the whole run."""
    return latencies.corrected(name).corrected if corrected else latencies.histograms[name]


def metrics() -> list[str]:
    """Names to choose from."""
    return [*COUNTS, *(f"{name}.p99" for name in LATENCIES)]
