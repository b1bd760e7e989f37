"""A sentence for each stage that a signal passes: what happened, because of what, and when as far as that is known.

Every figure is of the journey's stamps, of the events around it, or of what was registered at that moment. What brings
the signal back into a guest is told in narration_in.py.
"""

from __future__ import annotations

from bellwire.engine.events import EventKind
from bellwire.engine.language import tr, tr_n
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.narration_in import TOLD_IN, who_slept
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.telling import Tell, Telling, unlike
from bellwire.viz.stages.when import how_far, when
from bellwire.viz.text.figures import count_of, grouped

AS_IT_IS = ("vCPU", "io_uring")  # names that have no capital, not even where a sentence begins


def narrate(point: Standpoint, around: Circumstances) -> str:
    """What happens at the stage that is looked at, and when: two or three sentences."""
    telling = Telling(point, around)
    what = TOLD[point.here.name](telling)
    what = what if what.startswith(AS_IT_IS) else f"{what[0].upper()}{what[1:]}"
    return " ".join(filter(None, (what, when(point, around, telling.write), how_far(point))))


# -- the doorbell, on its way into the kernel


def guest_write(t: Telling) -> str:
    """The access."""
    size = count_of(t.doorbell.width, "byte")
    if t.by_port:
        return tr(
            "{t.ringer}'s OUT #{t.number} writes {size} to {t.place}: a port is not memory, so KVM takes over.",
            t=t,
            size=size,
        )
    return tr(
        "{t.ringer}'s store #{t.number} writes {size} to {t.place}: no memory is there, so KVM takes over.",
        t=t,
        size=size,
    )


def emulate_pio(t: Telling) -> str:
    """What is known of an OUT, and from whom."""
    written = tr("{t.place}, {size}, value {t.value}", t=t, size=count_of(t.doorbell.width, "byte"))
    if t.emulated:
        return tr("PVM decodes the guest's instruction: {written}.", written=written)
    return tr("the hardware tells KVM of the OUT at the exit: {written}.", written=written)


def emulate_mmio(t: Telling) -> str:
    """What is known of a store."""
    size = count_of(t.doorbell.width, "byte")
    if t.emulated:
        return tr("PVM decodes the guest's instruction: {t.place}, {size}, value {t.value}.", t=t, size=size)
    return tr(
        "the fault tells only {t.place}, so KVM decodes the instruction: {size}, value {t.value}.", t=t, size=size
    )


def fast_mmio(t: Telling) -> str:
    """The look-up by address alone."""
    return tr(
        "the ioeventfd asks for no length, so KVM first looks {t.address:#x} up without decoding the instruction.", t=t
    )


def io_bus(t: Telling) -> str:
    """Who is found at the address, or why nobody."""
    wires, stages = t.around.wires(t.point.start), t.point.times.way.names
    if "ioeventfd" in stages and t.doorbell.queues > 1:
        return tr(
            "on the {t.bus} KVM finds {t.doorbell.queues} ioeventfds at {t.address:#x}, and offers the write.", t=t
        )
    if "ioeventfd" in stages:
        return tr("on the {t.bus} KVM finds an ioeventfd at {t.address:#x}, and offers the write.", t=t)
    if "coalesced" in stages:
        return tr("on the {t.bus} KVM finds a zone of coalesced writes at {t.address:#x}, and offers the write.", t=t)
    if wires.ioeventfd and (why := unlike(t.doorbell)):
        return tr("{why}: nobody on the {t.bus} takes the write.", t=t, why=why)
    if t.doorbell.coalesced:
        return tr("KVM's ring of coalesced writes has no room left, so nobody on the {t.bus} takes the write.", t=t)
    if wires.ioeventfd:
        return tr("nobody on the {t.bus} took this write, though an ioeventfd is registered: why is not known.", t=t)
    return tr("no ioeventfd is registered at {t.address:#x}, so nobody on the {t.bus} takes the write.", t=t)


