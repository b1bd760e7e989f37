"""The second half of narration.py: a signal that comes back, from the thread that asks for an interrupt to its end."""

from __future__ import annotations

from bellwire.engine.counted import number_of
from bellwire.engine.events import BLOCK_SIZE, EventKind
from bellwire.engine.language import tr
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.stages.telling import Tell, Telling
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import grouped


def who_slept(t: Telling) -> str:
    """Whether the I/O thread slept at the signal, since when, and what that means."""
    last, stop = t.around.before_read(t.point.stamp("doorbell")), t.point.stop
    if last is None or last["kind"] == EventKind.LOST:
        return tr("whether the I/O thread slept is not known: no earlier event of it is held.")
    if last["kind"] != EventKind.WAIT:
        return tr("the I/O thread was awake, busy with earlier signals: nobody is woken, and the count waits for it.")
    slept, rang = int(last["tsc"]), t.point.start
    if slept <= rang:
        return tr(
            "the I/O thread, asleep since {time} before the {t.write}, is woken: it is runnable.",
            t=t,
            time=t.took(slept, rang),
        )
    if slept >= int(t.point.times.latest[0, stop]):
        return tr(
            "the I/O thread was still awake: {time} after the {t.write} it looked, and found the count.",
            t=t,
            time=t.took(rang, slept),
        )
    return tr(
        "the I/O thread went to sleep {time} after the {t.write}: whether before the signal is not known.",
        t=t,
        time=t.took(rang, slept),
    )


# -- the interrupt is asked for


def signaller(t: Telling) -> str:
    """Who writes, and because of what."""
    if t.around.wires(t.signalled_at).irqfd:
        return tr("the I/O thread writes the irqfd for {t.answer}, {why}.", t=t, why=because(t))
    return tr("the I/O thread writes the eventfd for {t.answer}, {why}.", t=t, why=because(t))


def because(t: Telling) -> str:
    """Of what the interrupt tells."""
    if t.answers:
        return tr("in answer to doorbell #{number}", number=grouped(t.answers))
    return tr("to tell of used buffers") if Trait.VIRTQUEUE in t.traits else tr("which answers no doorbell")


def submit(t: Telling) -> str:
    """A read whose completion interrupts."""
    return tr(
        "the I/O thread hands io_uring a read of {size} bytes for {t.answer}, {why}.",
        t=t,
        size=BLOCK_SIZE,
        why=because(t),
    )


def call_over(t: Telling) -> str:
    """The thread that signalled."""
    return tr("the I/O thread {t.next_deed}, so its {t.call} is over: it does not wait for the guest.", t=t)


def io_uring(_t: Telling) -> str:
    """The completion."""
    return tr("the read is complete, and the kernel itself signals the eventfd: no thread goes to user space for it.")


def partner(t: Telling) -> str:
    """Another process, which stamps nothing."""
    return tr(
        "{t.partner} reads the kick eventfd, serves the request and writes the call eventfd. It stamps nothing.", t=t
    )


def vhost_worker(t: Telling) -> str:
    """A thread of the kernel, which stamps nothing either."""
    return tr(
        "{t.partner} is woken by the kick's wait queue, serves the virtqueue and signals the call eventfd. It reads no "
        "count, and stamps nothing.",
        t=t,
    )


def vmm_serves(t: Telling) -> str:
    """A VMM that stamps nothing."""
    return tr("{t.partner} looks at the exit, serves the request and calls KVM_SIGNAL_MSI. It stamps nothing.", t=t)


def ioctl(t: Telling) -> str:
    """The way without an irqfd."""
    call = IOCTLS[t.interrupt.ioctl]
    return tr("no irqfd is used: the I/O thread calls {call} for {t.answer}, {why}.", t=t, call=call, why=because(t))


def signal_msi(t: Telling) -> str:
    """The message."""
    return tr(
        "vector {t.vector} for {t.vcpu} comes along as the argument: neither GSI nor routing table takes part.", t=t
    )


def irq_line(t: Telling) -> str:
    """The level."""
    if t.interrupt.trigger == "level":
        return tr("the call raises the line of GSI {t.interrupt.gsi}; the vCPU thread lowers it later.", t=t)
    return tr("the call raises the line of GSI {t.interrupt.gsi}; a second call lowers it.", t=t)


# -- from the irqfd to the local APIC


def irqfd(t: Telling) -> str:
    """At once, or by a worker."""
    if not t.around.wires(t.signalled_at).irqfd:
        return tr("the irqfd was assigned after the signal: its first poll finds the count, and injects.")
    if t.pin:
        return tr(
            "the irqfd takes the count. GSI {t.interrupt.gsi} leads to a pin, so it leaves injecting to a worker.", t=t
        )
    return tr("the irqfd takes the count. GSI {t.interrupt.gsi} leads to a single message, so it injects at once.", t=t)


def kept(_t: Telling) -> str:
    """Nobody hears."""
    return tr("no irqfd is assigned to this eventfd: the count stays in it, and no guest hears of it.")


def work_item(t: Telling) -> str:
    """The worker, and whether KVM lowers the line only at the EOI."""
    if Trait.RESAMPLE in t.traits:
        return tr(
            "a kernel thread raises the line and leaves it high until the EOI: the pin's locks must not be taken "
            "inside of a wake-up."
        )
    return tr(
        "a kernel thread raises the line and lowers it again: the pin's locks must not be taken inside of a wake-up."
    )


def routing(t: Telling) -> str:
    """Where the GSI leads."""
    return tr("the routing table leads GSI {t.interrupt.gsi} to pin {t.interrupt.gsi} of the IOAPIC.", t=t)


