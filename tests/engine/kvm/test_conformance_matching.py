"""Which accesses of a guest an ioeventfd takes, which leave to user space, and what the eventfd counts.

Each case is one real guest that does the access and ends.
"""

from __future__ import annotations

import select
import struct
from collections.abc import Iterator

import pytest

from bellwire.engine._core import lib
from bellwire.engine.kvm.coalesced import CoalescedRing, CoalescedZone
from bellwire.engine.kvm.ioeventfd import Ioeventfd, IoMatch
from bellwire.engine.kvm.owner import Eventfd
from tests.support.bare import BACKEND, MMIO, PAGE, PORT, Bare, Outcome, out, read, store, write

pytestmark = pytest.mark.kvm

PLACES = {"pio": PORT, "mmio": MMIO}
OUTSB_5 = b"\xbe\x00\x00\x01\x00\xb9\x05\x00\x00\x00\x66\xba" + struct.pack("<H", PORT) + b"\xf3\x6e"  # rep outsb
FULL = (1 << 64) - 1


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare(vcpus=1, memory=True) as machine:
        yield machine


def wire(
    bare: Bare, bus: str, length: int, datamatch: int | None = None, *, at: int = 0, to: Eventfd | None = None
) -> Eventfd:
    """An ioeventfd at the bus's usual place, or `at` bytes from it, and the eventfd that it signals."""
    eventfd = to or bare.eventfd()
    bare.own(Ioeventfd(bare.vm, eventfd, PLACES[bus] + at, length, pio=bus == "pio", datamatch=datamatch))
    return eventfd


def left(outcome: Outcome) -> int:
    """Accesses that left to user space; nothing else did."""
    assert outcome.others == {}
    return outcome.pio + outcome.mmio


# -- size --------------------------------------------------------------------------------------------------------------

SIZES = [
    *(("pio", length, size) for length in (0, 1, 2, 4, 8) for size in (1, 2, 4)),
    *(("mmio", length, size) for length in (0, 1, 2, 4, 8) for size in (1, 2, 4, 8)),
]


@pytest.mark.parametrize(
    ("bus", "length", "size"),
    [
        pytest.param(
            *case, id=f"{case[0]}: {case[2]} bytes {'hit' if case[1] in (0, case[2]) else 'miss'} length {case[1]}"
        )
        for case in SIZES
    ],
)
def test_a_write_is_taken_if_its_size_is_the_length(bare: Bare, bus: str, length: int, size: int) -> None:
    eventfd = wire(bare, bus, length)
    outcome = bare.run(write(bus, PLACES[bus], size, 0x1234))
    hit = IoMatch(bus, PLACES[bus], length).takes(bus, PLACES[bus], size, 0x1234)
    assert hit == (length in (0, size))
    assert (eventfd.take(), left(outcome)) == ((1, 0) if hit else (0, 1))


# -- value -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bus", "size", "datamatch", "value", "count"),
    [
        pytest.param("pio", 2, 7, 7, 1, id="pio: same value"),
        pytest.param("pio", 2, 7, 8, 0, id="pio: other value"),
        pytest.param("pio", 2, 0, 0, 1, id="pio: datamatch 0 is a value"),
        pytest.param("pio", 2, 0, 1, 0, id="pio: datamatch 0 is not any value"),
        pytest.param("pio", 1, 0xFF, 0x1FF, 1, id="pio: only the bytes written are compared"),
        pytest.param("pio", 1, 0x1FF, 0x1FF, 0, id="pio: a datamatch wider than the write never matches"),
        pytest.param("pio", 4, 0xFFFFFFFF, 0xFFFFFFFF, 1, id="pio: value is extended by zeros"),
        pytest.param("pio", 4, FULL, 0xFFFFFFFF, 0, id="pio: value is not extended by its sign"),
        pytest.param("mmio", 4, 7, 7, 1, id="mmio: same value"),
        pytest.param("mmio", 4, 7, 8, 0, id="mmio: other value"),
        pytest.param("mmio", 4, 7, 7 | 1 << 32, 1, id="mmio: only the bytes written are compared"),
        pytest.param("mmio", 8, 7, 7 | 1 << 32, 0, id="mmio: all 8 bytes are compared"),
        pytest.param("mmio", 8, FULL, FULL, 1, id="mmio: all 64 bits"),
        pytest.param("mmio", 1, 0x1FF, 0xFF, 0, id="mmio: a datamatch wider than the write never matches"),
    ],
)
def test_a_value(bare: Bare, bus: str, size: int, datamatch: int, value: int, count: int) -> None:
    eventfd = wire(bare, bus, size, datamatch)
    outcome = bare.run(write(bus, PLACES[bus], size, value))
    assert (eventfd.take(), left(outcome)) == (count, 1 - count)


