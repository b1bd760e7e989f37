"""What the diagram says in words beside its parts: every number computed from the model, none of them canned.

Counts are those of the last second before the playhead. The sentences are in viz/diagram/captions.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from bellwire.engine.counted import Thing, number_of
from bellwire.engine.events import BLOCK_SIZE, BUFFERS_ADDED, BUFFERS_USED, Setting, exit_name
from bellwire.engine.language import told_pid, tr
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.counter_words import NOT_KNOWN, count_between, waiting
from bellwire.viz.model.live import LiveModel, in_last_second, journey_shown, shown_latency
from bellwire.viz.model.moments.shown import newest_journeys, usual_latency
from bellwire.viz.model.rates import SECOND
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import count_of, duration, grouped, localized, ratio, spent, times
from bellwire.viz.text.host_words import back_end_words, told_of_host
from bellwire.viz.text.trust import bounded
from bellwire.viz.wires.passable import vector_of

BEFORE = 2  # seconds: a token is on its way for longer than the second that is counted


def words(model: LiveModel, name: str, lane: int = 0) -> str:
    """What the part that `says` this shows now; lane: which of several it is."""
    return LANE_SAYINGS[name](model, lane) if name in LANE_SAYINGS else SAYINGS[name](model)


# -- boxes


def host_text(host: dict[str, str]) -> str:
    """ "Linux 6.18, Xeon, 2 CPUs" from what the source says of its host."""
    host = told_of_host(host)
    kernel = ".".join(host.get("kernel", "").split("-")[0].split(".")[:2])
    cpu = re.sub(r"\((R|TM)\)|@.*$|\bCPU\b|\bProcessor\b|\d+-Core", "", host.get("cpu", ""))
    cpus = host.get("cpus", "")
    parts = [
        f"Linux {kernel}" if kernel else "",
        " ".join(cpu.split()),
        tr("{number} CPUs", number=cpus) if cpus else "",
    ]
    return ", ".join(part for part in parts if part)


def rate_text(model: LiveModel) -> str:
    """The real rate against the shown one; in slow motion the quiet that was cut."""
    if model.transport.exact:
        skipped = 0 if model.transport.paused else model.transport.skipped
        return tr("{time} of quiet left out", time=duration(model.clock.ns(skipped))) if skipped else ""
    if model.transport.together:
        return tr("shown together, {ratio}", ratio=ratio(model.transport.factor))
    what = "doorbells" if model.scenario.doorbell else "interrupts"
    real, shown_ = in_last_second(model, what) or 0, in_last_second(model, "tokens") or 0
    if real <= shown_ + 1 or not shown_:
        return ""
    come = number_of(round(real), "doorbell" if model.scenario.doorbell else "interrupt")
    return tr("{real}/s, shown as {shown}/s", real=come, shown=number_of(round(shown_), "token"))


def number_or_not(number: float | None, thing: Thing) -> str:
    """ "1 exit"; of a number that is not known "– exits"."""
    return number_of(0, thing).replace("0", NOT_KNOWN) if number is None else number_of(round(number), thing)


def things_in_last_second(model: LiveModel, name: str, thing: Thing) -> str:
    """How many there were, and of what."""
    return number_or_not(in_last_second(model, name), thing)


def number_in_last_second(model: LiveModel, name: str) -> str:
    """How many there were in the last second; "–" if that is not known."""
    number = in_last_second(model, name)
    return NOT_KNOWN if number is None else grouped(number)


def in_a_second(model: LiveModel, name: str) -> str:
    """The same with the words, where there is room for them."""
    before = just_before(model, name)
    if before:
        return tr("none for 1 s, {number} before", number=grouped(before))
    return tr("{number} in the last second", number=number_in_last_second(model, name))


def just_before(model: LiveModel, name: str) -> float:
    """How many there were in the BEFORE seconds before the last one, if in that was none: of these tokens are seen yet.

    0 where tokens are at their very moments, or where that is not known.
    """
    if not model.transport.following or in_last_second(model, name) != 0:
        return 0
    first = model.second[0]
    return model.past.sum(name, first - BEFORE * SECOND, first) or 0


def in_a_second_short(model: LiveModel, name: str) -> str:
    """The same where there is less room."""
    return tr("{number} in the last s", number=number_in_last_second(model, name))


def vmm_text(model: LiveModel) -> str:
    """The process that the window belongs to, unless this is a recording of another one's. It is not QEMU."""
    if model.replaying:
        return tr("this program, in its place")
    return tr("this program, in its place: pid {pid}", pid=os.getpid())


