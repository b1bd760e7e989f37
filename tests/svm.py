"""Every scenario with few signals, then the tests of what KVM does, where KVM is another one: `make svm`.

`python -m tests.svm [SCENARIO | FILE ...]` runs on the KVM of the machine that it finds itself on. .ci/svm-lab makes
one whose KVM is kvm_amd out of a machine that need not have any. With scenarios named it runs these and no test: that
is the short form in .ci/run; with files of tests, these alone. It prints for each scenario whether it reconciled, and
for each file of tests, as it ends, what came of it: whoever cuts it short has heard what there was until then.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bellwire.engine.errors import EngineError
from bellwire.engine.host.host import host_facts, kvm_backend
from bellwire.engine.live.session import Session
from bellwire.engine.machines import build
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.viz.cli.measure import Measurement, measure
from bellwire.viz.text.figures import grouped

ROOT = Path(__file__).parent.parent
SIGNALS = 100  # of each scenario
LONGEST = 60.0  # seconds that a scenario may take which counts no signals
AFTERWARDS = 1.0  # seconds behind the last step of a lab
PATIENCE = 600  # seconds that a test may take
MINUTES = 105  # after which no further test is begun, unless all are asked for
MARK = "pytest.mark.kvm"


@dataclass(frozen=True)
class Ran:
    """What came of a scenario: "reconciled", "FAILED" or "skipped", and in words what was counted, or why not."""

    name: str
    state: str
    words: str


def run_one(scenario: Scenario) -> Ran:
    """So many signals; one that is driven by its lab alone runs until all its steps were done."""
    if why := build.refusal(scenario):
        return Ran(scenario.name, "skipped", why)
    count = SIGNALS if scenario.pace.per_second else None
    try:
        done = measure(Session(scenario, limit=count), None, seconds_of(scenario), count, lambda *_: None)
    except EngineError as error:
        return Ran(scenario.name, "FAILED", str(error))
    if done.trouble:
        return Ran(scenario.name, "FAILED", f"{' '.join(done.trouble)} ({counted(done)})")
    return Ran(scenario.name, "reconciled", counted(done))


def seconds_of(scenario: Scenario) -> float:
    """How long it runs if nothing counts its signals."""
    steps = scenario.lab.steps if scenario.lab else ()
    return max(step.at_ms for step in steps) / 1000 + AFTERWARDS if steps else LONGEST


def counted(done: Measurement) -> str:
    """Both sums, as far as the scenario has them; and how the interrupts came about that nobody asked for."""
    tally, parts = done.tally, []
    if done.source.scenario.doorbell:
        parts.append(f"rung {tally.doorbells_rung} = {tally.doorbells_received} + {tally.doorbells_pending} pending")
    if done.source.scenario.interrupt:
        rest = {
            "merged": tally.irqs_merged,
            "lost": tally.irqs_lost,
            "pending": tally.irqs_pending,
            "spurious": -tally.irqs_spurious,
        }
        terms = "".join(
            f" {'-' if number < 0 else '+'} {abs(number)} {name}" for name, number in rest.items() if number
        )
        parts.append(f"signalled {tally.irqs_signalled} = {tally.irqs_handled} handled{terms}")
    if tally.lost:
        parts.append(f"{tally.lost} events lost")
    exits = {name: done.tally.kvm.get(name, 0) for name in ("exits", "io_exits", "mmio_exits")}
    parts.append(", ".join(f"{grouped(number)} {name}" for name, number in exits.items()))
    return "; ".join(parts)


def run_all(scenarios: list[Scenario]) -> list[Ran]:
    """One after the other, each told once it has ended."""
    found = []
    for scenario in scenarios:
        began = time.monotonic()
        found.append(run_one(scenario))
        name, state, words = found[-1].name, found[-1].state, found[-1].words
        print(f"{name:28} {state:10} {time.monotonic() - began:4.0f} s  {words}", flush=True)
    return found


def files_of_tests() -> list[str]:
    """Those that have a test of a real guest; the others would only be collected, slowly."""
    files = sorted(ROOT.glob("tests/**/test_*.py"))
    return [str(file.relative_to(ROOT)) for file in files if MARK in file.read_text()]


def run_tests(files: list[str]) -> int:
    """pytest's exit code. All in one process: importing takes longest there.

    Of each function that has several parametrizations one is run, unless BELLWIRE_ALL=1 asks for all: for hours.
    """
    plugins = ("-p", "tests.support.one_of_each", "-p", "no:cacheprovider")
    arguments = ("-qq", "--no-summary", "--tb", "short", "-m", "kvm", *plugins, "--timeout", str(PATIENCE))
    limit = {} if os.environ.get("BELLWIRE_ALL") == "1" else {"BELLWIRE_MINUTES": str(MINUTES)}
    command = [sys.executable, "-u", "-m", "pytest", *arguments, *files]
    return subprocess.run(command, cwd=ROOT, check=False, env=limit | os.environ).returncode


def run_scenarios(scenarios: list[Scenario]) -> bool:
    """Whether none failed, and not all were skipped; the sums are told."""
    began = time.monotonic()
    states = [one.state for one in run_all(scenarios)]
    print(
        f"{states.count('reconciled')} of {len(states)} scenarios reconciled with {kvm_backend()}, "
        f"{states.count('FAILED')} failed, {states.count('skipped')} were skipped; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return "FAILED" not in states and "reconciled" in states


def main(names: list[str]) -> int:
    """These scenarios or files of tests, or all of both; 1 if a scenario did not reconcile, or a test failed."""
    began, facts = time.monotonic(), host_facts()
    print(f"{facts['cpu']}, {facts['cpus']} CPUs, Linux {facts['kernel']}, {facts['backend']}", flush=True)
    files = [name for name in names if name.endswith(".py")] if names else files_of_tests()
    named = [load_scenario(name) for name in names if not name.endswith(".py")]
    good = run_scenarios(named or list_scenarios()) if named or not names else True
    good &= not (files and run_tests(files))
    print(f"All of it took {(time.monotonic() - began) / 60:.1f} minutes.", flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
