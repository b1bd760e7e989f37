"""What the doctor calls needed, used or optional is what a start needs: each of it is taken away in turn."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine._core import lib
from bellwire.engine.build import ROOT
from bellwire.engine.errors import EngineError, NoKvmError
from bellwire.engine.host import host
from bellwire.engine.host.checks import host_checks
from bellwire.engine.host.host import CAPABILITIES, Capability
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import refusal
from bellwire.engine.machines.needs import USES, what_is_lacking
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from tests.support.sessions import started

SCENARIOS = {scenario.name: scenario for scenario in list_scenarios()}
NEEDS = ("needed", "used", "shown", "of interest")
SHIM = ROOT / "tests/support/refusing_shim.c"


def test_one_table_says_what_is_needed_for_what() -> None:
    assert set(USES) == {known.name for known in CAPABILITIES if known.need == "used"}
    assert {known.need for known in CAPABILITIES} == set(NEEDS)
    for name, uses in USES.items():
        assert any(map(uses, SCENARIOS.values())), f"no scenario uses {name}"
        assert not all(map(uses, SCENARIOS.values())), f"every scenario uses {name}"


@pytest.mark.kvm
@pytest.mark.parametrize("gone", CAPABILITIES, ids=lambda known: known.name)
def test_the_doctor_and_the_start_agree_on_each_capability(gone: Capability, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = host.extension
    monkeypatch.setattr(host, "extension", lambda vm, known: 0 if known == gone else answer(vm, known))
    failed = [check for check in host_checks() if not check.ok and check.topic in ("access", "capability")]
    told = {check.name for check in failed if gone.name in (check.name, *check.remedy.replace("KVM_CAP_", "").split())}
    assert bool(told) == (gone.need != "of interest")
    assert any(check.needed for check in failed) == (gone.need == "needed")
    refused = {name for name, scenario in SCENARIOS.items() if what_is_lacking(scenario)}
    assert refused == {name for name, scenario in SCENARIOS.items() if gone.name in USES and USES[gone.name](scenario)}
    for name in (*sorted(refused)[:1], "roundtrip"):
        session = Session(load_scenario(name))
        if gone.need == "needed" or name in refused:
            kind = NoKvmError if gone.need == "needed" else EngineError
            with pytest.raises(kind, match=rf"This KVM lacks KVM_CAP_{gone.name} \("):
                started(session)
        elif not refusal(session.scenario):
            with session:
                assert session.alive


# -- ioctls, refused to a process of its own -----------------------------------------------------------------------

IOCTLS = {
    "KVM_CREATE_VM": (0xAE01, errno.ENODEV),
    "KVM_GET_API_VERSION": (0xAE00, errno.ENOTTY),
    "KVM_GET_STATS_FD": (int(lib.KVM_GET_STATS_FD), errno.ENOTTY),
    "KVM_GET_TSC_KHZ": (0xAEA3, errno.EINVAL),
    "KVM_CREATE_VCPU": (0xAE41, errno.EINVAL),
    "KVM_IOEVENTFD": (int(lib.KVM_IOEVENTFD), errno.EINVAL),
    "KVM_SIGNAL_MSI": (0x4020AEA5, errno.EINVAL),
    "KVM_CHECK_EXTENSION": (0xAE03, errno.EPERM),
    "KVM_GET_API_VERSION, by a sandbox": (0xAE00, errno.EPERM),
    "KVM_GET_STATS_FD, by a sandbox": (int(lib.KVM_GET_STATS_FD), errno.EPERM),
    "KVM_CREATE_IRQCHIP": (0xAE60, errno.EPERM),
}
OPTIONAL = ("KVM_GET_STATS_FD", "KVM_GET_STATS_FD, by a sandbox")
SOME = {  # of some scenarios: the capability behind each, and one that calls it
    "KVM_ENABLE_CAP": (0x4068AEA3, "SPLIT_IRQCHIP", "irq-split"),
    "KVM_REGISTER_COALESCED_MMIO": (int(lib.KVM_REGISTER_COALESCED_MMIO), "COALESCED_PIO", "doorbell-coalesced-pio"),
    "KVM_IRQ_LINE_STATUS": (int(lib.KVM_IRQ_LINE_STATUS), "IRQ_INJECT_STATUS", "irq-line"),
    "KVM_SET_MP_STATE": (0x4004AE99, "MP_STATE", "two-vcpus-doorbell"),
}
PROGRAM = """
import json, os, sys, time
from bellwire.engine.errors import EngineError
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli.doctor import all_checks, exit_code
for name, (words, scenario) in json.loads(sys.argv[1]).items():
    os.environ["REFUSED"] = words
    failed = [[check.name, check.needed, check.remedy] for check in all_checks() if not check.ok]
    try:
        with Session(load_scenario(scenario), limit=3) as session:
            for _ in range(200 if scenario == "irq-line" else 0):  # its first signal is what is refused
                time.sleep(0.01 if session.alive else 0)
        error = str(session.error or "")
    except EngineError as refusal:
        error = str(refusal)
    print(json.dumps([name, failed, error]))
"""


@pytest.mark.kvm
def test_the_doctor_and_the_start_agree_on_each_ioctl(tmp_path: Path) -> None:
    refused = {name: (f"{number:#x} {error}", "roundtrip") for name, (number, error) in IOCTLS.items()}
    told = doctor_and_start(refused, tmp_path)
    for name, failed, error in told:
        needed = [check for check, is_needed, _ in failed if is_needed]
        assert bool(needed) == bool(error), (name, failed, error)
        assert bool(error) == (name not in OPTIONAL), (name, error)
        assert all(remedy for _, _, remedy in failed), (name, failed)
        if "sandbox" in name:
            assert any("sandbox" in remedy for _, _, remedy in failed), (name, failed)
    assert len(told) == len(IOCTLS)


@pytest.mark.kvm
def test_the_doctor_tries_what_kvm_only_says_that_it_can(tmp_path: Path) -> None:
    refused = {name: (f"{number:#x} {errno.EPERM}", scenario) for name, (number, _, scenario) in SOME.items()}
    told = doctor_and_start(refused, tmp_path)
    for name, failed, error in told:
        remedies = [remedy for check, _, remedy in failed if check == SOME[name][1]]
        assert not any(needed for _, needed, _ in failed), (name, failed)
        assert remedies, (name, failed)
        assert all("sandbox" in words for words in (error, *remedies)), (name, failed, error)
    assert len(told) == len(SOME)


def doctor_and_start(refused: dict[str, tuple[str, str]], folder: Path) -> list[tuple[str, list[Any], str]]:
    """What each says where one ioctl is refused: name, the doctor's (check, needed, remedy), why the start failed."""
    shim = folder / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", SHIM, "-o", shim], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    command = [sys.executable, "-c", PROGRAM, json.dumps(refused)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return [(name, failed, error) for name, failed, error in map(json.loads, done.stdout.splitlines())]
