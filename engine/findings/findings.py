"""What a run shows, in sentences, each computed from a Tally and an Evidence: nothing is claimed that they do not hold.

A finding is added by one function that yields it, and its name in FINDINGS.
"""

from __future__ import annotations

import errno as errno_names
from collections import Counter
from collections.abc import Callable, Iterator

from bellwire.engine._core import lib
from bellwire.engine.events import EventKind, Operation, exit_name
from bellwire.engine.findings.finding import Finding, bytes_of, often, plural, share
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
from bellwire.engine.scenarios.ringing import ringings

ENDS = {  # KVM_EXIT_* after which no guest goes on
    lib.KVM_EXIT_SHUTDOWN: "the guest met a triple fault",
    lib.KVM_EXIT_FAIL_ENTRY: "the vCPU could not be entered",
    lib.KVM_EXIT_INTERNAL_ERROR: "the guest met an instruction that KVM cannot emulate",
}
NOBODY = "nobody has registered it, so reads bring all ones and writes vanish."
NO_DOORBELL = "a doorbell is there, but these were none, as KVM takes no reads for one."
SERVED = (lib.BW_PORT_EXIT, lib.BW_PORT_ACK)  # ports that this VMM serves beside the doorbell

OPERATIONS = {
    Operation.IOEVENTFD_ASSIGN: "an ioeventfd at {0:#x}",
    Operation.IOEVENTFD_DEASSIGN: "to take the ioeventfd at {0:#x} away",
    Operation.IRQFD_ASSIGN: "an irqfd for GSI {0}",
    Operation.IRQFD_DEASSIGN: "to take the irqfd of GSI {0} away",
    Operation.SET_GSI_ROUTING: "a route of GSI {0}",
}
REASONS = {
    (Operation.IRQFD_ASSIGN, errno_names.EBUSY): "this eventfd is an irqfd already",
    (Operation.IOEVENTFD_ASSIGN, errno_names.EEXIST): "the address has an ioeventfd that could take the same write",
}


def findings(tally: Tally, evidence: Evidence) -> list[Finding]:
    """All that there is to say, what is out of the ordinary first."""
    return [finding for find in FINDINGS for finding in find(tally, evidence)]


# -- the unusual -------------------------------------------------------------------------------------------------------


