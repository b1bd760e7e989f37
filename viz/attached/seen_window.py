"""What the windows of VMMs have in common that are none of our own: a turn now and then, an end, a choice of VM."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QVBoxLayout, QWidget

from bellwire.engine.attached.topology import SeenVm, Topology
from bellwire.engine.language import tr
from bellwire.viz.style.scroll import LeastHigh, ScarceArea
from bellwire.viz.style.theme import Theme

MOST_OF_SCREEN = 0.92


class SeenWindow(QDialog):
    """Beside the main window, or alone. Whichever way it is closed, what it has begun ends with it.

    inside: what it holds; it is scrolled where the screen has no room for it.
    """

    def __init__(self, theme: Callable[[], Theme], parent: QWidget | None) -> None:
        """theme: the one that is in force."""
        super().__init__(parent)
        self._theme = theme
        self._timer = QTimer(self)
        self.inside = LeastHigh()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(ScarceArea(self.inside))
        self.setWindowFlag(Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def begin(self, size: QSize, milliseconds: int, turn: Callable[[], object]) -> None:
        """As large as `size` where the screen has room; from now on a turn every so many milliseconds."""
        self.resize(size.boundedTo(self.screen().availableSize() * MOST_OF_SCREEN))
        self._timer.timeout.connect(turn)
        self._timer.start(milliseconds)
        application = QApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close)

    @abstractmethod
    def let_go(self) -> None:
        """Ends its threads and closes its files; once more does nothing."""

    def _end(self) -> None:
        self._timer.stop()
        self.let_go()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end()
        super().closeEvent(event)

    def reject(self) -> None:
        """By Esc."""
        self._end()
        super().reject()


class VmChoice(QComboBox):
    """Which of a process's VMs is shown; there only where it has several."""

    def __init__(self, chosen: Callable[[], object]) -> None:
        """chosen: is called when somebody chooses another one."""
        super().__init__()
        self.setAccessibleName(tr("which of its VMs"))
        self.currentIndexChanged.connect(chosen)
        self.hide()

    def offer(self, topology: Topology | None) -> SeenVm | None:
        """Offers its VMs; the one that is chosen stays so. That one, None if there is none."""
        vms = topology.vms if topology else ()
        names = [tr("VM with fd {fd}", fd="–" if vm.fd is None else vm.fd) for vm in vms]
        if names != [self.itemText(n) for n in range(self.count())]:
            chosen = max(self.currentIndex(), 0)
            self.blockSignals(True)
            self.clear()
            self.addItems(names)
            self.setCurrentIndex(min(chosen, len(names) - 1))
            self.blockSignals(False)
        self.setVisible(len(names) > 1)
        index = self.currentIndex()
        return vms[index] if 0 <= index < len(vms) else None
