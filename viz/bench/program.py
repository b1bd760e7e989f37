"""`bellwire bench`: what the program costs the thing that it shows, as ratios and figures of one run.

Everything that is compared is measured in turns, so that the machine's moods fall on both sides. No test asserts these
figures; the README quotes them with the machine they came from.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer

from bellwire.engine.events import Events
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kernel.program import KernelSightError
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.live import bench
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.viz.text.figures import grouped
from bellwire.viz.window.window import MainWindow, make_window

SIZE = (1920, 1080)
WARM_UP_SECONDS = 1.0
QUICK, FULL = 3, 7  # turns
PACINGS = ("roundtrip", "doorbell-pio", "irq-msi", "irq-burst", "irq-signal-msi", "virtqueue", "vm-to-vm")
WANTED = "8 ms, 30 frames/s, 0.5 s behind, 2 s to end"
PRODUCER_RATE = 5_500_000  # events a second
FIRST_EVENT = """
from bellwire.viz.window import importing
with importing():
    import bellwire.viz.cli.app
from bellwire.viz.bench.first_event import paint_first_event
paint_first_event()
"""


@dataclass(frozen=True)
class Figure:
    """One line of the result. limit: what it is meant to stay within, as text."""

    name: str
    value: str
    limit: str
    holds: bool
    detail: str = ""


# -- sessions, with and without a window -----------------------------------------------------------------------------


def run_events(seconds: float) -> None:
    """Qt's events for a while, waited for as the program does."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


@contextmanager
def window_on(scenario: Scenario) -> Iterator[MainWindow]:
    """The window with a live session of a scenario, as large as SIZE."""
    window = make_window(Session(scenario))
    window.resize(*SIZE)
    window.show()
    window.frame.start()
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()
        run_events(0.05)


def round_trip_with_window(scenario: Scenario, seconds: float) -> float:
    """p50 of the round trip in ns."""
    with window_on(scenario) as window:
        run_events(seconds)
        return window.model.present.latencies.histograms["round_trip"].percentile(50)


def round_trip_headless(scenario: Scenario, seconds: float) -> float:
    """The same without a window; the events are folded all the same."""
    with Session(scenario) as session:
        latencies = Latencies(scenario, session.clock, session.backend)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.016)
            latencies.feed(session.take())
    return latencies.histograms["round_trip"].percentile(50)


# -- the figures -----------------------------------------------------------------------------------------------------


def microseconds(ns: float) -> str:
    return f"{ns / 1000:.1f} µs"


def range_of(ratios: tuple[float, ...]) -> str:
    return f"{min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} pairs"


def instrumentation(turns: int) -> Figure:
    """All instrumentation, headless, against the bare loop."""
    ratio = bench.instrumentation_ratios(2 * turns + 1, rounds=6000)
    detail = f"{microseconds(ratio.first_ns)} against {microseconds(ratio.second_ns)}; {range_of(ratio.ratios)}"
    return Figure(
        "round trip, instrumented : bare, p50", f"{ratio.median:.2f} x", "1.10 x", ratio.median <= 1.10, detail
    )


def watched(turns: int) -> Iterator[Figure]:
    """The inside of the kernel watched, against not; nothing where it cannot be seen."""
    name, wanted = "round trip, kernel watched : not, p50", "1.05 x"
    try:
        ratio = bench.watching_ratios(2 * turns + 1, rounds=6000)
    except KernelSightError as error:
        yield Figure(name, "–", wanted, True, str(error))
        return
    detail = f"{microseconds(ratio.first_ns)} against {microseconds(ratio.second_ns)}; {range_of(ratio.ratios)}"
    yield Figure(name, f"{ratio.median:.2f} x", wanted, ratio.median <= 1.05, detail)


def with_window(turns: int) -> Figure:
    """The window open, guest flat out, against no window."""
    scenario = bench.flat_out("roundtrip")
    pairs = [(round_trip_with_window(scenario, 2.5), round_trip_headless(scenario, 2.5)) for _ in range(turns)]
    ratios = tuple(first / second for first, second in pairs)
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    detail = f"{microseconds(first)} against {microseconds(second)}; {range_of(ratios)}"
    value = statistics.median(ratios)
    return Figure("round trip, window open : headless, p50", f"{value:.2f} x", "1.25 x", value <= 1.25, detail)


