"""Makes assets/recordings anew, one of each scenario, on a host with KVM: python -m tests.record_shipped [NAME ...]

And one of each scenario with other settings that a lesson shows, called as engine/recordings/shipped.py calls it. On an
emulated CPU, as in the lab of .ci/svm-lab, those of INSTRUCTIVE instead, with the KVM's name behind them. What needs a
worker of the kernel is recorded wherever there is one, and the lab has one.

They are what people see who have no KVM. A lab is recorded until all its steps were done, everything else for a few
seconds; of a round trip both switches are turned, because that is what nobody can try there. The pace is a slow one,
so that a file stays small, and two guests can run at a time without being in each other's way. What is about a guest
that runs flat out does so, alone.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bellwire.engine.errors import EngineError
from bellwire.engine.host.host import emulated, host_facts
from bellwire.engine.live.session import Session
from bellwire.engine.machines import build
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.shipped import ELSEWHERE, FOLDER, name_of_shipped, path_of_shipped
from bellwire.engine.scenarios.scenario import DEFAULT, Scenario, list_scenarios
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Order
from bellwire.viz.lessons.lesson import scenes_of
from bellwire.viz.lessons.lesson_file import shipped_lessons
from bellwire.viz.text.versions import program_version

SECONDS = 5.0
AFTERWARDS = 0.6  # seconds, so that what the last step of a lab did is seen as well
SIGNALS = 300  # a second, at most
WIRINGS = ((True, True), (False, True), (True, False), (False, False), (True, True))  # ioeventfd, irqfd
EACH_WIRING = 2.5  # seconds
LOOK_SECONDS = 0.05  # how often what has come is taken
AT_A_TIME = 2
LAB = "kvm_amd"  # the KVM of .ci/svm-lab
INSTRUCTIVE = ("roundtrip", "doorbell-mmio", "irq-level-resample", "irq-line-level", "irq-window", "lab-no-eoi")


def recorded_ones() -> dict[str, Scenario]:
    """What there has to be a recording of, by its name: every scenario, and what lessons make of some."""
    shown = {scenario.name: scenario for scenario in list_scenarios()}
    scenes = (scene for lesson in shipped_lessons() for scene in scenes_of(lesson))
    elsewhere = {f"{name}{ELSEWHERE}{LAB}": shown[name] for name in INSTRUCTIVE}
    return {name_of_shipped(scene.in_place): scene.in_place for scene in scenes} | shown | elsewhere


def recorded_here(name: str, scenario: Scenario, facts: Mapping[str, str]) -> bool:
    """Whether this host makes the recording of that name, if it can run the scenario."""
    if Trait.KERNEL_WORKER in traits_of(scenario):
        return True
    _, elsewhere, backend = name.partition(ELSEWHERE)
    return emulated(facts) and facts["backend"] == backend if elsewhere else not emulated(facts)


def recorded_scenario(scenario: Scenario) -> Scenario:
    """The scenario, no faster than a small file has room for, unless that is the point of it."""
    slow = SIGNALS / scenario.pace.burst
    if scenario.pace.per_second <= slow or flat_out(scenario):
        return scenario
    return scenario.with_settings({"pace": f"{slow:g}"})


def flat_out(scenario: Scenario) -> bool:
    """Whether its guest never rests."""
    return math.isinf(scenario.pace.per_second)


def seconds_of(scenario: Scenario) -> float:
    """How long it takes to see all of it."""
    steps = scenario.lab.steps if scenario.lab else ()
    whole = max((step.at_ms for step in steps), default=0) / 1000 + AFTERWARDS
    return whole if steps else SECONDS


def record_one(scenario: Scenario, path: Path) -> str:
    """A real run, as it happens; what came of it, as a line.

    Where this thread may get no processor for a minute, the guest rings no more often than a small file has room for.
    """
    session = Session(scenario, limit=int(SIGNALS * SECONDS) if emulated(host_facts()) else None)
    beside = path.with_suffix(".part")
    with session, Recorder(beside, Header.of(session, program_version()), compression="zstd") as recorder:
        for ioeventfd, irqfd in WIRINGS if scenario.name == DEFAULT else ():
            session.order(Order.IOEVENTFD, ioeventfd)
            session.order(Order.IRQFD, irqfd)
            follow(session, recorder, EACH_WIRING)
        if scenario.name != DEFAULT:
            follow(session, recorder, seconds_of(scenario))
        session.stop()
        recorder.append(session.take())
    if session.error and not scenario.ends:
        raise session.error
    beside.replace(path)
    return f"{path.name:32} {recorder.events:7} events {path.stat().st_size:8} bytes"


def follow(session: Session, recorder: Recorder, seconds: float) -> None:
    """Records for so long, or until the guest has ended."""
    until = time.monotonic() + seconds
    while session.alive and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        recorder.append(session.take())


def record_named(name: str, wanted: Scenario) -> str:
    """The recording of one scenario, made anew; a line that says so, or why not: then the one before stays."""
    scenario = recorded_scenario(wanted)
    if not recorded_here(name, wanted, host_facts()):
        return f"{name:32} stays as it is: another KVM makes it (make recordings, make svm-recordings)"
    if why := build.refusal(scenario):
        return f"{name:32} stays as it is: {why}"
    try:
        return record_one(scenario, path_of_shipped(name))
    except EngineError as error:
        return f"{name:32} stays as it is: {error}"


def main(names: list[str]) -> None:
    """Records these, or all; removes those whose scenario is gone; says on which machine."""
    FOLDER.mkdir(exist_ok=True)
    there = recorded_ones()
    for orphan in {*FOLDER.glob("*.arrow")} - {path_of_shipped(name) for name in there}:
        orphan.unlink()
    began = time.monotonic()
    here = [name for name, wanted in there.items() if recorded_here(name, wanted, host_facts())]
    wanted = {name: there[name] for name in names or here}
    alone = {name: scenario for name, scenario in wanted.items() if flat_out(scenario)}
    for name, scenario in alone.items():
        print(record_named(name, scenario), flush=True)
    together = {name: scenario for name, scenario in wanted.items() if name not in alone}
    with ThreadPoolExecutor(1 if emulated(host_facts()) else AT_A_TIME) as pool:
        for line in pool.map(record_named, together, together.values()):
            print(line, flush=True)
    facts, size = host_facts(), sum(file.stat().st_size for file in FOLDER.iterdir())
    print(f"{facts['cpu']}, {facts['cpus']} CPUs, Linux {facts['kernel']}, {facts['backend']}")
    print(f"{size / 1e6:.2f} MB in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
