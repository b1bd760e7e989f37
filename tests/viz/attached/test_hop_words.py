"""Hops in words: who, how, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.attached.hops.figures import HopLatency
from bellwire.engine.attached.hops.places import HopThread
from bellwire.viz.attached.hop_words import (
    hop_place,
    hop_sentences,
    journey_words,
    latency_words,
    sender_words,
    thread_words,
    vcpu_words,
    woken_words,
)
from tests.support.seen_hops import DAEMON, HOPS, QUICK
from tests.support.seen_vmms import VMM


def test_a_thread_of_another_process_is_told_with_it() -> None:
    assert thread_words(DAEMON, VMM.pid) == "worker (qemu-storage-daemon, 90)"
    assert thread_words(HopThread(5), VMM.pid) == "thread 5"
    whole = replace(DAEMON, name="qemu-storage-da")
    assert thread_words(whole, VMM.pid) == "qemu-storage-daemon, pid 90"


def test_whom_a_doorbell_wakes() -> None:
    woken, idle = HOPS.doorbells
    assert woken_words(woken, VMM.pid) == "IO io0"
    assert woken_words(idle, VMM.pid) == "–"
    assert woken_words(replace(woken, woken=()), VMM.pid) == "nobody: its reader was awake"
    assert woken_words(replace(woken, woken=(), direct=7), VMM.pid) == "is an interrupt at once"


def test_doorbells_at_one_address_are_told_apart_by_what_they_take_and_whose_they_are() -> None:
    """Four rows said mmio 0xd0000000, and two vCPU 0."""
    _, idle = HOPS.doorbells
    assert [hop_place(one, HOPS) for one in HOPS.doorbells] == ["mmio 0xfe003000", "pio 0x510"]
    match = replace(idle.key.doorbell.match, datamatch=3)
    twin = replace(idle, key=replace(idle.key, doorbell=replace(idle.key.doorbell, match=match)))
    other = replace(twin, key=replace(twin.key, vm=12))
    assert [hop_place(one, replace(HOPS, doorbells=(idle, twin))) for one in (idle, twin)] == [
        "pio 0x510 = 0x9",
        "pio 0x510 = 0x3",
    ]
    assert hop_place(other, replace(HOPS, doorbells=(twin, other))) == "pio 0x510 = 0x3 of VM 12"
    (halt,) = HOPS.halts
    second = replace(halt, key=replace(halt.key, vm=12))
    assert vcpu_words(halt, HOPS) == "0"
    assert vcpu_words(second, replace(HOPS, halts=(halt, second))) == "0 of VM 12"


def test_who_signals_an_interrupt_and_how() -> None:
    timer, disk = HOPS.interrupts
    assert sender_words(timer, VMM.pid) == "the vCPU itself: its timer, or another CPU"
    assert sender_words(disk, VMM.pid) == "worker (qemu-storage-daemon, 90), write to the irqfd"
    assert sender_words(replace(disk, senders=()), VMM.pid) == "–"


def test_percentiles_as_far_as_they_are_known() -> None:
    assert latency_words(QUICK) == "p50 3.40 µs, p99 13.2 µs"
    assert latency_words(HopLatency(5, 3400, None, 4000)) == "p50 3.40 µs"
    assert latency_words(HopLatency()) == ""


def test_journeys_are_told_or_why_there_are_only_hops() -> None:
    assert journey_words(HOPS).startswith("Alone under way: 400 of 800 doorbells; p50 3.40 µs, p99 13.2 µs until")
    assert journey_words(replace(HOPS, rung=0)) == "No doorbell that KVM takes itself was rung in 2 s."
    assert journey_words(replace(HOPS, sent=0)) == "Hops, not journeys: no interrupt was signalled."
    assert "nobody outside sees" in journey_words(replace(HOPS, journeys=HopLatency()))


def test_what_is_shown_of_exits_and_what_is_not_known() -> None:
    assert "do not fire on kvm_pvm" in list(hop_sentences(HOPS))[1]
    silent = tuple(replace(one, taken=None) for one in HOPS.interrupts)
    told = list(hop_sentences(replace(HOPS, exits_told=True, interrupts=silent, lost=3, emulated=True)))
    assert told[1].startswith("An exit lasts until the guest goes on")
    assert told[2].startswith("When an interrupt is taken this KVM does not tell")
    assert told[-1] == "3 records found no room: the counts are at least these."
    assert len(told) == 5
    assert len(list(hop_sentences(replace(HOPS, exits=())))) == 1