def ioeventfd(t: Telling) -> str:
    """What matched."""
    bell, size = t.doorbell, count_of(t.doorbell.width, "byte")
    if bell.queues > 1:
        return tr(
            "of {t.doorbell.queues} ioeventfds at {t.address:#x}, that with datamatch {t.value} takes the write.", t=t
        )
    length = tr("length {size}", size=size) if bell.length else tr("any length")
    if bell.datamatch is None:
        return tr(
            "address {t.address:#x} and {length} match, and any value will do: the ioeventfd takes the write.",
            t=t,
            length=length,
        )
    return tr(
        "address {t.address:#x}, {length} and value {t.value} all match: the ioeventfd takes the write.",
        t=t,
        length=length,
    )


def into_the_ring(t: Telling) -> str:
    """The ring, and for how long."""
    what = tr("KVM puts address, length and value into a ring and wakes nobody, so the guest goes on.")
    fetched = t.point.stamp("fetched")
    if not fetched:
        return what
    return f"{what} {tr('It lies there for up to {time}.', time=t.took(t.point.start, fetched))}"


def exit_(t: Telling) -> str:
    """Why KVM_RUN returns."""
    if "coalesced" in t.point.times.way.names:
        return tr("{t.left_for}: only now does its thread look into the ring.", t=t)
    if t.reason:
        return tr(
            "nobody in the kernel took the write, so KVM_RUN returns with {t.reason}, and {t.ringer} stands still.", t=t
        )
    return tr("nobody in the kernel took the write, so KVM_RUN returns, and {t.ringer} stands still.", t=t)


def relay(t: Telling) -> str:
    """What the vCPU thread does."""
    if "coalesced" in t.point.times.way.names:
        if t.fetched:
            found = count_of(t.fetched, "doorbell")
            return tr("the vCPU thread takes {found} out of KVM's ring and writes the eventfd.", found=found)
        return tr("the vCPU thread takes what there is out of KVM's ring and writes the eventfd.")
    entry = t.around.stamped(t.point.stamp("entry"), EventKind.ENTRY)
    if not t.reason or entry is None:
        return tr("KVM_RUN has returned. The vCPU thread writes the eventfd, one more system call.")
    return tr(
        "KVM_RUN has returned with {t.reason}: {size}, value {value}, {t.place}. The vCPU thread writes the eventfd, "
        "one more system call.",
        t=t,
        size=count_of(int(entry["seq"]), "byte"),
        value=int(entry["arg"]),
    )


# -- the eventfd and who waits for it


def eventfd(t: Telling) -> str:
    """Who adds to the count."""
    if not t.point.here.out:
        return tr("io_uring adds 1 to the eventfd that was registered with it, which is the irqfd's.")
    who = tr("the vCPU thread's write()") if "exit" in t.point.times.way.names else "KVM"
    batch = int(t.point.journey["batch"][0])
    if Trait.DIRECT in t.traits:
        return tr("{who} adds 1 to the eventfd's count; no thread of this program reads it.", who=who)
    if t.fetched > 1 and batch > 1:
        return tr(
            "{who} adds to the eventfd's count: the read() to come will find {count}.", who=who, count=grouped(batch)
        )
    if t.fetched > 1:
        return tr("{who} adds to the eventfd's count and does not wait for anybody.", who=who)
    if batch > 1:
        return tr(
            "{who} adds 1 to the eventfd's count: the read() to come will find {count}.", who=who, count=grouped(batch)
        )
    return tr("{who} adds 1 to the eventfd's count and does not wait for anybody.", who=who)


def wait_queue(t: Telling) -> str:
    """Who slept and is woken; or the irqfd, which never sleeps."""
    if t.point.here.out:
        return who_slept(t)
    if not t.around.wires(t.signalled_at).irqfd:
        return tr("no irqfd is in the eventfd's wait queue at the signal: the count waits until one is assigned.")
    return tr("the irqfd is first in the wait queue: its function is called inside of {t.signaller}.", t=t)


