"""What a topology says of its parts: who has an end of them, and how often they were used."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenHits, SeenIoeventfd, SeenIrqfd, SeenVm, Topology
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch

ANY = SeenIoeventfd(IoMatch("mmio", 0x1000, 0), 70, fast=True)
NINE, TEN = (SeenIoeventfd(IoMatch("pio", 0x510, 2, value), 71) for value in (9, 10))
VM = SeenVm(
    4,
    "full",
    (),
    (ANY, NINE, TEN),
    (SeenIrqfd(72, 5), SeenIrqfd(73, 6), SeenIrqfd(74, 7)),
    (GsiRoute.msi(5, 64), GsiRoute.pic(6, 1), GsiRoute.ioapic(6, 1)),
)
HITS = (
    SeenHits("mmio", 0x1000, 4, 0, 5, 7),
    SeenHits("fast", 0x1000, 0, 0, 100, 7),
    SeenHits("mmio", 0x1004, 4, 0, 1, 7),
    SeenHits("pio", 0x510, 2, 9, 3, 7),
    SeenHits("pio", 0x510, 2, 11, 4, 7),
    SeenHits("pio", 0x510, 1, 10, 4, 7),
    SeenHits("msi", 0xFEE00000, 0, 64, 30, 7),
    SeenHits("msi", 0xFEE00000, 0, 64, 40, 9),
    SeenHits("msi", 0xFEE00000, 0, 64, 50, 10),
    SeenHits("msi", 0xFEE00000, 0, 65, 60, 7),
)
SEEN = Topology(KvmProcess(7, 1, 0, "vmm"), (VM,), holders={72: (EventfdHolder(9, "back-end", (3,)),)}, hits=HITS)


def test_a_doorbell_was_rung_by_what_kvm_takes_there() -> None:
    assert [SEEN.times_rung(one) for one in VM.ioeventfds] == [105, 3, 0]
    assert replace(SEEN, hits=None).times_rung(ANY) is None


def test_a_message_was_sent_by_those_who_could() -> None:
    assert SEEN.times_sent(VM, VM.irqfds[0]) == {7: 30, 9: 40}
    assert SEEN.times_sent(VM, VM.irqfds[1]) is None
    assert SEEN.times_sent(VM, VM.irqfds[2]) is None
    assert replace(SEEN, hits=None).times_sent(VM, VM.irqfds[0]) is None


def test_partners_are_those_who_hold_an_end() -> None:
    assert SEEN.partners == ((9, "back-end"),)
    assert VM.eventfds == {70, 71, 72, 73, 74}
