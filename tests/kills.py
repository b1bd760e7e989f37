"""Processes that are killed while they record a host that signals flat out: what was recorded opens, nearly to the end.

`python -m tests.kills COUNT SEED` kills so many, each at a random moment, and prints how much of the end each one lost.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.events import EventKind, no_events
from bellwire.engine.recordings.recording import Recording

SCENARIOS = ("irq-msi", "irq-burst", "irq-signal-msi")
LONGEST = 3.0  # seconds from the first word on the disk to the kill, at most
PATIENCE = 120.0  # seconds that a start may take on a busy machine
MOST_LOST = 1.0  # seconds, as the README says


@dataclass(frozen=True)
class Killed:
    """What a killed process left. lost_s: from the last event to the kill; rising: whether its numbers never fall."""

    scenario: str
    events: int
    lost_s: float
    rising: bool


def kill_one(scenario: str, after: float, folder: Path) -> Killed:
    """Records, kills, opens. RecordingError if what is left is no recording; TimeoutError if it never began."""
    path = folder / f"{scenario}.arrow"
    path.unlink(missing_ok=True)
    program = "from bellwire.viz.__main__ import main; main()"
    command = [sys.executable, "-c", program, "record", scenario, "--set", "pace=flat-out", "-o", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as recorder:
        until = time.monotonic() + PATIENCE
        while not (path.exists() and path.stat().st_size > 1 << 16):
            if time.monotonic() > until:
                recorder.kill()
                raise TimeoutError(f"{scenario}: nothing was recorded")
            time.sleep(0.005)
        began_at = lib.bw_tsc()
        time.sleep(after)
        killed_at = lib.bw_tsc()
        recorder.kill()
    recording = Recording(path)
    numbers = [events["seq"][events["kind"] == EventKind.HANDLER] for events in recording.sorted_batches()]
    rising = bool((np.diff(np.concatenate([no_events()["seq"], *numbers]).astype(np.int64)) >= 0).all())
    last = recording.last if len(recording) else began_at  # in the midst of its first batch
    lost = recording.header.clock.ns(killed_at - last) / 1e9
    return Killed(scenario, len(recording), lost, rising)


def kill_many(count: int, seed: int) -> list[Killed]:
    """Kills so many, in turns of the scenarios."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:
        found = []
        for number in range(count):
            found.append(kill_one(SCENARIOS[number % len(SCENARIOS)], dice.uniform(0, LONGEST), Path(folder)))
            print(f"{number + 1:4} {found[-1]}", flush=True)
    return found


def main(count: int, seed: int) -> int:
    """Kills and tells; 1 if one lost more than README promises, or left what is no recording."""
    found = kill_many(count, seed)
    lost = np.array([one.lost_s for one in found])
    print(f"{count} kills: {np.median(lost):.2f} s lost (median), {lost.max():.2f} s at most")
    return int(bool(lost.max() > MOST_LOST) or not all(one.rising for one in found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
