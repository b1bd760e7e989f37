"""Each machine that is described has its class, and the class says what the host lacks."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.partners.storage_daemon import daemon_refusal
from bellwire.engine.machines.build import CLASSES, build_machine, refusal
from bellwire.engine.machines.machine import NO_LAB, Machine
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.scenarios.machine_kinds import MACHINES, MachineKind
from bellwire.engine.scenarios.scenario import LabStep, load_scenario


def test_every_machine_has_a_class_of_its_own() -> None:
    assert list(CLASSES) == list(MACHINES.values())
    assert len(set(CLASSES.values())) == len(CLASSES)


@pytest.mark.parametrize("kind", MACHINES.values(), ids=lambda kind: kind.name)
def test_who_takes_a_lab_can_do_its_steps(kind: MachineKind) -> None:
    machine = CLASSES[kind]
    assert not kind.lab or machine.do_step is not Machine.do_step
    if machine.do_step is Machine.do_step:
        with pytest.raises(EngineError, match=NO_LAB):
            machine.do_step(machine.__new__(machine), LabStep(0, "ring"))


def test_what_the_host_lacks_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario("vhost-user-blk")
    monkeypatch.setenv("PATH", "/nowhere")
    assert refusal(scenario) == daemon_refusal() != ""
    with pytest.raises(EngineError, match="qemu-storage-daemon"):
        build_machine(scenario, None, None)
    assert OneGuest.refusal() == refusal(load_scenario("roundtrip")) == ""
