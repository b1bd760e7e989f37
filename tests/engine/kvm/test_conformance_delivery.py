"""Where a signal of an irqfd goes: messages, routes that change, pins, resampling, and from guest to guest.

Where no guest is needed, a local APIC that is switched on shows in its IRR what has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vm import GsiRoute
from tests.support.bare import BACKEND, EOI, PORT, WAIT, Bare, out, wait_for

pytestmark = pytest.mark.kvm

GSI, VECTOR, OTHER = 5, 0x51, 0x61


@pytest.fixture
def bare() -> Iterator[Bare]:
    """A VM whose only route leads from GSI to a message."""
    with Bare("full", vcpus=1) as machine:
        machine.route(GsiRoute.msi(GSI, VECTOR))
        yield machine


@pytest.fixture
def guest() -> Iterator[Bare]:
    """A VM whose guest can wait for one interrupt and end."""
    with Bare("full", vcpus=1, memory=True) as machine:
        yield machine


def irqfd(bare: Bare, gsi: int = GSI, eventfd: Eventfd | None = None, resamplefd: Eventfd | None = None) -> Irqfd:
    return bare.own(Irqfd(bare.vm, eventfd or bare.eventfd(), gsi, resamplefd))


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", [0x10, 0xFF])
def test_a_vector_from_16_on_waits_to_be_taken(bare: Bare, vector: int) -> None:
    bare.route(GsiRoute.msi(GSI, vector))
    irqfd(bare).eventfd.signal()
    assert bare.irr() == {vector}


def test_a_vector_below_16_waits_for_ever(guest: Bare) -> None:
    """Its priority is never above the processor's. It has no handler here: taken, it would end in a triple fault."""
    guest.route(GsiRoute.msi(GSI, 0x0F), GsiRoute.msi(GSI + 1, VECTOR))
    low, high = irqfd(guest, GSI).eventfd, irqfd(guest, GSI + 1).eventfd
    low.signal()
    high.signal()
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    assert guest.irr() == {0x0F}


def test_a_local_apic_that_is_off_gets_nothing() -> None:
    with Bare("full", vcpus=1, enable=False) as bare:
        bare.route(GsiRoute.msi(GSI, VECTOR))
        eventfd = irqfd(bare).eventfd
        eventfd.signal()
        assert (bare.irr(), eventfd.count()) == (set(), 0)


def test_a_message_to_nobody_is_taken_and_lost(bare: Bare) -> None:
    bare.route(GsiRoute.msi(GSI, VECTOR, apic=7))
    eventfd = irqfd(bare).eventfd
    eventfd.signal()
    assert (bare.irr(), eventfd.count()) == (set(), 0)


@pytest.mark.parametrize("apic", [0, 1])
def test_a_message_reaches_the_vcpu_that_it_names(apic: int) -> None:
    with Bare("full", vcpus=2) as bare:
        bare.route(GsiRoute.msi(GSI, VECTOR, apic))
        irqfd(bare).eventfd.signal()
        assert (bare.irr(apic), bare.irr(1 - apic)) == ({VECTOR}, set())


def test_a_message_to_all_reaches_all() -> None:
    with Bare("full", vcpus=2) as bare:
        bare.route(GsiRoute.msi(GSI, VECTOR, apic=0xFF))
        irqfd(bare).eventfd.signal()
        wait_for(lambda: bare.irr(0) == bare.irr(1) == {VECTOR})


def test_a_split_irqchip_delivers_messages() -> None:
    with Bare("split", vcpus=1) as bare:
        bare.route(GsiRoute.msi(GSI, VECTOR))
        irqfd(bare).eventfd.signal()
        assert bare.irr() == {VECTOR}


# -- routes that change ------------------------------------------------------------------------------------------------


def test_a_route_may_come_after_its_irqfd(bare: Bare) -> None:
    bare.route()
    eventfd = irqfd(bare).eventfd
    bare.route(GsiRoute.msi(GSI, VECTOR))
    eventfd.signal()
    assert bare.irr() == {VECTOR}


def test_another_vector_holds_from_the_next_signal_on(bare: Bare) -> None:
    eventfd = irqfd(bare).eventfd
    eventfd.signal()
    bare.route(GsiRoute.msi(GSI, OTHER))
    eventfd.signal()
    assert bare.irr() == {VECTOR, OTHER}


def test_without_its_route_an_irqfd_does_nothing(bare: Bare) -> None:
    eventfd = irqfd(bare).eventfd
    bare.route()
    eventfd.signal()
    assert (bare.irr(), eventfd.count()) == (set(), 0)


