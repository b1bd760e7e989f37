"""How far the figures can be trusted, in words: what they are corrected for, and the clock's error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bellwire.engine.folds.clock_error import AGREE_NS, Agreement, ClockError
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.omission import Paced
from bellwire.engine.folds.tally import Bounds, NotThere, Tally
from bellwire.engine.language import tr, tr_later
from bellwire.viz.text.figures import Unit, count_of, duration, grouped, listed, localized, round_duration, signed

EMULATED = tr_later(
    "an emulated CPU (TCG) ran it: order and counts are as KVM makes them, times mean nothing, so no latency is given"
)

UNTOLD = tr_later("Events were dropped, so that it cannot be told.")


def corrected(paced: Iterable[Paced]) -> str:
    """The name of the corrected form, with the interval that it stands on."""
    return tr("corrected for coordinated omission, {interval}", interval=interval(paced))


def why_not_corrected(latencies: Latencies) -> str:
    """Why a run has no corrected form."""
    if latencies.clock.emulated:
        return no_times()
    if not latencies.closed:
        return tr(
            "Nothing is corrected for coordinated omission: who signals here waits for no answer, so a stall keeps no "
            "signal from being sent, and what it delays is in the figures."
        )
    if latencies.interval.now or not any(histogram.count for histogram in latencies.histograms.values()):
        return tr("There is no latency that could be corrected for coordinated omission.")
    return tr("Without a pace nothing is corrected for coordinated omission.")


def no_times() -> str:
    """Why there is no latency of a run on an emulated CPU, as a sentence."""
    why = tr(EMULATED)
    return f"{why[0].upper()}{why[1:]}."


def not_there(tally: Tally | NotThere) -> str:
    """Which events are not there: "12 events dropped, 1 204 only counted"; "" if all are."""
    lost = tr("{events} dropped", events=count_of(tally.lost, "event")) if tally.lost else ""
    passed = grouped(tally.passed_over) if lost else count_of(tally.passed_over, "event")
    return ", ".join(filter(None, (lost, tr("{events} only counted", events=passed) if tally.passed_over else "")))


def dropped_text(tally: Tally | NotThere) -> str:
    """The same where it is always said: "0 dropped", "12 dropped, 1 204 only counted"."""
    dropped = tr("{events} dropped", events=grouped(tally.lost))
    if not tally.passed_over:
        return dropped
    return f"{dropped}, {tr('{events} only counted', events=grouped(tally.passed_over))}"


def bounded(count: float, bounds: Bounds | None) -> str:
    """A count; where events that it is made of are missing, between what it lies: "≥ 3 246", "≤ 12", "0 … 12"."""
    if bounds is None:
        return grouped(count)
    if bounds.most is None or count == bounds.least:
        return said_least(grouped(bounds.least), True)
    if count == bounds.most:
        return f"≤ {grouped(bounds.most)}"
    return f"{grouped(bounds.least)} … {grouped(bounds.most)}"


def said_least(number: str, missing: object) -> str:
    """A number as it is written, where something is missing that it is made of as a bound: "≥ 1.25"."""
    return f"≥ {number}" if missing else number


def each_signal(count: float | None, digits: int, missing: object) -> str:
    """How many there were a signal; some are never written as none. None: nobody knows. missing: they are a bound."""
    if count is None:
        return "–"
    least = 10**-digits
    if 0 < count < least / 2:
        return "> 0" if missing else f"< {localized(f'{least:.{digits}f}')}"
    return said_least(localized(f"{count:.{digits}f}"), missing)


def interval(paced: Iterable[Paced]) -> str:
    """ "expected interval 1 ms"; of a pace that changed, from the shortest to the longest."""
    some = [each for each in paced if each.shortest]
    ends = sorted({min(each.shortest for each in some), max(each.longest for each in some)} if some else set())
    if not ends:
        return tr("no interval expected")
    first, *last = map(round_duration, ends)
    if last:
        return tr("expected intervals {shortest} to {longest}", shortest=first, longest=last[0])
    return tr("expected interval {interval}", interval=first)


def agreement(error: ClockError, unit: Unit | None = None) -> str:
    """How well the clocks agree, as measured: "guest and host clocks agree to within −2.9 µs … +8.7 µs"."""
    if error.clock.emulated:
        return tr(EMULATED)
    clocks, (least, most) = error.clocks, error.ns
    if least is None and most is None:
        return tr("how far {clocks} are apart was not measured: no journey has stamps of both", clocks=clocks)
    whose = tr("that of the one that is interrupted") if error.two_guests else tr("the guest's")
    if error.agreement is Agreement.APART:
        return tr(
            "{clocks} are apart: {whose} {ahead}, so that {many} of {journeys} arrive before they were sent"
            "; one-way latencies are off by that, and not given",
            clocks=clocks,
            whose=whose,
            ahead=ahead_or_behind(error, unit),
            many=grouped(error.contradicted),
            journeys=count_of(error.journeys, "journey"),
        )
    if error.agreement is Agreement.AGREE:
        return tr(
            "{clocks} agree to within {ends} (measured: nothing arrives before it was sent)",
            clocks=clocks,
            ends=bounds(error, unit),
        )
    why = tr("only bounds within {limit} of 0 would tell", limit=duration(AGREE_NS, unit))
    if least is None or most is None:
        why = tr("nothing that has stamps of both goes the other way")
    return tr(
        "whether {clocks} agree cannot be told: {whose} {ahead}, and {why}",
        clocks=clocks,
        whose=whose,
        ahead=ahead_or_behind(error, unit),
        why=why,
    )


def ahead_or_behind(error: ClockError, unit: Unit | None = None) -> str:
    """How the guest's clock goes, one of its bounds being known at least: "is at most 2.17 µs behind"."""
    least, most = error.ns
    near, far = (duration(abs(ns), unit) if ns is not None else "" for ns in (least, most))
    if most is None:
        assert least is not None
        if least < 0:
            return tr("is at most {time} behind", time=near)
        return tr("is at least {time} ahead", time=near)
    if least is None:
        return tr("is at least {time} behind", time=far) if most < 0 else tr("is at most {time} ahead", time=far)
    if least >= 0:
        return tr("is {least} to {most} ahead", least=near, most=far)
    if most < 0:
        return tr("is {least} to {most} behind", least=far, most=near)
    return tr("is at most {behind} behind and at most {ahead} ahead", behind=near, ahead=far)


