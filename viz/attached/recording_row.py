"""Record, beside the picture of a VMM that is watched: a button, what it does now, and the way to what was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path
from PySide6.QtWidgets import QHBoxLayout, QWidget

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.counted import count_of
from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import file_name
from bellwire.engine.language import tr
from bellwire.engine.outputs import unused
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.text.faults import foreseen
from bellwire.viz.text.figures import localized
from bellwire.viz.text.versions import program_version

if TYPE_CHECKING:  # Arrow is imported once something is recorded
    from bellwire.engine.recordings.attached.vmm_capture import VmmCapture


def new_capture(path: Path, process: KvmProcess) -> VmmCapture:
    """A recording of a process, begun now."""
    from bellwire.engine.recordings.attached.vmm_capture import VmmCapture

    return VmmCapture(path, process, program_version())


def path_for(process: KvmProcess) -> Path:
    """In the user's data directory, named for the VMM and the time; nobody has it yet."""
    folder = user_data_path("bellwire", appauthor=False) / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    return unused(folder / f"{file_name(process.name)}-{time.strftime('%Y%m%d-%H%M%S')}.arrow")


def in_home(path: Path) -> str:
    """With its folder; of what is in the user's home as "~/…"."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):  # elsewhere, or there is no home
        return str(path)


class RecordingRow(QWidget):
    """opened: is called with the recording that is to be replayed. recorded: with each that was made."""

    def __init__(
        self, opened: Callable[[Path], object], recorded: Callable[[Path], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._recorded = recorded
        self.capture: VmmCapture | None = None
        self.ending: list[VmmCapture] = []  # that still write what came before they were stopped
        self.process: KvmProcess | None = None
        self._began, self._made = 0.0, Path()
        self.button, self.replay = Button(tr("Record")), Button(tr("Replay it"))
        self.words = PlainLabel()
        self.words.setObjectName("muted")
        self.words.setWordWrap(True)
        self.button.clicked.connect(self.toggle)
        self.replay.clicked.connect(lambda: opened(self._made))
        self.replay.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.words, 1)
        row.addWidget(self.replay)
        self.watch(None)

    def watch(self, process: KvmProcess | None) -> None:
        """From now on this one can be recorded; what is being recorded of another one ends."""
        self.stop()
        self.process = process
        self.button.setEnabled(process is not None)

    def toggle(self) -> None:
        """Begins, or ends."""
        if self.capture:
            self.stop()
        elif self.process:
            self._begin(self.process)

    def _begin(self, process: KvmProcess) -> None:
        try:
            self.capture = new_capture(path_for(process), process)
        except EngineError as error:
            self.words.setText(str(error))
            return
        except OSError as error:
            self.words.setText(foreseen(error))
            return
        self._began = time.monotonic()
        self.replay.hide()
        self.refresh()

    def stop(self) -> None:
        """Ends the file; what happened until now is in it once it says so: nobody waits here for disk and kernel."""
        if self.capture:
            self.capture.stop()
            self.ending.append(self.capture)
            self.words.setText(tr("REC ends"))
            self.button.setText(tr("Record"))
        self.capture = None
        self.refresh()

    def end(self) -> None:
        """Who shows it goes: waits for the files, as long as they get on, and says what came of them."""
        if self.capture:
            self.capture.stop()
        for capture in filter(None, (*self.ending, self.capture)):
            capture.wait_while_it_gets_on()
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether something is recorded, or still written."""
        return bool(self.capture or self.ending)

    def refresh(self) -> None:
        """Shows how far it is, or what came of it."""
        for ended in [one for one in self.ending if one.ended]:
            self.ending.remove(ended)
            self._tell(ended)
        capture = self.capture
        if capture is None:
            return
        if capture.ended:
            self.capture = None
            self._tell(capture)
            return
        self.button.setText(tr("Stop recording"))
        seconds, size = round(time.monotonic() - self._began), localized(f"{capture.size / 1e6:.1f}")
        self.words.setText(tr("REC {time}, {size} MB", time=f"{seconds // 60}:{seconds % 60:02}", size=size))

    def _tell(self, capture: VmmCapture) -> None:
        if self.capture is None:
            self.button.setText(tr("Record"))
        if capture.error:
            self.words.setText(str(capture.error))
            return
        self._made = capture.path
        self._recorded(capture.path)
        written = count_of(capture.events, "event")
        self.words.setText(tr("{written} saved to {path}.", written=written, path=in_home(capture.path)))
        self.words.setToolTip(plain_tip(str(capture.path)))
        self.replay.show()
