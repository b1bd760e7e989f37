"""File > Attach…: the processes that have a VM, what each lacks, and the picture of the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bellwire.engine.attached.device_names import control_channel
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.watched import ProcessLister, VmmSeen, Watcher
from bellwire.engine.language import tr, tr_n
from bellwire.viz.attached.hop_plots import RatePlot, TimesPlot
from bellwire.viz.attached.hop_table import HopCard
from bellwire.viz.attached.picture import SeenPicture
from bellwire.viz.attached.plan import Heard
from bellwire.viz.attached.recording_row import RecordingRow
from bellwire.viz.attached.seen_window import SeenWindow, VmChoice
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.theme import Theme

LOOK_MS = 200
LIST_WIDE, CHANNEL_WIDE = 300, 230  # pixels at 100 % text
LIST_SHARE = 0.25  # of the window's width: at least so much
CHANGES_SHOWN = 3
USUAL_SIZE = QSize(1440, 860)


class AttachWindow(SeenWindow):
    """A window of its own: whatever the main one shows goes on.

    Threads list and look; this only shows what they have seen, a few times a second.
    """

    def __init__(
        self,
        theme: Callable[[], Theme],
        replay: Callable[[Path], object],
        recorded: Callable[[Path], object],
        parent: QWidget | None = None,
    ) -> None:
        """theme: the one that is in force. replay: opens what was recorded. recorded: hears of each new recording."""
        super().__init__(theme, parent)
        self.recording = RecordingRow(replay, recorded)
        self.setWindowTitle(tr("Attach to a running VMM"))
        self.processes: list[KvmProcess] = []
        self.lister = ProcessLister()
        self.watcher: Watcher | None = None
        self._furnish()
        self.take_theme()
        self.begin(USUAL_SIZE, LOOK_MS, self.refresh)
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
        self.vms = VmChoice(self._show_newest)
        self.state, self.changes = PlainLabel(), PlainLabel()
        self.state.setWordWrap(True)
        self.changes.setObjectName("mono")
        self.hops, self.rates, self.times = HopCard(self._theme()), RatePlot(self._theme()), TimesPlot(self._theme())
        self.channel = QLineEdit()
        self.channel.setAccessibleName(tr("QEMU's control channel (QMP)"))
        self.channel.setPlaceholderText(tr("QMP socket, for names"))
        self.channel.setToolTip(plain_tip(tr("QEMU names its devices if it was started with -qmp unix:PATH")))
        self.channel.returnPressed.connect(self._ask_names)
        choose = Button(tr("Choose…"))
        choose.setAccessibleName(tr("Choose QEMU's control channel"))
        choose.clicked.connect(self._choose_channel)
        close = Button(tr("Close"))
        close.clicked.connect(self.close)
        left, right, row = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        heading = PlainLabel(tr("Processes that have a VM"))
        heading.setObjectName("purpose")
        for widget, share in ((heading, 0), (self.list, 3), (self.lacks, 0), (self.rates, 5), (self.times, 6)):
            left.addWidget(widget, share)
        row.addWidget(self.state, 1)
        row.addWidget(self.channel)
        row.addWidget(choose)
        row.addWidget(self.vms)
        row.addWidget(close)
        right.addWidget(self.picture, 5)
        right.addWidget(self.hops, 3)
        right.addWidget(self.changes)
        right.addWidget(self.recording)
        right.addLayout(row)
        box = QHBoxLayout(self.inside)
        box.setContentsMargins(20, 18, 20, 18)
        box.setSpacing(16)
        box.addLayout(left)
        box.addLayout(right, 1)

    def take_theme(self) -> None:
        """Other colours, or another size of text."""
        theme = self._theme()
        self.picture.set_theme(theme)
        self._share_width()
        for card in (self.hops, self.rates, self.times):
            card.set_theme(theme)
        self.channel.setFixedWidth(theme.px(CHANNEL_WIDE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The plots have a share of the width."""
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        wide = max(self._theme().px(LIST_WIDE), round(self.width() * LIST_SHARE))
        for widget in (self.list, self.lacks, self.rates, self.times):
            widget.setFixedWidth(wide)

    # -- a few times a second

    def refresh(self) -> None:
        """Shows what the threads have seen."""
        if self.lister.newest is not None and self.lister.newest != self.processes:
            self._list(self.lister.newest)
        self.lacks.setText(self._why_empty())
        self.lacks.setVisible(bool(self.lacks.text()))
        self.recording.refresh()
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
        self._watch_no_more()
        self.picture.clear()
        self.changes.setText("")
        self.vms.offer(None)
        self.channel.clear()
        chosen = self.processes[row] if 0 <= row < len(self.processes) else None
        self.recording.watch(chosen)
        if chosen:
            self.watcher = Watcher(chosen.pid)
            if channel := control_channel(chosen.pid):
                self.channel.setText(str(channel))
                self._ask_names()
        self._show_newest()

    def _choose_channel(self) -> None:
        """A socket, of all files."""
        name, _ = QFileDialog.getOpenFileName(self, tr("QEMU's control channel (QMP)"))
        if name:
            self.channel.setText(name)
            self._ask_names()

    def _ask_names(self) -> None:
        """QEMU is asked what its devices are called, at the place that the line says."""
        if self.watcher and self.channel.text().strip():
            self.watcher.ask_names(Path(self.channel.text().strip()))

    def _show_newest(self) -> None:
        """The newest look at it."""
        self.picture.say(self._why_no_picture())
        self.state.setText(self._state())
        seen = self.watcher.newest if self.watcher else None
        if seen:
            self._show(seen)
            self.changes.setText("\n".join(seen.changes[-CHANGES_SHOWN:]))
        self.changes.setVisible(bool(self.changes.text()))
        hops = seen.hops if seen else None
        self.hops.show_hops(hops, seen.topology.process.pid if seen else 0, seen.unheard if seen else "")
        for plot in (self.rates, self.times):
            plot.show_hops(hops)

    def _show(self, seen: VmmSeen) -> None:
        heard = Heard(seen.hops, seen.names)
        self.picture.show_vm(self.vms.offer(seen.topology), seen.topology, seen.rates, heard)

    def _why_no_picture(self) -> str:
        """What is to be said where the picture would be, and what to do."""
        if self.watcher is not None:
            return self._state()
        if self.lister.refusal or self.lister.newest is None:
            return self._why_empty()
        if not self.processes:
            return tr("Start a VMM, or a scenario of bellwire's: once it has a VM, it is in the list, and drawn here.")
        if all(process.hidden for process in self.processes):
            return tr("None of them may be looked at by you: the list says who may.")
        return tr(
            "Choose one of these processes: what it has registered with KVM is drawn here, and who is woken, who "
            "signals and after how long is told below. It is neither stopped nor asked."
        )

    def _state(self) -> str:
        """What is to be said of the process that is looked at."""
        if self.watcher is None:
            return ""
        if self.watcher.ended:
            return self.watcher.ended
        if self.watcher.newest is None:
            return tr("It is being looked at.")
        if unnamed := self.watcher.newest.unnamed:
            return unnamed
        topology = self.watcher.newest.topology
        if not topology.vms:
            return tr("{process} has no VM any more.", process=topology.process)
        return tr("{process} goes on undisturbed.", process=topology.process)

    # -- its end

    def _watch_no_more(self) -> None:
        if self.watcher:
            self.watcher.close()
        self.watcher = None

    def let_go(self) -> None:
        """Ends its threads, and the file that is written."""
        self.recording.end()
        self._watch_no_more()
        self.lister.close()


def process_words(process: KvmProcess) -> str:
    """A process in the list: what it is, whose, and what it lacks."""
    name = f"{process.name} · {process.guest}" if process.guest else process.name
    if process.hidden:
        return f"{name}\n{process.hidden}"
    vms = tr_n("{n} VM", "{n} VMs", process.vms or 0)
    vcpus = tr_n("{n} vCPU", "{n} vCPUs", process.vcpus or 0)
    return f"{name}\n{tr('pid {pid}', pid=process.pid)} · {process.user} · {vms}, {vcpus}"
