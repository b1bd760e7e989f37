"""What the diagram says in words beside its parts: every number computed from the model, none of them canned.

Counts are those of the last second before the playhead. The sentences are in viz/diagram/captions.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from bellwire.engine.events import BLOCK_SIZE, BUFFERS_ADDED, BUFFERS_USED, Setting, exit_name
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Doorbell
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.counter_words import count_between, waiting
from bellwire.viz.model.live import LiveModel, in_last_second, journey_shown, shown_latency
from bellwire.viz.model.moments.shown import newest_journeys, usual_latency
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import count_of, duration, grouped, ratio, times
from bellwire.viz.wires.passable import vector_of

NOT_KNOWN = "–"


def words(model: LiveModel, name: str, lane: int = 0) -> str:
    """What the part that `says` this shows now; lane: which of several it is."""
    return LANE_SAYINGS[name](model, lane) if name in LANE_SAYINGS else SAYINGS[name](model)


# -- boxes


def host_text(host: dict[str, str]) -> str:
    """ "Linux 6.18, Xeon, 2 CPUs" from what the source says of its host."""
    kernel = ".".join(host.get("kernel", "").split("-")[0].split(".")[:2])
    cpu = re.sub(r"\((R|TM)\)|@.*$|\bCPU\b|\bProcessor\b|\d+-Core", "", host.get("cpu", ""))
    cpus = host.get("cpus", "")
    parts = [f"Linux {kernel}" if kernel else "", " ".join(cpu.split()), f"{cpus} CPUs" if cpus else ""]
    return ", ".join(part for part in parts if part)


def rate_text(model: LiveModel) -> str:
    """The real rate against the shown one; in slow motion the quiet that was cut."""
    if model.transport.exact:
        skipped = 0 if model.transport.paused else model.transport.skipped
        return f"{duration(model.clock.ns(skipped))} of quiet left out" if skipped else ""
    if model.transport.together:
        return f"shown together, {ratio(model.transport.factor)}"
    what = "doorbells" if model.scenario.doorbell else "interrupts"
    real, shown_ = in_last_second(model, what) or 0, in_last_second(model, "tokens") or 0
    return f"{grouped(real)} {what}/s, shown as {grouped(shown_)} tokens/s" if real > shown_ + 1 and shown_ else ""


def number_in_last_second(model: LiveModel, name: str) -> str:
    """How many there were in the last second; "–" if that is not known."""
    number = in_last_second(model, name)
    return NOT_KNOWN if number is None else grouped(number)


def vmm_text(model: LiveModel) -> str:
    """The process that the window belongs to, unless this is a recording of another one's. It is not QEMU."""
    return "this program, in its place" if model.replaying else f"this program, in its place: pid {os.getpid()}"


def partner_text(model: LiveModel) -> str:
    """The other process, by its number."""
    pid = model.tally.partner_pid
    return f"another process, pid {pid}" if pid else "another process"


# -- doorbells


def driver_text(model: LiveModel) -> str:
    """The doorbell's instruction."""
    doorbell = model.scenario.doorbell
    if not doorbell:
        return "rings no doorbell"
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
        return "not registered"
    return of_entry(doorbell, "any length")


def match_short(model: LiveModel) -> str:
    """The same where there is less room."""
    doorbell = model.wires.doorbell
    return of_entry(doorbell, "any B") if doorbell and model.wires.ioeventfd else match_text(model)


def of_entry(doorbell: Doorbell, any_length: str) -> str:
    """An ioeventfd's address, length and value; `any_length` says that the length is not compared."""
    size = f"{doorbell.length} B" if doorbell.length else any_length
    value = "" if doorbell.datamatch is None else f", ={doorbell.datamatch}"
    return f"{doorbell.ioeventfd_address:#x}, {size}{value}"


def wakes_text(model: LiveModel) -> str:
    """The count that read() returned for the newest journey shown; of an interrupt alone nothing is read."""
    journeys = journey_shown(model)
    count = int(journeys["batch"][-1]) if journeys.size else 0
    return f"read() → {grouped(count)}" if count else "read() sleeps"


def vcpu_text(model: LiveModel) -> str:
    """How often KVM_RUN returned in the last second, for the commonest reason; "none" if it did not."""
    if model.ended:
        return "has ended"
    names = [name for name in model.past.names(*model.second) if name.startswith("exit ")]
    counts = {name: in_last_second(model, name) or 0 for name in names}
    most = max(counts, key=lambda name: counts[name], default="")
    if most and counts[most] > 0:
        return f"KVM_EXIT_{exit_name(int(most.split()[1]))}: {grouped(counts[most])}"
    bus = {"pio": "KVM_EXIT_IO", "mmio": "KVM_EXIT_MMIO"}
    none = NOT_KNOWN if model.why_unknown else "none"
    return f"{bus[model.scenario.doorbell.bus] if model.scenario.doorbell else 'exits to user space'}: {none}"