def runnable(t: Telling) -> str:
    """What the count waits for: a CPU for the thread that slept, or one that is busy."""
    last = t.around.before_read(t.point.stamp("doorbell"))
    if last is None or last["kind"] == EventKind.LOST:
        return tr("the count waits in the eventfd until the I/O thread's read() takes it.")
    if last["kind"] != EventKind.WAIT:
        return tr(
            "the count waits in the eventfd until the I/O thread has done with earlier signals and comes to read()."
        )
    if int(last["tsc"]) <= t.point.start:
        return tr("the I/O thread is runnable, and waits until the scheduler has given it a CPU.")
    return tr(
        "the count waits in the eventfd until the I/O thread, which has just done with earlier signals, reads it."
    )


def io_run_queue(t: Telling) -> str:
    """The wait that is the scheduler's."""
    woken, runs = t.point.stamp("io_waking"), t.point.stamp("io_runs")
    if not woken:
        return tr("the I/O thread does not sleep, so it is not woken for this one; but it has to wait for a CPU.")
    return tr(
        "the I/O thread is woken and stands in a run queue for {time}, until the scheduler switches to it.",
        time=t.took(woken, runs),
    )


def io_on_cpu(t: Telling) -> str:
    """What the thread does with its CPU first."""
    if t.point.stamp("io_waking"):
        return tr("the I/O thread has {cpu}, and goes on inside of read().", cpu=t.cpu("io_runs"))
    return tr("the I/O thread has {cpu}, and goes on with what it was at until it reads.", cpu=t.cpu("io_runs"))


def waiter(t: Telling) -> str:
    """What one read() took."""
    read = t.around.stamped(t.point.stamp("doorbell"), EventKind.DOORBELL)
    call = "read()"
    if read is not None and t.doorbell.queues > 1:
        call = tr("read() of queue {queue}", queue=int(read["id"]))
    batch = int(t.point.journey["batch"][0])
    if batch <= 1:
        return tr("the I/O thread runs: its {call} returns 1, doorbell #{t.number} alone.", t=t, call=call)
    return tr_n(
        "the I/O thread runs: one {call} takes {n} doorbell, #{t.number}.",
        "the I/O thread runs: one {call} takes {n} doorbells at once, #{t.number} among them.",
        batch,
        t=t,
        call=call,
    )


def goes_on(t: Telling) -> str:
    """The ringing guest."""
    lasted = t.took(t.point.start, t.point.stamp("rung"))
    if "exit" in t.point.times.way.names and "coalesced" not in t.point.times.way.names:
        return tr(
            "{t.ringer} goes on behind its {t.write}, which took {time} in all, with the exit and the entry.",
            t=t,
            time=lasted,
        )
    return tr(
        "{t.ringer} goes on behind its {t.write}, which took {time} in all: it has waited for no other thread.",
        t=t,
        time=lasted,
    )


def enters_again(t: Telling) -> str:
    """The end of standing still."""
    stood = t.took(t.point.stamp("exit"), t.point.stamp("entry"))
    return tr(
        "the vCPU thread calls KVM_RUN again: {t.ringer} has stood still for {time} since the exit.", t=t, time=stood
    )


TOLD: dict[str, Tell] = {
    "guest-write": guest_write,
    "emulate-pio": emulate_pio,
    "emulate-mmio": emulate_mmio,
    "fast-mmio": fast_mmio,
    "io-bus": io_bus,
    "ioeventfd": ioeventfd,
    "coalesced": into_the_ring,
    "exit": exit_,
    "relay": relay,
    "eventfd": eventfd,
    "wait-queue": wait_queue,
    "runnable": runnable,
    "io-run-queue": io_run_queue,
    "io-on-cpu": io_on_cpu,
    "waiter": waiter,
    "goes-on": goes_on,
    "enters-again": enters_again,
    **TOLD_IN,
}