def test_a_datamatch_without_its_flag_is_ignored(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assert lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, PORT, 2, 7, lib.KVM_IOEVENTFD_FLAG_PIO) == 0
    assert left(bare.run(out(PORT, 2, 8))) == 0
    assert eventfd.take() == 1


# -- address -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bus", "length", "at", "size"),
    [
        pytest.param("pio", 2, 1, 2, id="pio: one port above"),
        pytest.param("pio", 2, -1, 2, id="pio: one port below, overlapping"),
        pytest.param("pio", 4, 2, 2, id="pio: inside of its 4 ports"),
        pytest.param("pio", 0, 1, 1, id="pio: one port above, any length"),
        pytest.param("mmio", 4, 4, 4, id="mmio: just behind"),
        pytest.param("mmio", 8, 4, 4, id="mmio: inside of its 8 bytes"),
        pytest.param("mmio", 8, -4, 8, id="mmio: before, overlapping"),
        pytest.param("mmio", 0, 1, 1, id="mmio: one byte above, any length"),
    ],
)
def test_a_write_beside_the_address_leaves(bare: Bare, bus: str, length: int, at: int, size: int) -> None:
    eventfd = wire(bare, bus, length)
    outcome = bare.run(write(bus, PLACES[bus] + at, size))
    assert (eventfd.take(), left(outcome)) == (0, 1)


@pytest.mark.parametrize("size", [2, 4, 8])
def test_an_address_need_not_be_aligned(bare: Bare, size: int) -> None:
    eventfd = wire(bare, "mmio", size, at=1)
    assert left(bare.run(store(MMIO + 1, size))) == 0
    assert eventfd.take() == 1


def test_a_port_is_no_address(bare: Bare) -> None:
    eventfd = bare.eventfd()
    bare.own(Ioeventfd(bare.vm, eventfd, PORT, 2, pio=False))
    assert left(bare.run(out(PORT, 2))) == 1
    assert eventfd.take() == 0


def test_an_address_is_no_port(bare: Bare) -> None:
    eventfd = bare.eventfd()
    bare.own(Ioeventfd(bare.vm, eventfd, MMIO, 2, pio=True))
    assert left(bare.run(store(MMIO, 2))) == 1
    assert eventfd.take() == 0


def test_the_flag_of_virtio_ccw_never_fires_here(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assert lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, MMIO, 4, 0, 1 << 3) == 0
    assert left(bare.run(store(MMIO, 4))) == 1
    assert eventfd.take() == 0


def test_the_number_of_the_fast_bus_is_ignored(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assert lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, MMIO, 4, 0, 1 << 4) == 0
    assert left(bare.run(store(MMIO, 4))) == 0
    assert eventfd.take() == 1


# -- reads, and instructions that do more ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bus", "length"),
    [
        pytest.param("pio", 2, id="pio: length 2"),
        pytest.param("pio", 0, id="pio: any length"),
        pytest.param("mmio", 2, id="mmio: length 2"),
        pytest.param("mmio", 0, id="mmio: any length (kvm_intel and kvm_amd: may be taken)"),
    ],
)
def test_a_read_always_leaves(bare: Bare, bus: str, length: int) -> None:
    eventfd = wire(bare, bus, length)
    outcome = bare.run(read(bus, PLACES[bus], 2))
    fast_bus = BACKEND != "kvm_pvm" and (bus, length) == ("mmio", 0)  # looked up before the instruction is decoded
    found = (eventfd.take(), left(outcome))
    assert found == (0, 1) or (fast_bus and found == (1, 0))


