"""How far the figures can be trusted, in words: what they are corrected for, and the clock's error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bellwire.engine.folds.clock_error import AGREE_NS, Agreement, ClockError
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.omission import Paced
from bellwire.engine.folds.tally import Tally
from bellwire.viz.text.figures import Unit, count_of, duration, grouped, round_duration, signed


def corrected(paced: Iterable[Paced]) -> str:
    """The name of the corrected form, with the interval that it stands on."""
    return f"corrected for coordinated omission, {interval(paced)}"


def why_not_corrected(latencies: Latencies) -> str:
    """Why a run has no corrected form."""
    if not latencies.closed:
        return (
            "Nothing is corrected for coordinated omission: who signals here waits for no answer, so a stall keeps no "
            "signal from being sent, and what it delays is in the figures."
        )
    return "Without a pace nothing is corrected for coordinated omission."


def not_there(tally: Tally) -> str:
    """Which events are not there: "12 events dropped, 1 204 only counted"; "" if all are."""
    lost = f"{count_of(tally.lost, 'event')} dropped" if tally.lost else ""
    passed = grouped(tally.passed_over) if lost else count_of(tally.passed_over, "event")
    return ", ".join(filter(None, (lost, f"{passed} only counted" if tally.passed_over else "")))


def dropped_text(tally: Tally) -> str:
    """The same where it is always said: "0 dropped", "12 dropped, 1 204 only counted"."""
    passed = f", {grouped(tally.passed_over)} only counted" if tally.passed_over else ""
    return f"{grouped(tally.lost)} dropped{passed}"


def interval(paced: Iterable[Paced]) -> str:
    """ "expected interval 1 ms"; of a pace that changed, from the shortest to the longest."""
    some = [each for each in paced if each.shortest]
    ends = sorted({min(each.shortest for each in some), max(each.longest for each in some)} if some else set())
    if not ends:
        return "no interval expected"
    return f"expected interval{'s' if len(ends) > 1 else ''} {' to '.join(map(round_duration, ends))}"


def agreement(error: ClockError, unit: Unit | None = None) -> str:
    """How well the clocks agree, as measured: "guest and host clocks agree to within −2.9 µs … +8.7 µs"."""
    clocks = "the two guests' clocks" if error.two_guests else "guest and host clocks"
    least, most = error.ns
    if least is None and most is None:
        return f"how far {clocks} are apart was not measured: no journey has stamps of both"
    whose = "that of the one that is interrupted" if error.two_guests else "the guest's"
    ends = bounds(error, unit)
    if error.agreement is Agreement.APART:
        many = f"{grouped(error.contradicted)} of {count_of(error.journeys, 'journey')}"
        return (
            f"{clocks} are apart: {whose} is ahead by {ends}, so that {many} arrive before they were sent; "
            "one-way latencies are off by that, and not given"
        )
    if error.agreement is Agreement.AGREE:
        return f"{clocks} agree to within {ends} (measured: nothing arrives before it was sent)"
    far = f"only bounds within {duration(AGREE_NS, unit)} of 0 would tell"
    why = "nothing that has stamps of both goes the other way" if least is None or most is None else far
    return f"whether {clocks} agree cannot be told: {whose} is ahead by {ends}, and {why}"


def bounds(error: ClockError, unit: Unit | None = None) -> str:
    """What the guest's clock is ahead of the host's at least and at most: "−2.9 µs … +8.7 µs"; ?: not bounded."""
    return " … ".join(signed(ns, unit) if ns is not None else "?" for ns in error.ns)


def left_out(latencies: Latencies) -> str:
    """What is in no latency, or not in all: "50 journeys of warm-up, 3 that have lost an event"."""
    out_of_order, given_up = latencies.tracker.contradicted, latencies.tracker.given_up
    parts = [f"{count_of(latencies.warmup, 'journey')} of warm-up"]
    parts += [f"{count_of(given_up, 'journey')} that could not be paired"] if given_up else []
    parts += [f"{count_of(latencies.stopped, 'journey')} during a stop of the whole program"] * bool(latencies.stopped)
    late = f"{count_of(out_of_order, 'journey')} whose stamps contradict their order"
    parts += [f"{late} (from all but round trip and store cost)"] if out_of_order else []
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def footnote(latencies: Latencies, when: str = "") -> str:
    """What to know of every latency that is shown: what is left out, and the clock's error.

    when: of what time both are, if not of that of the latencies.
    """
    word = agreement(latencies.clock_error)
    which = f" ({when})" if when else ""
    return f"Left out{which}: {left_out(latencies)}. {word[0].upper()}{word[1:]}{which}."


def offset_of(host: Mapping[str, str]) -> int | None:
    """Cycles that the guest's TSC is ahead of the host's, as KVM says; None: it does not."""
    return int(host["tsc_offset"]) if "tsc_offset" in host else None


def kernel_word(host: Mapping[str, str], error: ClockError | None = None) -> str:
    """What KVM says of the guest's clock, and whether the journeys contradict that; "" if it says nothing."""
    if "tsc_khz" not in host:
        return ""
    offset = f"offset {host['tsc_offset']} cycles" if "tsc_offset" in host else "no word on the offset"
    contradicted = error is not None and error.contradicts(offset_of(host))
    return f"KVM: {offset}, {host['tsc_khz']} kHz{', which the journeys contradict' if contradicted else ''}"
