"""The table of a VMM's hops: a row each, in words and figures. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bellwire.engine.attached.hops.figures import HopFigures, HopLatency
from bellwire.engine.language import tr, tr_later
from bellwire.viz.attached.hop_words import hop_place, sender_words, thread_words, vcpu_words, woken_words
from bellwire.viz.text.figures import duration, grouped

HEADS = (tr_later("Hop"), tr_later("Who"), tr_later("last second"), "p50", "p99", tr_later("longest"))


class HopRow(NamedTuple):
    """color: names a theme's colour. cells: as many as HEADS. meaning: from what to what the times are."""

    color: str
    cells: tuple[str, ...]
    meaning: str


def hop_rows(hops: HopFigures, own: int) -> list[HopRow]:
    """All of them, in the order of a signal's way; own: the VMM's pid."""
    return [*_doorbells(hops, own), *_interrupts(hops, own), *_halts(hops), *_exits(hops)]


def _row(color: str, name: str, who: str, rate: float, latency: HopLatency, meaning: str) -> HopRow:
    times = (duration(latency.p50), duration(latency.p99), duration(latency.max))
    return HopRow(color, (name, who, f"{grouped(rate)}/s", *times), meaning)


def _doorbells(hops: HopFigures, own: int) -> Iterator[HopRow]:
    """A doorbell and a thread that it wakes."""
    meaning = tr("From the guest's store to the woken thread's having a CPU.")
    for one in hops.doorbells:
        bus, _, place = hop_place(one, hops).partition(" ")
        name = f"{bus.upper()} {place}"
        if not one.woken:
            yield _row("doorbell", name, woken_words(one, own), one.last_second, HopLatency(), meaning)
        for woken in one.woken:
            who = tr("wakes {thread}", thread=thread_words(woken.thread, own))
            yield _row("doorbell", name, who, one.last_second, woken.latency, meaning)


def _interrupts(hops: HopFigures, own: int) -> Iterator[HopRow]:
    """A vector, and who signals it most often."""
    meaning = tr("From the message, or the line, to the vCPU that takes the interrupt.")
    for one in sorted(hops.interrupts, key=lambda one: not one.from_outside):
        name = tr("vector {vector:#x} at APIC {apic}", vector=one.key.vector, apic=one.key.apic)
        color = "interrupt" if one.from_outside else "text_muted"
        yield _row(color, name, sender_words(one, own), one.last_second, one.latency, meaning)


def _halts(hops: HopFigures) -> Iterator[HopRow]:
    """A vCPU that goes on."""
    meaning = tr("From the waking of a halted vCPU to its having a CPU.")
    for one in hops.halts:
        who = tr("is woken from its halt")
        name = tr("vCPU {number}", number=vcpu_words(one, hops))
        yield _row("guest", name, who, one.last_second, one.latency, meaning)


def _exits(hops: HopFigures) -> Iterator[HopRow]:
    """A reason for which a vCPU was out of its guest."""
    for one in hops.exits:
        if one.key.to_user:
            who, meaning = tr("left to user space"), tr("From the return of KVM_RUN to its being called again.")
        else:
            who, meaning = tr("left the guest"), tr("From the exit until the guest goes on.")
        yield _row("heavy" if one.key.to_user else "kvm", one.key.reason, who, one.last_second, one.duration, meaning)
