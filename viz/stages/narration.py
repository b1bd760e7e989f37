"""A sentence for each stage that a signal passes: what happened, because of what, and when as far as that is known.

Every figure is of the journey's stamps, of the events around it, or of what was registered at that moment.
"""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.events import BLOCK_SIZE, EventKind
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.telling import Telling, unlike
from bellwire.viz.stages.when import how_far, when
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import count_of, grouped

Tell = Callable[[Telling], str]
AS_IT_IS = ("vCPU", "io_uring")  # names that have no capital, not even where a sentence begins


def narrate(point: Standpoint, around: Circumstances) -> str:
    """What happens at the stage that is looked at, and when: two or three sentences."""
    telling = Telling(point, around)
    what = TOLD[point.here.name](telling)
    what = what if what.startswith(AS_IT_IS) else f"{what[0].upper()}{what[1:]}"
    return " ".join(filter(None, (what, when(point, around.clock, telling.write), how_far(point))))


# -- the doorbell, on its way into the kernel


def guest_write(t: Telling) -> str:
    """The access."""
    why = "a port is not memory" if t.write == "OUT" else "no memory is there"
    size = count_of(t.doorbell.width, "byte")
    return f"{t.ringer}'s {t.write} #{t.number} writes {size} to {t.place}: {why}, so KVM takes over."


def emulate_pio(t: Telling) -> str:
    """What is known of an OUT, and from whom."""
    written = f"{t.place}, {count_of(t.doorbell.width, 'byte')}, value {t.value}"
    if t.emulated:
        return f"PVM decodes the guest's instruction: {written}."
    return f"the hardware tells KVM of the OUT at the exit: {written}."


def emulate_mmio(t: Telling) -> str:
    """What is known of a store."""
    written = f"{count_of(t.doorbell.width, 'byte')}, value {t.value}"
    if t.emulated:
        return f"PVM decodes the guest's instruction: {t.place}, {written}."
    return f"the fault tells only {t.place}, so KVM decodes the instruction: {written}."


def fast_mmio(t: Telling) -> str:
    """The look-up by address alone."""
    return f"the ioeventfd asks for no length, so KVM first looks {t.address:#x} up without decoding the instruction."


def io_bus(t: Telling) -> str:
    """Who is found at the address, or why nobody."""
    wires, stages = t.around.wires(t.point.start), t.point.times.way.names
    if "ioeventfd" in stages:
        some = f"{t.doorbell.queues} ioeventfds" if t.doorbell.queues > 1 else "an ioeventfd"
        return f"on the {t.bus} KVM finds {some} at {t.address:#x}, and offers the write."
    if "coalesced" in stages:
        return f"on the {t.bus} KVM finds a zone of coalesced writes at {t.address:#x}, and offers the write."
    if wires.ioeventfd and (why := unlike(t.doorbell)):
        return f"{why}: nobody on the {t.bus} takes the write."
    if t.doorbell.coalesced:
        return f"KVM's ring of coalesced writes has no room left, so nobody on the {t.bus} takes the write."
    if wires.ioeventfd:
        return f"nobody on the {t.bus} took this write, though an ioeventfd is registered: why is not known."
    return f"no ioeventfd is registered at {t.address:#x}, so nobody on the {t.bus} takes the write."


def ioeventfd(t: Telling) -> str:
    """What matched."""
    bell, size = t.doorbell, count_of(t.doorbell.width, "byte")
    if bell.queues > 1:
        return f"of {bell.queues} ioeventfds at {t.address:#x}, that with datamatch {t.value} takes the write."
    length = "any length" if not bell.length else f"length {size}"
    if bell.datamatch is None:
        return f"address {t.address:#x} and {length} match, and any value will do: the ioeventfd takes the write."
    return f"address {t.address:#x}, {length} and value {t.value} all match: the ioeventfd takes the write."


def into_the_ring(t: Telling) -> str:
    """The ring, and for how long."""
    fetched = t.point.stamp("fetched")
    tail = f" It lies there for up to {t.took(t.point.start, fetched)}." if fetched else ""
    return f"KVM puts address, length and value into a ring and wakes nobody, so the guest goes on.{tail}"


