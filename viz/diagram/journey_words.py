"""The caption in slow motion, and at a step: the journey that is shown, in figures."""

from __future__ import annotations

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.live import LiveModel, journey_shown, shown_latency
from bellwire.viz.text.figures import duration, grouped


def journey_caption(model: LiveModel) -> str:
    """The journey that is shown, in figures."""
    journey = journey_shown(model)
    if not journey.size:
        return "Nothing travels at this moment."
    what = "Doorbell" if journey["ring"][0] else "Interrupt"
    parts = direct_parts(model, journey) if Trait.DIRECT in model.traits else answered_parts(model, journey)
    number = grouped(int(journey["seq"][0]))
    return f"{what} #{number}: " + ", ".join(part for part in parts if part) + "."


def answered_parts(model: LiveModel, journey: Journeys) -> list[str]:
    """Out to the I/O thread, and back."""
    heavy = int(journey["heavy"][0])
    out = "by way of user space" if heavy & HEAVY_DOORBELL else "by ioeventfd"
    if "fetched" in model.travel.legs_of(journey):
        out = "after it was kept in KVM's ring"
    back = "by ioctl" if heavy & HEAVY_INTERRUPT else "by irqfd"
    if Trait.IO_URING in model.traits:
        back = "with the completion of a read"
    held = model.travel.held(journey)
    return [
        part_text(model, journey, "doorbell", f"to the I/O thread {out}"),
        part_text(model, journey, "injection", f"back to the handler {back}"),
        f"of these {duration(model.clock.ns(held))} kept off by the guest" if held else "",
        part_text(model, journey, "round_trip", "for the round trip"),
    ]


def direct_parts(model: LiveModel, journey: Journeys) -> list[str]:
    """To a handler, with nobody of this process in between."""
    heavy = " by way of user space" if int(journey["heavy"][0]) & HEAVY_DOORBELL else ""
    if Trait.PARTNERED in model.traits:
        return [part_text(model, journey, "round_trip", f"to the other process{heavy} and back to the handler")]
    whose = "guest B's" if Trait.TWO_GUESTS in model.traits else "its own"
    merged = int(journey["merged"][0])
    return [
        part_text(model, journey, "doorbell", f"to {whose} handler{heavy or ' without leaving the kernel'}"),
        f"which served {grouped(merged)} at once" if merged > 1 else "",
    ]


def part_text(model: LiveModel, journey: Journeys, name: str, text: str) -> str:
    """ "2.9 µs to the I/O thread"; empty if the journey has no such part."""
    ns = shown_latency(model, journey, name)
    return "" if ns is None else f"{duration(ns)} {text}"
