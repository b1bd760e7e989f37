"""What KVM answers to each assign and deassign of an irqfd, and what becomes of the eventfd's count.

No case needs a guest: a local APIC that is switched on shows in its IRR what has arrived.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bellwire.engine._core import lib
from bellwire.engine.kvm.irqfd import Irqfd, deassign_irqfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vm import GsiRoute
from tests.support.bare import ONE_VM_ONLY, Bare, answer, errno_of, wait_for

pytestmark = pytest.mark.kvm

GSI, VECTOR = 5, 0x51
FULL = (1 << 64) - 1


@pytest.fixture
def bare() -> Iterator[Bare]:
    """A VM whose only route leads from GSI to a message."""
    with Bare("full", vcpus=1) as machine:
        machine.route(GsiRoute.msi(GSI, VECTOR))
        yield machine


def irqfd(bare: Bare, gsi: int = GSI, eventfd: Eventfd | None = None, resamplefd: Eventfd | None = None) -> Irqfd:
    return bare.own(Irqfd(bare.vm, eventfd or bare.eventfd(), gsi, resamplefd))


def not_an_eventfd(bare: Bare) -> Eventfd:
    return bare.own(Eventfd.adopt(os.open("/dev/null", os.O_RDWR)))


def closed(bare: Bare) -> Eventfd:
    eventfd = bare.eventfd()
    eventfd.close()
    return eventfd


# -- assign ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("irqchip", "vcpus", "resample", "expected"),
    [
        pytest.param("none", 0, False, "EINVAL", id="no irqchip"),
        pytest.param("none", 0, True, "EINVAL", id="no irqchip, resample"),
        pytest.param("split", 0, False, "ok", id="split irqchip"),
        pytest.param("split", 0, True, "EINVAL", id="split irqchip, resample"),
        pytest.param("full", 0, False, "ok", id="full irqchip, no vCPU yet"),
        pytest.param("full", 0, True, "ok", id="full irqchip, resample"),
        pytest.param("full", 1, False, "ok", id="full irqchip and a vCPU"),
    ],
)
def test_which_irqchip_takes_an_irqfd(irqchip: str, vcpus: int, resample: bool, expected: str) -> None:
    with Bare(irqchip, vcpus) as bare:
        resamplefd = bare.eventfd() if resample else None
        assert answer(lambda: irqfd(bare, GSI, resamplefd=resamplefd)) == expected


@pytest.mark.parametrize("bit", [2, 3, 16, 31])
def test_an_unknown_flag_is_refused(bare: Bare, bit: int) -> None:
    assert errno_of(lib.bw_irqfd(bare.vm.fd, bare.eventfd().fd, GSI, 1 << bit, -1)) == "EINVAL"


def test_an_fd_that_is_closed_is_ebadf(bare: Bare) -> None:
    assert answer(lambda: irqfd(bare, eventfd=closed(bare))) == "EBADF"


def test_an_fd_that_is_no_eventfd_is_einval(bare: Bare) -> None:
    assert answer(lambda: irqfd(bare, eventfd=not_an_eventfd(bare))) == "EINVAL"


def test_a_resamplefd_that_is_closed_is_ebadf(bare: Bare) -> None:
    assert answer(lambda: irqfd(bare, resamplefd=closed(bare))) == "EBADF"


def test_a_resamplefd_that_is_no_eventfd_is_einval(bare: Bare) -> None:
    assert answer(lambda: irqfd(bare, resamplefd=not_an_eventfd(bare))) == "EINVAL"


def test_without_an_irqchip_nobody_looks_at_the_fd() -> None:
    with Bare() as bare:
        assert answer(lambda: irqfd(bare, eventfd=closed(bare))) == "EINVAL"


@pytest.mark.parametrize("gsi", [GSI, GSI + 1], ids=["same GSI", "other GSI"])
@pytest.mark.parametrize("duplicate", [False, True], ids=["same fd", "duplicate"])
def test_an_eventfd_is_one_irqfd(bare: Bare, gsi: int, duplicate: bool) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    again = bare.own(eventfd.duplicate()) if duplicate else eventfd
    assert answer(lambda: irqfd(bare, gsi, again)) == "EBUSY"


def test_an_eventfd_is_the_irqfd_of_one_vm_only_since_linux_6_17(bare: Bare) -> None:
    with Bare("full", kvm=bare.kvm) as other:
        eventfd = bare.eventfd()
        irqfd(bare, GSI, eventfd)
        assert answer(lambda: irqfd(other, GSI, eventfd)) == ("EBUSY" if ONE_VM_ONLY else "ok")


@pytest.mark.parametrize("gsi", [6, 4095, 4096, 0xFFFFFFFF])
def test_a_gsi_needs_no_route_and_may_be_any_number(bare: Bare, gsi: int) -> None:
    eventfd = bare.eventfd()
    assert answer(lambda: irqfd(bare, gsi, eventfd)) == "ok"
    eventfd.signal()
    assert eventfd.take() == 0, "the signal is taken all the same"
    assert bare.irr() == set()


def test_several_irqfds_share_a_gsi(bare: Bare) -> None:
    eventfds = [bare.eventfd() for _ in range(3)]
    for eventfd in eventfds:
        irqfd(bare, GSI, eventfd)
    for number, eventfd in enumerate(eventfds):
        bare.route(GsiRoute.msi(GSI, VECTOR + number))
        eventfd.signal()
    assert bare.irr() == {VECTOR, VECTOR + 1, VECTOR + 2}


# -- deassign ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("irqchip", ["none", "split", "full"])
def test_deassign_of_what_never_was_is_no_error(irqchip: str) -> None:
    with Bare(irqchip) as bare:
        assert answer(lambda: deassign_irqfd(bare.vm, bare.eventfd(), GSI)) == "ok"


def test_deassign_with_another_gsi_leaves_it(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    assert answer(lambda: deassign_irqfd(bare.vm, eventfd, GSI + 1)) == "ok"
    eventfd.signal()
    assert bare.irr() == {VECTOR}


def test_deassign_takes_a_duplicate(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    deassign_irqfd(bare.vm, bare.own(eventfd.duplicate()), GSI)
    eventfd.signal()
    assert (bare.irr(), eventfd.take()) == (set(), 1)


def test_deassign_needs_no_resamplefd(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd, bare.eventfd())
    deassign_irqfd(bare.vm, eventfd, GSI)
    assert answer(lambda: irqfd(bare, GSI, eventfd)) == "ok"


def test_deassign_with_a_closed_fd_is_ebadf(bare: Bare) -> None:
    assert answer(lambda: deassign_irqfd(bare.vm, closed(bare), GSI)) == "EBADF"


def test_deassign_with_no_eventfd_is_einval(bare: Bare) -> None:
    assert answer(lambda: deassign_irqfd(bare.vm, not_an_eventfd(bare), GSI)) == "EINVAL"


def test_after_deassign_a_signal_stays_in_the_count(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd).close()
    eventfd.signal(3)
    assert (bare.irr(), eventfd.take()) == (set(), 3)


def test_deassign_drains_the_count(bare: Bare) -> None:
    eventfd = bare.eventfd(3)
    wire = irqfd(bare, GSI, eventfd)
    assert eventfd.count() == 3
    wire.close()
    assert (eventfd.count(), eventfd.take()) == (0, 0)


def test_deassign_frees_the_eventfd(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd).close()
    assert answer(lambda: irqfd(bare, GSI + 1, eventfd)) == "ok"


def test_the_last_close_ends_it_and_a_duplicate_keeps_it(bare: Bare) -> None:
    eventfd = Eventfd()
    duplicate = bare.own(eventfd.duplicate())
    Irqfd(bare.vm, eventfd, GSI)
    eventfd.close()
    duplicate.signal()
    assert (bare.irr(), duplicate.take()) == ({VECTOR}, 0)


def test_closing_the_vm_ends_its_irqfds(bare: Bare) -> None:
    with Bare("full", vcpus=1, kvm=bare.kvm) as other:
        eventfd = bare.eventfd()
        irqfd(other, GSI, eventfd)
        other.vm.close()
        wait_for(lambda: answer(lambda: irqfd(bare, GSI, eventfd)) == "ok")
    eventfd.signal()
    assert bare.irr() == {VECTOR}


# -- the count ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, FULL - 1])
def test_the_irqfd_takes_the_whole_count(bare: Bare, count: int) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    eventfd.signal(count)
    assert (bare.irr(), eventfd.count(), eventfd.take()) == ({VECTOR}, 0, 0)


def test_the_irqfd_takes_one_of_a_semaphore(bare: Bare) -> None:
    eventfd = bare.own(Eventfd.semaphore())
    irqfd(bare, GSI, eventfd)
    eventfd.signal(3)
    assert (bare.irr(), eventfd.count()) == ({VECTOR}, 2)


def test_a_signal_of_0_interrupts(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    eventfd.signal(0)
    assert bare.irr() == {VECTOR}


def test_a_signal_of_2_to_the_64_minus_1_is_einval(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    with pytest.raises(OSError, match="Invalid argument"):
        eventfd.signal(FULL)
    assert bare.irr() == set()


def test_a_count_that_waits_at_assign_interrupts_once_and_stays(bare: Bare) -> None:
    eventfd = bare.eventfd(3)
    irqfd(bare, GSI, eventfd)
    wait_for(lambda: bare.irr() == {VECTOR})
    assert eventfd.count() == 3


def test_many_signals_are_one_interrupt_until_it_is_taken(bare: Bare) -> None:
    eventfd = bare.eventfd()
    irqfd(bare, GSI, eventfd)
    for _ in range(5):
        eventfd.signal()
    assert bare.irr() == {VECTOR}