def msi(t: Telling) -> str:
    """The message that the route holds."""
    return tr(
        "the route of GSI {t.interrupt.gsi} is a message, vector {t.vector} for {t.vcpu}, sent inside of "
        "{t.signaller}.",
        t=t,
    )


def ioapic(t: Telling) -> str:
    """The pin."""
    if t.around.wires(t.signalled_at).masked:
        return tr("pin {t.interrupt.gsi} is masked: its edge is forgotten.", t=t)
    if t.interrupt.trigger == "level":
        return tr(
            "pin {t.interrupt.gsi} is not masked and its line is high, so the IOAPIC sends vector {t.vector}.", t=t
        )
    return tr("pin {t.interrupt.gsi} is not masked and its line rises, so the IOAPIC sends vector {t.vector}.", t=t)


def lapic(t: Telling) -> str:
    """The bit, and how many share it."""
    if t.merged > 1:
        return tr(
            "the local APIC of {t.vcpu} sets the bit of vector {t.vector} in its IRR; {signals} share this run of the "
            "handler.",
            t=t,
            signals=merged_signals(t),
        )
    return tr("the local APIC of {t.vcpu} sets the bit of vector {t.vector} in its IRR.", t=t)


def merged_signals(t: Telling) -> str:
    """How many one run of the handler serves, and of what."""
    if Trait.PARTNERED in t.traits:
        return number_of(t.merged, "answer")
    if Trait.DIRECT in t.traits:
        return number_of(t.merged, "doorbell")
    return number_of(t.merged, "interrupt")


def vcpu(t: Telling) -> str:
    """Who must look."""
    if t.around.spins and t.emulated:
        return tr(
            "the guest spins, so {t.vcpu} is awake: PVM looks once a batch of emulated instructions is over.", t=t
        )
    if t.around.spins:
        return tr("the guest spins instead of halting, so {t.vcpu} is made to exit, or takes a posted interrupt.", t=t)
    if Trait.DIRECT in t.traits and not t.traits & {Trait.TWO_GUESTS, Trait.PARTNERED}:
        return tr("{t.vcpu} is the one that rings, and in KVM already: nobody has to be woken.", t=t)
    return tr("{t.vcpu} is kicked: if it sleeps in HLT it wakes, if it runs it is made to look.", t=t)


def vcpu_run_queue(t: Telling) -> str:
    """The wait that is the scheduler's."""
    woken, runs = t.point.stamp("vcpu_waking"), t.point.stamp("vcpu_runs")
    if not woken:
        return tr("{t.vcpu} does not sleep, but its thread has lost its CPU: it waits until it has one again.", t=t)
    return tr(
        "{t.vcpu}, asleep in HLT, is woken: its thread stands in a run queue for {time}, until the scheduler switches "
        "to it.",
        t=t,
        time=t.took(woken, runs),
    )


def vcpu_on_cpu(t: Telling) -> str:
    """On the way back into the guest."""
    return tr(
        "the thread of {t.vcpu} has {cpu}, and KVM is on its way back into the guest.", t=t, cpu=t.cpu("vcpu_runs")
    )


def window(t: Telling) -> str:
    """When interrupts were let in."""
    opened = t.point.stamp("window")
    if opened:
        return tr(
            "the guest lets interrupts in: for {time} since the signal it had kept them off.",
            time=t.took(t.signalled_at, opened),
        )
    return tr("once interrupts are on, KVM injects vector {t.vector} as {t.vcpu} enters the guest.", t=t)


def handler(t: Telling) -> str:
    """The run, what it serves, who ends it."""
    end = end_of_interrupt(t)
    if t.merged > 1:
        return tr(
            "the handler of vector {t.vector} runs on {t.vcpu} and serves {signals} at once; {end}.",
            t=t,
            signals=merged_signals(t),
            end=end,
        )
    return tr("the handler of vector {t.vector} runs on {t.vcpu} and serves {t.answer}; {end}.", t=t, end=end)


def end_of_interrupt(t: Telling) -> str:
    """Who writes the EOI."""
    if t.emulated:
        return tr("PVM has written the EOI itself")
    return tr("its EOI is not stamped") if t.interrupt.eoi else tr("it writes no EOI")


def eoi(t: Telling) -> str:
    """The end of a level."""
    if t.emulated:
        return tr(
            "PVM writes the EOI itself as it injects, so pin {t.interrupt.gsi} has it before the handler runs.", t=t
        )
    return tr("the handler's EOI of vector {t.vector} is passed on to pin {t.interrupt.gsi}, whose level it ends.", t=t)


def resample(t: Telling) -> str:
    """The device hears of it."""
    heard = t.around.stamped(t.point.stamp("resampled"), EventKind.RESAMPLE)
    if heard is None:
        return tr("KVM has lowered the line and signalled the resamplefd: the I/O thread reads it.")
    return tr(
        "KVM has lowered the line and signalled the resamplefd: the I/O thread reads it and returns {count}.",
        count=grouped(int(heard["arg"])),
    )


TOLD_IN: dict[str, Tell] = {
    "signaller": signaller,
    "submit": submit,
    "call-over": call_over,
    "io-uring": io_uring,
    "partner": partner,
    "vhost-worker": vhost_worker,
    "vmm-serves": vmm_serves,
    "ioctl": ioctl,
    "signal-msi": signal_msi,
    "irq-line": irq_line,
    "irqfd": irqfd,
    "kept": kept,
    "work-item": work_item,
    "routing": routing,
    "msi": msi,
    "ioapic": ioapic,
    "lapic": lapic,
    "vcpu": vcpu,
    "vcpu-run-queue": vcpu_run_queue,
    "vcpu-on-cpu": vcpu_on_cpu,
    "window": window,
    "handler": handler,
    "eoi": eoi,
    "resample": resample,
}
