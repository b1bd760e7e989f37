"""A recording of a VMM that was seen from outside, in a window: picture, timeline and time control."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.events import Events
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import SeenDensity, SeenRow
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.attached.picture import SeenPicture
from bellwire.viz.attached.replayed.playing import SeenPlayhead
from bellwire.viz.attached.replayed.seen_timeline import SeenTimeline
from bellwire.viz.attached.seen_window import SeenWindow, VmChoice
from bellwire.viz.model.transport import FACTORS
from bellwire.viz.style.controls import Button, Chip, Choice, IconButton
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import LONGEST_FRAME
from bellwire.viz.text.figures import ratio, spent
from bellwire.viz.text.trust import no_times

FRAME_MS, MOMENT_SECONDS = 33, 0.15  # between frames; between figures while it plays
CHANGES_SHOWN = 2
STEP_SECONDS = 1.0  # of an arrow key, at the speed that is chosen
USUAL_SIZE = QSize(1280, 720)


class ReplayedWindow(SeenWindow):
    """Plays it. The recording stays open until the window is closed."""

    def __init__(self, recording: Recording, theme: Callable[[], Theme], parent: QWidget | None = None) -> None:
        """theme: the one that is in force. RecordingError if the file has changed since it was opened."""
        super().__init__(theme, parent)
        recording.hold()
        self.recording = recording
        self.moments = SeenMoments(recording)
        self.density = SeenDensity(self.moments)
        self.playhead = SeenPlayhead(recording)
        self._shown_at, self._shown_when = -1, 0.0  # TSC of the moment whose figures are shown; and since when
        self.setWindowTitle(tr("{title}: a replay", title=self._title))
        self._furnish()
        self._add_keys()
        self.take_theme()
        self._last = time.monotonic()
        self.begin(USUAL_SIZE, FRAME_MS, self.tick)
        self.refresh()

    @property
    def _title(self) -> str:
        assert self.recording.header.attached is not None
        return self.recording.header.attached.title

    def _furnish(self) -> None:
        """From above: whose recording it is, the picture, the timeline, time control."""
        theme = self._theme()
        self.state, self.backend = Chip(theme, mono=False), Chip(theme)
        self.about, self.changes, self.warning = PlainLabel(), PlainLabel(), PlainLabel()
        self.about.setText(self._about())
        self.about.setObjectName("purpose")
        self.changes.setObjectName("mono")
        self.warning.setWordWrap(True)
        self._show_warnings()
        self.picture = SeenPicture(theme)
        self.timeline = SeenTimeline(self.moments, self.density, self.playhead, theme, self)
        box = QVBoxLayout(self.inside)
        box.setContentsMargins(20, 14, 20, 14)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.state)
        head.addWidget(self.about, 1)
        head.addWidget(self.backend)
        box.addLayout(head)
        box.addWidget(self.warning)
        box.addWidget(self.picture, 1)
        box.addWidget(self.timeline, 1)
        box.addWidget(self.changes)
        box.addLayout(self._controls())

    def _controls(self) -> QHBoxLayout:
        """Play, from the beginning, how fast, when; which VM, and the end."""
        row = QHBoxLayout()
        self.first, self.play, self.last = IconButton(), IconButton(), IconButton()
        for button, name, does in (
            (self.first, tr("To the beginning (Home)"), self.to_the_beginning),
            (self.play, tr("Play or pause (Space)"), self.toggle),
            (self.last, tr("To the end (End)"), self.to_the_end),
        ):
            button.setAccessibleName(name)
            button.setToolTip(plain_tip(name))
            button.clicked.connect(does)
            row.addWidget(button)
        self.slow = Choice(FACTORS, ratio)
        self.slow.setAccessibleName(tr("slow motion factor"))
        self.slow.setToolTip(plain_tip(tr("Slow motion")))
        self.slow.chosen.connect(self.playhead.set_factor)
        self.factor, self.when = Chip(self._theme()), Chip(self._theme())
        self.vms = VmChoice(self._show_again)
        all_of_it, close = Button(tr("All of it")), Button(tr("Close"))
        all_of_it.clicked.connect(self.timeline.show_all)
        close.clicked.connect(self.close)
        left: tuple[QWidget, ...] = (self.slow, self.factor, self.when)
        for widget in left:
            row.addWidget(widget)
        row.addStretch(1)
        right: tuple[QWidget, ...] = (self.vms, all_of_it, close)
        for widget in right:
            row.addWidget(widget)
        return row

    def _add_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            "Space": self.toggle,
            "Home": self.to_the_beginning,
            "End": self.to_the_end,
            "Left": lambda: self.step(-1),
            "Right": lambda: self.step(1),
            "+": lambda: self.timeline.zoom(0.5),
            "-": lambda: self.timeline.zoom(2.0),
            "Ctrl++": lambda: self.timeline.zoom(0.5),
            "Ctrl+-": lambda: self.timeline.zoom(2.0),
            "Ctrl+0": self.timeline.show_all,
        }
        for key, does in keys.items():
            QShortcut(QKeySequence(key), self, does)

    def _about(self) -> str:
        """Whose recording it is, and when it was made."""
        header, name = self.recording.header, shown(self.recording.path.name)
        when = header.started[:19].replace("T", " ")
        if not when:
            return tr("{title}, seen from outside: {file}", title=self._title, file=name)
        return tr("{title}, seen from outside on {when} UTC: {file}", title=self._title, when=when, file=name)

    def _show_warnings(self) -> None:
        if (told := self._warnings()) != self.warning.text():
            self.warning.setText(told)
        self.warning.setVisible(bool(told))

    def _warnings(self) -> str:
        """What is missing, and that times mean nothing where the host's CPU was emulated."""
        emulated = no_times() if self.recording.header.clock.emulated else ""
        return " ".join(filter(None, (self.recording.warning, emulated)))

    def take_theme(self) -> None:
        """Other colours, or another size of text."""
        theme = self._theme()
        self.picture.set_theme(theme)
        self.timeline.set_theme(theme)
        for chip in (self.state, self.backend, self.factor, self.when):
            chip.set_theme(theme)
        self.slow.setFixedWidth(theme.px(150))
        self.first.show_icon("home", theme)
        self.last.show_icon("newest", theme)
        self._show_play()

    # -- time

    def tick(self) -> None:
        """One frame."""
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        self.playhead.advance(min(elapsed, LONGEST_FRAME))
        self.refresh()

    def refresh(self) -> None:
        """Shows the moment at which the playhead stands; figures a few times a second."""
        now, tsc = time.monotonic(), self.playhead.tsc
        if tsc != self._shown_at and (not self.playhead.plays or now - self._shown_when >= MOMENT_SECONDS):
            self._shown_at, self._shown_when = tsc, now
            self._show_moment(tsc)
        self.timeline.refresh()
        self._show_warnings()
        self._show_play()

    def _show_again(self) -> None:
        """Another VM."""
        self._shown_at = -1
        self.refresh()

    def _show_moment(self, tsc: int) -> None:
        events, seconds = self.moments.before(tsc)
        topology = self.moments.topology_at(tsc, events)
        if topology is None:
            self.picture.clear()
            return
        vm, rates = self.vms.offer(topology), self.moments.rates_of(events, seconds, topology)
        self.picture.show_vm(vm, topology, rates)
        self.timeline.rates = self._rates_of_rows(events, seconds) if rates else {}
        first, clock = self.recording.first, self.recording.header.clock
        told = self.moments.changes_until(tsc, CHANGES_SHOWN)
        self.changes.setText("\n".join(f"{spent(clock, at - first)}  {shown(what)}" for at, what in told))
        self.changes.setVisible(bool(told))

    def _rates_of_rows(self, events: Events, seconds: float) -> dict[SeenRow, float]:
        """How often a second something happened in each row; 0 in those in which nothing did."""
        counts = {row: row.happened(some) for row, some in self.density.of.of(events)}
        return {row: counts.get(row, 0) / seconds for row in self.density.rows}

    def _show_play(self) -> None:
        """A replay says so; and where it stands."""
        first, clock, plays = self.recording.first, self.recording.header.clock, self.playhead.plays
        behind = tr("ENDED") if self.playhead.at_the_end else "" if plays else tr("PAUSED")
        words = f"{tr('REPLAY')}, {behind}" if behind else tr("REPLAY")
        self.state.say(words, "replay" if plays else "paused", "triangle" if plays else "bars")
        self.backend.say(self.recording.header.backend or "–")
        self.factor.say(ratio(self.playhead.transport.factor))
        now, whole = (spent(clock, tsc - first) for tsc in (self.playhead.tsc, self.playhead.last))
        self.when.say(tr("{now} of {whole}", now=now, whole=whole))
        self.play.show_icon("pause" if plays else "play", self._theme())

    def toggle(self) -> None:
        """Plays, or pauses."""
        if self.playhead.plays:
            self.playhead.pause()
        else:
            self.playhead.play()
        self.refresh()

    def step(self, seconds: int) -> None:
        """A step forwards or back; the slower it plays, the shorter."""
        cycles = self.recording.header.clock.cycles(STEP_SECONDS / self.playhead.transport.factor)
        self.seek(self.playhead.tsc + seconds * cycles)

    def seek(self, tsc: int) -> None:
        """Stands at a moment, which comes into view."""
        self.playhead.seek(tsc)
        self.playhead.pause()
        self.timeline.bring(self.playhead.tsc)
        self.refresh()

    def to_the_beginning(self) -> None:
        """At the first event."""
        self.seek(self.playhead.first)

    def to_the_end(self) -> None:
        """At the last one."""
        self.seek(self.playhead.last)

    # -- its end

    def let_go(self) -> None:
        """Its thread ends, and the file is let go."""
        self.density.close()
        self.recording.let_go()
