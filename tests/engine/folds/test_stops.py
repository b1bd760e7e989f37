"""A program that stood still has no latency then; one thread that was late has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Setting
from bellwire.engine.findings.pairing import pairing_findings
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli.summary import stopped_report
from bellwire.viz.text.trust import left_out
from tests.support.processes import threads_of

CLOCK = Clock(2e9)
TURNS = 200


def run(stall: float, noted: float, others: bool = False) -> Latencies:
    """Round trips every 10 ms; the middle one takes `stall` seconds, of which the engine's thread stands still for
    `noted`; others: whether KVM's counters went on changing."""
    rows: list[tuple[int, ...]] = [(1, EventKind.SETTING, Lane.ENGINE, 0, Setting.PACE, 0, 100)]
    rows.append((1, EventKind.SETTING, Lane.ENGINE, 0, Setting.RUNNING, 0, 1))
    at = 10**9
    for n in range(1, TURNS + 1):
        late = CLOCK.cycles(stall) if n == TURNS // 2 else 0
        rows.append((at, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
        rows.append((at + 500, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        if late and noted:
            rows.append((at + 3_000, EventKind.SETTING, Lane.ENGINE, 0, Setting.STALLED, 0, CLOCK.cycles(noted)))
        for sample in range(100_000_000, late, 100_000_000) if others else ():
            rows.append((at + sample, EventKind.STAT, Lane.KVM, 0, 0, 0, sample))
        rows.append((at + late + 40_000, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1))
        rows.append((at + late + 41_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, n))
        rows.append((at + late + 60_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n, 1))
        at += 20_000_000 + late
    return latencies_of("roundtrip", rows)


def latencies_of(scenario: str, rows: list[tuple[int, ...]]) -> Latencies:
    """Of these events of a run, fed in pieces."""
    latencies = Latencies(load_scenario(scenario), CLOCK)
    for part in np.array_split(ordered(rows), 17):
        latencies.feed(part)
    return latencies


def ordered(rows: list[tuple[int, ...]]) -> Events:
    events: Events = np.sort(np.array(rows, EVENT), order="tsc")
    return events


def test_a_stop_of_everything_is_no_latency_and_says_so() -> None:
    latencies = run(7, 7)
    assert (latencies.stops.count, latencies.stopped) == (1, 1)
    assert latencies.histograms["round_trip"].max < 100_000
    corrected = latencies.corrected("round_trip").corrected
    assert corrected.max < 100_000
    assert corrected.count == latencies.histograms["round_trip"].count
    assert "stood still for 7.00 s" in pairing_findings(latencies)[0].claim
    assert "1 journey during a stop of the whole program" in left_out(latencies)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_as_many_stops_as_there_are_leave_a_journey_out_each(pieces: int) -> None:
    """Of a batch with more of them than are remembered as well."""
    rows: list[tuple[int, ...]] = []
    for n in range(1, 101):
        at = n * CLOCK.cycles(1)
        rows.append((at, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
        rows.append((at + 500, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        rows.append((at + 3_000, EventKind.SETTING, Lane.ENGINE, 0, Setting.STALLED, 0, CLOCK.cycles(0.8)))
        rows.append((at + CLOCK.cycles(0.8) + 40_000, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1))
        rows.append((at + CLOCK.cycles(0.8) + 41_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, n))
        rows.append((at + CLOCK.cycles(0.8) + 60_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n, 1))
    latencies = Latencies(load_scenario("roundtrip"), CLOCK)
    for part in np.array_split(ordered(rows), pieces):
        latencies.feed(part)
    assert (latencies.stops.count, latencies.stopped) == (100, 100)
    assert latencies.histograms["round_trip"].count == 0


@pytest.mark.parametrize(("noted", "others"), [(0, False), (7, True), (2, False)])
def test_a_thread_that_is_late_alone_is_a_latency(noted: float, others: bool) -> None:
    """The engine's thread ran, or something else did."""
    latencies = run(7, noted, others)
    assert (latencies.stops.count, latencies.stopped) == (0, 0)
    assert latencies.histograms["round_trip"].max > 6.9e9
    assert pairing_findings(latencies) == []


def test_a_clock_that_stands_still_with_the_program_goes_on_behind_it() -> None:
    latencies = run(7, 7)
    times = np.array([10**9, 10**9 + CLOCK.cycles(60)], np.uint64)
    assert float(np.diff(latencies.stops.working(times))[0]) == pytest.approx(CLOCK.cycles(53), rel=0.001)


def partnered(*told: tuple[float, int], again: tuple[int, ...] = ()) -> Latencies:
    """Round trips every 10 ms, the middle one takes 7 s; told: PARTNER_STOPPED of process 77, so far into it.

    again: so many round trips later the same of process 78.
    """
    rows: list[tuple[int, ...]] = []
    at = 10**9
    for n in range(1, TURNS + 1):
        late = CLOCK.cycles(7) if n - TURNS // 2 in (0, *again) else 0
        pid = 78 if n > TURNS // 2 else 77
        rows.append((at, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
        rows.append((at + 500, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        for seconds, stopped in told if late else ():
            then, arg = at + CLOCK.cycles(seconds), pid if stopped else 0
            rows.append((then, EventKind.SETTING, Lane.ENGINE, 0, Setting.PARTNER_STOPPED, pid, arg))
        rows.append((at + late + 60_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n, 1))
        at += 20_000_000 + late
    return latencies_of("vhost-user-blk", rows)


def test_what_was_under_way_while_another_process_stood_still_is_no_latency() -> None:
    latencies = partnered((0.5, 77), (6.5, 0))
    assert (latencies.stops.count, latencies.stopped, latencies.partner_stopped) == (0, 0, 1)
    assert latencies.histograms["round_trip"].max < 100_000
    (told,) = pairing_findings(latencies)
    assert told.claim.startswith("Process 77 stood still for at least 6.00 s, stopped by a signal or a debugger")
    assert told.claim.endswith("are in no latency: 1.")
    assert "1 journey during a stop of another process" in left_out(latencies)


def test_each_of_several_processes_is_told_the_journeys_that_it_kept_waiting() -> None:
    """Of either it was said that they were all of its own."""
    latencies = partnered((0.5, 77), (6.5, 0), again=(3, 5))
    assert latencies.partner_stopped == 3
    ends = [(told.claim.split(" stood")[0], told.claim[-2], told.numbers) for told in pairing_findings(latencies)]
    assert ends == [
        ("Process 77", "1", {"stops": 1, "journeys": 1}),
        ("Process 78", "2", {"stops": 2, "journeys": 2}),
    ]
    assert stopped_report(latencies)["partners"] == [
        {"process": 77, "stops": 1, "seconds": 6.0, "journeys": 1},
        {"process": 78, "stops": 2, "seconds": 12.0, "journeys": 2},
    ]


def test_one_that_has_not_gone_on_is_told_so() -> None:
    (told,) = pairing_findings(partnered((0.5, 77), (4.5, 77)))
    assert told.claim.startswith("Process 77 has stood still")
    assert told.claim.endswith("and has not gone on.")


def until_it_runs(pid: int) -> None:
    """Waits for a guest's thread, and half a second of what it does."""
    until = time.monotonic() + 60
    while "vcpu" not in threads_of(pid).values():
        assert time.monotonic() < until, "no guest has begun"
        time.sleep(0.05)
    time.sleep(0.5)


@pytest.mark.kvm
def test_a_process_that_is_stopped_by_a_signal_says_so() -> None:
    command = [sys.executable, "-m", "bellwire.viz", "run", "roundtrip", "--seconds", "5", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        until_it_runs(process.pid)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGCONT)
        report = json.loads(process.communicate(timeout=240)[0])
    assert process.returncode == 0
    assert report["stopped"]["stops"] >= 1
    assert "stood still" in report["evidence"][0]["claim"]
    assert report["latency_ns"]["round_trip"]["max"] < 1.4e9
