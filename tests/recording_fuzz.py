"""Damages a small recording at random, again and again, and reads what is left: python -m tests.recording_fuzz 10000

Prints how many were opened and how many refused. It runs in a process of its own, so that a crash is a result.
"""

from __future__ import annotations

import faulthandler
import random
import sys
import tempfile
from pathlib import Path

import numpy as np

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EVENT, EventKind, Lane
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording

SECONDS = 20  # that reading one file may take before it counts as hung
OLDER = [Path(__file__).parent / "recordings" / f"format-{version}.arrow" for version in (1, 2)]


def small_recording(path: Path) -> bytes:
    """A few batches of a few events."""
    header = Recording(OLDER[0]).header
    with Recorder(path, Header(header.scenario, header.host, header.backend, header.clock, header.program)) as recorder:
        for start in range(4):
            events = np.zeros(20, EVENT)
            events["tsc"] = 10_000 + 1000 * start + np.arange(20)
            events["kind"], events["lane"], events["seq"] = EventKind.RING, Lane.GUEST, 1 + np.arange(20)
            recorder.append(events)
            recorder.flush()
    return path.read_bytes()


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The file with bytes changed, taken out, doubled, or cut off."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, size = rng.randrange(len(data)), rng.choice((1, 1, 4, 8, 64))
        what = rng.randrange(6)
        if what < 3:
            data[at : at + size] = rng.choice((rng.randbytes(size), b"\0" * size, b"\xff" * size))
        elif what == 3:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 4:
            del data[at : at + size]
        else:
            data[at:at] = data[at : at + size]
    return bytes(data[: rng.randrange(len(data))]) if rng.random() < 0.1 else bytes(data)


def read_all(path: Path) -> bool:
    """Opens it and reads everything in every way; False if it is refused."""
    try:
        recording = Recording(path)
        recording.outline()
        size = sum(events.size for events in recording.batches())
        assert size + sum(recording.damaged.values()) == len(recording)
        recording.window(recording.first, recording.last)
        for _ in recording.sorted_batches():
            pass
    except RecordingError:
        return False
    return True


def main(rounds: int, seed: int = 1) -> None:
    """Every format in turns."""
    rng, opened = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.arrow"
        sources = (small_recording(path), *(older.read_bytes() for older in OLDER))
        for number in range(rounds):
            path.write_bytes(damaged(sources[number % len(sources)], rng))
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            opened += read_all(path)
    faulthandler.cancel_dump_traceback_later()
    print(f"{rounds} damaged recordings: {opened} opened, {rounds - opened} refused, none crashed")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["10000"]))
