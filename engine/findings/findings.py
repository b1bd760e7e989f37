"""What a run shows, in sentences, each computed from a Tally and an Evidence: nothing is claimed that they do not hold.

A finding is added by one function that yields it, and its name in FINDINGS.
"""

from __future__ import annotations

import errno as errno_names
from collections import Counter
from collections.abc import Callable, Iterator

from bellwire.engine._core import lib
from bellwire.engine.counted import number_of
from bellwire.engine.events import EventKind, Lane, Operation, exit_name
from bellwire.engine.findings.finding import Finding, begun_large, often, or_more, share
from bellwire.engine.findings.ordinary import (
    added_up,
    buffers,
    by_vcpu,
    cuts,
    doorbells_fetched,
    doorbells_taken,
    dropped,
    interrupt_ways,
    merged,
    rerouted,
    unread,
)
from bellwire.engine.folds.evidence import Access, Evidence
from bellwire.engine.folds.signal_ways import InterruptWay
from bellwire.engine.folds.tally import Tally
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.language import grouped, tr, tr_as, tr_later, tr_n
from bellwire.engine.scenarios.ringing import ringings

ENDS = {  # KVM_EXIT_* after which no guest goes on
    lib.KVM_EXIT_SHUTDOWN: tr_later("the guest met a triple fault"),
    lib.KVM_EXIT_FAIL_ENTRY: tr_later("the vCPU could not be entered"),
    lib.KVM_EXIT_INTERNAL_ERROR: tr_later("the guest met an instruction that KVM cannot emulate"),
}
SERVED = (lib.BW_PORT_EXIT, lib.BW_PORT_ACK)  # ports that this VMM serves beside the doorbell

OPERATIONS = {
    Operation.IOEVENTFD_ASSIGN: tr_later("an ioeventfd at {subject:#x}"),
    Operation.IOEVENTFD_DEASSIGN: tr_later("to take the ioeventfd at {subject:#x} away"),
    Operation.IRQFD_ASSIGN: tr_later("an irqfd for GSI {subject}"),
    Operation.IRQFD_DEASSIGN: tr_later("to take the irqfd of GSI {subject} away"),
    Operation.SET_GSI_ROUTING: tr_later("a route of GSI {subject}"),
}
REASONS = {
    (Operation.IRQFD_ASSIGN, errno_names.EBUSY): tr_later("this eventfd is an irqfd already"),
    (Operation.IOEVENTFD_ASSIGN, errno_names.EEXIST): tr_later(
        "the address has an ioeventfd that could take the same write"
    ),
}


def findings(tally: Tally, evidence: Evidence) -> list[Finding]:
    """All that there is to say, what is out of the ordinary first."""
    return [finding for find in FINDINGS for finding in find(tally, evidence)]


# -- the unusual -------------------------------------------------------------------------------------------------------


