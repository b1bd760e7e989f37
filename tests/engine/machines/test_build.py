"""Each machine that is described has its class, and the class says what the host lacks."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.storage_daemon import daemon_refusal
from bellwire.engine.machines.build import CLASSES, build_machine, refusal
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.scenarios.machines import MACHINES
from bellwire.engine.scenarios.scenario import load_scenario


def test_every_machine_has_a_class_of_its_own() -> None:
    assert list(CLASSES) == list(MACHINES.values())
    assert len(set(CLASSES.values())) == len(CLASSES)


def test_what_the_host_lacks_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario("vhost-user-blk")
    monkeypatch.setenv("PATH", "/nowhere")
    assert refusal(scenario) == daemon_refusal() != ""
    with pytest.raises(EngineError, match="qemu-storage-daemon"):
        build_machine(scenario, None, None)
    assert OneGuest.refusal() == refusal(load_scenario("roundtrip")) == ""
