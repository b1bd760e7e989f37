"""What KVM answers to each assign and deassign of an ioeventfd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import product

import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import KvmError
from bellwire.engine.kvm.coalesced import CoalescedZone
from bellwire.engine.kvm.ioeventfd import Ioeventfd, IoMatch, deassign_ioeventfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vm import Kvm, Memory
from tests.support.bare import MMIO, PORT, Bare, answer, errno_of

pytestmark = pytest.mark.kvm

TOP = 1 << 64
PLACES = {"pio": PORT, "mmio": MMIO}


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare() as machine:
        yield machine


def assign(bare: Bare, match: IoMatch, eventfd: Eventfd | None = None) -> Ioeventfd:
    """Asks for exactly this."""
    fd = eventfd or bare.eventfd()
    pio = match.bus == "pio"
    return Ioeventfd(bare.vm, fd, match.address, match.length, pio=pio, datamatch=match.datamatch)


def pio(length: int, datamatch: int | None = None, port: int = PORT) -> IoMatch:
    return IoMatch("pio", port, length, datamatch)


def mmio(length: int, datamatch: int | None = None, address: int = MMIO) -> IoMatch:
    return IoMatch("mmio", address, length, datamatch)


# -- assign ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bus", ["pio", "mmio"])
@pytest.mark.parametrize("length", [0, 1, 2, 4, 8])
def test_a_length_that_is_taken(bare: Bare, bus: str, length: int) -> None:
    assert answer(lambda: assign(bare, IoMatch(bus, PLACES[bus], length))) == "ok"


@pytest.mark.parametrize("bus", ["pio", "mmio"])
@pytest.mark.parametrize("length", [3, 5, 6, 7, 9, 16, 0xFFFFFFFF])
def test_a_length_that_is_refused(bare: Bare, bus: str, length: int) -> None:
    assert answer(lambda: assign(bare, IoMatch(bus, PLACES[bus], length))) == "EINVAL"


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        pytest.param(mmio(8, address=TOP - 9), "ok", id="mmio: end below the top of the address space"),
        pytest.param(mmio(8, address=TOP - 8), "EINVAL", id="mmio: end exactly at the top"),
        pytest.param(mmio(8, address=TOP - 4), "EINVAL", id="mmio: end beyond the top"),
        pytest.param(mmio(1, address=TOP - 1), "EINVAL", id="mmio: last byte"),
        pytest.param(mmio(0, address=TOP - 1), "ok", id="mmio: last byte, any length"),
        pytest.param(pio(2, port=TOP - 2), "EINVAL", id="pio: end exactly at the top"),
        pytest.param(pio(0, port=TOP - 1), "ok", id="pio: last address, any length"),
        pytest.param(pio(2, port=0x12345), "ok", id="pio: no port has this number, not checked"),
        pytest.param(pio(4, port=0xFFFF), "ok", id="pio: beyond the last port, not checked"),
        pytest.param(mmio(4, address=0x1000), "ok", id="mmio: inside memory, not checked"),
        pytest.param(mmio(4, address=lib.BW_IOAPIC), "ok", id="mmio: where the IOAPIC is, not checked"),
        pytest.param(mmio(4, address=MMIO + 1), "ok", id="mmio: not aligned"),
        pytest.param(pio(0, 7), "EINVAL", id="pio: any length with a datamatch"),
        pytest.param(mmio(0, 0), "EINVAL", id="mmio: any length with a datamatch of 0"),
        pytest.param(pio(1, 0x1FF), "ok", id="pio: a datamatch that no byte can have"),
        pytest.param(mmio(8, TOP - 1), "ok", id="mmio: a datamatch of 64 bits"),
    ],
)
def test_an_address_or_datamatch(match: IoMatch, expected: str) -> None:
    with Bare("full", memory=True) as bare:
        assert answer(lambda: assign(bare, match)) == expected


@pytest.mark.parametrize("bit", [5, 6, 16, 31])
def test_an_unknown_flag_is_refused(bare: Bare, bit: int) -> None:
    result = lib.bw_ioeventfd(bare.vm.fd, bare.eventfd().fd, PORT, 2, 0, lib.KVM_IOEVENTFD_FLAG_PIO | 1 << bit)
    assert errno_of(result) == "EINVAL"


@pytest.mark.parametrize("bit", [3, 4])
def test_the_numbers_of_other_machines_flags_are_taken(bare: Bare, bit: int) -> None:
    assert errno_of(lib.bw_ioeventfd(bare.vm.fd, bare.eventfd().fd, MMIO, 4, 0, 1 << bit)) == "ok"


def not_an_eventfd(bare: Bare) -> Eventfd:
    return bare.own(Eventfd.adopt(os.open("/dev/null", os.O_RDWR)))


def closed(bare: Bare) -> Eventfd:
    eventfd = bare.eventfd()
    eventfd.close()
    return eventfd


def test_an_fd_that_is_closed_is_ebadf(bare: Bare) -> None:
    assert answer(lambda: assign(bare, pio(2), closed(bare))) == "EBADF"


def test_an_fd_that_is_no_eventfd_is_einval(bare: Bare) -> None:
    assert answer(lambda: assign(bare, pio(2), not_an_eventfd(bare))) == "EINVAL"


def test_the_vm_has_the_call_dev_kvm_has_not(bare: Bare) -> None:
    assert errno_of(lib.bw_ioeventfd(bare.kvm.fd, bare.eventfd().fd, PORT, 2, 0, 1)) == "EINVAL"


def test_the_vm_has_the_call_a_vcpu_has_not() -> None:
    with Bare(vcpus=1) as bare:
        assert errno_of(lib.bw_ioeventfd(bare.vcpus[0].fd, bare.eventfd().fd, PORT, 2, 0, 1)) == "EINVAL"


@pytest.mark.parametrize("name", ["IOEVENTFD", "IOEVENTFD_NO_LENGTH", "IOEVENTFD_ANY_LENGTH"])
def test_the_capability_is_there(name: str) -> None:
    with Kvm() as kvm:
        assert kvm.check_extension(getattr(lib, f"KVM_CAP_{name}")) == 1


# -- the order of the checks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "flags", "expected"),
    [
        pytest.param(pio(3), 0, "EINVAL", id="length before fd"),
        pytest.param(mmio(8, address=TOP - 8), 0, "EINVAL", id="address range before fd"),
        pytest.param(mmio(4), 1 << 5, "EINVAL", id="flags before fd"),
        pytest.param(mmio(0, 1), 0, "EINVAL", id="any length with datamatch before fd"),
        pytest.param(pio(2, port=PORT + 8), 0, "EBADF", id="fd before collision"),
    ],
)
def test_what_is_looked_at_first(bare: Bare, match: IoMatch, flags: int, expected: str) -> None:
    assign(bare, pio(2, port=PORT + 8))
    fd = closed(bare).fd
    result = lib.bw_ioeventfd(bare.vm.fd, fd, match.address, match.length, match.datamatch or 0, match.flags | flags)
    assert errno_of(result) == expected


def fill(bare: Bare, bus: str) -> None:
    """Takes all that a bus has room for, by zones."""
    with suppress(KvmError):
        for number in range(2000):
            CoalescedZone(bare.vm, 0x2000 + 8 * number, 8, pio=bus == "pio")


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_a_bus_holds_1000_devices_and_then_no_ioeventfd(bare: Bare, bus: str) -> None:
    before, other = IoMatch(bus, PLACES[bus], 2), "mmio" if bus == "pio" else "pio"
    assign(bare, before)
    fill(bare, bus)
    zone_at = 0x2000 + 8 * 999
    assert answer(lambda: CoalescedZone(bare.vm, zone_at + 8, 8, pio=bus == "pio")) == "ENOSPC"
    assert answer(lambda: assign(bare, IoMatch(bus, PLACES[bus] + 8, 2))) == "ENOSPC"
    assert answer(lambda: assign(bare, before)) == "EEXIST", "collision before room"
    assert answer(lambda: assign(bare, IoMatch(other, PLACES[other], 2))) == "ok", "the other bus has room"


def test_ioeventfds_take_no_room(bare: Bare) -> None:
    eventfd = bare.eventfd()
    for number in range(1500):
        assign(bare, pio(2, number), eventfd)
    assert len(bare.vm.ioeventfds) == 1500


# -- collisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(pio(2), pio(2), "EEXIST", id="the same"),
        pytest.param(pio(2), pio(4), "ok", id="other length"),
        pytest.param(pio(0), pio(2), "EEXIST", id="any length against a length"),
        pytest.param(pio(2), pio(0), "EEXIST", id="a length against any length"),
        pytest.param(pio(0), pio(0), "EEXIST", id="any length twice"),
        pytest.param(pio(0), pio(2, 1), "EEXIST", id="any length against a datamatch"),
        pytest.param(pio(2, 1), pio(2, 2), "ok", id="other datamatch"),
        pytest.param(pio(2, 1), pio(2, 1), "EEXIST", id="same datamatch"),
        pytest.param(pio(2, 1), pio(2), "EEXIST", id="wildcard against a datamatch"),
        pytest.param(pio(2), pio(2, 1), "EEXIST", id="a datamatch against the wildcard"),
        pytest.param(pio(2, 1), pio(4, 1), "ok", id="same datamatch, other length"),
        pytest.param(mmio(8), mmio(4, address=MMIO + 4), "ok", id="overlap with another start"),
        pytest.param(mmio(0), mmio(4, address=MMIO + 1), "ok", id="any length and the next byte"),
        pytest.param(pio(2), IoMatch("mmio", PORT, 2), "ok", id="same number on the other bus"),
        pytest.param(pio(0), IoMatch("mmio", PORT, 0), "ok", id="same number, any length, on the other bus"),
    ],
)
@pytest.mark.parametrize("shared", [False, True], ids=["two eventfds", "one eventfd"])
def test_two_registrations(bare: Bare, first: IoMatch, second: IoMatch, expected: str, shared: bool) -> None:
    eventfd = bare.eventfd()
    assign(bare, first, eventfd)
    assert answer(lambda: assign(bare, second, eventfd if shared else bare.eventfd())) == expected
    assert first.collides(second) == second.collides(first) == (expected == "EEXIST")


def test_all_pairs_collide_exactly_as_predicted(bare: Bare) -> None:
    kinds = [(0, None), *product((2, 4), (None, 0, 1))]
    matches = [IoMatch(bus, MMIO, length, value) for bus, (length, value) in product(("pio", "mmio"), kinds)]
    eventfd = bare.eventfd()
    for first in matches:
        with assign(bare, first, eventfd):
            for second in matches:
                with ExitStack() as stack:
                    found = answer(lambda second=second: stack.enter_context(assign(bare, second, eventfd)))  # type: ignore[misc]
                assert found == ("EEXIST" if first.collides(second) else "ok"), f"{first} / {second}"


def test_two_vms_do_not_collide(bare: Bare) -> None:
    with Bare(kvm=bare.kvm) as other:
        eventfd = bare.eventfd()
        assign(bare, pio(2), eventfd)
        assert answer(lambda: assign(other, pio(2), eventfd)) == "ok"


# -- deassign ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assigned", "asked", "expected"),
    [
        pytest.param(pio(2), pio(2), "ok", id="the same"),
        pytest.param(pio(2, 7), pio(2, 7), "ok", id="the same with its datamatch"),
        pytest.param(mmio(0), mmio(0), "ok", id="the same of any length"),
        pytest.param(pio(2), pio(4), "ENOENT", id="other length"),
        pytest.param(pio(2), pio(0), "ENOENT", id="any length"),
        pytest.param(pio(0), pio(2), "ENOENT", id="a length of any"),
        pytest.param(pio(2, 7), pio(2, 8), "ENOENT", id="other datamatch"),
        pytest.param(pio(2, 7), pio(2), "ENOENT", id="wildcard instead of datamatch"),
        pytest.param(pio(2), pio(2, 7), "ENOENT", id="datamatch instead of wildcard"),
        pytest.param(pio(2), pio(2, port=PORT + 1), "ENOENT", id="other address"),
        pytest.param(pio(2), IoMatch("mmio", PORT, 2), "ENOENT", id="other bus"),
        pytest.param(pio(2), pio(3), "ENOENT", id="a length that assign refuses: not checked"),
        pytest.param(mmio(8), mmio(8, address=TOP - 4), "ENOENT", id="a range that assign refuses: not checked"),
        pytest.param(pio(0), pio(0, 7), "ENOENT", id="any length with datamatch: not checked"),
    ],
)
def test_deassign_needs_what_was_assigned(bare: Bare, assigned: IoMatch, asked: IoMatch, expected: str) -> None:
    eventfd = bare.eventfd()
    assign(bare, assigned, eventfd)
    assert answer(lambda: deassign_ioeventfd(bare.vm, eventfd, asked)) == expected


def test_deassign_ignores_the_datamatch_of_a_wildcard(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assign, deassign = lib.KVM_IOEVENTFD_FLAG_PIO, lib.KVM_IOEVENTFD_FLAG_PIO | lib.KVM_IOEVENTFD_FLAG_DEASSIGN
    assert lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, PORT, 2, 7, assign) == 0
    assert errno_of(lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, PORT, 2, 8, deassign)) == "ok"


def test_deassign_ignores_unknown_flags(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assign(bare, pio(2), eventfd)
    flags = lib.KVM_IOEVENTFD_FLAG_PIO | lib.KVM_IOEVENTFD_FLAG_DEASSIGN | 1 << 5
    assert errno_of(lib.bw_ioeventfd(bare.vm.fd, eventfd.fd, PORT, 2, 0, flags)) == "ok"


def test_deassign_takes_a_duplicate_of_the_eventfd(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assign(bare, pio(2), eventfd)
    assert answer(lambda: deassign_ioeventfd(bare.vm, bare.own(eventfd.duplicate()), pio(2))) == "ok"


def test_deassign_with_another_eventfd_is_enoent(bare: Bare) -> None:
    assign(bare, pio(2))
    assert answer(lambda: deassign_ioeventfd(bare.vm, bare.eventfd(), pio(2))) == "ENOENT"


def test_deassign_with_a_closed_fd_is_ebadf(bare: Bare) -> None:
    assert answer(lambda: deassign_ioeventfd(bare.vm, closed(bare), pio(2))) == "EBADF"


def test_deassign_with_no_eventfd_is_einval(bare: Bare) -> None:
    assert answer(lambda: deassign_ioeventfd(bare.vm, not_an_eventfd(bare), pio(2))) == "EINVAL"


def test_deassign_twice_is_enoent(bare: Bare) -> None:
    eventfd = bare.eventfd()
    assign(bare, mmio(0), eventfd).close()
    assert answer(lambda: deassign_ioeventfd(bare.vm, eventfd, mmio(0))) == "ENOENT"


def test_deassign_frees_the_address(bare: Bare) -> None:
    assign(bare, mmio(0)).close()
    assert answer(lambda: assign(bare, mmio(0))) == "ok"


def test_deassign_keeps_the_count(bare: Bare) -> None:
    eventfd = bare.eventfd(3)
    assign(bare, pio(2), eventfd).close()
    assert eventfd.take() == 3


def test_a_closed_eventfd_keeps_its_address(bare: Bare) -> None:
    eventfd = bare.eventfd()
    lost = assign(bare, pio(2), eventfd)
    eventfd.close()
    assert answer(lambda: assign(bare, pio(2))) == "EEXIST"
    assert answer(lost.close) == "EBADF"
    assert answer(lambda: deassign_ioeventfd(bare.vm, bare.eventfd(), pio(2))) == "ENOENT"


def test_a_duplicate_frees_the_address_of_a_closed_eventfd(bare: Bare) -> None:
    eventfd = bare.eventfd()
    duplicate = bare.own(eventfd.duplicate())
    assign(bare, pio(2), eventfd)
    eventfd.close()
    assert answer(lambda: deassign_ioeventfd(bare.vm, duplicate, pio(2))) == "ok"
    assert answer(lambda: assign(bare, pio(2))) == "ok"


def test_memory_is_no_condition(bare: Bare) -> None:
    """Neither memory nor irqchip nor vCPU is needed; memory that comes later changes nothing."""
    eventfd = bare.eventfd()
    assign(bare, mmio(4, address=0x1000), eventfd)
    with Memory(0x10000) as memory:
        bare.vm.set_user_memory_region(memory)
        assert answer(lambda: deassign_ioeventfd(bare.vm, eventfd, mmio(4, address=0x1000))) == "ok"
