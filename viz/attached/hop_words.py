"""The hops of a VMM's signals, in words: who is woken, who signals, and what cannot be told and why. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from bellwire.engine.attached.hops.figures import DoorbellHops, HaltHops, HopFigures, HopLatency, InterruptHops
from bellwire.engine.attached.hops.interrupts import SignalledBy
from bellwire.engine.attached.hops.places import HopThread
from bellwire.engine.attached.processes import LARGEST_PID, named_pid
from bellwire.engine.counted import number_of
from bellwire.engine.language import tr, tr_later, tr_n
from bellwire.viz.text.figures import duration, grouped
from bellwire.viz.text.trust import no_times

if TYPE_CHECKING:  # Arrow is imported once something is recorded
    from bellwire.engine.recordings.attached.seen_moments import SeenMoments

HOW = {
    SignalledBy.WRITE: tr_later("write to the irqfd"),
    SignalledBy.IOCTL: tr_later("ioctl"),
    SignalledBy.IO_URING: tr_later("io_uring"),
    SignalledBy.DOORBELL: tr_later("the guest's doorbell"),
    SignalledBy.KERNEL: tr_later("in the kernel"),
}
ITSELF = tr_later("the vCPU itself: its timer, or another CPU")


def thread_words(thread: HopThread, own: int) -> str:
    """A thread; of which process, where that is not the VMM. own: the VMM's pid."""
    name = thread.name or tr("thread {tid}", tid=thread.tid)
    if thread.pid in (own, 0):
        return name
    if thread.program.startswith(name):  # the kernel keeps only the beginning of it
        return named_pid(thread.program, thread.pid)
    return f"{name} ({thread.program}, {thread.pid})" if thread.pid <= LARGEST_PID else f"{name} ({thread.program})"


def recorded_thread(moments: SeenMoments, tid: int) -> str:
    """A thread of a recording, in the same words; "" if it is not named there."""
    thread, process = moments.threads.get(tid), moments.recording.header.attached
    if thread is None or process is None:
        return ""
    program = moments.programs.get(thread.pid, "?")
    return thread_words(HopThread(tid, thread.name, thread.pid, program), process.process.pid)


def hop_place(one: DoorbellHops, hops: HopFigures) -> str:
    """Where a doorbell is: "mmio 0xd0000000", and what it takes there and of which VM, where others are there too."""
    key, match = one.key, one.key.doorbell.match
    words = f"{match.bus} {match.address:#x}"
    there = [other.key for other in hops.doorbells if other.key.doorbell.match.address == match.address]
    if len(there) == 1:
        return words
    value = "" if match.datamatch is None else f" = {match.datamatch:#x}"
    length = f"/{match.length}" if len({other.doorbell.match.length for other in there}) > 1 else ""
    return of_vm(f"{words}{length}{value}", key.vm, {other.vm for other in there})


def vcpu_words(one: HaltHops, hops: HopFigures) -> str:
    """A vCPU's number, and of which VM where there are several."""
    return of_vm(str(one.key.number), one.key.vm, {other.key.vm for other in hops.halts})


def of_vm(words: str, vm: int | None, vms: Collection[int | None]) -> str:
    """With the VM's fd, if there is more than one VM."""
    return tr("{what} of VM {vm}", what=words, vm="–" if vm is None else vm) if len(vms) > 1 else words


def woken_words(hops: DoorbellHops, own: int) -> str:
    """Whom a doorbell wakes most often."""
    if hops.woken:
        return thread_words(hops.woken[0].thread, own)
    if hops.direct:
        return tr("is an interrupt at once")
    return tr("nobody: its reader was awake") if hops.rung else "–"


def sender_words(hops: InterruptHops, own: int) -> str:
    """Who signals an interrupt most often, and how."""
    if not hops.senders:
        return "–"
    who = hops.senders[0]
    if who.how == SignalledBy.ITSELF:
        return tr(ITSELF)
    words = tr(HOW[who.how])
    return f"{thread_words(who.thread, own)}, {words}" if who.thread else words


def latency_words(latency: HopLatency) -> str:
    """p50 3.4 µs, p99 13.2 µs; "" if nothing was measured."""
    if latency.p50 is None:
        return ""
    p99 = "" if latency.p99 is None else f", p99 {duration(latency.p99)}"
    return f"p50 {duration(latency.p50)}{p99}"


def journey_words(hops: HopFigures) -> str:
    """The journeys that can be told, or why there are only hops."""
    alone, rung = hops.journeys.count, hops.rung
    if not rung:
        return tr("No doorbell that KVM takes itself was rung in {seconds:.0f} s.", seconds=hops.seconds)
    if not hops.sent:
        return tr("Hops, not journeys: no interrupt was signalled.")
    if not alone:
        return tr("Hops, not journeys: until it is quiet for a while nobody outside sees which doorbell is answered.")
    return tr(
        "Alone under way: {alone} of {rung}; {latency} until a vCPU takes the answer; else hops only.",
        alone=grouped(alone),
        rung=number_of(round(rung), "doorbell"),
        latency=latency_words(hops.journeys) or "–",
    )


def shown_exits_words(hops: HopFigures) -> str:
    """Which exits are shown, and why those."""
    if hops.exits_told:
        return tr("An exit lasts until the guest goes on (kvm_entry); KVM_EXIT_… until KVM_RUN is called again.")
    return tr(
        "kvm_exit and kvm_entry do not fire on {backend}: shown is how long KVM_RUN had returned to user space.",
        backend=hops.backend or tr("this KVM"),
    )


def hop_sentences(hops: HopFigures) -> Iterator[str]:
    """What has to be known to read the figures, one sentence after the other."""
    yield journey_words(hops)
    if hops.exits or hops.exits_told:
        yield shown_exits_words(hops)
    if any(one.from_outside and one.sent and one.taken is None for one in hops.interrupts):
        yield tr("When an interrupt is taken this KVM does not tell: its hardware delivers it.")
    if hops.emulated:
        yield no_times()
    if hops.lost:
        yield tr_n(
            "{n} record found no room: the counts are at least these.",
            "{n} records found no room: the counts are at least these.",
            hops.lost,
        )
