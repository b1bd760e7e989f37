"""Turns a recording into a file of another format, whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path

from bellwire.engine.errors import RecordingError
from bellwire.engine.exports import EXPORTS, Export
from bellwire.engine.language import tr
from bellwire.engine.outputs import refuse_source, whole_or_not
from bellwire.engine.recordings.recording import Progress, Recording

OURS = (".arrow", ".arrows")  # which hold all of a recording, and may stand in its place


def export_for(path: Path, name: str | None = None) -> Export:
    """The format of this name, else the one that the path's suffix means; RecordingError if there is none."""
    if name in EXPORTS:
        return EXPORTS[name]
    by_suffix = {export.suffix: export for export in EXPORTS.values()}
    suffix = path.suffix.lower()
    if name is None and suffix in by_suffix:
        return by_suffix[suffix]
    known = ", ".join(f"{key} ({export.suffix})" for key, export in EXPORTS.items())
    raise RecordingError(
        tr("{what}: not a format that a recording can be converted to: {known}.", what=name or path.name, known=known)
    )


def write_export(
    recording: Recording,
    path: Path,
    export: Export,
    progress: Progress = lambda share: None,
    *,
    force: bool = False,
    patience: float = math.inf,
) -> int:
    """Writes `path`; by `force` replaces what was there once all is well. How many events, or latencies, it holds.

    patience: seconds in which a device or a pipe must take something.

    RecordingError if it cannot be written, or is the recording itself, which holds more than that; then, as after an
    interrupt, nothing is left of it.
    """
    if export.suffix not in OURS:
        refuse_source(path, recording.path)
    with whole_or_not(path, force, patience=patience) as file:
        return export.write(recording, file, progress)
