"""What a run shows, in sentences, each computed from a Tally and an Evidence: nothing is claimed that they do not hold.

A finding is added by one function that yields it, and its name in FINDINGS.
"""

from __future__ import annotations

import errno as errno_names
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bellwire.engine._core import lib
from bellwire.engine.events import EventKind, Operation, Switch, exit_name
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


@dataclass(frozen=True)
class Finding:
    """One thing that happened. numbers: what the claim rests on. kinds: the events that show it."""

    claim: str
    numbers: dict[str, int]
    kinds: tuple[EventKind, ...]

    def as_json(self) -> dict[str, object]:
        """Ready for JSON."""
        return {"claim": self.claim, "numbers": self.numbers, "events": [kind.name for kind in self.kinds]}


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


# -- the ordinary ------------------------------------------------------------------------------------------------------


def doorbells_taken(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Those that no exit carried."""
    ways, rung = evidence.ways, tally.doorbells_rung
    taken = ways.taken(rung, tally.doorbells_received)
    if not evidence.scenario.doorbell or not taken or taken < 0 or tally.dropped:
        return
    where = "were taken by KVM itself"
    if ways.ring and not ways.fetches and Switch.IOEVENTFD not in ways.was_on:  # recorded before FETCH told it
        where = "waited in KVM's ring of coalesced writes"
    yield Finding(
        f"{share(taken, rung)} doorbells {where}: no exit to user space carried them.",
        {"taken": taken, "doorbells_rung": rung, "left": ways.left, "fetched": ways.fetched},
        (EventKind.RING, EventKind.RUNG),
    )


def doorbells_fetched(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Those that KVM kept until the vCPU left for another reason."""
    ways, rung = evidence.ways, tally.doorbells_rung
    if ways.fetches:
        yield Finding(
            f"{share(ways.fetched, rung)} doorbells waited in KVM's ring of coalesced writes: no exit of their own "
            f"carried them, the vCPU thread fetched them {often(ways.fetches)} when it was back in user space.",
            {"fetched": ways.fetched, "fetches": ways.fetches, "doorbells_rung": rung, "left": ways.left},
            (EventKind.RING, EventKind.FETCH),
        )


def cuts(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What switching cost: nothing, if all that was rung has arrived."""
    cut = evidence.cuts[Switch.IOEVENTFD]
    if not cut or not tally.doorbells_rung:
        return
    pending = tally.doorbells_pending
    rest = f"{pending:,} {'is' if pending == 1 else 'are'} still under way" if pending else "none was lost"
    yield Finding(
        f"The ioeventfd was taken away {often(cut)} while the guest rang: {tally.doorbells_rung:,} doorbells were rung "
        f"and {tally.doorbells_received:,} received, {rest}.",
        {
            "cuts": cut,
            "doorbells_rung": tally.doorbells_rung,
            "doorbells_received": tally.doorbells_received,
            "left": evidence.ways.left,
        },
        (EventKind.WIRE, EventKind.RING, EventKind.DOORBELL),
    )


def added_up(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Doorbells that came faster than they were read."""
    if tally.eventfd_reads and tally.doorbells_received > tally.eventfd_reads:
        queues = len(evidence.ways.reads)
        fds = f"{queues} eventfds" if queues > 1 else "the eventfd"
        yield Finding(
            f"{tally.doorbells_received:,} doorbells came by {plural(tally.eventfd_reads, 'read')} of {fds}: "
            f"one read brought at most {evidence.most_read:,}.",
            {"doorbells_received": tally.doorbells_received, "reads": tally.eventfd_reads, "most": evidence.most_read},
            (EventKind.DOORBELL,),
        )


def unread(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Doorbells that are interrupts, or another process's to answer."""
    if not tally.direct or not tally.doorbells_rung:
        return
    numbers = {
        "doorbells_rung": tally.doorbells_rung,
        "arrived": tally.irqs_arrived,
        "kept": tally.irqs_kept,
        "left": evidence.ways.left,
        "reads": tally.eventfd_reads,
    }
    claim = answered_claim(tally, evidence) if tally.partner_pid else direct_claim(tally, evidence)
    yield Finding(claim, numbers, (EventKind.RING, EventKind.HANDLER))


def direct_claim(tally: Tally, evidence: Evidence) -> str:
    """The doorbell's eventfd is the irqfd's, whenever there is one."""
    always = Switch.IRQFD not in evidence.ways.was_off
    how = "were interrupts at once" if always else "went to the eventfd that an irqfd listens to while it is on"
    kept = f", {tally.irqs_kept:,} wait in its count as no irqfd listens" if tally.irqs_kept else ""
    read = f"no thread of this process read the eventfd ({tally.eventfd_reads:,} reads)"
    return f"{tally.doorbells_rung:,} doorbells {how}: {tally.irqs_arrived:,} reached a handler{kept}, and {read}."


def answered_claim(tally: Tally, evidence: Evidence) -> str:
    """What another process does with a doorbell is not seen: its interrupts are."""
    kept = f", {tally.irqs_kept:,} wait in its eventfd as no irqfd listens" if tally.irqs_kept else ""
    left = evidence.ways.left
    ours = f"our vCPU thread passed {left:,} of the doorbells on" if left else "no thread of this process took part"
    asked = f"{plural(tally.doorbells_rung, 'doorbell')} went to process {tally.partner_pid}"
    return f"{asked}: {plural(tally.irqs_arrived, 'interrupt')} of its reached a handler{kept}, and {ours}."


def interrupt_ways(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Where interrupts went several ways."""
    by = evidence.ways.by
    if len(by) > 1:
        parts = ", ".join(f"{count:,} by {way}" for way, count in by.items())
        yield Finding(
            f"{sum(by.values()):,} interrupts were signalled: {parts}.",
            {"signalled": sum(by.values()), **{f"by {way}": count for way, count in by.items()}},
            (EventKind.IRQFD, EventKind.IRQ_IOCTL),
        )


def where_merged(tally: Tally, evidence: Evidence) -> str:
    """What makes one interrupt of several signals, of all that was in their way."""
    interrupt, by = evidence.scenario.interrupt, set(evidence.ways.by)
    places = []
    if InterruptWay.NOBODY in by or (tally.direct and Switch.IRQFD in evidence.ways.was_off):
        places.append("the eventfd's count")
    if InterruptWay.IRQFD in by and interrupt and interrupt.route == "ioapic":
        places.append("KVM's one work item for the pin")
    return " or ".join([*places, "the local APIC's one bit"])


def merged(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Interrupts that came faster than they were handled; runs that nobody asked for."""
    if tally.irqs_merged > 0 and not tally.dropped:
        yield Finding(
            f"{tally.irqs_merged:,} of {tally.irqs_signalled:,} interrupts came along with another one, merged in "
            f"{where_merged(tally, evidence)}: the handler ran {often(tally.irqs_handled)}.",
            {"merged": tally.irqs_merged, "signalled": tally.irqs_signalled, "handled": tally.irqs_handled},
            (EventKind.HANDLER,),
        )
    if tally.irqs_spurious:
        why = "the line was still high" if tally.resamples else "that was signalled before the first event here"
        yield Finding(
            f"The handler ran {often(tally.irqs_spurious)} more than it was signalled: {why}.",
            {"spurious": tally.irqs_spurious, "handled": tally.irqs_handled},
            (EventKind.HANDLER, EventKind.RESAMPLE),
        )


def by_vcpu(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What each of several vCPUs did."""
    if evidence.scenario.vcpus == 1:
        return
    if evidence.rung_by:
        rang = ", ".join(f"vCPU {vcpu} rang {count:,}" for vcpu, count in sorted(evidence.rung_by.items()))
        yield Finding(
            f"{rang}: the one eventfd brought {tally.doorbells_received:,} of these {tally.doorbells_rung:,}.",
            {"doorbells_rung": tally.doorbells_rung, "doorbells_received": tally.doorbells_received},
            (EventKind.RING, EventKind.DOORBELL),
        )
    if evidence.handled_by:
        ran = ", ".join(f"{count:,} on vCPU {vcpu}" for vcpu, count in sorted(evidence.handled_by.items()))
        yield Finding(f"The handler ran {ran}.", {"handled": tally.irqs_handled}, (EventKind.HANDLER,))


def rerouted(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Where interrupts went when the route changed."""
    changes = {"routes": evidence.routes, "moves": evidence.moves}
    if not any(changes.values()):
        return
    went = ", ".join(f"{count:,} at vector {vector:#x}" for vector, count in sorted(evidence.vectors.items()))
    if evidence.moves:
        went = ", ".join(f"{count:,} on vCPU {vcpu}" for vcpu, count in sorted(evidence.handled_by.items()))
    past = evidence.ways.by.get(InterruptWay.SIGNAL_MSI, 0)
    asked = f"; {past:,} went by KVM_SIGNAL_MSI, which asks no route" if past else ""
    yield Finding(
        f"The route changed {often(sum(changes.values()))}: the handler ran {went or 'not once'}{asked}.",
        {**changes, "handled": tally.irqs_handled, "past_the_route": past},
        (EventKind.SETTING, EventKind.HANDLER),
    )


def buffers(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What suppression saved."""
    if tally.buffers_used:
        yield Finding(
            f"{tally.buffers_used:,} buffers took {plural(tally.doorbells_rung, 'kick')} and "
            f"{plural(tally.irqs_signalled, 'interrupt')}.",
            {"buffers": tally.buffers_used, "kicks": tally.doorbells_rung, "interrupts": tally.irqs_signalled},
            (EventKind.BUFFERS,),
        )


def dropped(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What all of this does not know."""
    if tally.dropped:
        yield Finding(
            f"{plural(tally.dropped, 'event')} were dropped, so that counts of exits and handlers are too small.",
            {"dropped": tally.dropped},
            (EventKind.LOST,),
        )


FINDINGS: tuple[Callable[[Tally, Evidence], Iterator[Finding]], ...] = (
    *(guest_end, refusals, doorbells_that_left, accesses_of_nothing, lost_edges, early_signals, resamples),
    *(cuts, doorbells_taken, doorbells_fetched, by_vcpu, unread, added_up, interrupt_ways, merged, rerouted, buffers),
    dropped,
)


# -- words -------------------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """ "250 of 250", "none of 7"."""
    return f"{part:,} of {whole:,}" if part else f"none of {whole:,}"


def plural(count: int, noun: str) -> str:
    """ "1 signal", "3 signals"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def often(count: int) -> str:
    """ "once", "7 times"."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def bytes_of(length: int) -> str:
    """ "4 bytes"."""
    return plural(length, "byte")
