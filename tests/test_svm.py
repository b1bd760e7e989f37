"""The short form of tests/svm.py: scenarios that reconcile, fail or are skipped are told apart; and of .ci/svm-lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.machines import build
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli import measure
from tests import svm
from tests.support.one_of_each import OneOfEach, chosen
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
    ran = run_one(load_scenario("roundtrip"))
    assert (ran.state, ran.words[:32]) == ("FAILED", "They differ. (rung 100 = 100 + 0")


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


TESTS = """
import pytest
@pytest.mark.parametrize("n", range(3))
def test_three(n): assert n < 9
def test_one(): assert 1 + 1 == 3
def test_another(): pytest.skip("for a reason")
"""


def run_one_of_each(folder: Path, **environment: str) -> str:
    """What is told of some tests of two files, one of which has failing ones."""
    (folder / "test_conformance_of_all.py").write_text(TESTS.partition("def test_one")[0])
    (folder / "test_some.py").write_text(TESTS)
    plugins = ("-p", "tests.support.one_of_each", "-p", "no:cacheprovider")
    quietly = ("-qq", "--no-summary", "-c", os.devnull, "--rootdir", str(folder))
    command = [sys.executable, "-m", "pytest", *quietly, *plugins, str(folder)]
    shown = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PYTEST_ADDOPTS": "", **environment}
    ran = subprocess.run(command, cwd=folder, env=shown, capture_output=True, text=True, check=False)
    return ran.stdout


def test_of_each_function_one_is_run_of_conformance_all_and_each_file_is_told_as_it_ends(tmp_path: Path) -> None:
    told = run_one_of_each(tmp_path)
    assert told.startswith("6 of 8 tests, which are of 4 functions\n")
    assert re.search(r"^test_conformance_of_all.py +3 passed; \d+ s, [\d.]+ minutes so far$", told, re.MULTILINE)
    assert re.search(r"^test_some.py +1 passed, 1 failed, 1 skipped; \d+ s,", told, re.MULTILINE)
    assert "    failed: test_some.py::test_one: assert (1 + 1) == 3\n" in told
    assert "    skipped: test_some.py::test_another: Skipped: for a reason\n" in told
    assert re.search(r"^4 passed, 1 failed, 1 skipped; [\d.]+ minutes\n    failed: test_some.py::test_one$", told, re.M)
    assert run_one_of_each(tmp_path).count("\n") == told.count("\n")


def test_all_are_run_if_all_are_asked_for_and_none_once_the_time_is_over(tmp_path: Path) -> None:
    assert "\n6 passed, 1 failed, 1 skipped; " in run_one_of_each(tmp_path, BELLWIRE_ALL="1")
    assert "\n6 not begun; 0.0 minutes\n" in run_one_of_each(tmp_path, BELLWIRE_MINUTES="-1")


def test_which_one_is_run_follows_from_the_functions_name_alone_and_is_told() -> None:
    names = [f"test_a.py::test_{name}[{number}]" for name in "abcdefgh" for number in range(5)]
    once = chosen(names)
    assert once == chosen(names)
    assert len({number for number, _ in once.values()}) > 2  # not always the first one
    for name, (number, count) in once.items():
        assert name.endswith(f"[{number - 1}]")
        assert count == 5
    files = OneOfEach(1.0)
    files.number_of = once
    assert files.told(next(iter(once))).endswith(" of 5)")


def test_the_lab_called_wrongly_says_how_and_touches_nothing(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for words in ([], ["--timeout", "5"], [str(tmp_path)], ["no-such-folder", "true"]):
        called = subprocess.run([LAB, *words], env=environment, capture_output=True, text=True, check=False)
        assert called.returncode == 2
        assert "svm-lab [OPTION...] CHECKOUT COMMAND" in called.stderr
    assert not list(tmp_path.iterdir())
