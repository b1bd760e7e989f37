"""A guest in QEMU as its memory shows it: whose clock is whose, and no stamp is lost while QEMU is waited for."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from bellwire.engine._core import lib
from bellwire.engine.events import EventKind, Events
from bellwire.engine.kvm.partners.qemu import qemu_refusal
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.qemu.disk_in_qemu import DiskInQemu
from bellwire.engine.machines.qemu.guest_in_qemu import QemuGuest
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.scenarios.scenario import Pace, load_scenario
from tests.support.sessions import wait_for


@pytest.fixture
def guest() -> Iterator[QemuGuest]:
    doorbell = load_scenario("qemu-virtio-blk").doorbell
    with QemuGuest(GuestProgram("virtio-blk-pci", doorbell=doorbell, vector=0x40), tsc_hz=1e9) as made:
        made.follow(made)
        yield made


def stamp(guest: QemuGuest, number: int, cycles: int = 0) -> dict[str, int]:
    """As the guest does with its clock ahead by so much: a doorbell and its handler. When they were, by our clock."""
    before, slot = int(lib.bw_tsc()), number - 1
    times = {"RING": before + 1000, "RUNG": before + 2000, "HANDLER": before + 3000}
    low = [(tsc + cycles) % 2**32 for tsc in times.values()]
    guest.memory.put(lib.BW_RING_TIMES + 8 * slot, "I", low[0])
    guest.memory.put(lib.BW_RING_TIMES + 8 * slot + 4, "I", low[1])
    guest.memory.put(lib.BW_RING_TURNS + 8 * slot, "Q", (before + cycles) % 2**64)
    guest.memory.put(lib.BW_HANDLER_STAMPS + 8 * slot, "Q", number << 32 | low[2])
    guest.memory.put(lib.BW_STATUS + lib.BW_ST_RUNG, "Q", number)
    guest.memory.put(lib.BW_STATUS + lib.BW_ST_HANDLED, "Q", number)
    while lib.bw_tsc() < times["HANDLER"]:
        pass
    return times


def told(events: Events) -> dict[str, int]:
    """The time of each kind."""
    return {EventKind(int(event["kind"])).name: int(event["tsc"]) for event in events}


def test_a_guest_that_is_given_up_is_asked_for_the_time_no_more(guest: QemuGuest) -> None:
    patience = iter([False, False, True])
    assert guest.compare_clocks(lambda: next(patience)) is None
    assert list(patience) == []


@pytest.mark.parametrize("cycles", [0, 10**15, -(10**15), -(2**33) + 5])
def test_stamps_of_a_clock_that_is_apart_are_told_in_ours(guest: QemuGuest, cycles: int) -> None:
    guest.shift(cycles)
    times = stamp(guest, 1, cycles)
    assert told(guest.drain_stamps()) == times
    assert guest.lost_stamps() == 0


def test_what_was_kept_while_qemu_was_waited_for_comes_with_the_rest_and_once(guest: QemuGuest) -> None:
    first = stamp(guest, 1)
    guest.keep_stamps()
    second = stamp(guest, 2)
    events = guest.drain_stamps()
    assert told(events[:3]) == first
    assert told(events[3:]) == second
    assert guest.drain_stamps().size == 0


@pytest.mark.kvm
@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
def test_a_guest_that_nobody_can_wake_looks_again_whenever_it_is_told_to_ring() -> None:
    chance, pace = random.Random(5), Pace(2000.0, 1, "hlt")
    machine = build_machine(load_scenario("qemu-virtio-blk"), None, None)
    assert isinstance(machine, DiskInQemu)
    try:
        machine.start()
        machine.wait_until_ready()
        for _ in range(1000):
            before = machine.ringer.rung()
            machine.set_pace(pace, running=True)
            wait_for(lambda before=before: machine.ringer.rung() > before)  # type: ignore[misc]
            machine.set_pace(pace, running=False)
            machine.drain()
            time.sleep(chance.random() * 0.008)  # when it looks next is then any time
    finally:
        machine.close()
