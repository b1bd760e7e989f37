"""How far the figures can be trusted, in words: what they are corrected for, and the clock's error."""

from __future__ import annotations

from collections.abc import Iterable

from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.omission import Paced
from bellwire.viz.text.figures import Unit, count_of, round_duration, signed


def corrected(paced: Iterable[Paced]) -> str:
    """The name of the corrected form, with the interval that it stands on."""
    return f"corrected for coordinated omission, {interval(paced)}"


def interval(paced: Iterable[Paced]) -> str:
    """ "expected interval 1 ms"; of a pace that changed, from the shortest to the longest."""
    some = [each for each in paced if each.shortest]
    ends = sorted({min(each.shortest for each in some), max(each.longest for each in some)} if some else set())
    if not ends:
        return "no interval expected"
    return f"expected interval{'s' if len(ends) > 1 else ''} {' to '.join(map(round_duration, ends))}"


def agreement(error: ClockError, unit: Unit | None = None) -> str:
    """How well the clocks agree, as measured: "guest and host clocks agree to within −2.9 µs … +8.7 µs"."""
    least, most = error.ns
    if least is None and most is None:
        return "how far guest and host clock are apart was not measured: no journey has stamps of both"
    ends = bounds(error, unit)
    if error.apart:
        return f"guest and host clocks are apart: the guest's is ahead by {ends}; one-way latencies are off by that"
    return f"guest and host clocks agree to within {ends} (measured: nothing arrives before it was sent)"


def bounds(error: ClockError, unit: Unit | None = None) -> str:
    """What the guest's clock is ahead of the host's at least and at most: "−2.9 µs … +8.7 µs"; ?: not bounded."""
    return " … ".join(signed(ns, unit) if ns is not None else "?" for ns in error.ns)


def footnote(latencies: Latencies) -> str:
    """What to know of every latency that is shown: warm-up, and the clock's error."""
    warm = f"Warm-up is left out ({count_of(latencies.warmup, 'journey')})."
    word = agreement(latencies.clock_error)
    return f"{warm} {word[0].upper()}{word[1:]}."


def kernel_word(host: dict[str, str]) -> str:
    """What KVM says of the guest's clock; "" if it does not."""
    if "tsc_khz" not in host:
        return ""
    offset = f"offset {host['tsc_offset']} cycles" if "tsc_offset" in host else "no word on the offset"
    return f"KVM: {offset}, {host['tsc_khz']} kHz"
