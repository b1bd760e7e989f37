"""Evidence that can be asked for, at a price: the same for each lab, so that what is offered tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bellwire.engine.events import Lane, Switch
from bellwire.engine.findings.finding import often, or_more
from bellwire.engine.findings.findings import findings, refusals
from bellwire.engine.folds.evidence import Access
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.language import grouped, tr, tr_later, tr_n
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt
from bellwire.viz.lessons.labs.causes import write_words
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.text.event_words import Wording, lane_name
from bellwire.viz.text.figures import duration
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.text.trust import UNTOLD, bounded, no_times, said_least

MOST_LINES = 8  # of what repeats


@dataclass(frozen=True)
class Clue:
    """A piece of evidence. tell: what the run says, a sentence a line; panel: of the window that shows as much."""

    name: str
    ask: str
    cost: int
    tell: Callable[[LabRun], list[str]]
    panel: str = ""


def counters(run: LabRun) -> list[str]:
    """What was sent and what arrived, on each side that there is."""
    tally, bounds, told = run.tally, run.tally.bounds(), []
    if run.scenario.doorbell:
        told.append(
            tr(
                "Doorbells rung {rung}, received {received}, by {reads} reads.",
                rung=bounded(tally.doorbells_rung, bounds.get("doorbells_rung")),
                received=bounded(tally.doorbells_received, bounds.get("doorbells_received")),
                reads=bounded(tally.eventfd_reads, bounds.get("eventfd_reads")),
            )
        )
    if run.scenario.interrupt:
        signalled = bounded(tally.irqs_signalled, bounds.get("irqs_signalled"))
        ran = bounded(tally.irqs_handled, bounds.get("irqs_handled"))
        told.append(tr("Interrupts signalled {signalled}, handler runs {ran}.", signalled=signalled, ran=ran))
    return told


def latencies(run: LabRun) -> list[str]:
    """Percentiles of each that there is."""
    figures = run.figures.latencies
    if figures.clock.emulated:
        return [no_times()]
    told = [
        course_words(latency_name(name), histogram)
        for name, histogram in figures.histograms.items()
        if histogram.count and figures.known(name)
    ]
    return told or [tr("No signal was followed from its beginning to its end.")]


def course_words(what: str, histogram: Histogram) -> str:
    """Its percentiles, as far as there is a value beyond them."""
    p50, p99 = (histogram.known_percentile(percent) for percent in (50, 99))
    told = {"what": what, "longest": duration(histogram.max)}
    if p50 is None:
        return tr("{what}: the longest took {longest}.", **told)
    if p99 is None:
        return tr("{what}: half take at most {p50}, the longest took {longest}.", p50=duration(p50), **told)
    return tr(
        "{what}: half take at most {p50}, 99 of 100 at most {p99}, the longest took {longest}.",
        p50=duration(p50),
        p99=duration(p99),
        **told,
    )


def exits(run: LabRun) -> list[str]:
    """What left the guest for user space; not what KVM was told to wait for."""
    counts: dict[str, int] = {}
    lacks = run.tally.may_lack(Lane.VCPU)
    for access, count in run.evidence.left.items():
        words = access_words(access)
        counts[words] = counts.get(words, 0) + count
    most_first = sorted(counts.items(), key=lambda counted: -counted[1])
    accesses = [f"{said_least(grouped(count), lacks)} × {words}." for words, count in most_first]
    told = run.tally.exits_of_guest.items()
    reasons = ", ".join(f"KVM_EXIT_{name} {said_least(grouped(count), lacks)} ×" for name, count in told)
    if not reasons and lacks:
        return [tr(UNTOLD)]
    if not reasons:
        return [tr("KVM_RUN never returned because of the guest: nothing left to user space.")]
    return [tr("KVM_RUN returned: {reasons}.", reasons=reasons), *few(accesses, len(accesses))]


def access_words(access: Access) -> str:
    """What left, in words."""
    place = tr("port {address:#x}", address=access.address) if access.bus == "pio" else f"{access.address:#x}"
    if not access.length:
        return tr("a read of {place}", place=place)
    return tr("a write of {length} B, value {value}, to {place}", length=access.length, value=access.value, place=place)


def waited_for(run: LabRun) -> list[str]:
    """What KVM is told to wait for, at first and now."""
    told, first, now = [], run.scenario.doorbell, run.evidence.doorbell
    if first and now:
        told += [tr("At first: {what}", what=one) for one in ioeventfds(first)]
        if now != first:
            told += [tr("At last: {what}", what=one) for one in ioeventfds(now)]
        if not run.tally.wiring.get(Switch.IOEVENTFD, False):
            told.append(tr("At last no ioeventfd is assigned."))
    if run.scenario.interrupt:
        told.append(irqfd_words(run.scenario.interrupt, run.tally.wiring.get(Switch.IRQFD, False)))
    return told


def ioeventfds(doorbell: Doorbell) -> list[str]:
    """Each one, as KVM compares."""
    matches = [ringing.match(doorbell) for ringing in ringings(doorbell)]
    return [
        tr("an ioeventfd for {what}.", what=write_words(match.address, match.length, match.datamatch))
        for match in matches
    ]


def irqfd_words(interrupt: Interrupt, on: bool) -> str:
    """Where the interrupt goes."""
    route = route_words(interrupt)
    if on:
        return tr("At last an irqfd is assigned for GSI {gsi}: {route}.", gsi=interrupt.gsi, route=route)
    return tr("At last no irqfd is assigned; GSI {gsi} would be {route}.", gsi=interrupt.gsi, route=route)


def route_words(interrupt: Interrupt) -> str:
    """What its GSI leads to."""
    if interrupt.route == "msi":
        return tr("a message")
    return tr("a pin of the IOAPIC, by level") if interrupt.trigger == "level" else tr("a pin of the IOAPIC, by edge")


def changes(run: LabRun) -> list[str]:
    """What was changed while it ran."""
    words = Wording(run.scenario)
    told = [f"{grouped(run.seconds(int(one['tsc'])), 2)} s: {words.text(one)}." for one in run.changes]
    return few(told, run.changed) or [tr("Nothing was changed while it ran.")]


def few(lines: list[str], count: int) -> list[str]:
    """The first of them, and how many of `count` are not told."""
    told = lines[:MOST_LINES]
    left = count - len(told)
    return [*told, tr_n("And {n} more.", "And {n} more.", left)] if left else told


def refusals_told(run: LabRun) -> list[str]:
    """What the kernel would not do."""
    told = [finding.claim for finding in refusals(run.tally, run.evidence)]
    return told or [tr("KVM has refused nothing.")]


def levels(run: LabRun) -> list[str]:
    """In which order a level's answers came."""
    ways = run.evidence.ways
    lacks = run.tally.may_lack(Lane.IO_THREAD)
    if not run.tally.resamples:
        return [tr(UNTOLD) if lacks else tr("No resamplefd was ever signalled.")]
    return [
        tr(
            "The resamplefd was signalled {times}, {before} of these before the handler had run.",
            times=or_more(often(ways.resamples), lacks),
            before=grouped(run.evidence.resamples_before),
        )
    ]