def test_of_a_read_modify_write_only_the_write_is_taken(bare: Bare) -> None:
    eventfd = wire(bare, "mmio", 4)
    add = b"\xbb" + struct.pack("<I", MMIO) + b"\x83\x03\x01"  # addl $1, (%rbx)
    assert left(bare.run(add)) == 1
    assert eventfd.take() == 1


def test_each_element_of_a_string_instruction_counts(bare: Bare) -> None:
    eventfd = wire(bare, "pio", 1)
    assert left(bare.run(OUTSB_5)) == 0
    assert eventfd.take() == 5


def test_each_element_of_a_string_instruction_leaves_in_however_many_exits(bare: Bare) -> None:
    """A back end may put several into one exit, which says how many."""
    eventfd = bare.eventfd()
    bare.vcpus[0].add_doorbell(eventfd, PORT, pio=True)
    assert 1 <= left(bare.run(OUTSB_5)) <= 5
    assert eventfd.take() == bare.vcpus[0].relayed() == 5


def test_a_store_across_pages_is_two_writes(bare: Bare) -> None:
    """Each is matched by itself; no write of 4 bytes arrives."""
    end = PAGE - MMIO
    whole = wire(bare, "mmio", 4, at=end - 2)
    first, second = wire(bare, "mmio", 2, at=end - 2), wire(bare, "mmio", 2, at=end)
    assert left(bare.run(store(PAGE - 2, 4))) == 0
    assert (whole.take(), first.take(), second.take()) == (0, 1, 1)


def test_a_half_of_a_store_across_pages_leaves(bare: Bare) -> None:
    second = wire(bare, "mmio", 2, at=PAGE - MMIO)
    assert left(bare.run(store(PAGE - 2, 4))) == 1
    assert second.take() == 1


# -- who else is there -------------------------------------------------------------------------------------------------


def test_memory_is_written_and_nobody_told(bare: Bare) -> None:
    eventfd = bare.eventfd()
    bare.own(Ioeventfd(bare.vm, eventfd, 0x90000, 4, pio=False))
    assert left(bare.run(store(0x90000, 4, 0x12345678))) == 0
    assert eventfd.take() == 0
    assert bare.memory.get(0x90000, "I") == 0x12345678


@pytest.mark.parametrize(
    ("address", "count"),
    [
        pytest.param(lib.BW_IOAPIC, 1, id="at its start the ioeventfd takes the write"),
        pytest.param(lib.BW_IOAPIC + 0x10, 0, id="inside the IOAPIC takes it"),
    ],
)
def test_over_the_ioapic(address: int, count: int) -> None:
    with Bare("full", vcpus=1, memory=True) as bare:
        eventfd = bare.eventfd()
        bare.own(Ioeventfd(bare.vm, eventfd, address, 4, pio=False))
        assert left(bare.run(store(address, 4))) == 0
        assert eventfd.take() == count


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_an_ioeventfd_at_the_start_of_a_coalesced_zone_goes_first(bare: Bare, bus: str) -> None:
    eventfd = wire(bare, bus, 2)
    bare.own(CoalescedZone(bare.vm, PLACES[bus], 16, pio=bus == "pio"))
    with CoalescedRing(bare.vm, bare.vcpus[0]) as ring:
        assert left(bare.run(write(bus, PLACES[bus], 2))) == 0
        assert (eventfd.take(), ring.take()) == (1, [])


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_four_queues_share_an_address_by_datamatch(bare: Bare, bus: str) -> None:
    queues = [wire(bare, bus, 2, number) for number in range(4)]
    rings = [0, 1, 1, 2, 2, 2, 4]
    outcome = bare.run(b"".join(write(bus, PLACES[bus], 2, number) for number in rings))
    assert [queue.take() for queue in queues] == [1, 2, 3, 0]
    assert left(outcome) == 1, "nobody is queue 4"


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_lengths_share_an_address(bare: Bare, bus: str) -> None:
    of = {size: wire(bare, bus, size) for size in (1, 2, 4)}
    assert left(bare.run(b"".join(write(bus, PLACES[bus], size) for size in (1, 2, 2, 4, 4, 4)))) == 0
    assert {size: eventfd.take() for size, eventfd in of.items()} == {1: 1, 2: 2, 4: 3}