def partner_text(model: LiveModel) -> str:
    """The other process, by its number."""
    pid = model.tally.partner_pid
    return tr("another process, pid {pid}", pid=told_pid(pid)) if pid else tr("another process")


def worker_text(model: LiveModel) -> str:
    """The kernel's worker, by the number of its thread."""
    pid = model.tally.partner_pid
    return tr("thread {pid}", pid=told_pid(pid)) if pid else tr("kernel")


def real_qemu_text(model: LiveModel) -> str:
    """That the VMM is no stand-in, and its number."""
    pid = model.tally.partner_pid
    return tr("unmodified, pid {pid}", pid=told_pid(pid)) if pid else tr("unmodified")


def kick_if_wired(model: LiveModel, told: Callable[[LiveModel, str], str]) -> str:
    """How often the eventfd was signalled, if it is registered."""
    return told(model, "doorbells") if model.wires.ioeventfd else tr("not registered")


# -- doorbells


def driver_text(model: LiveModel) -> str:
    """The doorbell's instruction."""
    doorbell = model.scenario.doorbell
    if not doorbell:
        return tr("rings no doorbell")
    value = f"0…{doorbell.queues - 1}" if doorbell.queues > 1 else doorbell.value
    more = "…" if doorbell.addresses > 1 else ""
    where = f"out {doorbell.address:#x}" if doorbell.bus == "pio" else f"mov [{doorbell.address:#x}{more}]"
    return f"{where} ← {value}"


def match_text(model: LiveModel) -> str:
    """What the ioeventfd waits for."""
    doorbell = model.wires.doorbell
    if not doorbell:
        return ""
    if not model.wires.ioeventfd:
        return tr("not registered")
    return of_entry(doorbell, tr("any length"))


def match_short(model: LiveModel) -> str:
    """The same where there is less room."""
    doorbell = model.wires.doorbell
    return of_entry(doorbell, tr("any B")) if doorbell and model.wires.ioeventfd else match_text(model)


def of_entry(doorbell: Doorbell, any_length: str) -> str:
    """An ioeventfd's address, length and value; `any_length` says that the length is not compared."""
    size = f"{doorbell.length} B" if doorbell.length else any_length
    value = "" if doorbell.datamatch is None else f", ={doorbell.datamatch}"
    return f"{doorbell.ioeventfd_address:#x}, {size}{value}"


def wakes_text(model: LiveModel) -> str:
    """The count that read() returned for the newest journey shown; of an interrupt alone nothing is read."""
    journeys = journey_shown(model)
    count = int(journeys["batch"][-1]) if journeys.size else 0
    return f"read() → {grouped(count)}" if count else tr("read() sleeps")


def vcpu_text(model: LiveModel) -> str:
    """How often KVM_RUN returned in the last second, for the commonest reason; "none" if it did not."""
    if model.ended:
        return tr("has ended")
    names = [name for name in model.past.names(*model.second) if name.startswith("exit ")]
    counts = {name: in_last_second(model, name) or 0 for name in names}
    most = max(counts, key=lambda name: counts[name], default="")
    if most and counts[most] > 0:
        return f"KVM_EXIT_{exit_name(int(most.split()[1]))}: {grouped(counts[most])}"
    none = NOT_KNOWN if model.why_unknown else tr("none")
    if not model.scenario.doorbell:
        return exits_text(none)
    bus = {"pio": "KVM_EXIT_IO", "mmio": "KVM_EXIT_MMIO"}
    return f"{bus[model.scenario.doorbell.bus]}: {none}"


def exits_text(number: str) -> str:
    """How many there were, whatever for."""
    return tr("exits to user space: {number}", number=number)


def reads_text(model: LiveModel) -> str:
    """How often a thread of this process has read the doorbell's eventfd."""
    reads = bounded(model.tally.eventfd_reads, model.tally.bounds().get("eventfd_reads"))
    return tr("reads by our threads: {number}", number=reads)


# -- interrupts


def route_vector(model: LiveModel) -> int:
    """The vector that the route leads to now."""
    interrupt = model.scenario.interrupt
    begins = interrupt.vector if interrupt else 0
    return begins if past_the_route(model) else model.wires.vector


def past_the_route(model: LiveModel) -> bool:
    """Whether interrupts go by KVM_SIGNAL_MSI, which brings vector and destination along."""
    interrupt = model.scenario.interrupt
    by_ioctl = interrupt is not None and interrupt.ioctl == "signal-msi" and not interrupt.waits
    return by_ioctl and not model.wires.irqfd


