"""What the window does with files: recordings that are opened, saved, and written while it shows them; pictures.

Arrow is imported where it is needed, so that a window on a guest need not wait for it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path
from PySide6.QtCore import QBuffer, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QPixmap
from PySide6.QtWidgets import QFileDialog, QWidget

from bellwire.engine.counted import count_of, number_of
from bellwire.engine.errors import EngineError, answer_and_remedy
from bellwire.engine.events import Events
from bellwire.engine.foreign import file_name, shown
from bellwire.engine.host.scratch import scratch_folder
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr
from bellwire.engine.outlet import RECORDING_ROOM
from bellwire.engine.outputs import seen_there, unused, whole_or_not, write_whole
from bellwire.engine.source import Source
from bellwire.viz.model.annotations.kept import Annotated, Annotations
from bellwire.viz.model.live import LiveModel, recorded
from bellwire.viz.panels.panel import Panel
from bellwire.viz.text.figures import localized
from bellwire.viz.text.versions import program_version
from bellwire.viz.window.notice import Deed, NoticeBar
from bellwire.viz.window.settings import MOST_RECENT, Settings
from bellwire.viz.window.shown import Shown

if TYPE_CHECKING:
    from bellwire.engine.recordings.capture import Capture
    from bellwire.engine.recordings.header import Header

OURS = (".arrow", ".arrows")
READER_SECONDS = 2.0  # in which a device or a pipe must take something: the window, or its end, waits for that


def header_for(source: Source) -> Header:
    """What a recording of this source, begun now, is of; what comes from a recording stays what it was of."""
    from bellwire.engine.recordings.header import Header

    replay = recorded(source)
    return replay.recording.header if replay else Header.of(source, program_version())


def header_of_held(model: LiveModel) -> Header:
    """What a recording of all that a model holds is of. A run's began when the oldest event of it was, not now."""
    header = header_for(model.source)
    return header if recorded(model.source) else header.begun_at(model.past.first)


def write_held(
    path: Path, header: Header, held: Iterable[Events], force: bool = False, annotations: Annotated = ()
) -> str:
    """Writes a recording, or converts what would be one; what was written, in words. EngineError if it cannot be.

    force: replaces what is there.
    """
    from bellwire.engine.exports.convert import export_for, write_export
    from bellwire.engine.recordings.recorder import save_recording
    from bellwire.engine.recordings.recording import Recording

    if path.suffix in OURS:
        events = save_recording(path, header, held, force=force, patience=READER_SECONDS, annotations=annotations)
        return count_of(events, "event")
    export = export_for(path)
    with scratch_folder() as folder:
        recording = folder / "held.arrow"
        save_recording(recording, header, held, annotations=annotations)
        written = write_export(Recording(recording), path, export, force=force, patience=READER_SECONDS)
    return number_of(written, export.unit)


def written_in_turns(path: Path, pieces: Iterator[bytes], force: bool) -> Iterator[None]:
    """Writes a file, a piece at each turn; EngineError, and no file, if that is not possible."""
    with whole_or_not(path, force, patience=READER_SECONDS) as file:
        for piece in pieces:
            file.write(piece)
            yield


def png_of(picture: QPixmap) -> bytes:
    """The picture as a PNG file."""
    made = QBuffer()
    picture.save(made, "PNG")
    return bytes(made.data().data())


def own_file(model: LiveModel) -> Path | None:
    """The recording that is shown, if it may be changed: it is the user's own, whole, and nobody writes to it."""
    from bellwire.engine.recordings.shipped import FOLDER

    recording = model.recorded.recording if model.recorded else None
    if recording is None or recording.warning or (model.recorded and model.recorded.passing):
        return None
    if recording.path.resolve().is_relative_to(FOLDER.resolve()):
        return None
    return recording.path


