"""Guests that nobody wrote: the short version of `make fuzz`. A failure names the guest."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.machines.virtqueue import VirtqueueMachine
from bellwire.engine.verdict import Verdict
from tests.fuzz import SESSION_ENDED, Results, escaped, run, run_all
from tests.fuzz_guests import FAMILIES, Case
from tests.support.sessions import PATIENCE
from tests.support.watched import watched

pytestmark = pytest.mark.kvm

ENOUGH = {"random bytes": 100, "flipped bits": 30, "scribbler": 100}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_guest_ends_with_a_verdict_and_leaves_nothing(family: str) -> None:
    results = Results()
    cases = [Case(family, 1, number) for number in range(ENOUGH[family])]
    assert list(run_all(cases, results)) == cases
    assert results.problems == []
    assert sum(results.verdicts.values()) == len(results.seconds) == len(cases)


def test_chance_triple_faults_and_scribblers_are_not_believed() -> None:
    results = Results()
    list(run_all([Case("random bytes", 2, number) for number in range(20)], results))
    assert results.verdicts["random bytes", Verdict.RESET.value] > 5
    list(run_all([Case("scribbler", 2, number) for number in range(20)], results))
    assert results.events > 100
    assert results.dropped > 100


@pytest.mark.parametrize("family", FAMILIES)
def test_a_name_makes_the_same_guest_again(family: str, tmp_path: Path) -> None:
    codes = Counter[bytes]()
    for number in (0, 1, 0):
        case = Case.named(str(Case(family, 5, number)))
        codes[Path(f"{case.scenario(tmp_path).guest}.bin").read_bytes()] += 1
    assert sorted(codes.values()) == [1, 2]


def a_virtqueue(tmp_path: Path) -> Case:
    """A scribbler over a virtqueue."""
    cases = (Case("scribbler", 1, number) for number in range(1000))
    return next(case for case in cases if case.scenario(tmp_path).machine == "virtqueue")


def test_what_escapes_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_machine: VirtqueueMachine) -> None:
        raise ValueError("out of reach")

    case, results = a_virtqueue(tmp_path), Results()
    monkeypatch.setattr(VirtqueueMachine, "trouble", fails)
    with escaped() as caught:
        run(case, tmp_path, results)
    assert "ValueError" in str(caught)
    assert any("engine thread failed" in problem for problem in results.problems)
    assert results.verdicts["scribbler", SESSION_ENDED] == 1


def test_what_takes_too_long_or_is_no_sentence_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.MOST_SECONDS", 0.0)
    monkeypatch.setattr(VirtqueueMachine, "trouble", lambda _machine: EngineError("two\nlines"))
    results = Results()
    run(a_virtqueue(tmp_path), tmp_path, results)
    assert len(results.problems) == 2
    assert "took" in results.problems[0]
    assert "no sentence" in results.problems[1]


def test_where_each_thread_of_a_hung_run_is_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    def hangs() -> None:
        hung.set()
        end.wait()

    hung, end, until = threading.Event(), threading.Event(), time.monotonic() + PATIENCE
    thread = threading.Thread(target=hangs, name="the one that hangs")
    thread.start()
    hung.wait()
    threads = threading.active_count()
    with watched(0.0):
        while threading.active_count() > threads:  # it ends by itself once it has told
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.001)
    end.set()
    thread.join()
    told = capsys.readouterr().err
    assert "in hangs\n" in told.partition("thread the one that hangs:\n")[2].partition("\nthread ")[0]


def test_a_run_that_is_not_hung_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    with watched(PATIENCE):
        pass
    assert capsys.readouterr().err == ""