def last_events(run: LabRun) -> list[str]:
    """The newest event of each lane."""
    words = Wording(run.scenario)
    return [
        f"{grouped(run.seconds(int(run.newest[lane]['tsc'])), 3)} s, {lane_name(lane)}: {words.text(run.newest[lane])}."
        for lane in (Lane.GUEST, Lane.VCPU, Lane.IO_THREAD)
        if lane in run.newest
    ]


def everything(run: LabRun) -> list[str]:
    """What the program itself says of the run."""
    return [finding.claim for finding in findings(run.tally, run.evidence)]


CLUES = (
    Clue("counters", tr_later("How much was sent, and how much arrived?"), 1, counters),
    Clue("latencies", tr_later("How long do the signals take?"), 1, latencies),
    Clue("last", tr_later("What was the last thing that each of them did?"), 1, last_events),
    Clue("levels", tr_later("When was a level's line low again?"), 1, levels),
    Clue("exits", tr_later("What left the guest for user space?"), 2, exits),
    Clue("registered", tr_later("What is KVM told to wait for?"), 2, waited_for, "calls"),
    Clue("refusals", tr_later("What did the kernel refuse?"), 2, refusals_told),
    Clue("changes", tr_later("What was changed while it ran?"), 3, changes, "events"),
    Clue("findings", tr_later("What does the program itself say?"), 6, everything, "evidence"),
)
BY_CLUE = {clue.name: clue for clue in CLUES}
