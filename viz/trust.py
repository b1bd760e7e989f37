"""How far the figures can be trusted, in words: what they are corrected for, and the clock's error. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable

from engine.clock_error import ClockError
from engine.omission import Paced
from viz.text import Unit, round_duration, signed


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
    ends = " … ".join(signed(ns, unit) if ns is not None else "?" for ns in (least, most))
    if error.apart:
        return f"guest and host clocks are apart: the guest's is ahead by {ends}; one-way latencies are off by that"
    return f"guest and host clocks agree to within {ends} (measured: nothing arrives before it was sent)"


def kernel_word(host: dict[str, str]) -> str:
    """What KVM says of the guest's clock; "" if it does not."""
    if "tsc_khz" not in host:
        return ""
    offset = f"offset {host['tsc_offset']} cycles" if "tsc_offset" in host else "no word on the offset"
    return f"KVM: {offset}, {host['tsc_khz']} kHz"
