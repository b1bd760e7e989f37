"""What the caption says of other machines: two guests or vCPUs, another process, io_uring, a virtqueue."""

from __future__ import annotations

from bellwire.engine.events import BLOCK_SIZE, Switch
from bellwire.engine.language import told_pid, tr, tr_later
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.captions_of_one import doorbells, kept_in, sent_while, spaced, unheard, way_out
from bellwire.viz.model.live import LiveModel, whole_in_last_second
from bellwire.viz.text.figures import count_of, grouped, localized, times

# -- one eventfd is doorbell and interrupt


def neighbours(model: LiveModel) -> str:
    """Guest A rings, guest B is interrupted."""
    return direct(model, tr("Guest A"), tr("guest B's handler"), tr("A's vCPU thread"))


def itself(model: LiveModel) -> str:
    """A guest rings itself."""
    return direct(model, tr("The guest"), tr("its own handler"), tr("its vCPU thread"))


def direct(model: LiveModel, who: str, handler: str, thread: str) -> str:
    """Who rings whom, and whether by way of user space."""
    rang, left, handlers, covered = whole_in_last_second(model, "doorbells", "left", "handlers", "covered")
    count, runs = count_of(rang, "doorbell"), times(handlers)
    told = tr("{who} rang {doorbells} in the last second.", who=who, doorbells=count)
    if not model.wired(Switch.IRQFD):
        if handlers:  # until then
            told = tr(
                "{who} rang {doorbells} in the last second, and the handler ran {times}.",
                who=who,
                doorbells=count,
                times=runs,
            )
        return spaced(told, unheard(model))
    if not rang:
        return told
    out = tr("KVM signalled the eventfd itself")
    if left:
        out = tr("{number} left to user space, where {thread} wrote the eventfd", number=grouped(left), thread=thread)
    ran = ran_for(handler, handlers, covered, rang)
    rung = tr(
        "{who} rang {doorbells} in the last second; {out}, and {ran}.", who=who, doorbells=count, out=out, ran=ran
    )
    return spaced(rung, read_by_us(model.tally.eventfd_reads))


def peers(model: LiveModel) -> str:
    """The same between guests of two QEMUs, whose exits are not seen."""
    rang, handlers, covered = whole_in_last_second(model, "doorbells", "handlers", "covered")
    who, count = tr("Guest A"), count_of(rang, "doorbell")
    if not rang:
        return tr("{who} rang {doorbells} in the last second.", who=who, doorbells=count)
    return tr(
        "{who} rang {doorbells} in the last second, and {ran}. What A's QEMU has as an ioeventfd, B's has as an irqfd: "
        "neither process has a part in it, nor has this program.",
        who=who,
        doorbells=count,
        ran=ran_for(tr("guest B's handler"), handlers, covered, rang),
    )


def ran_for(handler: str, handlers: int, covered: int, rang: int) -> str:
    """How often a handler ran, and for how many doorbells, as a clause."""
    if covered == handlers:
        return tr("{handler} ran {times}", handler=handler, times=times(handlers))
    if covered > rang:
        return tr(
            "{handler} ran {times} for {number}, some of them rung before",
            handler=handler,
            times=times(handlers),
            number=grouped(covered),
        )
    return tr(
        "{handler} ran {times} for {number} of them", handler=handler, times=times(handlers), number=grouped(covered)
    )


def read_by_us(reads: int) -> str:
    """Whether anybody but the kernel has taken the count."""
    if not reads:
        return tr("No thread of the host has read the eventfd.")
    return tr("Threads of the host have read it {times}.", times=times(reads))


# -- another process is the device


def partnered(model: LiveModel) -> str:
    """Requests, who woke the other process, and its answers."""
    rang, left, handlers = whole_in_last_second(model, "doorbells", "left", "handlers")
    told = tr("The guest sent {requests} in the last second.", requests=count_of(rang, "request"))
    if rang:
        told = tr(
            "The guest sent {requests} in the last second; {woke}.",
            requests=count_of(rang, "request"),
            woke=who_woke(model, rang, left),
        )
    if not model.wired(Switch.IRQFD):
        kept = tr(
            "The irqfd is off, so the call eventfd keeps its count, {count}, and the guest waits.", count=kept_in(model)
        )
        return spaced(told, kept)
    if not rang:
        return told
    answered = tr("It answered with {interrupts} through the irqfd.", interrupts=count_of(handlers, "interrupt"))
    ours = tr("Our vCPU thread took part.") if left else tr("No thread of this program took part.")
    return spaced(told, answered, ours)


