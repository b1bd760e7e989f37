"""How far a large recording has been read for its index: a line under the notice, until it is."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar

from viz.model import LiveModel

LARGE = 1 << 20  # events; smaller recordings are read before anybody can look


class IndexProgress(QProgressBar):
    """Shown only while an index is made."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 100)
        self.setFormat("Reads the recording once, for its overview: %p %")
        self.setAccessibleName("Index of the recording")
        self.setToolTip("Until then the timeline shows only what has been played, and totals count from where you jump")
        self.hide()

    def refresh(self, model: LiveModel) -> None:
        """Shows how far it is."""
        replay = model.recorded
        making = replay is not None and len(replay.recording) >= LARGE and replay.indexer.busy
        if making and replay is not None:
            self.setValue(round(100 * replay.indexer.share))
        if self.isHidden() == making:
            self.setVisible(making)
