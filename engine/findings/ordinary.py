"""What every run shows: which way its signals went, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator

from bellwire.engine.counted import count_of, number_of
from bellwire.engine.events import EventKind, Lane, Switch
from bellwire.engine.findings.finding import Finding, begun_large, often, or_more, share
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.signal_ways import InterruptWay
from bellwire.engine.folds.tally import Tally
from bellwire.engine.language import grouped, told_pid, tr, tr_as, tr_n
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of


def not_claimed() -> str:
    """What cannot be said once events are missing: differences of counts that must all speak of the same ones."""
    return tr("How many doorbells KVM took and how many interrupts were merged is not claimed.")


def doorbells_taken(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Those that no exit carried."""
    ways, rung = evidence.ways, tally.doorbells_rung
    if Trait.REAL_QEMU in evidence.scenario.machine_kind.traits:
        yield from taken_in_qemu(tally, evidence)
        return
    taken = ways.taken(rung, tally.doorbells_received)
    if not evidence.scenario.doorbell or not taken or taken < 0 or tally.missing:
        return
    claim = tr_n(
        "{share} was taken by KVM itself: no exit to user space carried it.",
        "{share} were taken by KVM itself: no exit to user space carried them.",
        taken,
        share=share(taken, rung, "doorbell"),
    )
    if ways.ring and not ways.fetches and Switch.IOEVENTFD not in ways.was_on:  # recorded before FETCH told it
        claim = tr_n(
            "{share} waited in KVM's ring of coalesced writes: no exit to user space carried it.",
            "{share} waited in KVM's ring of coalesced writes: no exit to user space carried them.",
            taken,
            share=share(taken, rung, "doorbell"),
        )
    yield Finding(
        claim,
        {"taken": taken, "doorbells_rung": rung, "left": ways.left, "fetched": ways.fetched},
        (EventKind.RING, EventKind.RUNG),
    )