def test_from_a_message_to_a_pin(bare: Bare) -> None:
    eventfd = irqfd(bare).eventfd
    IoapicPin(OTHER).put(bare.vm, 9)
    bare.route(GsiRoute.ioapic(GSI, 9))
    eventfd.signal()
    wait_for(lambda: bare.irr() == {OTHER})


# -- pins --------------------------------------------------------------------------------------------------------------


def pin(bare: Bare, number: int = GSI, *, vector: int = VECTOR, level: bool = False, masked: bool = False) -> None:
    """Programs a pin of the IOAPIC and leads the GSI of its number there."""
    IoapicPin(vector, level, masked).put(bare.vm, number)
    bare.route(GsiRoute.ioapic(number, number))


def state(bare: Bare) -> tuple[bool, bool]:
    """(line high or edge waiting, Remote-IRR) of the pin."""
    found = IoapicPin.of(bare.vm, GSI)
    return found.waits, found.remote_irr


def test_what_is_put_in_a_pin_is_found_there(bare: Bare) -> None:
    wanted = IoapicPin(VECTOR, level=True, masked=True, destination=3)
    wanted.put(bare.vm, 7)
    assert IoapicPin.of(bare.vm, 7) == wanted


@pytest.mark.parametrize("level", [False, True], ids=["edge", "level"])
def test_a_signal_is_a_pulse_of_the_pin(bare: Bare, level: bool) -> None:
    pin(bare, level=level)
    irqfd(bare).eventfd.signal()
    wait_for(lambda: bare.irr() == {VECTOR})
    wait_for(lambda: state(bare) == (False, level))


def test_the_default_routes_lead_to_the_ioapic(bare: Bare) -> None:
    with Bare("full", vcpus=1) as fresh:
        IoapicPin(VECTOR).put(fresh.vm, 10)
        irqfd(fresh, 10).eventfd.signal()
        wait_for(lambda: fresh.irr() == {VECTOR})


def test_an_edge_on_a_masked_pin_is_lost(bare: Bare) -> None:
    """Another pin's edge comes after it and shows that it is over; then the mask is taken away."""
    IoapicPin(VECTOR, masked=True).put(bare.vm, GSI)
    IoapicPin(OTHER).put(bare.vm, 9)
    bare.route(GsiRoute.ioapic(GSI, GSI), GsiRoute.ioapic(9, 9))
    masked, sentinel = irqfd(bare, GSI).eventfd, irqfd(bare, 9).eventfd
    masked.signal()
    wait_for(lambda: masked.count() == 0)
    sentinel.signal()
    wait_for(lambda: bare.irr() == {OTHER})
    IoapicPin(VECTOR).put(bare.vm, GSI)
    assert bare.irr() == {OTHER}


def test_a_signal_ends_the_level_that_irq_line_holds(bare: Bare) -> None:
    pin(bare, level=True)
    eventfd = irqfd(bare).eventfd
    bare.vm.irq_line(GSI, 1)
    assert state(bare) == (True, True)
    eventfd.signal()
    wait_for(lambda: state(bare) == (False, True))


# -- resample ----------------------------------------------------------------------------------------------------------


def test_with_resample_the_line_stays_high(bare: Bare) -> None:
    pin(bare, level=True)
    eventfd, resamplefd = bare.eventfd(), bare.eventfd()
    bare.own(Irqfd.with_resample(bare.vm, eventfd, GSI, resamplefd))
    eventfd.signal()
    wait_for(lambda: bare.irr() == {VECTOR})
    assert (state(bare), resamplefd.count()) == ((True, True), 0)


def test_deassign_lowers_the_line(bare: Bare) -> None:
    pin(bare, level=True)
    eventfd = bare.eventfd()
    wire = irqfd(bare, GSI, eventfd, bare.eventfd())
    eventfd.signal()
    wait_for(lambda: state(bare) == (True, True))
    wire.close()
    wait_for(lambda: state(bare) == (False, True))


@pytest.mark.parametrize("level", [True, False], ids=["level", "edge"])
def test_eoi_lowers_the_line_and_signals_the_resamplefd(guest: Bare, level: bool) -> None:
    pin(guest, level=level)
    eventfd, resamplefd = guest.eventfd(), guest.eventfd()
    irqfd(guest, GSI, eventfd, resamplefd)
    eventfd.signal()
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    wait_for(lambda: resamplefd.count() == 1)
    assert state(guest) == (False, False)