def exit_(t: Telling) -> str:
    """Why KVM_RUN returns."""
    if "coalesced" in t.point.times.way.names:
        return f"{t.left_for}: only now does its thread look into the ring."
    reason = f" with {t.reason}" if t.reason else ""
    return f"nobody in the kernel took the write, so KVM_RUN returns{reason}, and {t.ringer} stands still."


def relay(t: Telling) -> str:
    """What the vCPU thread does."""
    if "coalesced" in t.point.times.way.names:
        found = f"{count_of(t.fetched, 'doorbell')}" if t.fetched else "what there is"
        return f"the vCPU thread takes {found} out of KVM's ring and writes the eventfd."
    entry = t.around.stamped(t.point.stamp("entry"), EventKind.ENTRY)
    wrote = f"{count_of(int(entry['seq']), 'byte')}, value {int(entry['arg'])}" if entry is not None else ""
    told = f" with {t.reason}: {wrote}, {t.place}" if t.reason and wrote else ""
    return f"KVM_RUN has returned{told}. The vCPU thread writes the eventfd, one more system call."


# -- the eventfd and who waits for it


def eventfd(t: Telling) -> str:
    """Who adds to the count."""
    if not t.point.here.out:
        return "io_uring adds 1 to the eventfd that was registered with it, which is the irqfd's."
    who = "the vCPU thread's write()" if "exit" in t.point.times.way.names else "KVM"
    if Trait.DIRECT in t.traits:
        return f"{who} adds 1 to the eventfd's count; no thread of this program reads it."
    batch = int(t.point.journey["batch"][0])
    many = f": the read() to come will find {grouped(batch)}" if batch > 1 else " and does not wait for anybody"
    return f"{who} adds {'to' if t.fetched > 1 else '1 to'} the eventfd's count{many}."


def wait_queue(t: Telling) -> str:
    """Who slept and is woken; or the irqfd, which never sleeps."""
    if t.point.here.out:
        return f"{who_slept(t)}."
    if not t.around.wires(t.signalled_at).irqfd:
        return "no irqfd is in the eventfd's wait queue at the signal: the count waits until one is assigned."
    return f"the irqfd is first in the wait queue: its function is called inside of {t.signaller}."


def who_slept(t: Telling) -> str:
    """Whether the I/O thread slept at the signal, since when, and what that means."""
    last, stop = t.around.before_read(t.point.stamp("doorbell")), t.point.stop
    if last is None or last["kind"] == EventKind.LOST:
        return "whether the I/O thread slept is not known: no earlier event of it is held"
    if last["kind"] != EventKind.WAIT:
        return "the I/O thread was awake, busy with earlier signals: nobody is woken, and the count waits for it"
    slept, rang = int(last["tsc"]), t.point.start
    if slept <= rang:
        return f"the I/O thread, asleep since {t.took(slept, rang)} before the {t.write}, is woken: it is runnable"
    if slept >= int(t.point.times.latest[0, stop]):
        return (
            f"the I/O thread was still awake: {t.took(rang, slept)} after the {t.write} it looked, and found the count"
        )
    since = f"{t.took(rang, slept)} after the {t.write}"
    return f"the I/O thread went to sleep {since}: whether before the signal is not known"


def runnable(t: Telling) -> str:
    """What the count waits for: a CPU for the thread that slept, or one that is busy."""
    last = t.around.before_read(t.point.stamp("doorbell"))
    if last is None or last["kind"] == EventKind.LOST:
        return "the count waits in the eventfd until the I/O thread's read() takes it."
    if last["kind"] != EventKind.WAIT:
        return "the count waits in the eventfd until the I/O thread has done with earlier signals and comes to read()."
    if int(last["tsc"]) <= t.point.start:
        return "the I/O thread is runnable, and waits until the scheduler has given it a CPU."
    return "the count waits in the eventfd until the I/O thread, which has just done with earlier signals, reads it."


