"""The doctor's look at the guest's clock."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock, Events, Lane
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.journeys import JOURNEY, contradictory
from bellwire.engine.live import clock_check
from bellwire.engine.live.clock_check import CONTRADICTION, TOO_BUSY, UNSYNCHRONIZED, guest_clock_check
from bellwire.engine.live.session import Session

HOST = {"tsc_khz": "2000000", "tsc_offset": "0"}


def measured(monkeypatch: pytest.MonkeyPatch, least: int | None, most: int | None, host: dict[str, str] = HOST) -> None:
    """Bounds in cycles of half a ns."""
    journey, error = np.zeros(1, JOURNEY), ClockError(Clock(2e9))
    if least is not None:
        journey["ring"], journey["doorbell"] = 10**7, 10**7 - least
    if most is not None:
        journey["irq"], journey["handler"] = 10**7, 10**7 + most
    wrong = contradictory(journey)
    error.feed(journey[~wrong], journey[wrong])
    monkeypatch.setattr(clock_check, "measured_clock_error", lambda: (error, host))


def test_it_says_the_bounds_and_the_kernels_word(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, -9000, 6000)
    check = guest_clock_check()
    assert (check.ok, check.remedy, check.needed) == (True, "", False)
    assert check.found == "ahead of the host's by −4.50 to +3.00 µs; KVM: offset 0 cycles, 2000000 kHz"
    measured(monkeypatch, -9000, 6000, {"tsc_khz": "2000000"})
    assert "no word on the offset" in guest_clock_check().found


def test_clocks_that_are_apart_are_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 200, 6000)
    check = guest_clock_check()
    assert not check.ok
    assert check.remedy == f"1 of 1 journeys arrive before they were sent: {UNSYNCHRONIZED}"


def test_far_bounds_and_a_kernel_that_is_contradicted_are_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, -9000, 2_000_000)
    assert (guest_clock_check().ok, TOO_BUSY in guest_clock_check().remedy) == (False, True)
    measured(monkeypatch, -9000, 6000, HOST | {"tsc_offset": "6001"})
    assert (guest_clock_check().ok, guest_clock_check().remedy) == (False, CONTRADICTION)
    measured(monkeypatch, -9000, 6000, HOST | {"tsc_offset": "6000"})
    assert guest_clock_check().ok


@pytest.mark.kvm
@pytest.mark.parametrize("us", [1000, -1000, 300, -300])
def test_a_real_guest_whose_stamps_are_shifted_is_found(monkeypatch: pytest.MonkeyPatch, us: int) -> None:
    take = Session.take

    def shifted(session: Session) -> Events:
        events = take(session)
        guest = events["lane"] == Lane.GUEST
        events["tsc"][guest] = (events["tsc"][guest].astype(np.int64) + session.clock.cycles(us / 1e6)).astype(
            np.uint64
        )
        return np.sort(events, order="tsc")

    monkeypatch.setattr(Session, "take", shifted)
    check = guest_clock_check()
    assert not check.ok
    assert "journeys arrive before they were sent" in check.remedy


def test_what_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, None, None)
    assert "no journey arrived" in guest_clock_check().remedy

    def refuse() -> None:
        raise EngineError("KVM refuses to create a VM")

    monkeypatch.setattr(clock_check, "measured_clock_error", refuse)
    assert guest_clock_check().remedy == "KVM refuses to create a VM"


@pytest.mark.kvm
def test_a_real_guest() -> None:
    assert "KVM: " in guest_clock_check().found