def in_qemu(model: LiveModel) -> str:
    """Requests and answers of a VMM that is not this program: what it has registered, and what came of it."""
    rang, handlers = whole_in_last_second(model, "doorbells", "handlers")
    pid = model.tally.partner_pid
    figures = {
        "requests": count_of(rang, "request"),
        "qemu": tr("QEMU, process {pid},", pid=told_pid(pid)) if pid else "QEMU",
        "interrupts": count_of(handlers, "interrupt"),
    }
    if not rang:
        return tr("The guest sent {requests} in the last second.", requests=figures["requests"])
    if model.wired(Switch.IOEVENTFD):
        return tr(
            "The guest sent {requests} in the last second. {qemu} has an ioeventfd for its doorbell and an irqfd: "
            "{interrupts} came back. This program took no part.",
            **figures,
        )
    return tr(
        "The guest sent {requests} in the last second. {qemu} has no ioeventfd for its doorbell and no irqfd: each "
        "store left to it, and {interrupts} came back by KVM_SIGNAL_MSI. This program took no part.",
        **figures,
    )


def who_woke(model: LiveModel, rang: int, left: int) -> str:
    """Who woke the other process, or the kernel's worker, as a clause."""
    pid = model.tally.partner_pid
    other = tr("process {pid}", pid=told_pid(pid)) if pid else tr("the other process")
    if Trait.KERNEL_WORKER in model.traits:
        other = tr("the kernel's worker")
    if not left:
        return tr("KVM woke {other} by the kick eventfd", other=other)
    if left < rang:
        return tr(
            "KVM woke {other} by the kick eventfd, or our vCPU thread had to, {times}", other=other, times=times(left)
        )
    return tr("our vCPU thread had to wake {other} {times}", other=other, times=times(left))


# -- others


def completed_reads(model: LiveModel) -> str:
    """The completion of a read interrupts the guest."""
    sent, handlers, covered = whole_in_last_second(model, "interrupts", "handlers", "covered")
    if not sent:
        return doorbells(model)
    submitted = tr(
        "The I/O thread submitted {reads} of {size} bytes and wrote no irqfd: their completions interrupted the guest, "
        "{answers} in {runs} of the handler.",
        reads=count_of(sent, "read"),
        size=BLOCK_SIZE,
        answers=count_of(covered, "answer"),
        runs=count_of(handlers, "run"),
    )
    return spaced(doorbells(model), submitted)


def suppressed(model: LiveModel) -> str:
    """Kicks and interrupts for each buffer."""
    added, used, kicks, sent = whole_in_last_second(model, "buffers 0", "buffers 1", "doorbells", "interrupts")
    if not added or not used:
        return doorbells(model)
    driver = tr(
        "The driver added {buffers} in the last second and kicked {times}, {kicks} kicks a buffer.",
        buffers=count_of(added, "buffer"),
        times=times(kicks),
        kicks=localized(f"{kicks / added:.2f}"),
    )
    device = tr(
        "The device gave {buffers} back with {interrupts}, {number} a buffer.",
        buffers=grouped(used),
        interrupts=count_of(sent, "interrupt"),
        number=localized(f"{sent / used:.2f}"),
    )
    return spaced(driver, device)


def two_vcpus(model: LiveModel) -> str:
    """Two vCPUs that ring one eventfd, or of which the route chooses one; a number never follows a vCPU's own."""
    if not model.scenario.doorbell:
        sent = sent_while(model, tr_later("{through} while its route moved from vCPU to vCPU"))
        first, second = whole_in_last_second(model, "handlers of 0", "handlers of 1")
        return tr(
            "{sent}: the handler ran {first} on vCPU 0 and {second} on vCPU 1.",
            sent=sent,
            first=times(first),
            second=times(second),
        )
    rang, left, reads, received = whole_in_last_second(model, "doorbells", "left", "reads", "received")
    first, second = whole_in_last_second(model, "rings of 0", "rings of 1")
    rung = tr(
        "In the last second the doorbell was rung {first} by vCPU 0 and {second} by vCPU 1; {way}.",
        first=times(first),
        second=times(second),
        way=way_out(rang, left),
    )
    taken = tr(
        "The I/O thread received {doorbells} by {reads} of the one eventfd.",
        doorbells=count_of(received, "doorbell"),
        reads=count_of(reads, "read"),
    )
    return spaced(rung, taken)
