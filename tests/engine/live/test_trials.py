"""Calls that KVM may refuse although it says that it can: tests/engine/machines/test_needs.py has them refused."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import KvmError
from bellwire.engine.host.host import Check
from bellwire.engine.live import trials
from bellwire.engine.live.trials import TRIALS, TrialVm, refusal_of_trial, scenario_checks, tried
from bellwire.engine.machines.build import refusal
from bellwire.engine.machines.needs import USES
from bellwire.engine.scenarios.scenario import list_scenarios

CHECKS = [
    Check("capability", "MP_STATE", True, "a second vCPU"),
    Check("capability", "SPLIT_IRQCHIP", False, "missing: the IOAPIC in user space", "install a newer kernel"),
    Check("clock", "MP_STATE", True, "of another topic"),
]


def test_everything_that_only_some_scenarios_use_is_tried() -> None:
    assert set(TRIALS) == set(USES)


@pytest.mark.kvm
@pytest.mark.parametrize("name", TRIALS)
def test_what_this_kvm_can_it_does(name: str) -> None:
    assert refusal_of_trial(TRIALS[name]) is None


def test_a_refusal_takes_the_place_of_what_kvm_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: TrialVm) -> None:
        raise KvmError("KVM_SET_MP_STATE", 1)

    monkeypatch.setattr(trials, "TrialVm", lambda stack: stack)
    monkeypatch.setattr(trials, "TRIALS", dict.fromkeys(TRIALS, refused))
    first, *others = tried(CHECKS)
    assert (first.ok, first.found) == (False, "a second vCPU: KVM_SET_MP_STATE: Operation not permitted (EPERM)")
    assert "sandbox" in first.remedy
    assert others == CHECKS[1:]


def test_the_doctor_names_the_scenarios_that_are_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It said that all can be done where `run` refused them."""
    lacking = {"vhost-net": "No worker: load it.", "io-uring": "No ring: allow it.", "roundtrip": "No ring: allow it."}
    monkeypatch.setattr(trials, "refusal", lambda scenario: lacking.get(scenario.name, ""))
    found = {check.name: (check.found, check.remedy, check.ok, check.optional) for check in scenario_checks()}
    assert found == {
        "vhost-net": ("not started: No worker", "load it.", False, True),
        "roundtrip, io-uring": ("not started: No ring", "allow it.", False, True),
    }
    monkeypatch.setattr(trials, "refusal", lambda _: "No QEMU: install it.")
    (check,) = scenario_checks()
    assert check.name == f"{list_scenarios()[0].name} and {len(list_scenarios()) - 1} more"
    monkeypatch.setattr(trials, "refusal", lambda _: "")
    assert [check.ok for check in scenario_checks()] == [True]


def test_what_the_doctor_says_of_scenarios_is_what_a_start_says() -> None:
    told = {check.remedy for check in scenario_checks() if not check.ok}
    assert told == {why.partition(": ")[2] for why in map(refusal, list_scenarios()) if why}