def frame_work(scenario: Scenario, seconds: float) -> tuple[float, float, float]:
    """(p99 of the work of a frame in ms, the same by the wall clock, events a second)."""
    with window_on(scenario) as window:
        run_events(WARM_UP_SECONDS)
        window.frame.work.clear()
        window.frame.spent.clear()
        before, began = window.model.present.tally.recorded, time.monotonic()
        run_events(seconds)
        rate = (window.model.present.tally.recorded - before) / (time.monotonic() - began)
        work, spent = (float(np.percentile(side, 99)) * 1000 for side in (window.frame.work, window.frame.spent))
    return work, spent, rate


def frames(turns: int) -> list[Figure]:
    """What a frame costs at 1920x1080, flat out and at a slow pace."""
    slow = replace(load_scenario("roundtrip"), pace=replace(load_scenario("roundtrip").pace, per_second=100.0))
    costs = [(frame_work(bench.flat_out("roundtrip"), 3.0), frame_work(slow, 3.0)) for _ in range(turns)]
    fast_work = statistics.median(fast[0] for fast, _ in costs)
    slow_work = statistics.median(slow[0] for _, slow in costs)
    wall = statistics.median(fast[1] for fast, _ in costs)
    rates = [grouped(statistics.median(side[2] for side in sides)) for sides in zip(*costs, strict=True)]
    detail = f"{rates[0]} events/s; by the wall clock {wall:.1f} ms, where the guest's threads share the CPUs"
    growth = fast_work / slow_work
    return [
        Figure("work of a frame, flat out, p99", f"{fast_work:.1f} ms", "8 ms", fast_work <= 8, detail),
        Figure(
            "work of a frame, flat out : 100 signals/s",
            f"{growth:.2f} x",
            "does not grow",
            growth < 1.5,
            f"{slow_work:.1f} ms at {rates[1]} events/s",
        ),
    ]


@dataclass(frozen=True)
class UnderLoad:
    """How a window fares whose scenario signals as fast as it can, with a busy loop beside it for every CPU.

    behind: seconds from the newest event that was shown to the present, at most; ending: seconds that closing took.
    """

    frames_per_second: float
    work_p99_ms: float
    behind: float
    ending: float
    events_per_second: float
    passed_over: int
    dropped: int  # where they are captured

    @property
    def detail(self) -> str:
        """All but the work."""
        return (
            f"{self.frames_per_second:.0f} frames/s, {self.behind:.2f} s behind at most, ended in {self.ending:.1f} s; "
            f"{grouped(self.events_per_second)} events/s, of which {grouped(self.passed_over)} in all were only "
            f"counted, {grouped(self.dropped)} dropped"
        )


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many processes that never wait."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def under_load(scenario: Scenario, seconds: float) -> UnderLoad:
    """Measures one."""
    behind = [0.0]

    def look(events: Events) -> None:
        """At each drain: how old the newest event is, while there are any."""
        model = window.model
        if events.size:
            behind.append(model.clock.ns(model.source.now() - int(events["tsc"][-1])) / 1e9)

    with busy_loops(len(os.sched_getaffinity(0))):
        with window_on(scenario) as window:
            run_events(WARM_UP_SECONDS)
            window.model.taps.append(look)
            window.frame.work.clear()
            before, began = window.model.present.tally, time.monotonic()
            known = before.recorded + before.dropped
            run_events(seconds)
            elapsed, frames = time.monotonic() - began, len(window.frame.work)
            tally, work = window.model.present.tally, float(np.percentile(window.frame.work, 99)) * 1000
            passed, dropped = tally.passed_over, tally.lost
            rate = (tally.recorded + tally.dropped - known) / elapsed
            closing = time.monotonic()
        ending = time.monotonic() - closing
    return UnderLoad(frames / elapsed, work, max(behind), ending, rate, passed, dropped)