def test_eoi_signals_every_resamplefd_of_the_gsi(guest: Bare) -> None:
    pin(guest, level=True)
    eventfds, resamplefds = [guest.eventfd(), guest.eventfd()], [guest.eventfd(), guest.eventfd()]
    for eventfd, resamplefd in zip(eventfds, resamplefds, strict=True):
        irqfd(guest, GSI, eventfd, resamplefd)
    eventfds[0].signal()
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    wait_for(lambda: [resamplefd.count() for resamplefd in resamplefds] == [1, 1])


def test_without_eoi_no_resample_but_kvm_pvm_ends_the_interrupt_itself(guest: Bare) -> None:
    pin(guest, level=True)
    eventfd, resamplefd = guest.eventfd(), guest.eventfd()
    irqfd(guest, GSI, eventfd, resamplefd)
    eventfd.signal()
    guest.run(WAIT, handler=b"", vector=VECTOR)
    ends_itself = BACKEND == "kvm_pvm"
    wait_for(lambda: resamplefd.count() == int(ends_itself))
    assert state(guest) == ((False, False) if ends_itself else (True, True))


def test_a_message_is_never_resampled(guest: Bare) -> None:
    guest.route(GsiRoute.msi(GSI, VECTOR))
    eventfd, resamplefd = guest.eventfd(), guest.eventfd()
    irqfd(guest, GSI, eventfd, resamplefd)
    eventfd.signal()
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    assert (eventfd.count(), resamplefd.count()) == (0, 0)


def test_the_level_that_irq_line_holds_outlives_the_resample(guest: Bare) -> None:
    """Two sources of one line: EOI ends the irqfd's, the other raises the interrupt again."""
    pin(guest, level=True)
    eventfd, resamplefd = guest.eventfd(), guest.eventfd()
    irqfd(guest, GSI, eventfd, resamplefd)
    eventfd.signal()
    wait_for(lambda: guest.irr() == {VECTOR})
    guest.vm.irq_line(GSI, 1)
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    wait_for(lambda: (resamplefd.count() or 0) >= 1)
    wait_for(lambda: state(guest) == (True, True))
    assert guest.irr() == {VECTOR}


# -- the guest as the signaller ----------------------------------------------------------------------------------------


def doorbell(bare: Bare, eventfd: Eventfd) -> None:
    bare.own(Ioeventfd(bare.vm, eventfd, PORT, 2, pio=True))


def test_a_guest_rings_itself(guest: Bare) -> None:
    guest.route(GsiRoute.msi(GSI, VECTOR))
    eventfd = guest.eventfd()
    doorbell(guest, eventfd)
    irqfd(guest, GSI, eventfd)
    outcome = guest.run(out(PORT, 2) + WAIT, handler=EOI, vector=VECTOR)
    assert (outcome.pio, outcome.mmio, eventfd.count()) == (0, 0, 0)


@pytest.mark.parametrize("irqchip", ["none", "full"], ids=["a ringing VM without irqchip", "a ringing VM with irqchip"])
def test_one_vm_interrupts_another_and_nothing_leaves_the_kernel(bare: Bare, irqchip: str) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    with Bare(irqchip, vcpus=1, memory=True, kvm=bare.kvm) as ringing:
        doorbell(ringing, eventfd)
        outcome = ringing.run(out(PORT, 2) * 3)
    assert (outcome.pio, outcome.others, eventfd.count()) == (0, {}, 0)
    assert bare.irr() == {VECTOR}


def test_the_resamplefd_of_one_vm_interrupts_another(bare: Bare, guest: Bare) -> None:
    chain = bare.eventfd()
    irqfd(bare, GSI, chain)
    pin(guest, level=True)
    eventfd = guest.eventfd()
    irqfd(guest, GSI, eventfd, chain)
    eventfd.signal()
    guest.run(WAIT, handler=EOI, vector=VECTOR)
    wait_for(lambda: bare.irr() == {VECTOR})
    assert chain.count() == 0


def test_without_its_irqfd_the_doorbell_is_still_swallowed(bare: Bare) -> None:
    """The last close of the eventfd ends the irqfd of one VM, not the ioeventfd of the other."""
    eventfd = Eventfd()
    Irqfd(bare.vm, eventfd, GSI)
    with Bare(vcpus=1, memory=True, kvm=bare.kvm) as ringing:
        Ioeventfd(ringing.vm, eventfd, PORT, 2, pio=True)
        eventfd.close()
        assert ringing.run(out(PORT, 2) * 2).pio == 0
