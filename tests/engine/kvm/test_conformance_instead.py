"""What KVM answers to what is used instead of ioeventfd and irqfd, and to what both rest on: irqchip and routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bellwire.engine._core import lib
from bellwire.engine.kvm.coalesced import CoalescedRing, CoalescedWrite, CoalescedZone
from bellwire.engine.kvm.gsi import GSI_COUNT, broken_rule, default_routes
from bellwire.engine.kvm.irqchip import IoapicPin, interrupt
from bellwire.engine.kvm.vm import GsiRoute, Kvm
from tests.support.bare import EOI, MMIO, PORT, WAIT, Bare, answer, errno_of, out, read, store, wait_for, write

pytestmark = pytest.mark.kvm

GSI, VECTOR, OTHER = 5, 0x51, 0x61
PLACES = {"pio": PORT, "mmio": MMIO}


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare("full", vcpus=1) as machine:
        yield machine


@pytest.fixture
def guest() -> Iterator[Bare]:
    """A VM without irqchip, with a guest."""
    with Bare(vcpus=1, memory=True) as machine:
        yield machine


# -- irqchip -----------------------------------------------------------------------------------------------------------

FULL: Callable[[Bare], None] = lambda bare: bare.vm.create_irqchip()  # noqa: E731
SPLIT: Callable[[Bare], None] = lambda bare: bare.vm.enable_split_irqchip()  # noqa: E731


@pytest.mark.parametrize(
    ("irqchip", "vcpus", "ask", "expected"),
    [
        pytest.param("none", 0, FULL, "ok", id="full"),
        pytest.param("none", 0, SPLIT, "ok", id="split"),
        pytest.param("none", 1, FULL, "EINVAL", id="full after a vCPU"),
        pytest.param("none", 1, SPLIT, "EEXIST", id="split after a vCPU"),
        pytest.param("full", 0, FULL, "EEXIST", id="full twice"),
        pytest.param("full", 0, SPLIT, "EEXIST", id="split after full"),
        pytest.param("split", 0, FULL, "EEXIST", id="full after split"),
        pytest.param("split", 0, SPLIT, "EEXIST", id="split twice"),
    ],
)
def test_a_vm_gets_one_irqchip_before_its_vcpus(
    irqchip: str, vcpus: int, ask: Callable[[Bare], None], expected: str
) -> None:
    with Bare(irqchip, vcpus) as bare:
        assert answer(lambda: ask(bare)) == expected


@pytest.mark.parametrize(("pins", "expected"), [(0, "ok"), (24, "ok"), (4096, "ok"), (4097, "EINVAL")])
def test_a_split_irqchip_leaves_so_many_gsis_to_user_space(pins: int, expected: str) -> None:
    with Bare() as bare:
        assert answer(lambda: bare.vm.enable_split_irqchip(pins)) == expected


@pytest.mark.parametrize(
    "name", ["IRQCHIP", "IRQFD", "IRQFD_RESAMPLE", "SPLIT_IRQCHIP", "SIGNAL_MSI", "COALESCED_PIO", "IRQ_ROUTING"]
)
def test_the_capability_is_there(name: str) -> None:
    with Kvm() as kvm:
        assert kvm.check_extension(getattr(lib, f"KVM_CAP_{name}")) >= 1


# -- routes ------------------------------------------------------------------------------------------------------------

MSI, IOAPIC, PIC = GsiRoute.msi(GSI, VECTOR), GsiRoute.ioapic(GSI, GSI), GsiRoute.pic(GSI, GSI)


@pytest.mark.parametrize(
    ("irqchip", "routes", "expected"),
    [
        pytest.param("none", [], "EINVAL", id="no irqchip, no route"),
        pytest.param("none", [MSI], "EINVAL", id="no irqchip"),
        pytest.param("split", [MSI], "ok", id="split: a message"),
        pytest.param("split", [IOAPIC], "EINVAL", id="split: a pin of the IOAPIC"),
        pytest.param("split", [PIC], "EINVAL", id="split: a pin of a PIC"),
        pytest.param("full", [], "ok", id="none at all"),
        pytest.param("full", default_routes(), "ok", id="the default ones"),
        pytest.param("full", [GsiRoute.msi(4095, VECTOR)], "ok", id="GSI 4095"),
        pytest.param("full", [GsiRoute.msi(4096, VECTOR)], "EINVAL", id="GSI 4096"),
        pytest.param("full", [GsiRoute.msi(gsi, VECTOR) for gsi in range(GSI_COUNT)], "ok", id="4096 routes"),
        pytest.param("full", [GsiRoute.msi(0, VECTOR)] * (GSI_COUNT + 1), "EINVAL", id="4097 routes"),
        pytest.param("full", [MSI, GsiRoute.msi(GSI, OTHER)], "EINVAL", id="two messages on a GSI"),
        pytest.param("full", [MSI, IOAPIC], "EINVAL", id="a message and a pin on a GSI"),
        pytest.param("full", [IOAPIC, MSI], "EINVAL", id="a pin and a message on a GSI"),
        pytest.param("full", [IOAPIC, GsiRoute.ioapic(GSI, 6)], "EINVAL", id="two pins of the IOAPIC on a GSI"),
        pytest.param("full", [PIC, IOAPIC], "ok", id="PIC and IOAPIC on a GSI"),
        pytest.param("full", [GsiRoute.pic(GSI, 1), GsiRoute.pic(GSI, 9), IOAPIC], "ok", id="all three chips on a GSI"),
        pytest.param("full", [IOAPIC, GsiRoute.ioapic(GSI + 1, GSI)], "ok", id="two GSIs to one pin"),
        pytest.param("full", [GsiRoute.ioapic(GSI, 23)], "ok", id="IOAPIC pin 23"),
        pytest.param("full", [GsiRoute.ioapic(GSI, 24)], "EINVAL", id="IOAPIC pin 24"),
        pytest.param("full", [GsiRoute.pic(GSI, 15)], "ok", id="PIC 2 pin 7"),
        pytest.param("full", [GsiRoute.pic(GSI, 16)], "EINVAL", id="PIC 2 pin 8"),
        pytest.param("full", [GsiRoute(GSI, 99)], "EINVAL", id="an unknown type"),
    ],
)
def test_a_table_of_routes(irqchip: str, routes: list[GsiRoute], expected: str) -> None:
    with Bare(irqchip) as bare:
        assert answer(lambda: bare.route(*routes)) == expected
        assert bool(broken_rule(routes, irqchip)) == (expected == "EINVAL"), "the message must know the rule too"


def test_a_table_replaces_the_one_before_whole(bare: Bare) -> None:
    IoapicPin(VECTOR).put(bare.vm, 10)
    assert bare.vm.irq_line(10, 1) == 2, "PIC and IOAPIC each took it"
    bare.vm.irq_line(10, 0)
    bare.route(MSI)
    assert bare.vm.irq_line(10, 1) == -1


def test_a_refused_table_changes_nothing(bare: Bare) -> None:
    bare.route(MSI)
    assert answer(lambda: bare.route(GsiRoute.msi(GSI, OTHER), IOAPIC)) == "EINVAL"
    assert bare.vm.routes == (MSI,)
    assert bare.vm.irq_line(GSI, 1) == 1
    assert bare.irr() == {VECTOR}


# -- KVM_IRQ_LINE ------------------------------------------------------------------------------------------------------


def edge(bare: Bare) -> None:
    IoapicPin(VECTOR).put(bare.vm, GSI)
    bare.route(IOAPIC)


def level(bare: Bare) -> None:
    IoapicPin(VECTOR, level=True).put(bare.vm, GSI)
    bare.route(IOAPIC)


def masked(bare: Bare) -> None:
    IoapicPin(VECTOR, masked=True).put(bare.vm, GSI)
    bare.route(IOAPIC)


def message(bare: Bare) -> None:
    bare.route(MSI)


def nowhere(bare: Bare) -> None:
    bare.route()


@pytest.mark.parametrize(
    ("setup", "levels", "statuses", "arrived"),
    [
        pytest.param(edge, [1], [1], True, id="edge: rises"),
        pytest.param(edge, [0], [1], False, id="edge: was low and stays low"),
        pytest.param(edge, [1, 1], [1, 0], True, id="edge: stays high, no second edge"),
        pytest.param(edge, [1, 0, 1], [1, 1, 1], True, id="edge: rises again"),
        pytest.param(level, [1], [1], True, id="level: high"),
        pytest.param(level, [1, 1], [1, -1], True, id="level: high again, waits for EOI"),
        pytest.param(level, [1, 0], [1, 1], True, id="level: low again, the interrupt waits all the same"),
        pytest.param(masked, [1], [-1], False, id="masked"),
        pytest.param(message, [1], [1], True, id="message: rises"),
        pytest.param(message, [0], [-1], False, id="message: falls"),
        pytest.param(message, [1, 1], [1, 1], True, id="message: twice, each sends one"),
        pytest.param(nowhere, [1], [-1], False, id="no route"),
    ],
)
def test_irq_line(
    bare: Bare, setup: Callable[[Bare], None], levels: list[int], statuses: list[int], arrived: bool
) -> None:
    setup(bare)
    assert [bare.vm.irq_line(GSI, level) for level in levels] == statuses
    assert bare.irr() == ({VECTOR} if arrived else set())


def test_irq_line_without_irqchip_is_enxio() -> None:
    with Bare() as bare:
        assert answer(lambda: bare.vm.irq_line(GSI, 1)) == "ENXIO"


def test_irq_line_of_a_split_irqchip_follows_routes_to_messages() -> None:
    with Bare("split", vcpus=1) as bare:
        assert bare.vm.irq_line(GSI, 1) == -1
        bare.route(MSI)
        assert bare.vm.irq_line(GSI, 1) == 1
        assert bare.irr() == {VECTOR}


def test_a_level_that_stays_raises_the_interrupt_again_after_eoi() -> None:
    with Bare("full", vcpus=1, memory=True) as guest:
        level(guest)
        guest.vm.irq_line(GSI, 1)
        guest.run(WAIT, handler=EOI, vector=VECTOR)
        wait_for(lambda: guest.irr() == {VECTOR})


# -- KVM_SIGNAL_MSI ----------------------------------------------------------------------------------------------------


def test_signal_msi_without_irqchip_is_einval() -> None:
    with Bare() as bare:
        assert answer(lambda: bare.vm.signal_msi(MSI)) == "EINVAL"


@pytest.mark.parametrize("irqchip", ["split", "full"])
@pytest.mark.parametrize(
    ("apic", "taken"),
    [pytest.param(0, 1, id="to one"), pytest.param(7, 0, id="to nobody"), pytest.param(0xFF, 2, id="to all of two")],
)
def test_signal_msi_returns_how_many_took_it(irqchip: str, apic: int, taken: int) -> None:
    with Bare(irqchip, vcpus=2) as bare:
        assert bare.vm.signal_msi(GsiRoute.msi(0, VECTOR, apic)) == taken
        assert [bare.irr(0), bare.irr(1)].count({VECTOR}) == taken


def test_signal_msi_counts_one_that_waits_already(bare: Bare) -> None:
    assert [bare.vm.signal_msi(MSI) for _ in range(3)] == [1, 1, 1]


def test_signal_msi_needs_no_route(bare: Bare) -> None:
    bare.route()
    assert bare.vm.signal_msi(MSI) == 1


def test_signal_msi_to_a_local_apic_that_is_off() -> None:
    with Bare("full", vcpus=1, enable=False) as bare:
        assert (bare.vm.signal_msi(MSI), bare.irr()) == (0, set())


# -- KVM_INTERRUPT and HLT ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("irqchip", "vectors", "expected"),
    [
        pytest.param("none", [VECTOR], ["ok"], id="no irqchip"),
        pytest.param("none", [VECTOR, OTHER], ["ok", "ok"], id="no irqchip: the second replaces the first"),
        pytest.param("none", [255, 256], ["ok", "EINVAL"], id="no irqchip: vectors end at 255"),
        pytest.param("split", [VECTOR, OTHER], ["ok", "EEXIST"], id="split: one at a time"),
        pytest.param("full", [VECTOR], ["ENXIO"], id="full"),
    ],
)
def test_kvm_interrupt(irqchip: str, vectors: list[int], expected: list[str]) -> None:
    with Bare(irqchip, vcpus=1) as bare:
        found = [answer(lambda vector=vector: interrupt(bare.vcpus[0], vector)) for vector in vectors]  # type: ignore[misc]
        assert found == expected


def test_without_irqchip_hlt_leaves_to_user_space(guest: Bare) -> None:
    guest.load(b"\xf4")
    guest.vcpus[0].start()
    wait_for(lambda: guest.vcpus[0].ended)
    assert guest.vcpus[0].exits() == {"HLT": 1}


def test_with_an_irqchip_hlt_waits_in_the_kernel() -> None:
    with Bare("full", vcpus=1, memory=True) as bare:
        bare.load(WAIT, EOI, VECTOR)
        bare.vcpus[0].start()
        bare.vm.signal_msi(MSI)
        outcome = bare.finish()
        assert (outcome.pio, outcome.others) == (0, {})


# -- exits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bus", ["pio", "mmio"])
@pytest.mark.parametrize("access", [read, write], ids=["read", "write"])
def test_without_any_registration_each_access_leaves(
    guest: Bare, bus: str, access: Callable[[str, int, int], bytes]
) -> None:
    outcome = guest.run(access(bus, PLACES[bus], 4) * 3)
    assert (outcome.pio, outcome.mmio) == ((3, 0) if bus == "pio" else (0, 3))


# -- coalesced writes --------------------------------------------------------------------------------------------------


@pytest.fixture
def ring(guest: Bare) -> Iterator[CoalescedRing]:
    with CoalescedRing(guest.vm, guest.vcpus[0]) as found:
        yield found


def zone(bare: Bare, bus: str, size: int = 16) -> CoalescedZone:
    return bare.own(CoalescedZone(bare.vm, PLACES[bus], size, pio=bus == "pio"))


@pytest.mark.parametrize("kind", [2, 3, 0xFFFFFFFF])
def test_a_zone_is_pio_or_mmio(guest: Bare, kind: int) -> None:
    assert errno_of(lib.bw_coalesced_zone(guest.vm.fd, MMIO, 16, kind, 1)) == "EINVAL"


def test_unregistering_a_zone_that_never_was_is_no_error(guest: Bare) -> None:
    assert errno_of(lib.bw_coalesced_zone(guest.vm.fd, MMIO, 16, 0, 0)) == "ok"


def test_the_same_zone_twice_is_no_error(guest: Bare) -> None:
    zone(guest, "mmio")
    assert answer(lambda: zone(guest, "mmio")) == "ok"


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_writes_to_a_zone_wait_in_the_ring_in_their_order(guest: Bare, ring: CoalescedRing, bus: str) -> None:
    at = PLACES[bus]
    zone(guest, bus)
    outcome = guest.run(write(bus, at, 1, 0x11) + write(bus, at + 4, 4, 0x22222222) + write(bus, at + 14, 2, 0x3333))
    assert (outcome.pio, outcome.mmio) == (0, 0)
    expected = [(at, 0x11, 1), (at + 4, 0x22222222, 4), (at + 14, 0x3333, 2)]
    assert ring.take() == [CoalescedWrite(address, value, length, bus == "pio") for address, value, length in expected]
    assert ring.take() == []


@pytest.mark.parametrize("bus", ["pio", "mmio"])
@pytest.mark.parametrize(
    ("offset", "size"), [(-1, 1), (16, 1), (15, 2), (-1, 2)], ids=["before", "behind", "over its end", "over its start"]
)
def test_a_write_that_is_not_wholly_inside_leaves(
    guest: Bare, ring: CoalescedRing, bus: str, offset: int, size: int
) -> None:
    zone(guest, bus)
    outcome = guest.run(write(bus, PLACES[bus] + offset, size))
    assert outcome.pio + outcome.mmio == 1
    assert ring.take() == []


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_reads_of_a_zone_leave(guest: Bare, ring: CoalescedRing, bus: str) -> None:
    zone(guest, bus)
    outcome = guest.run(read(bus, PLACES[bus], 4))
    assert outcome.pio + outcome.mmio == 1
    assert ring.take() == []


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_a_zone_of_one_bus_is_none_of_the_other(guest: Bare, bus: str) -> None:
    guest.own(CoalescedZone(guest.vm, PLACES[bus], 16, pio=bus == "mmio"))
    outcome = guest.run(write(bus, PLACES[bus], 2))
    assert outcome.pio + outcome.mmio == 1


@pytest.mark.parametrize("bus", ["pio", "mmio"])
def test_what_finds_the_ring_full_leaves(guest: Bare, ring: CoalescedRing, bus: str) -> None:
    zone(guest, bus)
    outcome = guest.run(write(bus, PLACES[bus], 4) * (ring.room + 2))
    assert outcome.pio + outcome.mmio == 2
    assert len(ring.take()) == ring.room


def test_the_ring_goes_round() -> None:
    """Two vCPUs write one after the other, the second across the ring's end."""
    with Bare(vcpus=2, memory=True) as bare, CoalescedRing(bare.vm, bare.vcpus[0]) as ring:
        zone(bare, "pio")
        for vcpu in (0, 1):
            values = [1000 * vcpu + number for number in range(ring.room - 20)]
            outcome = bare.run(b"".join(out(PORT, 4, value) for value in values), vcpu=vcpu)
            assert (outcome.pio, [taken.value for taken in ring.take()]) == (0, values)


def test_each_vm_has_its_own_ring(guest: Bare, ring: CoalescedRing) -> None:
    with Bare(vcpus=1, memory=True, kvm=guest.kvm) as other:
        zone(other, "pio")
        assert other.run(out(PORT, 4)).pio == 0
    assert ring.take() == []


def test_all_vcpus_show_the_one_ring() -> None:
    with Bare(vcpus=2, memory=True) as bare, CoalescedRing(bare.vm, bare.vcpus[1]) as ring:
        zone(bare, "pio")
        bare.run(out(PORT, 4, 7))
        assert ring.take() == [CoalescedWrite(PORT, 7, 4, True)]


def test_writes_to_an_unregistered_zone_leave(guest: Bare, ring: CoalescedRing) -> None:
    zone(guest, "mmio").close()
    assert guest.run(store(MMIO, 4)).mmio == 1
    assert ring.take() == []