def taken_in_qemu(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What of another VMM's exits is known: those that KVM has counted, among them those of its guest's start."""
    rung, exits = evidence.sampled.rung, evidence.sampled.mmio_exits
    if not rung or exits is None or tally.missing:
        return
    left = exits - evidence.sampled.before
    figures = {"rung": count_of(rung, "doorbell"), "exits": count_of(left, "exit")}
    if not left:
        claim = tr_n(
            "KVM counted no exit for MMIO to user space while {rung} rang: it took it itself.",
            "KVM counted no exit for MMIO to user space while {rung} rang: it took each of them itself.",
            rung,
            **figures,
        )
    elif left < rung:
        claim = tr(
            "KVM counted {exits} for MMIO to user space while {rung} rang: it took at least {taken} of them itself.",
            taken=grouped(rung - left),
            **figures,
        )
    else:
        claim = tr_n(
            "KVM counted {exits} for MMIO to user space while {rung} rang: it may have left.",
            "KVM counted {exits} for MMIO to user space while {rung} rang: so many that each of them may have left.",
            rung,
            **figures,
        )
    yield Finding(claim, {"doorbells_rung": rung, "mmio_exits": left}, (EventKind.RING, EventKind.STAT))


def doorbells_fetched(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Those that KVM kept until the vCPU left for another reason."""
    ways, rung = evidence.ways, tally.doorbells_rung
    if ways.fetches:
        yield Finding(
            tr_n(
                "{share} waited in KVM's ring of coalesced writes: no exit of its own carried it, the vCPU thread "
                "fetched it {times} when it was back in user space.",
                "{share} waited in KVM's ring of coalesced writes: no exit of their own carried them, the vCPU thread "
                "fetched them {times} when it was back in user space.",
                ways.fetched,
                share=share(ways.fetched, rung, "doorbell"),
                times=or_more(often(ways.fetches), tally.may_lack(Lane.VCPU)),
            ),
            {"fetched": ways.fetched, "fetches": ways.fetches, "doorbells_rung": rung, "left": ways.left},
            (EventKind.RING, EventKind.FETCH),
        )


def cuts(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What switching cost: nothing, if all that was rung has arrived."""
    cut = evidence.cuts[Switch.IOEVENTFD]
    if not cut or not tally.doorbells_rung or "doorbells_pending" in tally.bounds():
        return
    pending = tally.doorbells_pending
    rest = tr_n("{n} is still under way", "{n} are still under way", pending) if pending else tr("none was lost")
    yield Finding(
        tr_n(
            "The ioeventfd was taken away {times}: {n} doorbell was rung and {received} received, {rest}.",
            "The ioeventfd was taken away {times}: {n} doorbells were rung and {received} received, {rest}.",
            tally.doorbells_rung,
            times=often(cut),
            received=grouped(tally.doorbells_received),
            rest=rest,
        ),
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
    if "eventfd_reads" in tally.bounds():
        return
    if tally.eventfd_reads and tally.doorbells_received > tally.eventfd_reads:
        queues = len(evidence.ways.reads)
        fds = tr("{many} eventfds", many=queues) if queues > 1 else tr_as("after 'reads of'", "the eventfd")
        yield Finding(
            tr(
                "{received} doorbells came by {reads} of {eventfds}: one read brought at most {most}.",
                received=grouped(tally.doorbells_received),
                reads=number_of(tally.eventfd_reads, "read"),
                eventfds=fds,
                most=grouped(evidence.most_read),
            ),
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
    always, left = Switch.IRQFD not in evidence.ways.was_off, evidence.ways.left
    parts = [tr_n("{n} reached a handler", "{n} reached a handler", tally.irqs_arrived)]
    if tally.irqs_kept:
        parts.append(
            tr_n(
                "{n} waits in its count as no irqfd listens",
                "{n} wait in its count as no irqfd listens",
                tally.irqs_kept,
            )
        )
    if left:
        count = or_more(grouped(left), tally.may_lack(Lane.VCPU))
        parts.append(tr("our vCPU thread passed {left} of the doorbells on", left=count))
    figures = {"parts": ", ".join(parts), "reads": number_of(tally.eventfd_reads, "read")}
    if always and left:
        return tr_n(
            "{n} doorbell went to the eventfd that an irqfd listens to: {parts}, and no thread of this process read "
            "the eventfd ({reads}).",
            "{n} doorbells went to the eventfd that an irqfd listens to: {parts}, and no thread of this process read "
            "the eventfd ({reads}).",
            tally.doorbells_rung,
            **figures,
        )
    if always:
        return tr_n(
            "{n} doorbell was an interrupt at once: {parts}, and no thread of this process read the eventfd ({reads}).",
            "{n} doorbells were interrupts at once: {parts}, and no thread of this process read the eventfd ({reads}).",
            tally.doorbells_rung,
            **figures,
        )
    return tr_n(
        "{n} doorbell went to the eventfd that an irqfd listens to while it is on: {parts}, and no thread of this "
        "process read the eventfd ({reads}).",
        "{n} doorbells went to the eventfd that an irqfd listens to while it is on: {parts}, and no thread of this "
        "process read the eventfd ({reads}).",
        tally.doorbells_rung,
        **figures,
    )


def answered_claim(tally: Tally, evidence: Evidence) -> str:
    """What another process, or the kernel's worker, does with a doorbell is not seen: its interrupts are."""
    left = evidence.ways.left
    parts = [
        tr_n("{n} interrupt of its reached a handler", "{n} interrupts of its reached a handler", tally.irqs_arrived)
    ]
    if tally.irqs_kept:
        parts.append(
            tr_n(
                "{n} waits in its eventfd as no irqfd listens",
                "{n} wait in its eventfd as no irqfd listens",
                tally.irqs_kept,
            )
        )
    ours = tr("no thread of this process took part")
    if left:
        count = or_more(grouped(left), tally.may_lack(Lane.VCPU))
        ours = tr("our vCPU thread passed {left} of the doorbells on", left=count)
    if Trait.KERNEL_WORKER in traits_of(evidence.scenario):
        return tr_n(
            "{n} doorbell went to a vhost worker, thread {thread} of the kernel: {parts}, and {ours}.",
            "{n} doorbells went to a vhost worker, thread {thread} of the kernel: {parts}, and {ours}.",
            tally.doorbells_rung,
            thread=told_pid(tally.partner_pid),
            parts=", ".join(parts),
            ours=ours,
        )
    return tr_n(
        "{n} doorbell went to process {process}: {parts}, and {ours}.",
        "{n} doorbells went to process {process}: {parts}, and {ours}.",
        tally.doorbells_rung,
        process=told_pid(tally.partner_pid),
        parts=", ".join(parts),
        ours=ours,
    )


def interrupt_ways(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Where interrupts went several ways."""
    by = evidence.ways.by
    if len(by) > 1:
        lacks = tally.may_lack(Lane.IO_THREAD)
        parts = ", ".join(
            tr("{count} by {way}", count=or_more(grouped(count), lacks), way=tr(way)) for way, count in by.items()
        )
        all_ = or_more(grouped(sum(by.values())), lacks)
        yield Finding(
            begun_large(tr("{count} interrupts were signalled: {parts}.", count=all_, parts=parts)),
            {"signalled": sum(by.values()), **{f"by {way}": count for way, count in by.items()}},
            (EventKind.IRQFD, EventKind.IRQ_IOCTL),
        )


def where_merged(tally: Tally, evidence: Evidence) -> str:
    """What makes one interrupt of several signals, of all that was in their way. It stands after "merged in"."""
    interrupt, by = evidence.scenario.interrupt, set(evidence.ways.by)
    places = []
    if InterruptWay.NOBODY in by or (tally.direct and Switch.IRQFD in evidence.ways.was_off):
        places.append(tr_as("after 'merged in'", "the eventfd's count"))
    if InterruptWay.IRQFD in by and interrupt and interrupt.route == "ioapic":
        each = tr_as("after 'merged in'", "the one work item of each of the {n} irqfds", n=interrupt.irqfds)
        places.append(each if interrupt.irqfds > 1 else tr_as("after 'merged in'", "the irqfd's one work item"))
    places.append(tr_as("after 'merged in'", "the local APIC's one bit"))
    return tr_as("between places", " or ").join(places)


def merged(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Interrupts that came faster than they were handled; runs that nobody asked for."""
    if tally.irqs_merged > 0 and not tally.missing:
        yield Finding(
            tr_n(
                "{share} came along with another one, merged in {place}: the handler ran {times}.",
                "{share} came along with another one, merged in {place}: the handler ran {times}.",
                tally.irqs_merged,
                share=share(tally.irqs_merged, tally.irqs_signalled, "interrupt"),
                place=where_merged(tally, evidence),
                times=often(tally.irqs_handled),
            ),
            {"merged": tally.irqs_merged, "signalled": tally.irqs_signalled, "handled": tally.irqs_handled},
            (EventKind.HANDLER,),
        )
    if tally.irqs_spurious:
        why = tr("that was signalled before the first event here")
        if tally.resamples:
            why = tr("the line was still high")
        more = or_more(often(tally.irqs_spurious), tally.may_lack(Lane.GUEST))
        yield Finding(
            tr("The handler ran {times} more than it was signalled: {why}.", times=more, why=why),
            {"spurious": tally.irqs_spurious, "handled": tally.irqs_handled},
            (EventKind.HANDLER, EventKind.RESAMPLE),
        )


def by_vcpu(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What each of several vCPUs did."""
    if evidence.scenario.vcpus == 1:
        return
    if evidence.rung_by:
        rang = ", ".join(
            tr("vCPU {vcpu} rang {times}", vcpu=vcpu, times=or_more(often(count), tally.may_lack(Lane.GUEST)))
            for vcpu, count in sorted(evidence.rung_by.items())
        )
        yield Finding(
            tr(
                "{rang}: the one eventfd brought {received} of these {rung}.",
                rang=rang,
                received=grouped(tally.doorbells_received),
                rung=grouped(tally.doorbells_rung),
            ),
            {"doorbells_rung": tally.doorbells_rung, "doorbells_received": tally.doorbells_received},
            (EventKind.RING, EventKind.DOORBELL),
        )
    if evidence.handled_by:
        claim = tr("The handler ran {where}.", where=by_each_vcpu(tally, evidence))
        yield Finding(claim, {"handled": tally.irqs_handled}, (EventKind.HANDLER,))


def by_each_vcpu(tally: Tally, evidence: Evidence) -> str:
    """ "1 204 times on vCPU 0, once on vCPU 1"."""
    return ", ".join(
        tr("{times} on vCPU {vcpu}", times=or_more(often(count), tally.may_lack(Lane.GUEST)), vcpu=vcpu)
        for vcpu, count in sorted(evidence.handled_by.items())
    )


def rerouted(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """Where interrupts went when the route changed."""
    changes = {"routes": evidence.routes, "moves": evidence.moves}
    if not any(changes.values()):
        return
    went = ", ".join(
        tr("{times} at vector {vector:#x}", times=or_more(often(count), tally.may_lack(Lane.GUEST)), vector=vector)
        for vector, count in sorted(evidence.vectors.items())
    )
    if evidence.moves:
        went = by_each_vcpu(tally, evidence)
    past = evidence.ways.by.get(InterruptWay.SIGNAL_MSI, 0)
    words = {"times": often(sum(changes.values())), "where": went or tr("not once")}
    claim = tr("The route changed {times}: the handler ran {where}.", **words)
    if past:
        claim = tr_n(
            "The route changed {times}: the handler ran {where}; {n} went by KVM_SIGNAL_MSI, which asks no route.",
            "The route changed {times}: the handler ran {where}; {n} went by KVM_SIGNAL_MSI, which asks no route.",
            past,
            **words,
        )
    yield Finding(
        claim,
        {**changes, "handled": tally.irqs_handled, "past_the_route": past},
        (EventKind.SETTING, EventKind.HANDLER),
    )


def buffers(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What suppression saved."""
    if tally.buffers_used:
        yield Finding(
            tr_n(
                "{n} buffer took {kicks} and {interrupts}.",
                "{n} buffers took {kicks} and {interrupts}.",
                tally.buffers_used,
                kicks=number_of(tally.doorbells_rung, "kick"),
                interrupts=number_of(tally.irqs_signalled, "interrupt"),
            ),
            {"buffers": tally.buffers_used, "kicks": tally.doorbells_rung, "interrupts": tally.irqs_signalled},
            (EventKind.BUFFERS,),
        )


def lost_claim(lane: int, lost: int) -> str:
    """What a lane has lost, and what is not known for that; of the other lanes nothing."""
    match lane:
        case Lane.GUEST:
            return tr_n(
                "{n} stamp of the guest was dropped, so that the count of handlers may be too small.",
                "{n} stamps of the guest were dropped, so that the count of handlers may be too small.",
                lost,
            )
        case Lane.VCPU:
            return tr_n(
                "{n} event of a vCPU thread was dropped, so that the count of exits may be too small.",
                "{n} events of vCPU threads were dropped, so that the count of exits may be too small.",
                lost,
            )
        case Lane.IO_THREAD:
            return tr_n(
                "{n} event of the I/O thread was dropped, so that the count of reads may be too small.",
                "{n} events of the I/O thread were dropped, so that the count of reads may be too small.",
                lost,
            )
        case Lane.KVM:
            return tr_n(
                "{n} record of the kernel found no room and was dropped: it is not known when the signals that it was "
                "of passed through the kernel, nor how many merged there.",
                "{n} records of the kernel found no room and were dropped: it is not known when the signals that they "
                "were of passed through the kernel, nor how many merged there.",
                lost,
            )
        case Lane.ENGINE:
            return tr_n(
                "{n} event lies in a damaged part of the recording, so that every count may be too small.",
                "{n} events lie in damaged parts of the recording, so that every count may be too small.",
                lost,
            )
        case _:
            return tr_n("{n} event was dropped.", "{n} events were dropped.", lost)


def dropped(tally: Tally, evidence: Evidence) -> Iterator[Finding]:
    """What all of this does not know."""
    for lane, lost in tally.lost_from.items():
        claim = lost_claim(lane, lost)
        yield Finding(claim if lane == Lane.KVM else f"{claim} {not_claimed()}", {"dropped": lost}, (EventKind.LOST,))
    if tally.passed_over:
        yield Finding(
            tr_n(
                "{n} event came faster than it was taken: every count has it, no latency and no journey does.",
                "{n} events came faster than they were taken: every count has them, no latency and no journey does.",
                tally.passed_over,
            )
            + f" {not_claimed()}",
            {"passed_over": tally.passed_over},
            (EventKind.PASSED_OVER,),
        )
