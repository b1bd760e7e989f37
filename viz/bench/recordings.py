"""`bellwire bench --recordings`: what a large recording costs. The recording is synthetic, made by the engine without a
guest, and the result says so; it is measured in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent

from bellwire.engine.host.scratch import scratch_folder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.synthetic import synthetic_recording
from bellwire.viz.bench.kernelshark import NotMeasuredError, load_seconds
from bellwire.viz.bench.program import Figure
from bellwire.viz.text.figures import grouped

OPEN_SECONDS, INDEX_SECONDS, STEP_MS, MEMORY_MB = 1.0, 20.0, 8.0, 500.0  # wanted
STEPS = 300
SIZE = (1600, 220)
FASTER = 5  # times, than KernelShark
MOST_TRACED = 10**7  # events that are traced for it


def recording_figures(events: int) -> list[Figure]:
    """Makes a recording of that many events, opens it and zooms in it, and throws it away."""
    with scratch_folder(Path.cwd()) as folder:
        path = folder / "synthetic.arrow"
        written = synthetic_recording(path, events)
        command = [sys.executable, "-m", __name__, str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment(str(folder)))
        measured: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
        what = f"{grouped(written)} synthetic events, {path.stat().st_size / 1e9:.2f} GB"
        return [*figures_of(measured, what), against_kernelshark(measured["open_s"], events, folder)]


def against_kernelshark(open_s: float, events: int, folder: Path) -> Figure:
    """Opening, against KernelShark's opening of a trace.dat with as many events, or with MOST_TRACED."""
    name, wanted = "recording opened : trace.dat opened by KernelShark", f"{1 / FASTER:g} x"
    try:
        seconds, count = load_seconds(min(events, MOST_TRACED), folder)
    except NotMeasuredError as error:
        return Figure(name, "not measured", wanted, False, str(error))
    detail = (
        f"{open_s:.2f} s : {seconds:.2f} s, for {grouped(count)} system calls; libkshark has read all of them by then, "
    )
    detail += "bellwire the heads of the batches"
    ratio = open_s / max(seconds, 1e-9)
    return Figure(name, f"{ratio:.3f} x", wanted, ratio <= 1 / FASTER, detail)


def environment(folder: str) -> dict[str, str]:
    """No display, and a cache of its own."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CACHE_HOME": folder}


def figures_of(measured: dict[str, float], what: str) -> list[Figure]:
    """The lines of the result."""
    opened, index, step, memory = (measured[name] for name in ("open_s", "index_s", "step_p99_ms", "memory_mb"))
    again = f"{what}; again, with its index from the cache, {measured['again_s']:.2f} s"
    return [
        Figure("recording opened", f"{opened:.2f} s", f"{OPEN_SECONDS:g} s", opened <= OPEN_SECONDS, again),
        Figure(
            "index built, once, while it is shown",
            f"{index:.0f} s",
            f"{INDEX_SECONDS:g} s",
            index <= INDEX_SECONDS,
            what,
        ),
        Figure(
            "zoom step, timeline redrawn, p99",
            f"{step:.1f} ms",
            f"{STEP_MS:g} ms",
            step <= STEP_MS,
            f"{STEPS} steps from the whole to 10 µs; of this thread's time p99 {measured['step_cpu_p99_ms']:.1f} ms, "
            f"p50 {measured['step_p50_ms']:.1f} ms; {SIZE[0]} pixels",
        ),
        Figure("memory, window's parts included", f"{memory:.0f} MB", f"{MEMORY_MB:g} MB", memory <= MEMORY_MB, "peak"),
    ]


# -- in the process that is measured


def measure_recording(path: Path) -> dict[str, float]:
    """Opens, indexes, zooms."""
    began = time.perf_counter()
    replay = Replay(Recording(path))
    replay.start()
    opened = time.perf_counter()
    replay.indexer.wait()
    indexed = time.perf_counter()
    replay.stop()
    again = time.perf_counter()
    replay = Replay(Recording(path))
    replay.start()
    loaded = time.perf_counter()
    wall, cpu = zoom(replay)
    replay.stop()
    return {
        "open_s": opened - began,
        "index_s": indexed - opened,
        "again_s": loaded - again,
        "step_p50_ms": float(np.percentile(wall, 50)) * 1e3,
        "step_p99_ms": float(np.percentile(wall, 99)) * 1e3,
        "step_cpu_p99_ms": float(np.percentile(cpu, 99)) * 1e3,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def zoom(replay: Replay) -> tuple[list[float], list[float]]:
    """Seconds that each step took, by the wall clock and of this thread: somewhere else, at another scale, painted.

    In a window, as a turn of the wheel paints it: what is another picture then, and not the names of the lanes.
    """
    from bellwire.viz.model.live import LiveModel
    from bellwire.viz.style.theme import DARK
    from bellwire.viz.timeline.widget import Timeline
    from bellwire.viz.window.application import application

    app = application()
    timeline = Timeline(LiveModel(replay), DARK)
    timeline.resize(*SIZE)
    timeline.model.tick(0)
    timeline.view.following = False
    timeline.show()
    app.processEvents()
    recording, random, wall, cpu = replay.recording, np.random.default_rng(1), list[float](), list[float]()
    length = recording.last - recording.first
    for share in np.geomspace(1.0, 1e-5 * replay.clock.hz / length, STEPS):
        timeline.view.span = max(round(length * share), 1)
        timeline.view.start = recording.first + int(random.uniform(0, length - timeline.view.span + 1))
        began, began_cpu = time.perf_counter(), time.thread_time()
        timeline.redraw()
        app.sendPostedEvents(None, QEvent.Type.UpdateRequest)
        wall.append(time.perf_counter() - began)
        cpu.append(time.thread_time() - began_cpu)
    timeline.deleteLater()
    return wall, cpu


if __name__ == "__main__":
    print(json.dumps(measure_recording(Path(sys.argv[1]))))