def vcpu_of(model: LiveModel) -> int:
    """The vCPU that the route leads to now."""
    interrupt = model.scenario.interrupt
    begins = interrupt.vcpu if interrupt else 0
    return begins if past_the_route(model) else model.wires.vcpu


def io_text(model: LiveModel) -> str:
    """What kind of thread it is: a vhost worker knows the guest by two eventfds and nothing else."""
    wired = model.wires.ioeventfd and model.wires.irqfd
    alike = wired and model.traits & {Trait.ANSWERED, Trait.VIRTQUEUE}
    return tr("like a vhost worker") if alike else tr("of this program")


def vcpu_b_text(model: LiveModel) -> str:
    """What guest B's vCPU does between interrupts."""
    return tr("in the guest") if spinning(model) else tr("halted until interrupted")


def spinning(model: LiveModel) -> bool:
    """Whether the guest waits without HLT."""
    return bool(model.tally.settings.get(Setting.IDLE, int(model.scenario.pace.idle == "spin")))


def vcpus_text(model: LiveModel) -> str:
    """The names of the guest's vCPUs."""
    if not model.guest_alive:
        return tr("has ended")
    return ", ".join(f"vCPU {number}" for number in range(model.scenario.vcpus))


def handler_text(model: LiveModel) -> str:
    """The interrupt's vector."""
    interrupt = model.scenario.interrupt
    return handler_words(interrupt, route_vector(model)) if interrupt else tr("no interrupt")


def handler_words(interrupt: Interrupt, vector: int) -> str:
    """A handler's vector, and whether it ends its interrupt."""
    if interrupt.eoi:
        return tr("vector {vector:#x}, EOI", vector=vector)
    return tr("vector {vector:#x}, no EOI", vector=vector)


def route_text(model: LiveModel) -> str:
    """Where the GSI leads."""
    interrupt = model.scenario.interrupt
    if not interrupt:
        return ""
    if interrupt.route == "msi":
        if Trait.TWO_VCPUS in model.traits:  # no longer than the wire's end allows
            return f"GSI {interrupt.gsi} → {route_vector(model):#x}, vCPU {vcpu_of(model)}"
        return f"GSI {interrupt.gsi} → MSI {route_vector(model):#x}"
    if model.wires.masked:
        return tr("GSI {gsi} → pin {gsi}, masked", gsi=interrupt.gsi)
    if interrupt.trigger == "level":
        return tr("GSI {gsi} → pin {gsi}, level", gsi=interrupt.gsi)
    return tr("GSI {gsi} → pin {gsi}, edge", gsi=interrupt.gsi)


def answers_text(model: LiveModel) -> str:
    """How the I/O thread interrupts."""
    interrupt = model.scenario.interrupt
    if not interrupt:
        return tr("sends no interrupt")
    if model.wires.irqfd:
        return "write(irqfd, 1)"
    return "write(eventfd, 1)" if interrupt.waits else f"ioctl({IOCTLS[interrupt.ioctl]})"


def ioctl_text(model: LiveModel) -> str:
    """The way by ioctl."""
    interrupt = model.scenario.interrupt
    name = IOCTLS[interrupt.ioctl] if interrupt else ""
    number = number_in_last_second(model, "ioctls")
    before = just_before(model, "ioctls")
    if before:
        return tr("by ioctl: {name}, none for 1 s, {number} before", name=name, number=grouped(before))
    return tr("by ioctl: {name}, {number} in the last second", name=name, number=number)


# -- figures


def latency_text(model: LiveModel, name: str) -> str:
    """The p50 of the moment; in slow motion, at a step and by hand the latency of the journey that is shown."""
    if model.transport.exact:
        return duration(shown_latency(model, journey_shown(model), name))
    return duration(usual_latency(model, name))


# -- the kernel's parts


def bus_text(model: LiveModel) -> str:
    """The bus that the doorbell's address is on."""
    doorbell = model.scenario.doorbell
    return {"pio": "PIO", "mmio": "MMIO"}[doorbell.bus] if doorbell else ""


def pin_short(model: LiveModel) -> str:
    """The pin, if the GSI leads to one; that it is masked is said at the wire that ends there."""
    interrupt = model.scenario.interrupt
    return tr("pin {number}", number=interrupt.gsi) if interrupt and interrupt.route == "ioapic" else ""


def route_short(model: LiveModel) -> str:
    """Where the routing table leads the GSI now."""
    interrupt = model.scenario.interrupt
    return f"GSI {interrupt.gsi} → {model.wires.vector:#x}" if interrupt else ""


