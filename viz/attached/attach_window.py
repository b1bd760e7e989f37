"""File > Attach…: the processes that have a VM, what each lacks, and the picture of the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import Topology
from bellwire.engine.attached.watched import ProcessLister, Rates, Watcher
from bellwire.engine.language import tr, tr_n
from bellwire.viz.attached.picture import SeenPicture
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.theme import Theme

LOOK_MS = 200
LIST_WIDE = 300  # pixels at 100 % text
CHANGES_SHOWN = 3
USUAL_SIZE = QSize(1280, 720)
MOST_OF_SCREEN = 0.92


class AttachWindow(QDialog):
    """A window of its own: whatever the main one shows goes on.

    Threads list and look; this only shows what they have seen, a few times a second.
    """

    def __init__(self, theme: Callable[[], Theme], parent: QWidget | None = None) -> None:
        """theme: the one that is in force."""
        super().__init__(parent)
        self._theme = theme
        self.setWindowFlag(Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Attach to a running VMM"))
        self.processes: list[KvmProcess] = []
        self.lister = ProcessLister()
        self.watcher: Watcher | None = None
        self._furnish()
        self.take_theme()
        self.resize(USUAL_SIZE.boundedTo(self.screen().availableSize() * MOST_OF_SCREEN))
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        application = QApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close)
        self.refresh()

    def _furnish(self) -> None:
        """The list to the left; picture, changes and buttons to the right."""
        self.list = QListWidget()
        self.list.setAccessibleName(tr("processes that have a VM"))
        self.list.setWordWrap(True)
        self.list.currentRowChanged.connect(self._choose)
        self.lacks = PlainLabel()
        self.lacks.setObjectName("muted")
        self.lacks.setWordWrap(True)
        self.picture = SeenPicture(self._theme())
        self.vms = QComboBox()
        self.vms.setAccessibleName(tr("which of its VMs"))
        self.vms.currentIndexChanged.connect(self._show_newest)
        self.state, self.changes = PlainLabel(), PlainLabel()
        self.state.setWordWrap(True)
        self.changes.setObjectName("mono")
        close = Button(tr("Close"))
        close.clicked.connect(self.close)
        left, right, row = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        heading = PlainLabel(tr("Processes that have a VM"))
        heading.setObjectName("purpose")
        for widget in (heading, self.list, self.lacks):
            left.addWidget(widget)
        row.addWidget(self.state, 1)
        row.addWidget(self.vms)
        row.addWidget(close)
        right.addWidget(self.picture, 1)
        right.addWidget(self.changes)
        right.addLayout(row)
        box = QHBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 18)
        box.setSpacing(16)
        box.addLayout(left)
        box.addLayout(right, 1)

    def take_theme(self) -> None:
        """Other colours, or another size of text."""
        theme = self._theme()
        self.picture.set_theme(theme)
        self.list.setFixedWidth(theme.px(LIST_WIDE))
        self.lacks.setFixedWidth(theme.px(LIST_WIDE))

    # -- a few times a second

    def refresh(self) -> None:
        """Shows what the threads have seen."""
        if self.lister.newest is not None and self.lister.newest != self.processes:
            self._list(self.lister.newest)
        self.lacks.setText(self._why_empty())
        self._show_newest()

    def _why_empty(self) -> str:
        """What there is to say of the list."""
        if self.lister.refusal:
            return self.lister.refusal
        if self.lister.newest is None:
            return tr("They are being looked for.")
        return "" if self.processes else tr("No process has a VM, of those that you may see.")

    def _list(self, processes: list[KvmProcess]) -> None:
        """The list anew; what was chosen stays so."""
        chosen, self.processes = self.chosen, processes
        self.list.blockSignals(True)
        self.list.clear()
        for process in processes:
            item = QListWidgetItem(process_words(process))
            if process.hidden:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        rows = [row for row, one in enumerate(processes) if chosen and (one.pid, one.started) == chosen]
        self.list.setCurrentRow(rows[0] if rows else -1)
        self.list.blockSignals(False)
        if not chosen and len(open_ones := [row for row, one in enumerate(processes) if not one.hidden]) == 1:
            self.list.setCurrentRow(open_ones[0])

    @property
    def chosen(self) -> tuple[int, int] | None:
        """Pid and start of the process that is chosen."""
        row = self.list.currentRow()
        return (self.processes[row].pid, self.processes[row].started) if 0 <= row < len(self.processes) else None

    def _choose(self, row: int) -> None:
        """Another process."""
        self._let_go()
        self.picture.clear()
        self.changes.setText("")
        self.vms.clear()
        if 0 <= row < len(self.processes):
            self.watcher = Watcher(self.processes[row].pid)
        self._show_newest()

    def _show_newest(self) -> None:
        """The newest look at it."""
        self.state.setText(self._state())
        self.vms.setVisible(self.vms.count() > 1)
        if self.watcher and self.watcher.newest:
            topology, rates, changes = self.watcher.newest
            self._show(topology, rates)
            self.changes.setText("\n".join(changes[-CHANGES_SHOWN:]))

    def _show(self, topology: Topology, rates: Rates) -> None:
        names = [tr("VM with fd {fd}", fd="–" if vm.fd is None else vm.fd) for vm in topology.vms]
        if names != [self.vms.itemText(n) for n in range(self.vms.count())]:
            self.vms.blockSignals(True)
            self.vms.clear()
            self.vms.addItems(names)
            self.vms.blockSignals(False)
        index = self.vms.currentIndex()
        self.picture.show_vm(topology.vms[index] if 0 <= index < len(topology.vms) else None, topology, rates)

    def _state(self) -> str:
        """What is to be said of the process that is looked at."""
        if self.watcher is None:
            return tr("Choose a process: it is looked at, and neither stopped nor asked.")
        if self.watcher.ended:
            return self.watcher.ended
        if self.watcher.newest is None:
            return tr("It is being looked at.")
        topology = self.watcher.newest[0]
        if not topology.vms:
            return tr("{process} has no VM any more.", process=topology.process)
        return tr("{process} is seen from outside, five times a second.", process=topology.process)

    # -- its end

    def _let_go(self) -> None:
        if self.watcher:
            self.watcher.close()
        self.watcher = None

    def _end(self) -> None:
        """Its threads end; once more does nothing."""
        self._timer.stop()
        self._let_go()
        self.lister.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end()
        super().closeEvent(event)

    def reject(self) -> None:
        """By Esc."""
        self._end()
        super().reject()


def process_words(process: KvmProcess) -> str:
    """A process in the list: what it is, whose, and what it lacks."""
    name = f"{process.name} · {process.guest}" if process.guest else process.name
    if process.hidden:
        return f"{name}\n{process.hidden}"
    vms = tr_n("{n} VM", "{n} VMs", process.vms or 0)
    vcpus = tr_n("{n} vCPU", "{n} vCPUs", process.vcpus or 0)
    return f"{name}\n{tr('pid {pid}', pid=process.pid)} · {process.user} · {vms}, {vcpus}"
