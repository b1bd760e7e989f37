"""Whether something is the matter with a run, and what shows it: each cause is judged by events, by no lab's name."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bellwire.engine.counted import number_of
from bellwire.engine.events import Lane, Operation
from bellwire.engine.findings.finding import Finding, or_more, share
from bellwire.engine.findings.findings import (
    accesses_of_nothing,
    closeness,
    early_signals,
    guest_end,
    lost_edges,
    refusals,
    resamples,
    takes,
)
from bellwire.engine.folds.evidence import Access, Evidence
from bellwire.engine.folds.tally import Bounds, Tally
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.language import grouped, tr
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.text.trust import UNTOLD


@dataclass(frozen=True)
class Ruling:
    """Whether a cause is there in a run (None: that cannot be told), and why one can say so."""

    holds: bool | None
    why: str


Rule = Callable[[LabRun], Ruling]
Find = Callable[[Tally, Evidence], Iterable[Finding]]


def ruling(run: LabRun, cause: str) -> Ruling:
    """Of the cause called so, one of assets/labs.toml."""
    return RULES[cause](run)


def claims(find: Find, run: LabRun) -> str:
    """What the program itself says of the run, as far as this finds something; "" if it does not."""
    return " ".join(finding.claim for finding in find(run.tally, run.evidence))


def none_seen(run: LabRun, why: str, *lanes: Lane) -> Ruling:
    """Nothing that these lanes tell shows the cause, unless it was dropped."""
    if run.tally.may_lack(*lanes):
        return Ruling(None, f"{why} {tr(UNTOLD)}")
    return Ruling(False, why)


def shown_by(told: str, run: LabRun, otherwise: str, *lanes: Lane) -> Ruling:
    """The cause is there if anything was found that tells of it, by what these lanes have told."""
    return Ruling(True, told) if told else none_seen(run, otherwise, *lanes)


# -- the interrupt's side


def early(run: LabRun) -> Ruling:
    """Signals that found no irqfd."""
    found = tr("No signal came while there was no irqfd.")
    return shown_by(claims(early_signals, run), run, found, Lane.IO_THREAD)


def masked_pin(run: LabRun) -> Ruling:
    """Edges at a masked pin."""
    found = tr("No interrupt was signalled at a pin that was masked.")
    return shown_by(claims(lost_edges, run), run, found, Lane.IO_THREAD)


def no_eoi(run: LabRun) -> Ruling:
    """A handler that does not say that it is done: the guest is known, and what came of it is told."""
    interrupt = run.scenario.interrupt
    if interrupt is None:
        return Ruling(False, tr("This guest is sent no interrupts."))
    if interrupt.eoi:
        handled = or_more(grouped(run.tally.irqs_handled), "irqs_handled" in run.tally.bounds())
        return Ruling(False, tr("This guest's handler ends with an EOI, each of the {n} times.", n=handled))
    return Ruling(True, claims(resamples, run) or tr("The handler writes no EOI."))


def refused_irqfd(run: LabRun) -> Ruling:
    """An eventfd that is an irqfd already."""
    there = any(
        (operation, error) == (Operation.IRQFD_ASSIGN, errno.EBUSY) for operation, _, error in run.tally.refused
    )
    if not there:
        return none_seen(run, claims(refusals, run) or tr("KVM has refused nothing."))
    return Ruling(True, claims(refusals, run))


def merging(run: LabRun) -> Ruling:
    """More than a few interrupts that shared a handler with another one."""
    merged, signalled = run.tally.irqs_merged, run.tally.irqs_signalled
    if not signalled:
        return Ruling(False, tr("No interrupt was signalled."))
    bounds = run.tally.bounds().get("irqs_merged", Bounds(merged, merged))
    came = tr("Along with another one came {share} interrupts.", share=share(merged, signalled))
    if bounds.least > signalled / 10 or (bounds.most is not None and bounds.most <= signalled / 10):
        return Ruling(bounds.least > signalled / 10, came)
    return Ruling(None, tr("How many interrupts came along with another one is not known. {why}", why=tr(UNTOLD)))


# -- the doorbell's side


@dataclass(frozen=True)
class Missed:
    """Doorbells that KVM did not take: how many, what it waited for and what was written instead, in words."""

    count: int = 0
    waits: str = ""
    written: str = ""


def misses(run: LabRun, wrong: Callable[[IoMatch, Access], bool]) -> Missed:
    """Those that KVM did not take for such a reason; the words are of the last ones."""
    missed = Missed()
    for access, times in run.evidence.left.items():
        if access.doorbell and access.length and access.registered:
            nearest = max(access.registered, key=lambda match: closeness(match, access))
            if not takes(nearest, access) and wrong(nearest, access):
                missed = Missed(
                    missed.count + times,
                    write_words(nearest.address, nearest.length, nearest.datamatch),
                    write_words(access.address, access.length, access.value),
                )
    return missed


def write_words(address: int, length: int, value: int | None) -> str:
    """What KVM compares, of a write or of an ioeventfd, which may take any length and any value."""
    return ", ".join(
        (
            f"{address:#x}",
            number_of(length, "byte") if length else tr("any length"),
            tr("any value") if value is None else tr("value {n}", n=value),
        )
    )


def rule_of_misses(run: LabRun, wrong: Callable[[IoMatch, Access], bool], named: str) -> Ruling:
    """named: what did not fit, as a word."""
    if run.scenario.doorbell is None:
        return Ruling(False, tr("This guest rings no doorbell."))
    missed = misses(run, wrong)
    rung = share(missed.count, run.tally.doorbells_rung)
    if not missed.count:
        why = tr("By their {what} {share} doorbells missed an ioeventfd.", share=rung, what=named)
        return none_seen(run, why, Lane.VCPU)
    rung = or_more(rung, run.tally.may_lack(Lane.VCPU))
    why = tr(
        "By their {what} {share} doorbells missed the ioeventfd: "
        "it waits for {waits}, and what was written is {written}.",
        share=rung,
        what=named,
        waits=missed.waits,
        written=missed.written,
    )
    return Ruling(True, why)


def wrong_address(run: LabRun) -> Ruling:
    """Written elsewhere."""
    return rule_of_misses(run, lambda match, access: match.address != access.address, tr("address"))


def wrong_length(run: LabRun) -> Ruling:
    """Written at the address, but not as many bytes."""

    def wrong(match: IoMatch, access: Access) -> bool:
        return match.address == access.address and match.length not in (0, access.length)

    return rule_of_misses(run, wrong, tr("length"))


def wrong_value(run: LabRun) -> Ruling:
    """All fits but the value."""
    return rule_of_misses(run, lambda match, access: closeness(match, access) == (True, True), tr("value"))


def wire_cut(run: LabRun) -> Ruling:
    """Doorbells that left because the ioeventfd had been taken away."""
    if run.scenario.doorbell is None:
        return Ruling(False, tr("This guest rings no doorbell."))
    left = sum(count for access, count in run.evidence.left.items() if access.doorbell and access.cut)
    rung = share(left, run.tally.doorbells_rung)
    told = or_more(rung, run.tally.may_lack(Lane.VCPU)) if left else rung
    why = tr("While the ioeventfd was taken away {share} doorbells were rung.", share=told)
    return Ruling(True, why) if left else none_seen(run, why, Lane.VCPU)


# -- the guest


def mmio_storm(run: LabRun) -> Ruling:
    """Accesses of nothing."""
    found = tr("No access to an address where nothing is left the guest.")
    return shown_by(claims(accesses_of_nothing, run), run, found, Lane.VCPU)


def triple_fault(run: LabRun) -> Ruling:
    """A vCPU that has shut down."""
    found = tr("The vCPU has not shut down: the guest ran to the end.")
    return shown_by(claims(guest_end, run), run, found, Lane.VCPU)


RULES: dict[str, Rule] = {
    "early": early,
    "masked": masked_pin,
    "no-eoi": no_eoi,
    "refused": refused_irqfd,
    "merging": merging,
    "wrong-value": wrong_value,
    "wrong-length": wrong_length,
    "wrong-address": wrong_address,
    "cut": wire_cut,
    "storm": mmio_storm,
    "triple-fault": triple_fault,
}
