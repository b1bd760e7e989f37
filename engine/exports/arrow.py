"""A recording of a recording: whole, in order, and with its outline, whatever the first one had lost."""

from __future__ import annotations

from typing import IO

from bellwire.engine.recordings.recorder import write_recording
from bellwire.engine.recordings.recording import Progress, Recording


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    return _write(recording, file, progress, stream=False)


def write_stream(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """The same without what makes a stream a file: for programs that read while it is written."""
    return _write(recording, file, progress, stream=True)


def _write(recording: Recording, file: IO[bytes], progress: Progress, stream: bool) -> int:
    return write_recording(
        file,
        recording.header,
        recording.sorted_batches(progress),
        stream=stream,
        annotations=recording.annotations,
        notes=recording.notes,
    )