def waiter(t: Telling) -> str:
    """What one read() took."""
    read = t.around.stamped(t.point.stamp("doorbell"), EventKind.DOORBELL)
    queue = f" of queue {int(read['id'])}" if read is not None and t.doorbell.queues > 1 else ""
    batch = int(t.point.journey["batch"][0])
    if batch <= 1:
        return f"the I/O thread runs: its read(){queue} returns 1, doorbell #{t.number} alone."
    return f"the I/O thread runs: one read(){queue} takes {grouped(batch)} doorbells at once, #{t.number} among them."


def goes_on(t: Telling) -> str:
    """The ringing guest."""
    lasted = t.took(t.point.start, t.point.stamp("rung"))
    if "exit" in t.point.times.way.names and "coalesced" not in t.point.times.way.names:
        return f"{t.ringer} goes on behind its {t.write}, which took {lasted} in all, with the exit and the entry."
    return f"{t.ringer} goes on behind its {t.write}, which took {lasted} in all: it has waited for no other thread."


def enters_again(t: Telling) -> str:
    """The end of standing still."""
    stood = t.took(t.point.stamp("exit"), t.point.stamp("entry"))
    return f"the vCPU thread calls KVM_RUN again: {t.ringer} has stood still for {stood} since the exit."


# -- the interrupt is asked for


def signaller(t: Telling) -> str:
    """Who writes, and because of what."""
    name = "irqfd" if t.around.wires(t.signalled_at).irqfd else "eventfd"
    return f"the I/O thread writes the {name} for {t.answer}, {because(t)}."


def because(t: Telling) -> str:
    """Of what the interrupt tells."""
    if t.answers:
        return f"in answer to doorbell #{grouped(t.answers)}"
    return "to tell of used buffers" if Trait.VIRTQUEUE in t.traits else "which answers no doorbell"


def submit(t: Telling) -> str:
    """A read whose completion interrupts."""
    return f"the I/O thread hands io_uring a read of {BLOCK_SIZE} bytes for {t.answer}, {because(t)}."


def call_over(t: Telling) -> str:
    """The thread that signalled."""
    return f"the I/O thread {t.next_deed}, so its {t.call} is over: it does not wait for the guest."


def io_uring(_t: Telling) -> str:
    """The completion."""
    return "the read is complete, and the kernel itself signals the eventfd: no thread goes to user space for it."


def partner(t: Telling) -> str:
    """Another process, which stamps nothing."""
    return f"{t.partner} reads the kick eventfd, serves the request and writes the call eventfd. It stamps nothing."


def ioctl(t: Telling) -> str:
    """The way without an irqfd."""
    call = IOCTLS[t.interrupt.ioctl]
    return f"no irqfd is used: the I/O thread calls {call} for {t.answer}, {because(t)}."


def signal_msi(t: Telling) -> str:
    """The message."""
    return f"vector {t.vector} for {t.vcpu} comes along as the argument: neither GSI nor routing table takes part."


def irq_line(t: Telling) -> str:
    """The level."""
    second = "; the vCPU thread lowers it later" if t.interrupt.trigger == "level" else "; a second call lowers it"
    return f"the call raises the line of GSI {t.interrupt.gsi}{second}."


# -- from the irqfd to the local APIC


def irqfd(t: Telling) -> str:
    """At once, or by a worker."""
    if not t.around.wires(t.signalled_at).irqfd:
        return "the irqfd was assigned after the signal: its first poll finds the count, and injects."
    if t.pin:
        return f"the irqfd takes the count. GSI {t.interrupt.gsi} leads to a pin, so it leaves injecting to a worker."
    return f"the irqfd takes the count. GSI {t.interrupt.gsi} leads to a single message, so it injects at once."


def kept(_t: Telling) -> str:
    """Nobody hears."""
    return "no irqfd is assigned to this eventfd: the count stays in it, and no guest hears of it."


def work_item(t: Telling) -> str:
    """The worker."""
    what = "raises the line and leaves it high until the EOI" if resampled(t) else "raises the line and lowers it again"
    return f"a kernel thread {what}: the pin's locks must not be taken inside of a wake-up."


