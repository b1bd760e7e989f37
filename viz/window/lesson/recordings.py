"""The recordings that run beside a lesson, one of each guest that it has run: the way back to each moment of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from bellwire.engine.foreign import file_name
from bellwire.engine.host.scratch import scratch_folder
from bellwire.engine.outlet import RECORDING_ROOM
from bellwire.engine.outputs import STUCK_SECONDS
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.source import Source
from bellwire.viz.model.annotations.kept import Annotations
from bellwire.viz.model.live import LiveModel, recorded
from bellwire.viz.window.files import header_for


class LessonRecordings:
    """In a folder that goes with the lesson. RecordingError if a file cannot be made, or not be read."""

    def __init__(self) -> None:
        self._life = ExitStack()
        self._folder = self._life.enter_context(scratch_folder())
        self._captures: dict[Source, Capture] = {}
        self._written: dict[Path, Annotations] = {}  # what was written on a run, by its file

    def record(self, model: LiveModel) -> None:
        """From now on, if it is a guest, and not recorded already."""
        source = model.source
        if recorded(source) is None and source not in self._captures:
            path = self._folder / f"{len(self._captures) + 1}-{file_name(model.scenario.name)}.arrow"
            outlet = source.tee(RECORDING_ROOM)
            self._captures[source] = Capture(path, header_for(source), model.beginning(), outlet)

    def keep_annotations(self, model: LiveModel) -> None:
        """What is written on the run that is shown, for its file, and for when it is seen again."""
        path = self.path_of(model.source)
        if path is not None:
            self._written[path] = model.annotations
        if model.source in self._captures:
            self._captures[model.source].annotations = model.annotations.all

    def bring_annotations(self, model: LiveModel) -> None:
        """What was written on the run when it was shown before."""
        written = self._written.get(self.path_of(model.source) or Path())
        if written is not None:
            model.annotations = written.carried()

    def left(self, source: Source) -> None:
        """It is no longer shown, so its file ends."""
        if source in self._captures:
            self._captures[source].stop()

    def path_of(self, source: Source) -> Path | None:
        """Where that source can be seen again; None if nowhere."""
        replay = recorded(source)
        if replay is not None:
            return replay.recording.path
        return self._captures[source].path if source in self._captures else None

    def ready(self, source: Source) -> bool:
        """Whether its file is whole."""
        return source not in self._captures or self._captures[source].ended

    def whole(self, source: Source) -> Path | None:
        """Its file once it is whole, as nothing more is written to it; None if there is none."""
        capture = self._captures.get(source)
        if capture is not None:
            capture.stop()
            capture.wait(STUCK_SECONDS)
            if capture.error:
                raise capture.error
        return self.path_of(source)

    def replay(self, source: Source, tsc: int) -> Replay | None:
        """A replay of it that has come to `tsc`; None if there is no file."""
        path = self.path_of(source)
        if path is None:
            return None
        made = Replay(Recording(path))
        made.passing = source in self._captures
        made.begin_at(max(tsc - made.recording.first, 0))
        made.start()
        return made

    def end(self) -> None:
        """Nothing is left of them."""
        for capture in self._captures.values():
            capture.stop()
        for capture in self._captures.values():
            capture.wait(STUCK_SECONDS)
        self._captures.clear()
        self._life.close()
