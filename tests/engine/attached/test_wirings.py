"""What is registered at each moment: each change when it was asked for, and looks where nobody tells of one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bellwire.engine._core import lib
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, Topology
from bellwire.engine.attached.wirings import TOOK_NS, Wirings
from bellwire.engine.events import Records
from bellwire.engine.kernel.records import no_records
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch
from tests.support.kernel_records import CLOCK, READER, K, Row, records, row, store
from tests.support.seen_vmms import SEEN, VM, VMM

FIRST = 1000
NEW = SeenIoeventfd(IoMatch("pio", 0x600, 2), 75)
WIDER = SeenIoeventfd(IoMatch("mmio", 0xFE004000, 0), 76, fast=True)
PIO, DEASSIGN = lib.KVM_IOEVENTFD_FLAG_PIO, lib.KVM_IOEVENTFD_FLAG_DEASSIGN


def how(flags: int, length: int = 0, took: int = 1, process: int = VMM.pid) -> int:
    """As record.h says."""
    return length | flags << 8 | took << 16 | process << 32


def asked(tsc: int, kind: K, a: int, b: int, c: int, eventfd: int = 0, vm: int = 11) -> Row:
    """A call that KVM has done."""
    return row(tsc, kind, READER, a, b, c, eventfd | vm << 32)


def new_one(tsc: int, flags: int = PIO, **more: int) -> Row:
    """NEW is registered, or taken away."""
    return asked(tsc, K.IOEVENTFD, 0x600, 0, how(flags, 2, **more), 75)


def wired(ioeventfds: tuple[SeenIoeventfd, ...]) -> Topology:
    """SEEN with these."""
    return replace(SEEN, vms=(replace(VM, ioeventfds=ioeventfds),))


def begun() -> Wirings:
    """SEEN, from FIRST on."""
    return Wirings(CLOCK, SEEN, FIRST)


def told(wirings: Wirings, some: Records, complete: int) -> list[tuple[int, tuple[SeenIoeventfd, ...], list[int]]]:
    """Of each part since when, which doorbells, and when its records were."""
    return [
        (part.since, part.topology.vms[0].ioeventfds, part.records["tsc"].tolist())
        for part in wirings.parts(some, complete)
    ]


def test_what_is_registered_splits_the_records_and_is_none_of_them() -> None:
    some = records(store(1100), new_one(1200), store(1201), new_one(1300, PIO | DEASSIGN), store(1400))
    with_it = (*VM.ioeventfds, NEW)
    assert told(begun(), some, 1500) == [
        (0, VM.ioeventfds, [1100]),
        (1200, with_it, [1201]),
        (1300, VM.ioeventfds, [1400]),
    ]


def test_of_any_length_it_is_on_the_fast_bus_as_well_and_a_value_matters_if_it_is_said() -> None:
    wide = asked(1100, K.IOEVENTFD, 0xFE004000, 5, how(0), 76)
    narrow = asked(1200, K.IOEVENTFD, 0x600, 5, how(PIO | lib.KVM_IOEVENTFD_FLAG_DATAMATCH, 2), 75)
    wirings = begun()
    wirings.parts(records(wide, narrow), 1500)
    assert wirings.topology.vms[0].ioeventfds[-2:] == (WIDER, replace(NEW, match=IoMatch("pio", 0x600, 2, 5)))


def test_irqfds_come_and_go_with_their_resamplefds() -> None:
    wirings = begun()
    gone = asked(1100, K.IRQFD, 5, 0, how(lib.KVM_IRQFD_FLAG_DEASSIGN), 73)
    plain, resampled = (
        asked(1200, K.IRQFD, 3, 9, how(0), 90),
        asked(1300, K.IRQFD, 5, 9, how(lib.KVM_IRQFD_FLAG_RESAMPLE), 91),
    )
    wirings.parts(records(gone, plain, resampled), 1500)
    assert wirings.topology.vms[0].irqfds == (VM.irqfds[0], SeenIrqfd(90, 3), SeenIrqfd(91, 5, 9))


def test_routes_are_replaced_as_a_whole_and_in_the_order_in_which_kvm_has_them() -> None:
    wirings = begun()
    pins = [row(1100, K.ROUTE, READER, 5 | 1 << 32, chip, 5) for chip in (0, 2)]
    message = row(1100, K.ROUTE, READER, 2 | 2 << 32, 0xFEE01000, 0x41)
    wirings.parts(records(asked(1100, K.ROUTES, 3, 0, how(0)), *pins, message), 1500)
    routes = (GsiRoute.msi(2, 0x41, apic=1), GsiRoute.ioapic(5, 5), GsiRoute.pic(5, 5))
    assert wirings.topology.vms[0].routes == routes


def test_a_table_of_which_a_part_is_lost_is_left_to_the_next_look() -> None:
    wirings = begun()
    message = row(1100, K.ROUTE, READER, 2 | 2 << 32, 0xFEE01000, 0x41)
    (part,) = wirings.parts(records(asked(1100, K.ROUTES, 2, 0, how(0)), message), 1500)
    assert (part.since, part.topology, part.records.size) == (0, SEEN, 0)


@pytest.mark.parametrize("more", [{"process": VMM.pid + 1}, {}])
def test_what_another_process_or_another_vm_gets_is_not_ours(more: dict[str, int]) -> None:
    one = new_one(1100, **more) if more else asked(1100, K.IOEVENTFD, 0x600, 0, how(PIO, 2), 75, vm=12)
    wirings = begun()
    wirings.parts(records(one), 1500)
    assert wirings.topology == SEEN


def test_a_look_holds_once_everything_before_it_is_there() -> None:
    wirings = begun()
    wirings.look(wired((NEW,)), 1200, 1250)
    assert told(wirings, records(store(1100)), 1249) == [(0, VM.ioeventfds, [1100])]
    assert told(wirings, records(store(1249), store(1260)), 1270) == [
        (0, VM.ioeventfds, [1249]),
        (1250, (NEW,), [1260]),
    ]


def test_a_look_that_has_not_seen_what_was_registered_meanwhile_does_not_undo_it() -> None:
    for asked_at in (1190, 1250):  # it took until 1206, or began before the look was over
        wirings = begun()
        wirings.look(SEEN, 1200 if asked_at == 1250 else asked_at + TOOK_NS, 20_000)
        assert told(wirings, records(new_one(asked_at)), 30_000)[-1] == (asked_at, (*VM.ioeventfds, NEW), [])
        wirings.look(SEEN, 40_000, 50_000)
        assert told(wirings, no_records(), 60_000)[-1] == (50_000, VM.ioeventfds, [])


def test_who_runs_a_vcpu_is_known_from_what_has_come_on_though_a_later_look_has_found_it() -> None:
    wirings = begun()
    wirings.parts(no_records(), 1500)
    vcpus = (replace(VM.vcpus[0], tid=34),)
    wirings.look(replace(SEEN, vms=(replace(VM, vcpus=vcpus, ioeventfds=(NEW,)),)), 1900, 2000)
    (part,) = wirings.parts(records(store(1600)), 1700)
    assert (part.since, part.topology.vms[0].vcpus, part.topology.vms[0].ioeventfds) == (1500, vcpus, VM.ioeventfds)
