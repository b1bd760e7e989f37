"""What the diagram says in words: every sentence and number computed from the model, none of them canned.

No Qt. Counts are those of the last second before the playhead.
"""

from __future__ import annotations

import os
import re

import numpy as np

from engine.events import Eventfd, Switch
from engine.exits import exit_name
from engine.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys
from engine.latency import SPANS
from viz.model import LiveModel
from viz.text import count_of, duration, grouped

IOCTLS = {"signal-msi": "KVM_SIGNAL_MSI", "irq-line": "KVM_IRQ_LINE"}


def box_facts(model: LiveModel) -> dict[str, str]:
    """What stands beside each box's title."""
    here = "" if model.replaying else f", pid {os.getpid()}"
    return {
        "host": host_text(model.source.host),
        "rate": rate_text(model),
        "qemu": f"the VMM process{here}",
        "guest": "vCPU 0",
        "kvm": "kernel",
        "io": "like a vhost worker",
    }


def rate_text(model: LiveModel) -> str:
    """The real rate against the shown one; in slow motion the quiet that was cut."""
    if model.transport.exact:
        skipped = 0 if model.transport.paused else model.transport.skipped
        return f"{duration(model.clock.ns(skipped))} of quiet left out" if skipped else ""
    names = ("doorbells", "tokens") if model.scenario.doorbell else ("interrupts", "tokens")
    real, shown_ = (model.rates.last_second(name, model.playhead) for name in names)
    what = "doorbells" if model.scenario.doorbell else "interrupts"
    return f"{grouped(real)} {what}/s, shown as {grouped(shown_)} tokens/s" if real > shown_ + 1 else ""


def host_text(host: dict[str, str]) -> str:
    """ "Linux 6.18, Xeon, 2 CPUs" from what the source says of its host."""
    kernel = ".".join(host.get("kernel", "").split("-")[0].split(".")[:2])
    cpu = re.sub(r"\((R|TM)\)|@.*$|\bCPU\b|\bProcessor\b|\d+-Core", "", host.get("cpu", ""))
    cpus = host.get("cpus", "")
    parts = [f"Linux {kernel}" if kernel else "", " ".join(cpu.split()), f"{cpus} CPUs" if cpus else ""]
    return ", ".join(part for part in parts if part)


def node_facts(model: LiveModel) -> dict[str, str]:
    """What each node does, in its own terms."""
    return {
        "driver": driver_text(model),
        "handler": handler_text(model),
        "vcpu": vcpu_text(model),
        "wakes": wakes_text(model),
        "answers": answers_text(model),
    }


def driver_text(model: LiveModel) -> str:
    """The doorbell's instruction."""
    doorbell = model.scenario.doorbell
    if not doorbell:
        return "rings no doorbell"
    where = f"out {doorbell.address:#x}" if doorbell.bus == "pio" else f"mov [{doorbell.address:#x}]"
    return f"{where} ← {doorbell.value}"


def handler_text(model: LiveModel) -> str:
    """The interrupt's vector."""
    interrupt = model.scenario.interrupt
    return f"vector {interrupt.vector:#x}, EOI" if interrupt else "no interrupt"


def wakes_text(model: LiveModel) -> str:
    """The count that read() returned for the newest journey shown."""
    journeys = shown(model)
    return f"read() → {grouped(int(journeys['batch'][-1]))}" if journeys.size else "read() sleeps"


def answers_text(model: LiveModel) -> str:
    """How the I/O thread interrupts."""
    interrupt = model.scenario.interrupt
    if not interrupt:
        return "sends no interrupt"
    return "write(irqfd, 1)" if model.wired(Switch.IRQFD) else f"ioctl({IOCTLS[interrupt.ioctl]})"


def vcpu_text(model: LiveModel) -> str:
    """How often KVM_RUN returned in the last second, for the commonest reason; "none" if it did not."""
    names = [name for name in model.rates.names if name.startswith("exit ")]
    counts = {name: model.rates.last_second(name, model.playhead) for name in names}
    most = max(counts, key=lambda name: counts[name], default="")
    if most and counts[most] > 0:
        return f"KVM_EXIT_{exit_name(int(most.split()[1]))}: {grouped(counts[most])}"
    bus = {"pio": "KVM_EXIT_IO", "mmio": "KVM_EXIT_MMIO"}
    return f"{bus[model.scenario.doorbell.bus] if model.scenario.doorbell else 'exits to user space'}: none"


def shown(model: LiveModel) -> Journeys:
    """The journey that the view is about: the chosen one, one under way in slow motion, else the newest."""
    if model.selection.journeys.size:
        return model.selection.journeys
    return model.under_way()[:1] if model.transport.exact else model.journeys.newest(1)


def latency_text(model: LiveModel, name: str) -> str:
    """The median of now; in slow motion and at a step the latency of the journey that is shown."""
    if model.transport.exact:
        return duration(latency_of(model, shown(model), name))
    return duration(model.latencies.now(name))


