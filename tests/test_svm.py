"""The short form of tests/svm.py: scenarios that reconcile, fail or are skipped are told apart; and of .ci/svm-lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bellwire.engine.machines import build
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli import measure
from tests import svm
from tests.svm import ROOT, Ran, files_of_tests, main, run_one, seconds_of

LAB = ROOT / ".ci/svm-lab"


@pytest.mark.kvm
def test_a_scenario_whose_counts_agree_has_reconciled() -> None:
    ran = run_one(load_scenario("roundtrip"))
    assert (ran.name, ran.state) == ("roundtrip", "reconciled")
    assert ran.words.startswith("rung 100 = 100 + 0 pending; signalled 100 = 100 handled; ")
    masked = run_one(load_scenario("irq-masked"))
    assert masked.words.startswith("signalled 100 = 0 handled + 100 lost; ")


@pytest.mark.kvm
def test_one_whose_counts_differ_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "disagreements", lambda tally, truth: ["They differ."])
    assert run_one(load_scenario("roundtrip")) == Ran("roundtrip", "FAILED", "They differ.")


def test_one_that_this_host_cannot_run_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "refusal", lambda scenario: "There is no QEMU.")
    assert run_one(load_scenario("qemu-virtio-blk")) == Ran("qemu-virtio-blk", "skipped", "There is no QEMU.")


def test_what_nothing_drives_but_its_lab_runs_until_all_steps_are_done() -> None:
    lab = load_scenario("lab-early-signal")
    assert lab.lab is not None
    assert seconds_of(lab) * 1000 > max(step.at_ms for step in lab.lab.steps)


@pytest.mark.parametrize(
    ("states", "code"), [(("reconciled",), 0), (("reconciled", "skipped"), 0), (("skipped",), 1), (("FAILED",), 1)]
)
def test_it_fails_if_one_did_or_if_none_ran(
    states: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(svm, "run_all", lambda scenarios: [Ran("one", state, "") for state in states])
    assert main(["roundtrip"]) == code
    told = f"{states.count('reconciled')} of {len(states)} scenarios reconciled"
    assert told in capsys.readouterr().out


def test_every_conformance_test_and_every_file_with_a_real_guest_is_among_the_tests() -> None:
    files = files_of_tests()
    conformance = {str(file.relative_to(ROOT)) for file in ROOT.glob("tests/**/test_conformance_*.py")}
    assert len(conformance) == 5
    assert conformance < set(files)


def test_the_lab_called_wrongly_says_how_and_touches_nothing(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for words in ([], ["--timeout", "5"], [str(tmp_path)], ["no-such-folder", "true"]):
        called = subprocess.run([LAB, *words], env=environment, capture_output=True, text=True, check=False)
        assert called.returncode == 2
        assert "svm-lab [OPTION...] CHECKOUT COMMAND" in called.stderr
    assert not list(tmp_path.iterdir())