def resampled(t: Telling) -> bool:
    """Whether KVM lowers the line."""
    return Trait.RESAMPLE in t.traits


def routing(t: Telling) -> str:
    """Where the GSI leads."""
    gsi = t.interrupt.gsi
    return f"the routing table leads GSI {gsi} to pin {gsi} of the IOAPIC."


def msi(t: Telling) -> str:
    """The message that the route holds."""
    gsi = t.interrupt.gsi
    return f"the route of GSI {gsi} is a message, vector {t.vector} for {t.vcpu}, sent inside of {t.signaller}."


def ioapic(t: Telling) -> str:
    """The pin."""
    pin, wires = t.interrupt.gsi, t.around.wires(t.signalled_at)
    if wires.masked:
        return f"pin {pin} is masked: its edge is forgotten."
    how = "is high" if t.interrupt.trigger == "level" else "rises"
    return f"pin {pin} is not masked and its line {how}, so the IOAPIC sends vector {t.vector}."


def lapic(t: Telling) -> str:
    """The bit, and how many share it."""
    merged = int(t.point.journey["merged"][0])
    many = f"; {grouped(merged)} {t.signals} share this run of the handler" if merged > 1 else ""
    return f"the local APIC of {t.vcpu} sets the bit of vector {t.vector} in its IRR{many}."


def vcpu(t: Telling) -> str:
    """Who must look."""
    if t.around.spins and t.emulated:
        return f"the guest spins, so {t.vcpu} is awake: PVM looks once a batch of emulated instructions is over."
    if t.around.spins:
        return f"the guest spins instead of halting, so {t.vcpu} is made to exit, or takes a posted interrupt."
    if Trait.DIRECT in t.traits and not t.traits & {Trait.TWO_GUESTS, Trait.PARTNERED}:
        return f"{t.vcpu} is the one that rings, and in KVM already: nobody has to be woken."
    return f"{t.vcpu} is kicked: if it sleeps in HLT it wakes, if it runs it is made to look."


def window(t: Telling) -> str:
    """When interrupts were let in."""
    opened = t.point.stamp("window")
    if opened:
        held = t.took(t.signalled_at, opened)
        return f"the guest lets interrupts in: for {held} since the signal it had kept them off."
    return f"once interrupts are on, KVM injects vector {t.vector} as {t.vcpu} enters the guest."


def handler(t: Telling) -> str:
    """The run, what it serves, who ends it."""
    merged = int(t.point.journey["merged"][0])
    serves = f"serves {grouped(merged)} {t.signals} at once" if merged > 1 else f"serves {t.answer}"
    return f"the handler of vector {t.vector} runs on {t.vcpu} and {serves}; {end_of_interrupt(t)}."


def end_of_interrupt(t: Telling) -> str:
    """Who writes the EOI."""
    if t.emulated:
        return "PVM has written the EOI itself"
    return "its EOI is not stamped" if t.interrupt.eoi else "it writes no EOI"


def eoi(t: Telling) -> str:
    """The end of a level."""
    if t.emulated:
        return f"PVM writes the EOI itself as it injects, so pin {t.interrupt.gsi} has it before the handler runs."
    return f"the handler's EOI of vector {t.vector} is passed on to pin {t.interrupt.gsi}, whose level it ends."


def resample(t: Telling) -> str:
    """The device hears of it."""
    heard = t.around.stamped(t.point.stamp("resampled"), EventKind.RESAMPLE)
    count = f" and returns {grouped(int(heard['arg']))}" if heard is not None else ""
    return f"KVM has lowered the line and signalled the resamplefd: the I/O thread reads it{count}."


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
    "waiter": waiter,
    "goes-on": goes_on,
    "enters-again": enters_again,
    "signaller": signaller,
    "submit": submit,
    "call-over": call_over,
    "io-uring": io_uring,
    "partner": partner,
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
    "window": window,
    "handler": handler,
    "eoi": eoi,
    "resample": resample,
}