def guest_end(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """A guest that is no more."""
    reason = evidence.ended[0] if evidence.ended else -1
    if reason in ENDS:
        after = f" after doorbell {tally.doorbells_rung:,}" if tally.doorbells_rung else ""
        claim = f"KVM_RUN returned KVM_EXIT_{exit_name(reason)}{after}: {ENDS[reason]}, and nothing came after it."
        numbers = {"doorbells_rung": tally.doorbells_rung, "doorbells_received": tally.doorbells_received}
        yield Finding(claim, numbers, (EventKind.EXIT,))


def refusals(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What the kernel would not do, and that the rest went on."""
    for (operation, subject, error), count in tally.refused.items():
        what, name = OPERATIONS[operation].format(subject), errno_names.errorcode.get(error, str(error))
        why = REASONS.get((operation, error), "")
        went_on = f" Meanwhile {tally.irqs_signalled:,} interrupts were signalled and {tally.irqs_arrived:,} arrived."
        yield Finding(
            f"KVM refused {what}, {often(count)}: {name}{why and f', {why}'}.{went_on if tally.irqs_signalled else ''}",
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
            f"{share(count, tally.doorbells_rung)} doorbells left to user space: {reason}.",
            {"left": count, "doorbells_rung": tally.doorbells_rung},
            (EventKind.EXIT, EventKind.ENTRY),
        )


def why_it_left(access: Access, ring: bool) -> str:
    """What kept KVM from taking it, as the end of a sentence. ring: whether there is one of coalesced writes."""
    if ring and not any(takes(match, access) for match in access.registered):
        return "KVM's ring of coalesced writes was full"
    if not access.registered:
        return "the ioeventfd was off" if access.cut else "no ioeventfd was registered"
    if not access.length:  # recorded before ENTRY told it
        return "what was written is not in the recording"
    if any(takes(match, access) for match in access.registered):
        return "just before the ioeventfd was assigned"
    nearest = max(access.registered, key=lambda match: closeness(match, access))
    if nearest.address != access.address:
        return f"the ioeventfd is at {nearest.address:#x} and the guest wrote at {access.address:#x}"
    if nearest.length not in (0, access.length):
        return f"the ioeventfd waits for {bytes_of(nearest.length)} and the guest wrote {access.length}"
    if len(access.registered) > 1:
        return f"none of {len(access.registered)} ioeventfds waits for the value {access.value}, which the guest wrote"
    return f"the ioeventfd waits for the value {nearest.datamatch} and the guest wrote {access.value}"


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
        place = f"{'port' if bus == 'pio' else 'address'} {address:#x}"
        yield Finding(
            f"{plural(reads, 'read')} and {plural(writes, 'write')} of {place} left to user space: "
            + (NO_DOORBELL if address in doorbells else NOBODY),
            {"reads": reads, "writes": writes, "exits": sum(tally.exits_to_userspace.values())},
            (EventKind.EXIT, EventKind.ENTRY),
        )


def lost_edges(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Signals at a masked pin, and whether any came when it was unmasked."""
    if not tally.irqs_lost:
        return
    signalled = share(tally.irqs_lost, tally.irqs_signalled)
    claim = f"{signalled} interrupts were signalled while their pin was masked, and were lost"
    if evidence.unmaskings:
        late = f"{evidence.late_edges:,} of them" if evidence.late_edges else "none of them"
        claim += f": {late} came when it was unmasked, {often(evidence.unmaskings)}"
    numbers = {"irqs_lost": tally.irqs_lost, "unmaskings": evidence.unmaskings, "late": evidence.late_edges}
    yield Finding(f"{claim}.", numbers, (EventKind.SETTING, EventKind.IRQFD, EventKind.HANDLER))


def early_signals(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Signals before there was an irqfd."""
    for early, count in evidence.early.stories().items():
        again = f" ({often(count)})" if count > 1 else ""
        yield Finding(
            f"{plural(early.signals, 'signal')} came before the irqfd was there: the eventfd counted "
            f"{early.counted:,}, and assigning it injected {early.injected:,}{again}.",
            {"signals": early.signals, "counted": early.counted, "injected": early.injected, "times": count},
            (EventKind.IRQFD, EventKind.COUNT, EventKind.WIRE, EventKind.HANDLER),
        )


def resamples(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Who ended the interrupts of a level: told by what came first."""
    interrupt = evidence.scenario.interrupt
    if not interrupt or interrupt.trigger != "level":
        return
    numbers = {
        "irqs_signalled": tally.irqs_signalled,
        "resamples": evidence.ways.resamples,
        "acknowledged": evidence.ways.acknowledged,
        "before_the_handler": evidence.resamples_before,
    }
    by_vmm = InterruptWay.IRQ_LINE in evidence.ways.by
    claim = acknowledged_claim(tally, evidence) if by_vmm else resample_claim(tally, evidence, interrupt.eoi)
    yield Finding(claim, numbers, (EventKind.RESAMPLE, EventKind.HANDLER))


def acknowledged_claim(tally: Tally, evidence: Evidence) -> str:
    """There is no resamplefd: the guest tells the VMM."""
    raised = f"{plural(tally.irqs_signalled, 'interrupt')} raised the line by KVM_IRQ_LINE"
    acknowledged = plural(evidence.ways.acknowledged, "acknowledgement")
    return f"{raised}, and {acknowledged} of the guest lowered it, each by an exit."


def resample_claim(tally: Tally, evidence: Evidence, eoi: bool) -> str:
    """A resample that was read before the handler ran cannot be the answer to the guest's EOI, which comes later."""
    resamples = evidence.ways.resamples
    happened = f"{plural(tally.irqs_signalled, 'interrupt')} raised the line and {plural(resamples, 'resample')} came"
    before = evidence.resamples_before
    order = f"{share(before, resamples)} were read before the handler's first instruction"
    if not eoi and not resamples:
        still = f"the line is still high, and the device waits ({evidence.backend})"
        return f"The handler writes no EOI: {happened}, so {still}."
    if before or not eoi:
        forgets = "" if eoi else "though the handler writes no EOI, "
        order += f": {forgets}{evidence.backend} ends an interrupt when it injects it"
    return f"{happened}; {order}."


FINDINGS: tuple[Callable[[Tally, Evidence], Iterator[Finding]], ...] = (
    *(guest_end, refusals, doorbells_that_left, accesses_of_nothing, lost_edges, early_signals, resamples),
    *(cuts, doorbells_taken, doorbells_fetched, by_vcpu, unread, added_up, interrupt_ways, merged, rerouted, buffers),
    dropped,
)