def waiter_text(model: LiveModel) -> str:
    """Who waits for the doorbell's eventfd."""
    if Trait.DIRECT not in model.traits:
        return tr("I/O thread")
    if Trait.KERNEL_WORKER in model.traits:
        return tr("vhost worker")
    if Trait.PARTNERED in model.traits:
        return f"pid {told_pid(model.tally.partner_pid)}"
    return tr("the irqfd") if model.wires.irqfd else tr("nobody")


def cpu_text(model: LiveModel) -> str:
    """What the vCPU does between signals."""
    if not model.guest_alive:
        return tr("has ended")
    held = model.travel.held(newest_journeys(model, 20))
    if held:
        return tr("IF=0 for {time}", time=spent(model.clock, held))
    return tr("runs all the time") if spinning(model) else tr("halted when idle")


# -- what is special about some


def pin_text(model: LiveModel) -> str:
    """The pin that the GSI leads to."""
    interrupt = model.scenario.interrupt
    number = interrupt.gsi if interrupt else 0
    return tr("pin {number}, masked", number=number) if model.wires.masked else tr("pin {number}", number=number)


def eoi_text(model: LiveModel) -> str:
    """Who ends the interrupt: PVM does so itself, as it injects."""
    if model.source.backend == "kvm_pvm":
        return tr("by PVM, as it injects")
    interrupt = model.scenario.interrupt
    return tr("EOI to the local APIC") if interrupt and interrupt.eoi else tr("never comes")


def window_text(model: LiveModel) -> str:
    """How long the guest keeps interrupts off, as measured."""
    held = model.travel.held(newest_journeys(model, 100))
    return tr("held {time}", time=spent(model.clock, held)) if held else tr("window open")


def per_buffer(model: LiveModel, signals: str, index: int) -> str:
    """0.40."""
    sent, moved = in_last_second(model, signals), in_last_second(model, f"buffers {index}")
    return NOT_KNOWN if sent is None or not moved else localized(f"{sent / moved:.2f}")


def kicks_text(model: LiveModel) -> str:
    """0.40 kicks a buffer."""
    return tr("{number} kicks a buffer", number=per_buffer(model, "doorbells", BUFFERS_ADDED))


def interrupts_text(model: LiveModel) -> str:
    """The same of the device's."""
    return tr("{number} interrupts a buffer", number=per_buffer(model, "interrupts", BUFFERS_USED))


def requests_text(model: LiveModel) -> str:
    """As a rate."""
    number = in_last_second(model, "doorbells")
    if number is None:
        return tr("{number} requests/s", number=NOT_KNOWN)
    return f"{count_of(round(number), 'request')}/s"


def index_text(model: LiveModel) -> str:
    """The ring's two indices."""
    return f"avail {grouped(model.tally.buffers_added)} used {grouped(model.tally.buffers_used)}"


def address_text(model: LiveModel, lane: int) -> str:
    """One of several addresses of the doorbell."""
    doorbell = model.scenario.doorbell
    return f"{(doorbell.address if doorbell else 0) + lane * ADDRESS_STRIDE:#x}"


def vector_text(model: LiveModel, lane: int) -> str:
    """The vector of one of two handlers."""
    interrupt = model.scenario.interrupt
    return handler_words(interrupt, vector_of(interrupt, lane)) if interrupt else ""


def devices_text(model: LiveModel) -> str:
    """How many entries on the bus there are, and for writes of which length."""
    doorbell = model.wires.doorbell
    devices = f"{doorbell.addresses} × kvm_io_device" if doorbell else "kvm_io_device"
    return devices if model.wires.ioeventfd else tr("{devices}: not registered", devices=devices)


def refused_text(model: LiveModel) -> str:
    """How often the kernel refused another irqfd on the same eventfd."""
    number = model.wires.refused
    return tr("refused {times}", times=times(number)) if number else tr("not asked for yet")


def role_text(role: str, on: bool) -> str:
    """As what an eventfd is registered, or is not now."""
    return role if on else tr("{role}, off", role=role)


def storm_text(model: LiveModel) -> str:
    """Accesses where nothing is; exits that bring no doorbell are counted."""
    exits, left = in_last_second(model, "exits"), in_last_second(model, "left")
    number = None if exits is None or left is None else exits - left
    return tr("where nothing is: {exits} in the last second", exits=number_or_not(number, "exit"))


