"""What the doctor calls needed, used or optional is what a start needs: each of it is taken away in turn."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

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
}
OPTIONAL = ("KVM_GET_STATS_FD",)
PROGRAM = """
import json, os, sys
from bellwire.engine.errors import EngineError
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli.doctor import all_checks, exit_code
for name, words in json.loads(sys.argv[1]).items():
    os.environ["REFUSED"] = words
    failed = [[check.name, check.needed, check.remedy] for check in all_checks() if not check.ok]
    try:
        with Session(load_scenario("roundtrip"), limit=3) as session:
            error = ""
        error = str(session.error or "")
    except EngineError as refusal:
        error = str(refusal)
    print(json.dumps([name, failed, error]))
"""


@pytest.mark.kvm
def test_the_doctor_and_the_start_agree_on_each_ioctl(tmp_path: Path) -> None:
    shim = tmp_path / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", SHIM, "-o", shim], check=True)
    refused = {name: f"{number:#x} {error}" for name, (number, error) in IOCTLS.items()}
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    command = [sys.executable, "-c", PROGRAM, json.dumps(refused)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        name, failed, error = json.loads(line)
        needed = [check for check, is_needed, _ in failed if is_needed]
        assert bool(needed) == bool(error), (name, failed, error)
        assert bool(error) == (name not in OPTIONAL), (name, error)
        assert all(remedy for _, _, remedy in failed), (name, failed)
    assert len(done.stdout.splitlines()) == len(IOCTLS)