def guest_end(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """A guest that is no more."""
    reason = evidence.ended[0] if evidence.ended else -1
    if reason in ENDS:
        left, why = f"KVM_EXIT_{exit_name(reason)}", tr(ENDS[reason])
        claim = tr("KVM_RUN returned {left}: {why}, and nothing came after it.", left=left, why=why)
        if tally.doorbells_rung:
            claim = tr(
                "KVM_RUN returned {left} after doorbell {last}: {why}, and nothing came after it.",
                left=left,
                why=why,
                last=grouped(tally.doorbells_rung),
            )
        numbers = {"doorbells_rung": tally.doorbells_rung, "doorbells_received": tally.doorbells_received}
        yield Finding(claim, numbers, (EventKind.EXIT,))


def refusals(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What the kernel would not do, and that the rest went on."""
    for (operation, subject, error), count in tally.refused.items():
        what, name = tr(OPERATIONS[operation], subject=subject), errno_names.errorcode.get(error, str(error))
        why = REASONS.get((operation, error), "")
        claim = tr("KVM refused {what}, {times}: {why}.", what=what, times=often(count), why=name)
        if why:
            named = f"{name}, {tr(why)}"
            claim = tr("KVM refused {what}, {times}: {why}.", what=what, times=often(count), why=named)
        if tally.irqs_signalled:
            went_on = tr_n(
                "In all {n} interrupt was signalled and {arrived} arrived.",
                "In all {n} interrupts were signalled and {arrived} arrived.",
                tally.irqs_signalled,
                arrived=grouped(tally.irqs_arrived),
            )
            claim = f"{claim} {went_on}"
        yield Finding(
            claim,
            {
                "refused": count,
                "errno": error,
                "irqs_signalled": tally.irqs_signalled,
                "irqs_arrived": tally.irqs_arrived,
            },
            (EventKind.REFUSED,),
        )


def doorbells_that_left(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """By the reason: what was registered, against what was written."""
    reasons: Counter[str] = Counter()
    for access, count in evidence.left.items():
        if access.doorbell:
            reasons[why_it_left(access, evidence.ways.ring)] += count
    for reason, count in reasons.most_common():
        yield Finding(
            begun_large(
                tr_n(
                    "{share} left to user space: {why}.",
                    "{share} left to user space: {why}.",
                    count,
                    share=or_more(share(count, tally.doorbells_rung, "doorbell"), tally.may_lack(Lane.VCPU)),
                    why=reason,
                )
            ),
            {"left": count, "doorbells_rung": tally.doorbells_rung},
            (EventKind.EXIT, EventKind.ENTRY),
        )


def why_it_left(access: Access, ring: bool) -> str:
    """What kept KVM from taking it, as the end of a sentence. ring: whether there is one of coalesced writes."""
    if ring and not any(takes(match, access) for match in access.registered):
        return tr("KVM's ring of coalesced writes was full")
    if not access.registered:
        return tr("the ioeventfd was off") if access.cut else tr("no ioeventfd was registered")
    if not access.length:  # recorded before ENTRY told it
        return tr("what was written is not in the recording")
    if any(takes(match, access) for match in access.registered):
        return tr("as the ioeventfd was assigned or taken away")
    nearest = max(access.registered, key=lambda match: closeness(match, access))
    if nearest.address != access.address:
        return tr(
            "the ioeventfd is at {address:#x} and the guest wrote at {written:#x}",
            address=nearest.address,
            written=access.address,
        )
    if nearest.length not in (0, access.length):
        waits = number_of(nearest.length, "byte")
        return tr("the ioeventfd waits for {bytes} and the guest wrote {written}", bytes=waits, written=access.length)
    if len(access.registered) > 1:
        many = len(access.registered)
        return tr(
            "none of {many} ioeventfds waits for the value {value}, which the guest wrote",
            many=many,
            value=access.value,
        )
    waits_for, wrote = nearest.datamatch, access.value
    return tr("the ioeventfd waits for the value {value} and the guest wrote {written}", value=waits_for, written=wrote)


def takes(match: IoMatch, access: Access) -> bool:
    """Whether KVM would have taken it."""
    return match.takes(access.bus, access.address, access.length, access.value)


def closeness(match: IoMatch, access: Access) -> tuple[bool, bool]:
    """How far KVM gets in comparing."""
    return match.address == access.address, match.length in (0, access.length)


def accesses_of_nothing(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What left the guest and nobody knows."""
    doorbells = [ringing.address for ringing in ringings(evidence.scenario.doorbell)]
    places: dict[tuple[str, int], list[int]] = {}
    for access, count in evidence.left.items():
        if not access.doorbell and not (access.bus == "pio" and access.address in SERVED):
            reads_and_writes = places.setdefault((access.bus, access.address), [0, 0])
            reads_and_writes[access.length > 0] += count
    for (bus, address), (reads, writes) in places.items():
        place = (
            tr("port {address:#x}", address=address) if bus == "pio" else tr("address {address:#x}", address=address)
        )
        why = tr("nobody has registered it, so reads bring all ones and writes vanish")
        if address in doorbells:
            why = tr("a doorbell is there, but these were none, as KVM takes no reads for one")
        yield Finding(
            begun_large(
                tr(
                    "{reads} and {writes} of {place} left to user space: {why}.",
                    reads=or_more(number_of(reads, "read"), tally.may_lack(Lane.VCPU)),
                    writes=or_more(number_of(writes, "write"), tally.may_lack(Lane.VCPU)),
                    place=place,
                    why=why,
                )
            ),
            {"reads": reads, "writes": writes, "exits": sum(tally.exits_to_userspace.values())},
            (EventKind.EXIT, EventKind.ENTRY),
        )


def lost_edges(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Signals at a masked pin, and whether any came when it was unmasked."""
    if not tally.irqs_lost:
        return
    lost = share(tally.irqs_lost, tally.irqs_signalled, "interrupt")
    claim = tr_n(
        "{share} was signalled while its pin was masked, and was lost.",
        "{share} were signalled while their pin was masked, and were lost.",
        tally.irqs_lost,
        share=lost,
    )
    if evidence.unmaskings:
        late = grouped(evidence.late_edges) if evidence.late_edges else tr_as("of them", "none")
        claim = tr_n(
            "{share} was signalled while its pin was masked, and was lost: {late} came late, when it was unmasked, "
            "{times}.",
            "{share} were signalled while their pin was masked, and were lost: {late} of them came when it was "
            "unmasked, {times}.",
            tally.irqs_lost,
            share=lost,
            late=or_more(late, tally.may_lack(Lane.GUEST)),
            times=often(evidence.unmaskings),
        )
    numbers = {"irqs_lost": tally.irqs_lost, "unmaskings": evidence.unmaskings, "late": evidence.late_edges}
    yield Finding(claim, numbers, (EventKind.SETTING, EventKind.IRQFD, EventKind.HANDLER))


def early_signals(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Signals before there was an irqfd."""
    for early, count in evidence.early.stories().items():
        again = f" ({often(count)})" if count > 1 else ""
        yield Finding(
            tr_n(
                "{n} signal came before the irqfd was there: the eventfd counted {counted}, and assigning it injected "
                "{injected}{again}.",
                "{n} signals came before the irqfd was there: the eventfd counted {counted}, and assigning it injected "
                "{injected}{again}.",
                early.signals,
                counted=grouped(early.counted),
                injected=grouped(early.injected),
                again=again,
            ),
            {"signals": early.signals, "counted": early.counted, "injected": early.injected, "times": count},
            (EventKind.IRQFD, EventKind.COUNT, EventKind.WIRE, EventKind.HANDLER),
        )


def resamples(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Who ended the interrupts of a level: told by what came first."""
    interrupt = evidence.scenario.interrupt
    if not interrupt or interrupt.trigger != "level" or not tally.irqs_signalled:
        return
    numbers = {
        "irqs_signalled": tally.irqs_signalled,
        "resamples": evidence.ways.resamples,
        "acknowledged": evidence.ways.acknowledged,
        "compared_with_the_handler": evidence.resamples_compared,
        "before_the_handler": evidence.resamples_before,
    }
    by_vmm = InterruptWay.IRQ_LINE in evidence.ways.by
    claim = acknowledged_claim(tally, evidence) if by_vmm else resample_claim(tally, evidence, interrupt.eoi)
    yield Finding(claim, numbers, (EventKind.RESAMPLE, EventKind.HANDLER))


def acknowledged_claim(tally: Tally, evidence: Evidence) -> str:
    """There is no resamplefd: the guest tells the VMM."""
    lowered = number_of(evidence.ways.acknowledged, "acknowledgement")
    return tr(
        "{interrupts} raised the line by KVM_IRQ_LINE, and {acknowledgements} of the guest lowered it, each by an "
        "exit.",
        interrupts=number_of(tally.irqs_signalled, "interrupt"),
        acknowledgements=or_more(lowered, tally.may_lack(Lane.IO_THREAD)),
    )


def resample_claim(tally: Tally, evidence: Evidence, eoi: bool) -> str:
    """A resample that was read before the handler ran cannot be the answer to the guest's EOI, which comes later."""
    resamples = evidence.ways.resamples
    happened = tr(
        "{interrupts} raised the line and {resamples} came",
        interrupts=number_of(tally.irqs_signalled, "interrupt"),
        resamples=or_more(number_of(resamples, "resample"), tally.may_lack(Lane.IO_THREAD)),
    )
    before, back_end = share(evidence.resamples_before, evidence.resamples_compared), evidence.backend
    if not eoi and not resamples and not tally.may_lack(Lane.IO_THREAD):
        return tr(
            "The handler writes no EOI: {happened}, so the line is still high, and the device waits ({back_end}).",
            happened=happened,
            back_end=back_end,
        )
    if 0 < evidence.resamples_compared < resamples - 1:  # the newest one's handler may be still to come
        compared = grouped(evidence.resamples_compared)
        happened = tr(
            "{happened}, {compared} of which have their handler's stamp", happened=happened, compared=compared
        )
    if not evidence.resamples_compared:
        return tr("{happened}; of none is it known whether the handler ran before.", happened=happened)
    if not eoi and evidence.resamples_before:
        return tr_n(
            "{happened}; {share} was read before the handler's first instruction: though the handler writes no EOI, "
            "{back_end} ends an interrupt when it injects it.",
            "{happened}; {share} were read before the handler's first instruction: though the handler writes no EOI, "
            "{back_end} ends an interrupt when it injects it.",
            evidence.resamples_before,
            happened=happened,
            share=before,
            back_end=back_end,
        )
    if evidence.resamples_before:
        return tr_n(
            "{happened}; {share} was read before the handler's first instruction: {back_end} ends an interrupt when "
            "it injects it.",
            "{happened}; {share} were read before the handler's first instruction: {back_end} ends an interrupt when "
            "it injects it.",
            evidence.resamples_before,
            happened=happened,
            share=before,
            back_end=back_end,
        )
    return tr_n(
        "{happened}; {share} was read before the handler's first instruction.",
        "{happened}; {share} were read before the handler's first instruction.",
        evidence.resamples_compared,
        happened=happened,
        share=before,
    )


FINDINGS: tuple[Callable[[Tally, Evidence], Iterator[Finding]], ...] = (
    *(guest_end, refusals, doorbells_that_left, accesses_of_nothing, lost_edges, early_signals, resamples),
    *(cuts, doorbells_taken, doorbells_fetched, by_vcpu, unread, added_up, interrupt_ways, merged, rerouted, buffers),
    dropped,
)
