"""Records of bw-kernel become the parts of a topology; what they can say that no machine of ours does."""

from __future__ import annotations

import re
from pathlib import Path

from bellwire.engine import kernel
from bellwire.engine._core import lib
from bellwire.engine.attached.records import (
    HEAD,
    NO_EVENTFD,
    RECORD,
    UNTOLD,
    LookTaken,
    SeenKind,
    counts_told,
    eventfds_told,
    hits_told,
    look_taken,
    route_told,
    vms_told,
)
from bellwire.engine.attached.topology import SeenHits, SeenIoeventfd, SeenIrqfd, SeenVcpu
from bellwire.engine.events import STATS
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch

SOURCES = Path(kernel.__file__).parent


def record(kind: SeenKind, *value: int, vm: int = 1, fd: int = 0) -> bytes:
    """One, as it is written."""
    return RECORD.pack(kind, fd, vm, *value, *[0] * (6 - len(value)))


def taken(*records: bytes, settled: int = 1, dropped: int = 0, untold: int = 0) -> LookTaken:
    """A look of these."""
    return look_taken(HEAD.pack(len(records), settled, dropped, untold), b"".join(records))


def test_the_layout_is_that_of_the_header() -> None:
    header = (SOURCES / "topology.h").read_text()
    names = re.findall(r"^ +BW_SEEN_(\w+)", header, re.MULTILINE)
    assert names == [kind.name for kind in SeenKind]
    assert list(SeenKind) == list(range(1, len(names) + 1))
    counters = (SOURCES / "topology.c").read_text().partition("COUNTERS[BW_COUNTERS] = {")[2].partition("}")[0]
    assert tuple(re.findall(r'"(\w+)"', counters)) == STATS


def test_a_doorbell_on_two_buses_is_one_and_two_are_two(tmp_path: Path) -> None:
    mmio = record(SeenKind.IOEVENTFD, 0, 0x1000, 0, 0, 1, 7)
    fast = record(SeenKind.IOEVENTFD, 3, 0x1000, 0, 0, 1, 7)
    pio = record(SeenKind.IOEVENTFD, 1, 0x510, 2, 9, 0, 8)
    (vm,) = vms_told(taken(record(SeenKind.VM, 1, fd=4), mmio, fast, pio).records, tmp_path)
    assert (vm.fd, vm.irqchip) == (4, "full")
    assert vm.ioeventfds == (
        SeenIoeventfd(IoMatch("mmio", 0x1000, 0), 7, fast=True),
        SeenIoeventfd(IoMatch("pio", 0x510, 2, 9), 8),
    )
    (alone,) = vms_told(taken(record(SeenKind.VM, 1, fd=4), fast).records, tmp_path)
    assert alone.ioeventfds == (SeenIoeventfd(IoMatch("mmio", 0x1000, 0), 7, fast=True),)


def test_an_irqfd_may_have_a_resamplefd_and_leads_where_its_gsi_does(tmp_path: Path) -> None:
    told = taken(
        record(SeenKind.VM, 2),
        record(SeenKind.IRQFD, 5, 70, NO_EVENTFD),
        record(SeenKind.IRQFD, 6, 71, 72),
        record(SeenKind.ROUTE, 5, 2, 0xFEE01000, 0x41),
        record(SeenKind.ROUTE, 9, 1, 1, 9),
        record(SeenKind.ROUTE, 9, 1, 2, 9),
    )
    (vm,) = vms_told(told.records, tmp_path)
    assert vm.irqfds == (SeenIrqfd(70, 5), SeenIrqfd(71, 6, 72))
    assert vm.leads_to(5) == (GsiRoute.msi(5, 0x41, 1),)
    assert vm.leads_to(9) == (GsiRoute(9, lib.BW_ROUTE_PIC_SLAVE, pin=1), GsiRoute.ioapic(9, 9))
    assert vm.leads_to(6) == ()
    assert (vm.irqchip, vm.eventfds) == ("split", {70, 71, 72})


def test_a_vcpu_whose_vm_has_no_file_any_more_is_seen(tmp_path: Path) -> None:
    (tmp_path / "33").mkdir()
    (tmp_path / "33/comm").write_text("CPU 1/KVM\n")
    told = taken(
        record(SeenKind.VCPU, 1, 33), record(SeenKind.COUNTER, 1, 0, 500), record(SeenKind.VCPU, 2, 0),
        record(SeenKind.COUNTER, 9, 0, 1), record(SeenKind.COUNTER, 1, len(STATS), 1),
    )  # fmt: skip
    (vm,) = vms_told(told.records, tmp_path)
    assert (vm.fd, vm.vcpus) == (None, (SeenVcpu(1, 33, "CPU 1/KVM"), SeenVcpu(2, None)))
    assert (vm.vcpus[0].counters, vm.vcpus[1].counters) == ({STATS[0]: 500}, {})


def test_what_a_kernel_does_not_tell_is_named() -> None:
    assert taken(untold=1 << SeenKind.IRQFD | 1 << SeenKind.ROUTE, settled=0, dropped=3) == LookTaken(
        False, 3, ("irqfds", "routes"), []
    )
    assert taken(untold=sum(1 << kind for kind in UNTOLD)).untold == tuple(UNTOLD.values())


def test_a_target_of_another_kind_is_none_that_is_known() -> None:
    assert "unknown" in route_told(3, 5, 0, 0).target


def test_eventfds_have_all_their_fds() -> None:
    eventfds = [record(SeenKind.EVENTFD, number, vm=0, fd=fd) for number, fd in ((7, 3), (8, 4), (7, 9))]
    assert eventfds_told(taken(*eventfds).records) == {7: (3, 9), 8: (4,)}


def test_uses_are_told_by_place() -> None:
    hits = [record(SeenKind.HIT, 0x510, 2, 9, 40, vm=0, fd=1), record(SeenKind.HIT, 0, 0, 0, 1, vm=0, fd=9)]
    assert hits_told(taken(*hits).records) == (SeenHits("pio", 0x510, 2, 9, 40),)


def test_a_count_is_known_where_the_kernel_tells_it() -> None:
    known, not_known = record(SeenKind.EVENTFD, 7, 3, 1, vm=0), record(SeenKind.EVENTFD, 8, 0, 0, vm=0)
    assert counts_told(taken(known, not_known).records) == {7: 3}
