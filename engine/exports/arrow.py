"""A recording of a recording: whole, in order, and with its outline, whatever the first one had lost."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.exports.batches import batches
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Progress, Recording


def write(recording: Recording, path: Path, progress: Progress) -> int:
    """How many events."""
    return save_recording(path, recording.header, batches(recording, progress))