def bounds(error: ClockError, unit: Unit | None = None) -> str:
    """What the guest's clock is ahead of the host's at least and at most: "−2.9 µs … +8.7 µs"; ?: not bounded."""
    return " … ".join(signed(ns, unit) if ns is not None else "?" for ns in error.ns)


def left_out(latencies: Latencies) -> str:
    """What is in no latency, or not in all: "50 journeys of warm-up, 3 that have lost an event"; "" if all are."""
    out_of_order, too_many = latencies.tracker.contradicted, latencies.tracker.too_many
    given_up = latencies.tracker.given_up - too_many
    parts = [tr("{journeys} of warm-up", journeys=count_of(latencies.warmup, "journey"))] if latencies.warmup else []
    if given_up:
        parts.append(tr("{journeys} that could not be paired", journeys=count_of(given_up, "journey")))
    if too_many:
        parts.append(tr("{journeys} not followed to the end", journeys=count_of(too_many, "journey")))
    if latencies.stopped:
        stopped = count_of(latencies.stopped, "journey")
        parts.append(tr("{journeys} during a stop of the whole program", journeys=stopped))
    if latencies.partner_stopped:
        stopped = count_of(latencies.partner_stopped, "journey")
        parts.append(tr("{journeys} during a stop of another process", journeys=stopped))
    if out_of_order:
        late = count_of(out_of_order, "journey")
        parts.append(
            tr("{journeys} whose stamps contradict their order (from all but round trip and store cost)", journeys=late)
        )
    return listed(parts)


def footnote(latencies: Latencies, when: str = "") -> str:
    """What to know of every latency that is shown: what is left out, and the clock's error.

    when: of what time both are, if not of that of the latencies.
    """
    word = agreement(latencies.clock_error)
    which = f" ({when})" if when else ""
    out = left_out(latencies)
    what = tr("Left out{when}: {what}.", when=which, what=out) + " " if out else ""
    return f"{what}{word[0].upper()}{word[1:]}{which}."


def offset_of(host: Mapping[str, str]) -> int | None:
    """Cycles that the guest's TSC is ahead of the host's, as KVM says; None: it does not."""
    return int(host["tsc_offset"]) if "tsc_offset" in host else None


def kernel_word(host: Mapping[str, str], error: ClockError | None = None) -> str:
    """What KVM says of the guest's clock, and whether the journeys contradict that; "" if it says nothing."""
    if "tsc_khz" not in host:
        return ""
    offset = tr("no word on the offset")
    if "tsc_offset" in host:
        offset = tr("offset {cycles} cycles", cycles=host["tsc_offset"])
    says = tr("KVM: {offset}, {khz} kHz", offset=offset, khz=host["tsc_khz"])
    contradicted = error is not None and error.contradicts(offset_of(host))
    return tr("{says}, which the journeys contradict", says=says) if contradicted else says