def pacings(seconds: float) -> Iterator[Figure]:
    """Every way to keep the pace, flat out: by the guest, by the host, by a virtqueue's driver, by another guest."""
    for name in PACINGS:
        scenario = bench.flat_out(name)
        if refusal(scenario):
            continue
        seen = under_load(scenario, seconds)
        fine = seen.work_p99_ms <= 8 and seen.frames_per_second >= 30 and seen.behind <= 0.5 and seen.ending <= 2
        yield Figure(
            f"work of a frame beside busy loops, {name}, p99", f"{seen.work_p99_ms:.1f} ms", WANTED, fine, seen.detail
        )


def first_event(turns: int) -> Figure:
    """From the command to the first live event painted, warm."""
    with TemporaryDirectory() as compiled:
        times = [time_to_first_event(compiled) for _ in range(turns + 1)][1:]
    value = statistics.median(times)
    detail = f"{min(times):.2f} to {max(times):.2f} s over {len(times)} starts"
    return Figure("command to first live event painted", f"{value:.2f} s", "0.8 s", value <= 0.8, detail)


def time_to_first_event(compiled: str) -> float:
    """Seconds, in a process of its own, which keeps compiled modules in that folder, as an installed program has them:
    also where the environment tells Python to compile them at each start."""
    kept = {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}  # "" is as if it were not set
    began = time.monotonic()
    command = [sys.executable, "-c", FIRST_EVENT]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=os.environ | kept
    ).stdout
    return float(ended.split()[-1]) - began


def rings(seconds: float) -> Figure:
    """A synthetic producer, drained while the window shows a guest."""
    count = round(PRODUCER_RATE * seconds)
    with window_on(load_scenario("roundtrip")):
        run_events(WARM_UP_SECONDS)
        producer = bench.SyntheticProducer(count, PRODUCER_RATE)
        began = time.monotonic()
        drainer = threading.Thread(target=drain, args=(producer, count), name="drain")
        begin_thread(drainer)
        while drainer.is_alive():
            run_events(0.05)
        rate = producer.drained / (time.monotonic() - began)
        dropped = producer.dropped
        drainer.join()
        producer.close()
    detail = f"{grouped(count)} events, {grouped(dropped)} dropped, the window shown"
    return Figure(
        "ring drained", f"{rate / 1e6:.1f} M events/s", "5 M/s, 0 dropped", rate >= 5e6 and not dropped, detail
    )


def drain(producer: bench.SyntheticProducer, count: int) -> None:
    """As the engine thread does, every few milliseconds, until all was pushed."""
    while producer.running or producer.drained + producer.dropped < count:
        producer.drain()
        time.sleep(0.008)


def soak(seconds: float) -> Figure:
    """Memory, flat out with the window shown, after the first minute (or a tenth of a shorter run) and at the end."""
    with window_on(bench.flat_out("roundtrip")) as window:
        settled = min(60.0, seconds / 10)
        run_events(settled)
        before = resident_mb()
        run_events(seconds - settled)
        after, events = resident_mb(), window.model.present.tally.recorded
    detail = f"{before:.0f} MB after {settled:.0f} s, {after:.0f} MB after {seconds:.0f} s and {grouped(events)} events"
    return Figure("memory, flat out", f"{after / before:.2f} x", "flat", after / before < 1.1, detail)


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def figures(quick: bool, soak_seconds: float) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """What is measured, in order: a name for the progress bar, and what measures it."""
    turns = QUICK if quick else FULL
    yield "start", lambda: [first_event(turns)]
    yield "instrumentation", lambda: [instrumentation(turns)]
    yield "kernel", lambda: list(watched(turns))
    yield "window", lambda: [with_window(turns)]
    yield "frames", lambda: frames(QUICK)
    yield "pacings", lambda: list(pacings(2.0 if quick else 5.0))
    yield "rings", lambda: [rings(3.0)]
    if soak_seconds:
        yield "memory", lambda: [soak(soak_seconds)]
