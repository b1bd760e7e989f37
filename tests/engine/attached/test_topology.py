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
    SeenHits("mmio", 0x1000, 4, 0, 5),
    SeenHits("fast", 0x1000, 0, 0, 100),
    SeenHits("mmio", 0x1004, 4, 0, 1),
    SeenHits("pio", 0x510, 2, 9, 3),
    SeenHits("pio", 0x510, 2, 11, 4),
    SeenHits("pio", 0x510, 1, 10, 4),
)
SEEN = Topology(KvmProcess(7, 1, 0, "vmm"), (VM,), holders={72: (EventfdHolder(9, "back-end", (3,)),)}, hits=HITS)


def test_a_doorbell_was_rung_by_what_kvm_takes_there() -> None:
    assert [SEEN.times_rung(one) for one in VM.ioeventfds] == [105, 3, 0]
    assert replace(SEEN, hits=None).times_rung(ANY) is None


def test_an_irqfd_leads_to_a_message_to_pins_or_nowhere() -> None:
    assert [VM.message_of(irqfd) for irqfd in VM.irqfds] == [GsiRoute.msi(5, 64), None, None]


def test_partners_are_those_who_hold_an_end() -> None:
    assert SEEN.partners == ((9, "back-end"),)
    assert VM.eventfds == {70, 71, 72, 73, 74}
