"""What every run shows: which way its signals went, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator

from bellwire.engine.events import EventKind, Switch
from bellwire.engine.findings.finding import Finding, often, plural, share
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.signal_ways import InterruptWay
from bellwire.engine.folds.tally import Tally

# Both are differences of counts that must all speak of the same events.
NOT_CLAIMED = " How many doorbells KVM took and how many interrupts were merged is not claimed."


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
    if tally.lost:
        yield Finding(
            f"{plural(tally.lost, 'event')} were dropped, so that counts of exits and handlers are too small."
            f"{NOT_CLAIMED}",
            {"dropped": tally.lost},
            (EventKind.LOST,),
        )
    if tally.passed_over:
        yield Finding(
            f"{plural(tally.passed_over, 'event')} came faster than they were taken: every count has them, no latency "
            f"and no journey does.{NOT_CLAIMED}",
            {"passed_over": tally.passed_over},
            (EventKind.PASSED_OVER,),
        )