def reads_text(model: LiveModel) -> str:
    """How often a thread of this process has read the doorbell's eventfd."""
    return f"reads by our threads: {grouped(model.tally.eventfd_reads)}"


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
    return "like a vhost worker" if wired and model.traits & {Trait.ANSWERED, Trait.VIRTQUEUE} else "of this program"


def vcpu_b_text(model: LiveModel) -> str:
    """What guest B's vCPU does between interrupts."""
    return "in the guest" if spinning(model) else "halted until interrupted"


def spinning(model: LiveModel) -> bool:
    """Whether the guest waits without HLT."""
    return bool(model.tally.settings.get(Setting.IDLE, int(model.scenario.pace.idle == "spin")))


def vcpus_text(model: LiveModel) -> str:
    """The names of the guest's vCPUs."""
    if not model.guest_alive:
        return "has ended"
    return ", ".join(f"vCPU {number}" for number in range(model.scenario.vcpus))


def handler_text(model: LiveModel) -> str:
    """The interrupt's vector."""
    interrupt = model.scenario.interrupt
    return f"vector {route_vector(model):#x}, {'EOI' if interrupt.eoi else 'no EOI'}" if interrupt else "no interrupt"


def route_text(model: LiveModel) -> str:
    """Where the GSI leads."""
    interrupt = model.scenario.interrupt
    if not interrupt:
        return ""
    if interrupt.route == "msi":
        if Trait.TWO_VCPUS in model.traits:  # no longer than the wire's end allows
            return f"GSI {interrupt.gsi} → {route_vector(model):#x}, vCPU {vcpu_of(model)}"
        return f"GSI {interrupt.gsi} → MSI {route_vector(model):#x}"
    state = "masked" if model.wires.masked else interrupt.trigger
    return f"GSI {interrupt.gsi} → pin {interrupt.gsi}, {state}"


def answers_text(model: LiveModel) -> str:
    """How the I/O thread interrupts."""
    interrupt = model.scenario.interrupt
    if not interrupt:
        return "sends no interrupt"
    if model.wires.irqfd:
        return "write(irqfd, 1)"
    return "write(eventfd, 1)" if interrupt.waits else f"ioctl({IOCTLS[interrupt.ioctl]})"


def ioctl_text(model: LiveModel) -> str:
    """The way by ioctl."""
    interrupt = model.scenario.interrupt
    name = IOCTLS[interrupt.ioctl] if interrupt else ""
    return f"by ioctl: {name}, {number_in_last_second(model, 'ioctls')} in the last second"


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
    return f"pin {interrupt.gsi}" if interrupt and interrupt.route == "ioapic" else ""


def route_short(model: LiveModel) -> str:
    """Where the routing table leads the GSI now."""
    interrupt = model.scenario.interrupt
    return f"GSI {interrupt.gsi} → {model.wires.vector:#x}" if interrupt else ""


def waiter_text(model: LiveModel) -> str:
    """Who waits for the doorbell's eventfd."""
    if Trait.DIRECT not in model.traits:
        return "I/O thread"
    if Trait.PARTNERED in model.traits:
        return f"pid {model.tally.partner_pid}"
    return "the irqfd" if model.wires.irqfd else "nobody"


def cpu_text(model: LiveModel) -> str:
    """What the vCPU does between signals."""
    if not model.guest_alive:
        return "has ended"
    held = model.travel.held(newest_journeys(model, 20))
    if held:
        return f"IF=0 for {duration(model.clock.ns(held))}"
    return "runs all the time" if spinning(model) else "halted when idle"


# -- what is special about some


def pin_text(model: LiveModel) -> str:
    """The pin that the GSI leads to."""
    interrupt = model.scenario.interrupt
    state = ", masked" if model.wires.masked else ""
    return f"pin {interrupt.gsi if interrupt else 0}{state}"


def eoi_text(model: LiveModel) -> str:
    """Who ends the interrupt: PVM does so itself, as it injects."""
    if model.source.backend == "kvm_pvm":
        return "by PVM, as it injects"
    interrupt = model.scenario.interrupt
    return "EOI to the local APIC" if interrupt and interrupt.eoi else "never comes"


def window_text(model: LiveModel) -> str:
    """How long the guest keeps interrupts off, as measured."""
    held = model.travel.held(newest_journeys(model, 100))
    return f"held {duration(model.clock.ns(held))}" if held else "window open"


def per_buffer(model: LiveModel, signals: str, index: int, name: str) -> str:
    """0.40 kicks a buffer."""
    sent, moved = in_last_second(model, signals), in_last_second(model, f"buffers {index}")
    return f"{NOT_KNOWN if sent is None or not moved else f'{sent / moved:.2f}'} {name} a buffer"


def requests_text(model: LiveModel) -> str:
    """As a rate."""
    number = in_last_second(model, "doorbells")
    return f"{NOT_KNOWN} requests/s" if number is None else f"{count_of(round(number), 'request')}/s"


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
    return f"vector {vector_of(interrupt, lane):#x}, {'EOI' if interrupt.eoi else 'no EOI'}" if interrupt else ""


