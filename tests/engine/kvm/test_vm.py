"""The VM and what is registered with it: refusals that say why, and what is noted because KVM lists nothing."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator

import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import LOOK_AT_LOG, EngineError, KvmError, check
from bellwire.engine.kvm.coalesced import CoalescedRing, CoalescedZone
from bellwire.engine.kvm.gsi import default_routes
from bellwire.engine.kvm.ioeventfd import Ioeventfd, IoMatch, deassign_ioeventfd
from bellwire.engine.kvm.irqchip import IoapicPin, Lapic, interrupt
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import GsiRoute, Memory
from tests.support.bare import MMIO, ONE_VM_ONLY, PORT, Bare, out

pytestmark = pytest.mark.kvm

GSI, VECTOR = 5, 0x51


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare("full", vcpus=1) as machine:
        yield machine


def refusal(call: Callable[[], object]) -> str:
    """The sentence of a KvmError."""
    with pytest.raises(KvmError) as caught:
        call()
    return str(caught.value)


def doorbell(bare: Bare, length: int = 2, datamatch: int | None = None, eventfd: Eventfd | None = None) -> Ioeventfd:
    return bare.own(Ioeventfd(bare.vm, eventfd or bare.eventfd(), PORT, length, pio=True, datamatch=datamatch))


# -- refusals of an ioeventfd ------------------------------------------------------------------------------------------


def test_a_collision_names_what_is_there(bare: Bare) -> None:
    doorbell(bare, 2, 7)
    doorbell(bare, 4)
    text = refusal(lambda: doorbell(bare, 2))
    assert text == (
        "KVM_IOEVENTFD assign at port 0x510, length 2, any value: File exists (EEXIST). "
        "Registered already: port 0x510, length 2, value 0x7. "
        "Close it first, or tell them apart by address, length or datamatch."
    )


def test_a_collision_names_all_that_are_there(bare: Bare) -> None:
    doorbell(bare, 2, 7)
    doorbell(bare, 4)
    assert "port 0x510, length 2, value 0x7 and port 0x510, length 4, any value." in refusal(lambda: doorbell(bare, 0))


def test_a_collision_with_what_was_not_noted(bare: Bare) -> None:
    assert lib.bw_ioeventfd(bare.vm.fd, bare.eventfd().fd, PORT, 2, 0, lib.KVM_IOEVENTFD_FLAG_PIO) == 0
    assert "one that was not made here" in refusal(lambda: doorbell(bare))


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (IoMatch("mmio", MMIO, 3), "1, 2, 4 or 8 bytes, or 0"),
        (IoMatch("mmio", 2**64 - 4, 8), "address space ends"),
        (IoMatch("mmio", MMIO, 0, 7), "no value to compare"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_einval_names_the_rule(bare: Bare, match: IoMatch, words: str) -> None:
    def ask() -> Ioeventfd:
        return Ioeventfd(bare.vm, bare.eventfd(), match.address, match.length, pio=False, datamatch=match.datamatch)

    assert words in refusal(ask)
    assert bare.vm.ioeventfds == []


def test_what_is_no_eventfd_is_said_to_be_none(bare: Bare) -> None:
    null = bare.own(Eventfd.adopt(os.open("/dev/null", os.O_RDWR)))
    assert "not an eventfd" in refusal(lambda: doorbell(bare, eventfd=null))
    assert "not an eventfd" in refusal(lambda: Irqfd(bare.vm, null, GSI))


def test_an_ioeventfd_closed_after_its_eventfd_says_what_is_left_behind(bare: Bare) -> None:
    eventfd = Eventfd()
    wire = Ioeventfd(bare.vm, eventfd, PORT, 2, pio=True)
    eventfd.close()
    assert "KVM swallows the guest's writes there" in refusal(wire.close)
    assert bare.vm.ioeventfds == [wire], "the kernel has it still, and so the address is taken"
    assert "port 0x510, length 2, any value" in refusal(lambda: doorbell(bare))


def test_a_deassign_of_nothing_says_what_must_be_equal(bare: Bare) -> None:
    text = refusal(lambda: deassign_ioeventfd(bare.vm, bare.eventfd(), IoMatch("mmio", MMIO, 4, 1)))
    assert text.startswith("KVM_IOEVENTFD deassign at address 0xd0000f00, length 4, value 0x1: ")
    assert "(ENOENT)" in text
    assert "must be those of the assign" in text


def test_a_full_bus_says_what_fills_it(bare: Bare) -> None:

    def fill() -> None:
        for number in range(2000):
            CoalescedZone(bare.vm, 0x2000 + 8 * number, 8, pio=True)

    assert "(ENOSPC). This bus has its 1000 devices; coalesced zones count." in refusal(fill)
    assert "coalesced zones and devices count, ioeventfds do not" in refusal(lambda: doorbell(bare))


# -- refusals of an irqfd ----------------------------------------------------------------------------------------------


def test_a_second_irqfd_of_an_eventfd_names_the_first(bare: Bare) -> None:
    eventfd = bare.eventfd()
    bare.own(Irqfd(bare.vm, eventfd, GSI))
    text = refusal(lambda: Irqfd(bare.vm, bare.own(eventfd.duplicate()), 9))
    assert text.startswith("KVM_IRQFD assign, GSI 9: ")
    assert "an irqfd of this VM already: GSI 5." in text


def test_a_second_irqfd_in_another_vm_names_the_first(bare: Bare) -> None:
    with Bare("full", kvm=bare.kvm) as other:
        eventfd = bare.eventfd()
        bare.own(Irqfd(bare.vm, eventfd, GSI))
        if ONE_VM_ONLY:
            text = refusal(lambda: Irqfd(other.vm, eventfd, GSI))
            assert "an irqfd of another VM already: GSI 5." in text
        else:
            other.own(Irqfd(other.vm, eventfd, GSI))
            assert len(other.vm.irqfds) == 1


@pytest.mark.parametrize(
    ("irqchip", "words"),
    [("none", "create_irqchip() before the first vCPU"), ("split", "IOAPIC is outside of the kernel")],
)
def test_an_irqfd_with_resamplefd_needs_a_full_irqchip(irqchip: str, words: str) -> None:
    with Bare(irqchip) as bare:
        assert words in refusal(lambda: Irqfd.with_resample(bare.vm, bare.eventfd(), GSI, bare.eventfd()))
        assert bare.vm.irqfds == []


@pytest.mark.parametrize("which", ["eventfd", "resamplefd"])
def test_a_closed_fd_is_named(bare: Bare, which: str) -> None:
    fds = {"eventfd": bare.eventfd(), "resamplefd": bare.eventfd()}
    fds[which].close()
    assert f"The {which} is closed." in refusal(lambda: Irqfd(bare.vm, fds["eventfd"], GSI, fds["resamplefd"]))


@pytest.mark.parametrize("which", ["eventfd", "resamplefd"])
def test_what_is_no_eventfd_is_named(bare: Bare, which: str) -> None:
    fds = {"eventfd": bare.eventfd(), "resamplefd": bare.eventfd()}
    fds[which] = bare.own(Eventfd.adopt(os.open("/dev/null", os.O_RDWR)))
    assert not fds[which].genuine
    text = refusal(lambda: Irqfd(bare.vm, fds["eventfd"], GSI, fds["resamplefd"]))
    assert f"given as its {which} is not an eventfd." in text


def test_an_irqfd_closed_after_its_eventfd_says_the_order(bare: Bare) -> None:
    eventfd = Eventfd()
    wire = Irqfd(bare.vm, eventfd, GSI)
    eventfd.close()
    assert "Close an irqfd before its eventfd." in refusal(wire.close)


# -- refusals of a VM --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ([GsiRoute.msi(4096, VECTOR)], "GSIs end at 4095"),
        ([GsiRoute.ioapic(5, 24)], "GSI 5 to IOAPIC pin 24: its pins end at 23"),
        ([GsiRoute.pic(5, 16)], "GSI 5 to PIC 2 pin 8: its pins end at 7"),
        ([GsiRoute.msi(5, VECTOR), GsiRoute.ioapic(5, 5)], "leads nowhere else"),
        ([GsiRoute.ioapic(5, 5), GsiRoute.ioapic(5, 6)], "leads to one pin of a chip"),
        ([GsiRoute(5, 99)], "unknown target, type 99"),
    ],
)
def test_a_refused_route_is_named(bare: Bare, routes: list[GsiRoute], words: str) -> None:
    assert words in refusal(lambda: bare.route(*routes))


def test_a_second_irqchip_and_a_missing_one_say_when_to_make_it(bare: Bare) -> None:
    assert "once, and before its first vCPU" in refusal(bare.vm.create_irqchip)
    with Bare(vcpus=1) as none:
        for call in (lambda: none.vm.irq_line(GSI, 1), lambda: none.vm.signal_msi(GsiRoute.msi(0, VECTOR))):
            assert "create_irqchip() before the first vCPU" in refusal(call)
        assert "no IOAPIC in the kernel" in refusal(lambda: IoapicPin.of(none.vm, 0))
        assert "no local APIC in the kernel" in refusal(lambda: Lapic.of(none.vcpus[0]))


def test_a_refusal_has_its_parts_and_a_remedy_for_what_is_common() -> None:
    error = KvmError("KVM_SOMETHING of 3", errno.ENOTTY)
    assert (error.operation, error.errno) == ("KVM_SOMETHING of 3", errno.ENOTTY)
    assert "newer kernel" in error.remedy
    assert str(error).endswith(error.remedy)
    assert str(KvmError("X", errno.EEXIST)) == f"X: File exists (EEXIST). {LOOK_AT_LOG}"
    assert "sandbox" in KvmError("X", errno.EPERM).remedy
    with pytest.raises(KvmError, match=r"Y: .*EBUSY\)\. Wait\."):
        check(-errno.EBUSY, "Y", "Wait.")
    assert check(3, "Y") == 3


def test_a_vcpu_whose_number_is_taken(bare: Bare) -> None:
    text = refusal(lambda: Vcpu(bare.vm, bare.memory, None, 0))
    assert text.startswith("KVM_CREATE_VCPU 0: ")
    assert "(EEXIST). This VM has a vCPU of this number already" in text
    assert "KVM_CAP_MAX_VCPU_ID" in refusal(lambda: Vcpu(bare.vm, bare.memory, None, 1 << 30))


def test_memory_that_overlaps_names_the_addresses(bare: Bare) -> None:
    with Memory(lib.BW_VCPU_MEMORY) as memory, Memory(0x20000) as other:
        bare.vm.set_user_memory_region(memory)
        text = refusal(lambda: bare.vm.map_control_page(other))
    assert f"slot 1, 0x1000 bytes from {lib.BW_PEER_CONTROL:#x}: " in text
    assert "(EEXIST). Another slot has some of these addresses" in text


@pytest.mark.parametrize(
    ("irqchip", "vectors", "words"),
    [
        ("full", [0x51], "(ENXIO). This VM's PIC and IOAPIC are in the kernel"),
        ("none", [256], "(EINVAL). Vectors end at 255"),
        ("split", [0x51, 0x52], "(EEXIST). One interrupt waits already"),
    ],
)
def test_an_interrupt_past_the_controllers_says_why_not(irqchip: str, vectors: list[int], words: str) -> None:
    with Bare(irqchip, vcpus=1) as bare:
        for vector in vectors[:-1]:
            interrupt(bare.vcpus[0], vector)
        assert words in refusal(lambda: interrupt(bare.vcpus[0], vectors[-1]))


# -- what is noted -----------------------------------------------------------------------------------------------------


def test_what_is_registered_is_listed_as_long_as_it_is(bare: Bare) -> None:
    bell, irq = doorbell(bare), bare.own(Irqfd(bare.vm, bare.eventfd(), GSI))
    assert (bare.vm.ioeventfds, bare.vm.irqfds) == ([bell], [irq])
    bell.close()
    irq.close()
    assert (bare.vm.ioeventfds, bare.vm.irqfds) == ([], [])
    bell.close()
    irq.close()


def test_a_refused_one_is_not_listed(bare: Bare) -> None:
    bell = doorbell(bare)
    refusal(lambda: doorbell(bare))
    assert bare.vm.ioeventfds == [bell]


def test_after_the_vm_nothing_is_left_to_close() -> None:
    with Bare("full") as bare:
        bell, irq = doorbell(bare), bare.own(Irqfd(bare.vm, bare.eventfd(), GSI))
        zone = CoalescedZone(bare.vm, MMIO, 8, pio=False)
        bare.vm.close()
        for thing in (bell, irq, zone):
            thing.close()
        assert (bare.vm.ioeventfds, bare.vm.irqfds, bare.kvm.vms) == ([], [], [])
        bare.vm.close()


def test_routes_are_those_in_force(bare: Bare) -> None:
    assert bare.vm.routes == default_routes()
    route = GsiRoute.msi(GSI, VECTOR)
    bare.route(route)
    refusal(lambda: bare.route(GsiRoute.ioapic(1, 99)))
    assert bare.vm.routes == (route,)


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (GsiRoute.msi(24, 0x40, apic=3), "GSI 24 to MSI vector 0x40 at APIC 3"),
        (GsiRoute.ioapic(16, 17), "GSI 16 to IOAPIC pin 17"),
        (GsiRoute.pic(3, 3), "GSI 3 to PIC 1 pin 3"),
        (GsiRoute.pic(12, 12), "GSI 12 to PIC 2 pin 4"),
    ],
)
def test_a_route_in_words(route: GsiRoute, words: str) -> None:
    assert str(route) == words


def test_the_default_routes_are_the_kernels() -> None:
    assert len(default_routes()) == 24 + 16
    assert default_routes()[:2] == (GsiRoute.pic(0, 0), GsiRoute.ioapic(0, 0))


# -- eventfds and memory -----------------------------------------------------------------------------------------------


def test_an_eventfd_is_signalled_counted_and_taken() -> None:
    with Eventfd(2) as eventfd:
        eventfd.signal()
        eventfd.signal(4)
        assert (eventfd.count(), eventfd.take(), eventfd.take(), eventfd.count()) == (7, 7, 0, 0)


def test_duplicates_share_count_and_id() -> None:
    with Eventfd() as eventfd, eventfd.duplicate() as duplicate, Eventfd() as other:
        eventfd.signal()
        assert duplicate.take() == 1
        assert eventfd.id == duplicate.id != other.id
    assert (eventfd.id, eventfd.count()) == (-1, 0)


def test_guest_memory_is_gone_once_it_is_closed() -> None:
    with Memory(0x20000) as memory:
        memory.put(0x100, "Q", 2**40)
        assert memory.get(0x100, "Q") == 2**40
    with pytest.raises(EngineError, match="given back"):
        _ = memory.bytes


def test_the_ring_of_coalesced_writes_starts_empty_and_has_room(bare: Bare) -> None:
    with CoalescedRing(bare.vm, bare.vcpus[0]) as ring:
        assert ring.take() == []
        assert ring.room > 100
    ring.close()


def test_a_narrow_out_brings_no_more_than_it_wrote() -> None:
    """What a wider one before it has left in the page of KVM_RUN is none of its value."""
    with Bare("full", 1, memory=True) as bare:
        bare.run(out(0x5EE, 4, 0x11223344) + out(lib.BW_PORT_EXIT, 1, 5))
        assert bare.vcpus[0].ending().detail == 5


def test_the_memory_of_a_guest_cannot_be_made_shorter_or_longer_by_whoever_has_it() -> None:
    """Who is given it might else end us by SIGBUS."""
    with Memory() as memory:
        for size in (0, memory.size - 4096, memory.size + 4096):
            with pytest.raises(PermissionError):
                os.ftruncate(memory.fd, size)
        seals = fcntl.fcntl(memory.fd, fcntl.F_GET_SEALS)
        assert seals & fcntl.F_SEAL_SEAL
        assert not seals & fcntl.F_SEAL_WRITE
        memory.put(memory.size - 8, "Q", 7)
        assert memory.get(memory.size - 8, "Q") == 7
