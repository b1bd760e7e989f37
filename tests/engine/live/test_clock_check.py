"""The doctor's look at the guest's clock."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.live import clock_check
from bellwire.engine.live.clock_check import UNSYNCHRONIZED, guest_clock_check

HOST = {"tsc_khz": "2000000", "tsc_offset": "0"}


def measured(monkeypatch: pytest.MonkeyPatch, least: int | None, most: int | None, host: dict[str, str] = HOST) -> None:
    error = ClockError(Clock(2e9))
    error.least, error.most = least, most
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
    assert (guest_clock_check().ok, guest_clock_check().remedy) == (False, UNSYNCHRONIZED)


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