def test_one_eventfd_serves_both_buses_and_many_addresses(bare: Bare) -> None:
    eventfd = wire(bare, "pio", 2)
    wire(bare, "pio", 2, at=8, to=eventfd)
    wire(bare, "mmio", 4, to=eventfd)
    wire(bare, "mmio", 0, at=64, to=eventfd)
    code = out(PORT, 2) + out(PORT + 8, 2) + store(MMIO, 4) + store(MMIO + 64, 8)
    assert left(bare.run(code)) == 0
    assert eventfd.take() == 4


def test_one_eventfd_serves_two_vms(bare: Bare) -> None:
    eventfd = wire(bare, "pio", 2)
    with Bare(vcpus=1, memory=True, kvm=bare.kvm) as other:
        wire(other, "pio", 2, to=eventfd)
        assert left(bare.run(out(PORT, 2))) == left(other.run(out(PORT, 2))) == 0
    assert eventfd.take() == 2


def test_an_ioeventfd_of_one_vm_is_none_of_another(bare: Bare) -> None:
    eventfd = wire(bare, "pio", 2)
    with Bare(vcpus=1, memory=True, kvm=bare.kvm) as other:
        assert left(other.run(out(PORT, 2))) == 1
    assert eventfd.take() == 0


# -- counting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_each_write_adds_one_whatever_its_value(bare: Bare, bus: str) -> None:
    eventfd = wire(bare, bus, 4)
    assert left(bare.run(b"".join(write(bus, PLACES[bus], 4, value) for value in (0, 5, 1000)))) == 0
    assert (eventfd.count(), eventfd.take(), eventfd.take()) == (3, 3, 0)


def test_a_semaphore_gives_one_at_a_time(bare: Bare) -> None:
    eventfd = bare.own(Eventfd.semaphore())
    wire(bare, "pio", 2, to=eventfd)
    bare.run(out(PORT, 2) * 3)
    assert [eventfd.take() for _ in range(4)] == [1, 1, 1, 0]


@pytest.mark.parametrize("writes", [1, 2, 5])
def test_a_full_count_stays_full_and_the_guest_goes_on(bare: Bare, writes: int) -> None:
    eventfd = wire(bare, "pio", 2)
    eventfd.signal(FULL - 1)
    assert left(bare.run(out(PORT, 2) * writes)) == 0
    poll = select.poll()
    poll.register(eventfd.fd, select.POLLIN)
    assert poll.poll(0) == [(eventfd.fd, select.POLLIN | select.POLLERR)]
    assert eventfd.take() == FULL


def test_what_was_pending_is_added_to(bare: Bare) -> None:
    eventfd = bare.eventfd(5)
    wire(bare, "pio", 2, to=eventfd)
    bare.run(out(PORT, 2) * 2)
    assert eventfd.take() == 7


# -- afterwards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 4])
def test_a_deassigned_address_leaves_again(bare: Bare, length: int) -> None:
    eventfd = bare.eventfd()
    Ioeventfd(bare.vm, eventfd, MMIO, length, pio=False).close()
    assert left(bare.run(store(MMIO, 4))) == 1
    assert eventfd.take() == 0


def test_writes_to_a_closed_eventfd_are_swallowed(bare: Bare) -> None:
    eventfd = bare.eventfd()
    Ioeventfd(bare.vm, eventfd, PORT, 2, pio=True)
    eventfd.close()
    assert left(bare.run(out(PORT, 2) * 3)) == 0


def test_a_duplicate_sees_the_writes_to_a_closed_fd(bare: Bare) -> None:
    eventfd = bare.eventfd()
    duplicate = bare.own(eventfd.duplicate())
    Ioeventfd(bare.vm, eventfd, PORT, 2, pio=True)
    eventfd.close()
    bare.run(out(PORT, 2) * 3)
    assert duplicate.take() == 3
