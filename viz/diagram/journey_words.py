"""The caption in slow motion, in a story and at a step: what happens at the stage that is looked at, and in figures."""

from __future__ import annotations

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys
from bellwire.engine.folds.latency import has
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.live import LiveModel, journey_shown, shown_latency
from bellwire.viz.model.moments.looking import standpoint
from bellwire.viz.model.moments.surroundings import circumstances
from bellwire.viz.stages.narration import narrate
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.text.event_words import Wording, lane_name
from bellwire.viz.text.figures import duration, grouped, spent

ROOM = 270  # characters that have room in two lines


def journey_caption(model: LiveModel) -> str:
    """The stage that is looked at, and the journey in figures if there is room; of one rung by hand only these."""
    if not (model.transport.exact or model.story is not None):
        return journey_figures(model, journey_shown(model))
    point = standpoint(model)
    beside = event_beside(model, point)
    if point is None:
        return beside or nothing_travels()
    told = " ".join(filter(None, (beside, narrate(point, circumstances(model, point)))))
    whole = f"{told} {journey_figures(model, point.journey)}"
    return whole if len(whole) <= ROOM else told


def event_beside(model: LiveModel, point: Standpoint | None) -> str:
    """The event that the view stands on, if it is none of the journey's stamps; "" if it stands on none."""
    event = model.selection.events
    if model.story is not None or not event.size or int(event["tsc"][0]) != model.playhead:
        return ""
    stamps = {point.stamp(stop.began) for stop in point.stops if stop.began} if point else set()
    if model.playhead in stamps:
        return ""
    lane = lane_name(int(event["lane"][0]))
    name = lane if lane.startswith("vCPU") else f"{lane[0].upper()}{lane[1:]}"
    return f"{name}: {Wording(model.scenario).text(event[0])}."


def journey_figures(model: LiveModel, journey: Journeys) -> str:
    """The journey in figures."""
    if not journey.size:
        return nothing_travels()
    parts = direct_parts(model, journey) if Trait.DIRECT in model.traits else answered_parts(model, journey)
    number, told = grouped(int(journey["seq"][0])), ", ".join(part for part in parts if part)
    if journey["ring"][0]:
        return tr("Doorbell #{number}: {parts}.", number=number, parts=told)
    return tr("Interrupt #{number}: {parts}.", number=number, parts=told)


def nothing_travels() -> str:
    """Of no journey."""
    return tr("Nothing travels at this moment.")


def answered_parts(model: LiveModel, journey: Journeys) -> list[str]:
    """Out to the I/O thread, and back."""
    heavy = int(journey["heavy"][0])
    out = tr_later("{time} to the I/O thread by ioeventfd")
    if heavy & HEAVY_DOORBELL:
        out = tr_later("{time} to the I/O thread by way of user space")
    if "fetched" in model.travel.legs_of(journey):
        out = tr_later("{time} to the I/O thread after it was kept in KVM's ring")
    back = tr_later("{time} back to the handler by irqfd")
    if heavy & HEAVY_INTERRUPT:
        back = tr_later("{time} back to the handler by ioctl")
    if Trait.IO_URING in model.traits:
        back = tr_later("{time} back to the handler with the completion of a read")
    held = model.travel.held(journey)
    return [
        part_text(model, journey, "doorbell", out),
        part_text(model, journey, "injection", back),
        tr("of these {time} kept off by the guest", time=spent(model.clock, held)) if held else "",
        part_text(model, journey, "round_trip", tr_later("{time} for the round trip")),
    ]


def direct_parts(model: LiveModel, journey: Journeys) -> list[str]:
    """To a handler, with nobody of this process in between."""
    heavy = int(journey["heavy"][0]) & HEAVY_DOORBELL
    if Trait.QEMU_SERVES in model.traits:
        there = tr_later("{time} to QEMU and back to the handler")
        if heavy:
            there = tr_later("{time} to QEMU by way of user space and back to the handler")
        return [part_text(model, journey, "round_trip", there)]
    if Trait.KERNEL_WORKER in model.traits:
        there = tr_later("{time} to the kernel's worker and back to the handler")
        if heavy:
            there = tr_later("{time} to the kernel's worker by way of user space and back to the handler")
        return [part_text(model, journey, "round_trip", there)]
    if Trait.PARTNERED in model.traits:
        there = tr_later("{time} to the other process and back to the handler")
        if heavy:
            there = tr_later("{time} to the other process by way of user space and back to the handler")
        return [part_text(model, journey, "round_trip", there)]
    there = tr_later("{time} to its own handler without leaving the kernel")
    if heavy:
        there = tr_later("{time} to its own handler by way of user space")
    if Trait.TWO_GUESTS in model.traits:
        there = tr_later("{time} to guest B's handler without leaving the kernel")
        if heavy:
            there = tr_later("{time} to guest B's handler by way of user space")
    merged = int(journey["merged"][0])
    return [
        part_text(model, journey, "doorbell", there),
        tr("which served {number} at once", number=grouped(merged)) if merged > 1 else "",
    ]


def part_text(model: LiveModel, journey: Journeys, name: str, message: str) -> str:
    """ "2.9 µs to the I/O thread", with a dash for a time that cannot be told; empty if the journey has no such part.

    message: with a place for the time.
    """
    there = journey.size and bool(has(journey[:1], name)[0])
    return tr(message, time=duration(shown_latency(model, journey, name))) if there else ""
