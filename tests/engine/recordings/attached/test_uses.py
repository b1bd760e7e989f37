"""A doorbell is rung by what KVM would take there, an interrupt sent by its message; counted as while it happens."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from bellwire.engine.attached.topology import SeenHits, SeenIoeventfd, Topology
from bellwire.engine.events import Clock
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.recordings.attached.seen_events import SeenEvents, SeenThreads
from bellwire.engine.recordings.attached.uses import rung_at, wire_uses
from tests.support.seen_recordings import FIRST, VCPU, record, seen_stream
from tests.support.seen_vmms import SEEN, VM, VMM

MATCHES = [
    IoMatch(bus, address, length, datamatch)
    for bus in ("pio", "mmio")
    for address in (0x510, 0x511)
    for length, datamatch in ((0, None), (2, None), (2, 9), (4, 9))
]
ACCESSES = list(itertools.product(("pio", "mmio"), (0x510, 0x511), (1, 2, 4), (0, 9)))


@pytest.mark.parametrize("match", MATCHES, ids=str)
def test_what_rings_a_doorbell_is_what_is_counted_live(match: IoMatch) -> None:
    threads = SeenThreads()
    threads.take(SEEN)
    kinds = {"pio": (RecordKind.PIO, 1), "mmio": (RecordKind.MMIO, 2)}
    records = [
        record(FIRST + n, kinds[bus][0], VCPU, address, value, length, kinds[bus][1])
        for n, (bus, address, length, value) in enumerate(ACCESSES)
    ]
    events = SeenEvents(threads, Clock(1e9), "kvm_pvm").of(np.concatenate(records))
    live = tuple(SeenHits(bus, address, length, value, 1) for bus, address, length, value in ACCESSES)
    doorbell = SeenIoeventfd(match, 7)
    assert np.count_nonzero(rung_at(events, 0, doorbell)) == Topology(VMM, (), hits=live).times_rung(doorbell)
    assert not rung_at(events, 1, doorbell).any()  # that is another VM


def test_a_fast_doorbell_is_known_by_its_address_alone() -> None:
    events = seen_stream(30)
    fast, other = VM.ioeventfds
    assert np.count_nonzero(rung_at(events, 0, fast)) == 30
    assert not rung_at(events, 0, other).any()


def test_each_wire_of_which_it_is_known() -> None:
    uses = {wire: count for _, wire, count in wire_uses(seen_stream(30), SEEN)}
    message, pins = VM.irqfds
    assert uses == {VM.ioeventfds[0]: 30, VM.ioeventfds[1]: 0, message: 30, pins: None}


def test_of_irqfds_with_one_message_none_is_told() -> None:
    """Each of four had all 5,088 messages."""
    message, pins = VM.irqfds
    twin = replace(message, eventfd=99)
    shared = replace(SEEN, vms=(replace(VM, irqfds=(message, twin, pins)),))
    uses = {wire: count for _, wire, count in wire_uses(seen_stream(30), shared)}
    assert [uses[one] for one in (message, twin, pins)] == [None, None, None]
    assert uses[VM.ioeventfds[0]] == 30
