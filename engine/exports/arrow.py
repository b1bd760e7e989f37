"""A recording of a recording: whole, in order, and with its outline, whatever the first one had lost."""

from __future__ import annotations

from pathlib import Path

from engine.exports.batches import batches
from engine.recorder import save_recording
from engine.recording import Progress, Recording


def write(recording: Recording, path: Path, progress: Progress) -> int:
    """How many events."""
    return save_recording(path, recording.header, batches(recording, progress))