def latency_of(model: LiveModel, journeys: Journeys, name: str) -> float | None:
    """The journey's latency in ns; None if it has none."""
    start, end = SPANS[name]
    if not journeys.size or not journeys[start][0] or not journeys[end][0]:
        return None
    return model.clock.ns(int(journeys[end][0]) - int(journeys[start][0]))


def eventfd_count(model: LiveModel, which: Eventfd) -> int:
    """The eventfd's count: as sampled last; in slow motion the doorbells rung and not yet read at the playhead."""
    if not model.transport.exact:
        return model.tally.eventfd_counts.get(which, 0)
    if which == Eventfd.IRQ:
        return 0
    journeys, t = model.under_way(), np.uint64(model.playhead)
    signalled = np.where(journeys["entry"] > 0, journeys["entry"], journeys["rung"])
    return int(((journeys["ring"] > 0) & (signalled <= t) & (t < journeys["doorbell"])).sum())


def heavy_counts(model: LiveModel) -> dict[str, float]:
    """How many doorbells left to user space, and how many interrupts were ioctls."""
    return {
        "doorbell": model.rates.last_second("left", model.playhead),
        "interrupt": model.rates.last_second("ioctls", model.playhead),
    }


def notes(model: LiveModel) -> dict[str, str]:
    """The lines beside the wires, by their name in diagram.toml."""
    heavy, interrupt = heavy_counts(model), model.scenario.interrupt
    ioctl = IOCTLS[interrupt.ioctl] if interrupt else ""
    return {
        "heavy": "heavy way: exit to user space",
        "heavy_count": f"{grouped(heavy['doorbell'])} taken in the last second",
        "ioctl": f"heavy way: {ioctl}, {grouped(heavy['interrupt'])} in the last second",
        "caption": caption(model),
    }


def caption(model: LiveModel) -> str:
    """What is happening, in one or two sentences."""
    if not model.tally.recorded:
        return "Waiting for the first event." if model.source.alive else "No guest runs."
    if model.transport.exact:
        return journey_caption(model)
    return " ".join(part for part in (doorbell_caption(model), interrupt_caption(model), loss_caption(model)) if part)


def doorbell_caption(model: LiveModel) -> str:
    """The last second's doorbells and which way they went."""
    if not model.scenario.doorbell:
        return ""
    rang, left = (round(model.rates.last_second(name, model.playhead)) for name in ("doorbells", "left"))
    start = f"The guest rang {count_of(rang, 'doorbell')} in the last second"
    if not rang:
        return f"{start}."
    if not left:
        return f"{start}; KVM signalled the eventfd{' each time' if rang > 1 else ''} and none left to user space."
    if left >= rang:
        who = "every one" if rang > 1 else "it"
        return f"{start}; {who} left to user space, where the vCPU thread wrote the eventfd."
    return f"{start}; {grouped(left)} of them left to user space."


def interrupt_caption(model: LiveModel) -> str:
    """The last second's interrupts and how they were sent."""
    sent, ioctls = (round(model.rates.last_second(name, model.playhead)) for name in ("interrupts", "ioctls"))
    interrupt = model.scenario.interrupt
    if not interrupt or (not sent and model.scenario.doorbell):
        return ""
    start = f"The host sent {count_of(sent, 'interrupt')}{'' if model.scenario.doorbell else ' in the last second'}"
    if not sent:
        return f"{start}."
    if not ioctls:
        return f"{start}, {'all ' if sent > 1 else ''}by irqfd."
    by = f"by {IOCTLS[interrupt.ioctl]}"
    return f"{start}, {by}." if ioctls >= sent else f"{start}, {grouped(ioctls)} of them {by}."


def loss_caption(model: LiveModel) -> str:
    """Losses are data."""
    return f"{count_of(model.tally.dropped, 'event')} dropped so far." if model.tally.dropped else ""


def journey_caption(model: LiveModel) -> str:
    """The journey that is shown, in figures."""
    journey = shown(model)
    if not journey.size:
        return "Nothing travels at this moment."
    heavy = int(journey["heavy"][0])
    out = "by way of user space" if heavy & HEAVY_DOORBELL else "by ioeventfd"
    back = "by ioctl" if heavy & HEAVY_INTERRUPT else "by irqfd"
    parts = [
        part_text(model, journey, "doorbell", f"to the I/O thread {out}"),
        part_text(model, journey, "injection", f"back to the handler {back}"),
        part_text(model, journey, "round_trip", "for the round trip"),
    ]
    what = "Doorbell" if journey["ring"][0] else "Interrupt"
    return f"{what} #{grouped(int(journey['seq'][0]))}: " + ", ".join(part for part in parts if part) + "."


def part_text(model: LiveModel, journey: Journeys, name: str, text: str) -> str:
    """ "2.9 µs to the I/O thread"; empty if the journey has no such part."""
    ns = latency_of(model, journey, name)
    return "" if ns is None else f"{duration(ns)} {text}"