def devices_text(model: LiveModel) -> str:
    """How many entries on the bus there are, and for writes of which length."""
    doorbell = model.wires.doorbell
    number = f"{doorbell.addresses} × " if doorbell else ""
    return f"{number}kvm_io_device{'' if model.wires.ioeventfd else ': not registered'}"


def storm_text(model: LiveModel) -> str:
    """Accesses where nothing is; exits that bring no doorbell are counted."""
    exits, left = in_last_second(model, "exits"), in_last_second(model, "left")
    number = NOT_KNOWN if exits is None or left is None else grouped(exits - left)
    return f"where nothing is: {number} exits in the last second"


def thread_text(model: LiveModel, lane: int) -> str:
    """How often the KVM_RUN of one of several vCPUs returned in the last second."""
    if model.ended:
        return "has ended"
    exits = number_in_last_second(model, f"exits of {lane}")
    return f"exits to user space: {'none' if exits == '0' else exits}"


def left_text(model: LiveModel, lane: int) -> str:
    """How many of its doorbells left."""
    return f"{number_in_last_second(model, f'left of {lane}')} in the last second"


LANE_SAYINGS: dict[str, Callable[[LiveModel, int], str]] = {
    "address": address_text,
    "vector": vector_text,
    "thread": thread_text,
    "left": left_text,
}

SAYINGS: dict[str, Callable[[LiveModel], str]] = {
    "backend": lambda model: f"kernel, {model.source.backend}",
    "pid": lambda model: "this program",
    "gsi": lambda model: f"GSI {model.scenario.interrupt.gsi}" if model.scenario.interrupt else "",
    "pin_short": pin_short,
    "bypassed_short": lambda model: "bypassed",
    "bus": bus_text,
    "waiter": waiter_text,
    "wakeup": lambda model: "irqfd_wakeup()" if model.wires.irqfd else "not registered",
    "lapic": lambda model: f"{count_between(*waiting(model, model.tokens()))} wait",
    "cpu": cpu_text,
    "kick_short": lambda model: f"{number_in_last_second(model, 'doorbells')} in the last s",
    "call_short": lambda model: f"{number_in_last_second(model, 'handlers')} in the last s",
    "host": lambda model: host_text(model.source.host),
    "rate": rate_text,
    "qemu": vmm_text,
    "same_process": lambda model: "the same process",
    "bypassed": lambda model: f"{vmm_text(model)}, bypassed",
    "partner": partner_text,
    "guest": vcpus_text,
    "kvm": lambda model: "kernel",
    "kernel": lambda model: "kernel",
    "io": io_text,
    "driver": driver_text,
    "match": match_text,
    "match_short": match_short,
    "devices": devices_text,
    "route_short": route_short,
    "role_ioeventfd": lambda model: f"ioeventfd{'' if model.wires.ioeventfd else ', off'}",
    "role_irqfd": lambda model: f"irqfd{'' if model.wires.irqfd else ', off'}",
    "reads": reads_text,
    "wakes": wakes_text,
    "vcpu": vcpu_text,
    "vcpu_b": vcpu_b_text,
    "heavy": lambda model: "exit to user space",
    "heavy_count": lambda model: f"{number_in_last_second(model, 'left')} in the last second",
    "handler": handler_text,
    "route": route_text,
    "answers": answers_text,
    "ioctl": ioctl_text,
    "submits": lambda model: "io_uring_enter()",
    "pin": pin_text,
    "lost": lambda model: f"{grouped(model.tally.irqs_lost)} lost so far",
    "eoi": eoi_text,
    "hears": lambda model: f"{number_in_last_second(model, 'resamples')} in the last s",
    "coalesced": lambda model: "kept, fetched at an exit",
    "fetches": lambda model: f"{number_in_last_second(model, 'exits')} exits in the last s",
    "window": window_text,
    "device": lambda model: f"{number_in_last_second(model, 'buffers 1')} buffers/s",
    "kicks": lambda model: per_buffer(model, "doorbells", BUFFERS_ADDED, "kicks"),
    "interrupts": lambda model: per_buffer(model, "interrupts", BUFFERS_USED, "interrupts"),
    "index": index_text,
    "nothing": lambda model: "",
    "chips": lambda model: "in user space",
    "refused": lambda model: f"refused {times(model.wires.refused)}" if model.wires.refused else "not asked for yet",
    "storm": storm_text,
    "file": lambda model: f"{BLOCK_SIZE} bytes",
    "requests": lambda model: requests_text(model),
    "kick": lambda model: f"{number_in_last_second(model, 'doorbells')} in the last second",
    "call": lambda model: f"{number_in_last_second(model, 'handlers')} in the last second",
    "disk": lambda model: "reads, writes the image",
    "caption": caption,
}
