"""What pairing has shown beside the latencies: clocks that are apart, and events that could not be paired."""

from __future__ import annotations

from collections.abc import Iterator

from bellwire.engine.events import EventKind
from bellwire.engine.findings.finding import Finding, share
from bellwire.engine.folds.clock_error import Agreement
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.language import grouped, told_pid, tr, tr_n

STAMPS = (EventKind.RING, EventKind.DOORBELL, EventKind.IRQFD, EventKind.HANDLER)


def pairing_findings(latencies: Latencies) -> list[Finding]:
    """All that there is to say."""
    return [*stood_still(latencies), *partners_stood_still(latencies), *clocks_apart(latencies), *incomplete(latencies)]


def stood_still(latencies: Latencies) -> Iterator[Finding]:
    """Times in which nothing of this program ran."""
    stops = latencies.stops
    if stops.count:
        claim = tr_n(
            "The whole program stood still for {seconds} s, stopped by a signal or with its machine; journeys that "
            "were under way then and are in no latency: {journeys}.",
            "The whole program stood still for {seconds} s in {n} times, stopped by a signal or with its machine; "
            "journeys that were under way then and are in no latency: {journeys}.",
            stops.count,
            seconds=grouped(latencies.clock.ns(stops.cycles) / 1e9, 2),
            journeys=grouped(latencies.stopped),
        )
        yield Finding(claim, {"stops": stops.count, "journeys": latencies.stopped}, (EventKind.SETTING,))


def partners_stood_still(latencies: Latencies) -> Iterator[Finding]:
    """Times in which nothing ran of another process that signals need. When it was stopped is noticed a little late."""
    stops = latencies.partner_stops
    for pid, stopped in stops.of.items():
        figures = {"process": told_pid(pid), "journeys": grouped(stopped.journeys)}
        if stopped.count:
            claim = tr_n(
                "Process {process} stood still for at least {seconds} s, stopped by a signal or a debugger; journeys "
                "that were under way then and are in no latency: {journeys}.",
                "Process {process} stood still for at least {seconds} s in {n} times, stopped by a signal or a "
                "debugger; journeys that were under way then and are in no latency: {journeys}.",
                stopped.count,
                seconds=grouped(latencies.clock.ns(stopped.cycles) / 1e9, 2),
                **figures,
            )
            numbers = {"stops": stopped.count, "journeys": stopped.journeys}
            yield Finding(claim, numbers, (EventKind.SETTING,))
        if stopped.since is not None:
            claim = tr(
                "Process {process} has stood still, stopped by a signal or a debugger, for at least {seconds} s until "
                "the newest event, and has not gone on.",
                seconds=grouped(latencies.clock.ns(stops.newest - stopped.since) / 1e9, 2),
                **figures,
            )
            yield Finding(claim, {"process": pid}, (EventKind.SETTING,))


def clocks_apart(latencies: Latencies) -> Iterator[Finding]:
    """Signals that arrive before they were sent."""
    error = latencies.clock_error
    if error.agreement is not Agreement.APART and not error.contradicted:
        return
    figures = {"share": share(error.contradicted, error.journeys, "journey"), "clocks": error.clocks}
    if error.agreement is Agreement.APART:
        us = grouped(at_least(error.ns) / 1000, 1)
        claim = tr(
            "{share} arrive before they were sent, by their stamps: {clocks} are apart by at least {us} µs; "
            "one-way latencies are off by that, and not given.",
            us=us,
            **figures,
        )
        if latencies.known("doorbell"):
            claim = tr(
                "{share} arrive before they were sent, by their stamps: {clocks} are apart by at least {us} µs.",
                us=us,
                **figures,
            )
    else:
        claim = tr_n(
            "{share} arrives before it was sent, by its stamps; that is too few to say that {clocks} are apart, and it "
            "is in no one-way latency.",
            "{share} arrive before they were sent, by their stamps; they are too few to say that {clocks} are apart, "
            "and are in no one-way latency.",
            error.contradicted,
            **figures,
        )
    yield Finding(claim, {"out_of_order": error.contradicted, "journeys": error.journeys}, STAMPS)


def at_least(bounds: tuple[float | None, float | None]) -> float:
    """By how much clocks with these bounds (ns), which leave out 0, are apart."""
    least, most = bounds
    return max(least or 0.0, -(most or 0.0))


def incomplete(latencies: Latencies) -> Iterator[Finding]:
    """Journeys that have lost a stage for good, or that were not followed to their end."""
    too_many = latencies.tracker.too_many
    unpaired = latencies.tracker.given_up - too_many
    complete = latencies.clock_error.journeys or latencies.journeys
    if too_many:
        claim = tr_n(
            "{n} journey was not followed to its end, as too many were under way at once; {complete} were.",
            "{n} journeys were not followed to their end, as too many were under way at once; {complete} were.",
            too_many,
            complete=grouped(complete),
        )
        yield Finding(claim, {"not_followed": too_many, "complete": complete}, STAMPS)
    if unpaired:
        claim = tr_n(
            "{n} journey could not be paired, as one of its events is missing or could be another one's; {complete} "
            "could.",
            "{n} journeys could not be paired, as one of their events is missing or could be another one's; "
            "{complete} could.",
            unpaired,
            complete=grouped(complete),
        )
        yield Finding(claim, {"incomplete": unpaired, "complete": complete}, STAMPS)