def thread_text(model: LiveModel, lane: int) -> str:
    """How often the KVM_RUN of one of several vCPUs returned in the last second."""
    if model.ended:
        return tr("has ended")
    exits = number_in_last_second(model, f"exits of {lane}")
    return exits_text(tr("none") if exits == "0" else exits)


def left_text(model: LiveModel, lane: int) -> str:
    """How many of its doorbells left."""
    return in_a_second(model, f"left of {lane}")


LANE_SAYINGS: dict[str, Callable[[LiveModel, int], str]] = {
    "address": address_text,
    "vector": vector_text,
    "thread": thread_text,
    "left": left_text,
}

SAYINGS: dict[str, Callable[[LiveModel], str]] = {
    "backend": lambda model: tr("kernel, {backend}", backend=back_end_words(model.source.backend, model.source.host)),
    "pid": lambda model: tr("this program"),
    "gsi": lambda model: f"GSI {model.scenario.interrupt.gsi}" if model.scenario.interrupt else "",
    "pin_short": pin_short,
    "bypassed_short": lambda model: tr("bypassed"),
    "bus": bus_text,
    "waiter": waiter_text,
    "wakeup": lambda model: "irqfd_wakeup()" if model.wires.irqfd else tr("not registered"),
    "lapic": lambda model: tr("{number} wait", number=count_between(*waiting(model, model.tokens()))),
    "cpu": cpu_text,
    "kick_short": lambda model: in_a_second_short(model, "doorbells"),
    "call_short": lambda model: in_a_second_short(model, "handlers"),
    "host": lambda model: host_text(model.source.host),
    "rate": rate_text,
    "qemu": vmm_text,
    "same_process": lambda model: tr("the same process"),
    "bypassed": lambda model: tr("{process}, bypassed", process=vmm_text(model)),
    "partner": partner_text,
    "worker": worker_text,
    "real_qemu": real_qemu_text,
    "real_qemu_short": lambda model: tr("unmodified"),
    "ivshmem_server": lambda model: tr("this program"),
    "shared_number": lambda model: tr("number {number}", number=grouped(model.tally.doorbells_rung)),
    "device_thread": lambda model: tr("the same process"),
    "vcpu_of_qemu": lambda model: tr("its exits are not seen"),
    "guest": vcpus_text,
    "kvm": lambda model: tr("kernel"),
    "kernel": lambda model: tr("kernel"),
    "io": io_text,
    "driver": driver_text,
    "match": match_text,
    "match_short": match_short,
    "devices": devices_text,
    "route_short": route_short,
    "role_ioeventfd": lambda model: role_text("ioeventfd", model.wires.ioeventfd),
    "role_irqfd": lambda model: role_text("irqfd", model.wires.irqfd),
    "reads": reads_text,
    "wakes": wakes_text,
    "vcpu": vcpu_text,
    "vcpu_b": vcpu_b_text,
    "heavy": lambda model: tr("exit to user space"),
    "heavy_count": lambda model: in_a_second(model, "left"),
    "handler": handler_text,
    "route": route_text,
    "answers": answers_text,
    "ioctl": ioctl_text,
    "submits": lambda model: "io_uring_enter()",
    "pin": pin_text,
    "lost": lambda model: tr("{number} lost so far", number=grouped(model.tally.irqs_lost)),
    "eoi": eoi_text,
    "hears": lambda model: in_a_second_short(model, "resamples"),
    "coalesced": lambda model: tr("kept, fetched at an exit"),
    "fetches": lambda model: tr("{exits} in the last s", exits=things_in_last_second(model, "exits", "exit")),
    "window": window_text,
    "device": lambda model: f"{things_in_last_second(model, 'buffers 1', 'buffer')}/s",
    "kicks": kicks_text,
    "interrupts": interrupts_text,
    "index": index_text,
    "nothing": lambda model: "",
    "chips": lambda model: tr("in user space"),
    "refused": refused_text,
    "storm": storm_text,
    "file": lambda model: tr("{number} bytes", number=BLOCK_SIZE),
    "requests": requests_text,
    "kick": lambda model: in_a_second(model, "doorbells"),
    "kick_if_wired": lambda model: kick_if_wired(model, in_a_second),
    "kick_if_wired_short": lambda model: kick_if_wired(model, in_a_second_short),
    "call": lambda model: in_a_second(model, "handlers"),
    "disk": lambda model: tr("reads, writes the image"),
    "sends": lambda model: tr("takes and sends"),
    "frames": lambda model: tr("frames out"),
    "bytes": lambda model: tr("bytes out"),
    "caption": caption,
}
