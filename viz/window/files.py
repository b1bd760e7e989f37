"""What the window does with files: recordings that are opened, saved, and written while it shows them.

Arrow is imported where it is needed, so that a window on a guest need not wait for it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path
from PySide6.QtWidgets import QFileDialog

from bellwire.engine.errors import EngineError, RecordingError
from bellwire.engine.events import Events
from bellwire.engine.source import Source
from bellwire.viz.text.figures import count_of, grouped
from bellwire.viz.text.versions import program_version

if TYPE_CHECKING:
    from bellwire.engine.recordings.capture import Capture
    from bellwire.engine.recordings.header import Header
    from bellwire.viz.window.window import MainWindow

RECORDINGS = "Recordings (*.arrow *.arrows);;All files (*)"
OURS = (".arrow", ".arrows")
RECENT = 8  # files that are remembered


def header_for(source: Source) -> Header:
    """What a recording of this source, begun now, is of; what comes from a recording stays what it was of."""
    from bellwire.engine.recordings.header import Header
    from bellwire.engine.recordings.replay import Replay

    return source.recording.header if isinstance(source, Replay) else Header.of(source, program_version())


def write_held(path: Path, header: Header, held: list[Events]) -> str:
    """Writes a recording, or converts what would be one; what was written, in words. EngineError if it cannot be."""
    from bellwire.engine.exports.convert import export_for, write_export
    from bellwire.engine.recordings.recorder import save_recording
    from bellwire.engine.recordings.recording import Recording

    if path.suffix in OURS:
        return count_of(save_recording(path, header, held), "event")
    export = export_for(path)
    with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:
        recording = Path(folder) / "held.arrow"
        save_recording(recording, header, held)
        written = write_export(Recording(recording), path, export)
    return f"{grouped(written)} {export.unit}"


class Files:
    """The files of one window. What takes time is done in threads; tell(), called now and then, says how it went."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.capture: Capture | None = None
        self._began = 0.0
        self._recent: list[str] = []
        self._saving: list[threading.Thread] = []
        self._news: list[Callable[[], None]] = []  # from threads to the window

    # -- opening

    @property
    def recent(self) -> list[Path]:
        """The recordings opened or made last, newest first."""
        settings = self.window.settings
        return [Path(name) for name in (settings.recent if settings else self._recent)]

    def _remember(self, path: Path) -> None:
        name = str(path.absolute())
        self._recent = [name, *(other for other in map(str, self.recent) if other != name)][:RECENT]
        if self.window.settings:
            self.window.settings.recent = self._recent

    def open(self) -> None:
        """Asks for a recording and replays it."""
        name, _ = QFileDialog.getOpenFileName(self.window, "Open a recording", "", RECORDINGS)
        if name:
            self.replay(Path(name))

    def replay(self, path: Path) -> None:
        """Replays a recording; what cannot be read says why."""
        from bellwire.engine.recordings.recording import Recording
        from bellwire.engine.recordings.replay import Replay

        try:
            source = Replay(Recording(path))
            source.start()
        except EngineError as error:
            self.window.notice.say(str(error))
            return
        self._remember(path)
        self.window.notice.hide()
        self.window.show_source(source)
        if source.warning:
            self.window.notice.say(source.warning)

    # -- saving what is held

    def save(self) -> None:
        """Writes all that the history holds to a recording; asks which."""
        self._ask("Save the recording", ["arrow"])

    def export(self) -> None:
        """Writes it in the format of another program; asks in which file, whose suffix says which format."""
        from bellwire.engine.exports import EXPORTS

        self._ask("Export", [name for name in EXPORTS if name != "arrow"])

    def _ask(self, title: str, formats: list[str]) -> None:
        from bellwire.engine.exports import EXPORTS

        filters = {f"{EXPORTS[name].title} (*{EXPORTS[name].suffix})": EXPORTS[name].suffix for name in formats}
        suggested = f"{self.window.model.scenario.name}{EXPORTS[formats[0]].suffix}"
        name, chosen = QFileDialog.getSaveFileName(self.window, title, suggested, ";;".join(filters))
        if name:
            self.write(Path(name) if Path(name).suffix else Path(f"{name}{filters[chosen]}"))

    def write(self, path: Path) -> None:
        """Writes all that the history holds to a file, in the format of its suffix."""
        model = self.window.model
        if not model.tally.recorded:
            self.window.notice.say("There is nothing to save yet.")
            return
        held, header = model.held(), header_for(model.source)
        thread = threading.Thread(target=self._save, args=(path, header, held), name="save a recording", daemon=True)
        self._saving = [*(other for other in self._saving if other.is_alive()), thread]
        thread.start()

    def _save(self, path: Path, header: Header, held: list[Events]) -> None:
        try:
            written = write_held(path, header, held)
        except EngineError as error:
            sentence = str(error)
            self._news.append(lambda: self.window.notice.say(sentence))
        else:
            self._news.append(lambda: self._say_saved(path, written))

    def _say_saved(self, path: Path, written: str) -> None:
        sentence = f"{written} saved to {path}."
        if path.suffix not in OURS:
            self.window.notice.say(sentence, color="live")
            return
        self._remember(path)
        self.window.notice.say(sentence, "Replay it", lambda: self.replay(path), color="live")

    # -- writing while it happens

    def toggle_capture(self, path: Path | None = None) -> None:
        """Begins to write what happens to a file, or ends it."""
        if self.capture:
            self.stop_capture()
        elif self.window.model.replaying:
            self.window.notice.say("This is a recording already; Ctrl+S saves a copy.")
        elif not self.window.model.source.alive:
            self.window.notice.say("Nothing happens that could be recorded.")
        else:
            self._begin(path or self._path_for(self.window.model.scenario.name))

    def _path_for(self, name: str) -> Path:
        """In the user's data directory, named for the scenario and the time."""
        folder = user_data_path("bellwire", appauthor=False) / "recordings"
        return folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.arrow"

    def _begin(self, path: Path) -> None:
        from bellwire.engine.recordings.capture import Capture

        model = self.window.model
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.capture = Capture(path, header_for(model.source), model.beginning())
        except RecordingError as error:
            self.window.notice.say(str(error))
        except OSError as error:
            self.window.notice.say(f"{path.parent} cannot be made: {error.strerror}.")
        else:
            self._began = time.monotonic()
            model.taps.append(self.capture.append)

    @property
    def capture_text(self) -> str:
        """ "REC 0:12, 4.5 MB"; "" if nothing is being written."""
        if not self.capture:
            return ""
        seconds = round(time.monotonic() - self._began)
        return f"REC {seconds // 60}:{seconds % 60:02}, {self.capture.size / 1e6:.1f} MB"

    def stop_capture(self) -> None:
        """Ends the file, and says where it is."""
        capture, self.capture = self.capture, None
        if capture is None:
            return
        self.window.model.taps.remove(capture.append)
        capture.stop()
        self._remember(capture.path)
        if capture.error:
            self.window.notice.say(str(capture.error))
        else:
            self._say_saved(capture.path, count_of(capture.events, "event"))

    # -- now and then

    def tell(self) -> None:
        """Says what the threads have to say; ends a capture that cannot go on."""
        while self._news:
            self._news.pop(0)()
        if self.capture and (self.capture.error or not self.window.model.source.alive):
            self.stop_capture()

    def close(self) -> None:
        """Ends the capture; waits for what is being saved."""
        self.stop_capture()
        for thread in self._saving:
            thread.join()