def open_folder(path: Path) -> None:
    """The folder of a file, in the desktop's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute().parent)))


def copying(path: Path) -> Deed:
    """The path of a file for the clipboard."""
    return tr("Copy path"), lambda: QGuiApplication.clipboard().setText(str(path.absolute()))


def say_where(notice: NoticeBar, sentence: str, path: Path, also: Deed | None = None) -> None:
    """What has been saved, and two ways to it: its folder and, if nothing else is given, its path."""
    notice.say(sentence, tr("Open folder"), lambda: open_folder(path), also=also or copying(path), color="live")


class Files:
    """The files of one window. What takes time is done in threads; tell(), called now and then, says how it went."""

    def __init__(self, shown: Shown, notice: NoticeBar, top: QWidget, settings: Settings | None = None) -> None:
        """top: the window, for questions and its picture; settings: where recordings are remembered, if anywhere."""
        self.shown, self.notice, self.top, self.settings = shown, notice, top, settings
        self.capture: Capture | None = None
        self._captured = shown.model  # what the capture is of
        self.ending: list[Capture] = []  # that still write what came before they were stopped
        self._began = 0.0
        self._recent: list[str] = []
        self._saving: list[threading.Thread] = []
        self._saved_there: dict[Path, tuple[int, ...] | None] = {}  # the recordings that were saved, as they were then
        self._news: list[Callable[[], None]] = []  # from threads to the window
        self._writing: list[tuple[Path, Iterator[None]]] = []  # files that are written in turns with everything else
        self._turns = QTimer(interval=0)
        self._turns.timeout.connect(self._write_on)

    # -- opening

    @property
    def recent(self) -> list[Path]:
        """The recordings opened or made last, newest first."""
        return [Path(name) for name in (self.settings.recent if self.settings else self._recent)]

    def remember(self, path: Path) -> None:
        """A recording that was opened or made: the newest of those that can be opened again."""
        name = str(path.absolute())
        self._recent = [name, *(other for other in map(str, self.recent) if other != name)][:MOST_RECENT]
        if self.settings:
            self.settings.recent = self._recent
            if unkept := self.settings.unkept():
                self.notice.say(unkept)

    def open(self) -> None:
        """Asks for a recording and replays it."""
        path = self.ask_which(tr("Open a recording"))
        if path:
            self.replay(path)

    def ask_which(self, title: str) -> Path | None:
        """A recording that is there; None if none is picked."""
        kinds = f"{tr('Recordings')} (*.arrow *.arrows);;{tr('All files')} (*)"
        name, _ = QFileDialog.getOpenFileName(self.top, title, "", kinds)
        return Path(name) if name else None

    def replay(self, path: Path) -> None:
        """Replays a recording; what cannot be read says why."""
        from bellwire.engine.recordings.recording import Recording
        from bellwire.engine.recordings.replay import Replay
        from bellwire.viz.window.attaching.beside import show_replayed

        try:
            recording = Recording(path, attached=True)
            if recording.header.attached:
                show_replayed(recording, self.shown.look, self.top)
                self.remember(path)
                return
            source = Replay(recording)
            source.start()
        except EngineError as error:
            self.notice.say(str(error))
            return
        self.remember(path)
        self.notice.hide()
        self.shown.show_source(source)
        if source.warning:
            self.notice.say(source.warning)

    # -- saving what is held

    def save(self) -> None:
        """Writes all that is held to a recording; asks which."""
        self._ask(tr("Save the recording"), ["arrow"], self.shown.model)

    def save_annotations(self, model: LiveModel | None = None) -> None:
        """Into the recording that is shown, which is written anew in its place; or of a run asks where to.

        So does one that comes with the program, one that is damaged or is still written to, and one in whose place
        there is another file by now: that stays as it is.
        """
        from bellwire.engine.recordings.recording import REPLACED

        model = model or self.shown.model
        path = own_file(model)
        if path is not None and self._still_there(path, model):
            self.write(path, force=True, model=model)
        else:
            if path is not None:
                self.notice.say(tr(REPLACED, path=path))
            self._ask(tr("Save the recording with its annotations"), ["arrow"], model)

    def _still_there(self, path: Path, model: LiveModel) -> bool:
        """Whether there is what was opened, or what has been saved in its place since."""
        there = seen_there(path)
        opened = model.recorded.recording.as_opened if model.recorded else None
        return there is not None and there in (opened, self._saved_there.get(path))

    def records(self, model: LiveModel) -> bool:
        """Whether what this model shows is being recorded."""
        return self.capture is not None and self._captured is model

    def export(self) -> None:
        """Writes it in the format of another program; asks in which file, whose suffix says which format."""
        from bellwire.engine.exports import EXPORTS

        self._ask(tr("Export"), [name for name in EXPORTS if name != "arrow"], self.shown.model)

    def _ask(self, title: str, formats: list[str], model: LiveModel) -> None:
        from bellwire.engine.exports import EXPORTS

        filters = {f"{tr(EXPORTS[name].title)} (*{EXPORTS[name].suffix})": EXPORTS[name].suffix for name in formats}
        suggested = f"{file_name(model.scenario.name)}{EXPORTS[formats[0]].suffix}"
        name, chosen = QFileDialog.getSaveFileName(self.top, title, suggested, ";;".join(filters))
        if name and Path(name).suffix:
            self.write(Path(name), force=True, model=model)
        elif name:
            self.write(Path(f"{name}{filters[chosen]}"), model=model)  # the dialog has not asked about that one

    def write(self, path: Path, force: bool = False, model: LiveModel | None = None) -> None:
        """Writes all that is held to a file, in the format of its suffix; of a recording that is all that is in it.

        force: replaces what is there. model: what holds it, if not the one that is shown.
        """
        model = model or self.shown.model
        if not model.past.size:
            self.notice.say(tr("There is nothing to save yet."))
            return
        held, header = model.past.stream(), header_of_held(model)
        args = path, header, held, force, model.annotations
        thread = threading.Thread(target=self._save, args=args, name="save a recording", daemon=True)
        try:
            begin_thread(thread)
        except EngineError as error:
            self.notice.say(str(error))
        else:
            self._saving = [*(other for other in self._saving if other.is_alive()), thread]

    def _save(self, path: Path, header: Header, held: Iterable[Events], force: bool, annotations: Annotations) -> None:
        them = annotations.all
        try:
            written = write_held(path, header, held, force, them)
        except EngineError as error:
            sentence = str(error)
            self._news.append(lambda: self.notice.say(sentence))
        else:
            if path.suffix in OURS:
                self._saved_there[path] = seen_there(path)
                self._news.append(lambda: annotations.note_saved(them))
            self._news.append(lambda: self._say_saved(path, written))

    def _say_saved(self, path: Path, written: str) -> None:
        sentence = tr("{written} saved to {path}.", written=written, path=path)
        if path.suffix not in OURS:
            say_where(self.notice, sentence, path)
            return
        self.remember(path)
        self.notice.say(sentence, tr("Replay it"), lambda: self.replay(path), also=copying(path), color="live")

    @property
    def busy(self) -> bool:
        """Whether something is being saved, or was and nobody has been told; a recording goes on in another window."""
        return bool(self._news or self._writing) or any(thread.is_alive() for thread in self._saving)

    # -- saving what is seen

    def save_picture(self, path: Path | None = None, of: QWidget | None = None) -> None:
        """Saves the window, or what is seen of a part of it, as a PNG file; asks where, unless it is told."""
        picture, force = (of or self.top).grab(), path is None
        if path is None:
            name, _ = QFileDialog.getSaveFileName(self.top, tr("Save the picture"), "bellwire.png", "PNG (*.png)")
            if not name:
                return
            path = Path(name)
        try:
            write_whole(path, png_of(picture), force, READER_SECONDS)
        except EngineError as error:
            self.notice.say(str(error))
        else:
            self._say_written(path)

    def save_panel(self, panel: Panel, path: Path | None = None) -> None:
        """Saves what a panel shows; asks where, unless it is told."""
        force = path is None
        if path is None:
            title = tr("Save: {what}", what=tr(panel.tip))
            chosen, _ = QFileDialog.getSaveFileName(self.top, title, panel.file, panel.files)
            if not chosen:
                return
            path = Path(chosen)
        try:
            self._write(path, panel.content(path), force)
        except EngineError as error:
            self.notice.say(str(error))

    def _say_written(self, path: Path) -> None:
        say_where(self.notice, tr("Saved to {path}.", path=path), path)

    def _write(self, path: Path, pieces: Iterator[bytes], force: bool) -> None:
        """Writes them in turns with everything else, whatever is shown by then; says how it went."""
        self._writing.append((path, written_in_turns(path, pieces, force)))
        self._write_on()
        self._turns.start()

    def _write_on(self) -> None:
        """One more piece of each file."""
        for path, turns in list(self._writing):
            try:
                next(turns)
                continue
            except StopIteration:
                self._say_written(path)
            except EngineError as error:
                self.notice.say(str(error))
            self._writing.remove((path, turns))
        if not self._writing:
            self._turns.stop()

    # -- writing while it happens

    def toggle_capture(self, path: Path | None = None) -> None:
        """Begins to write what happens to a file, or ends it."""
        if self.capture:
            self.stop_capture()
        elif self.shown.model.replaying:
            self.notice.say(tr("This is a recording already; Ctrl+S saves a copy."))
        elif not self.shown.model.source.alive:
            self.notice.say(tr("Nothing happens that could be recorded."))
        else:
            self._begin(path or self._path_for(self.shown.model.scenario.name))

    def _path_for(self, name: str) -> Path:
        """In the user's data directory, named for the scenario and the time; nobody has it yet."""
        folder = user_data_path("bellwire", appauthor=False) / "recordings"
        return unused(folder / f"{file_name(name)}-{time.strftime('%Y%m%d-%H%M%S')}.arrow")

    def _begin(self, path: Path) -> None:
        from bellwire.engine.recordings.capture import Capture

        model = self.shown.model
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            outlet = model.source.tee(RECORDING_ROOM)
            self.capture = Capture(path, header_for(model.source), model.beginning(), outlet)
        except EngineError as error:
            self.notice.say(str(error))
        except OSError as error:
            self.notice.say(tr("{path} cannot be made: {why}.", path=path.parent, why=answer_and_remedy(error)))
        else:
            self._began, self._captured = time.monotonic(), model

    @property
    def capture_text(self) -> str:
        """ "REC 0:12, 4.5 MB"; "" if nothing is being written."""
        if not self.capture:
            return tr("REC ends") if self.ending else ""
        seconds = round(time.monotonic() - self._began)
        size = localized(f"{self.capture.size / 1e6:.1f}")
        return tr("REC {time}, {size} MB", time=f"{seconds // 60}:{seconds % 60:02}", size=size)

    def stop_capture(self) -> None:
        """Ends the file, which says where it is once all is written."""
        if self.capture:
            self._hand_annotations(self.capture)
            self._captured.annotations.note_saved(self.capture.annotations)
            self.capture.stop()
            self.ending.append(self.capture)
        self.capture = None

    def _hand_annotations(self, capture: Capture) -> None:
        """What is written on the run stands in its recording at once."""
        capture.annotations = self._captured.annotations.all

    def _tell_ended(self, capture: Capture) -> None:
        if capture.error:
            self.notice.say(str(capture.error))
        else:
            self.remember(capture.path)
            self._say_saved(capture.path, count_of(capture.events, "event"))

    def take_over(self, other: Files) -> None:
        """What another window has begun to write goes on in this one."""
        self.capture, other.capture = other.capture, None
        self.ending, other.ending = other.ending, []
        self._began, self._recent, self._captured = other._began, other._recent, other._captured

    # -- now and then

    def tell(self) -> None:
        """Says what the threads have to say; ends a capture that cannot go on."""
        while self._news:
            self._news.pop(0)()
        if self.capture:
            self._hand_annotations(self.capture)
        if self.capture and (self.capture.error or not self.shown.model.source.alive):
            self.stop_capture()
        ended = [capture for capture in self.ending if capture.ended]
        self.ending = [capture for capture in self.ending if capture not in ended]
        for capture in ended:
            self._tell_ended(capture)

    def close(self) -> None:
        """Ends the capture; waits for what is being written, as long as it gets on."""
        self.stop_capture()
        for capture in self.ending:
            if not capture.wait_while_it_gets_on():
                print(
                    f"bellwire: {shown(str(capture.path))} cannot be ended: its disk does not answer.", file=sys.stderr
                )
        while self._writing:
            self._write_on()
        for thread in self._saving:
            thread.join()
