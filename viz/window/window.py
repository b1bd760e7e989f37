"""The main window: who sits where, and what changes when another source takes the stage."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from pyqtgraph.util.garbage_collector import GarbageCollector
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QVBoxLayout, QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Switch
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.source import Source
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.nosource import NoSource
from bellwire.viz.style.stylesheet import palette, stylesheet
from bellwire.viz.style.theme import Theme, load_fonts
from bellwire.viz.text.figures import FITTING, UNIT_NAMES, Durations, unit_called
from bellwire.viz.window.about import About
from bellwire.viz.window.actions import Action
from bellwire.viz.window.bar import ControlRow, StatusRow
from bellwire.viz.window.breaking import BreakControl
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.files import RECORDINGS, Files
from bellwire.viz.window.frame import Frame
from bellwire.viz.window.menus import Menus
from bellwire.viz.window.notice import EmptyPanel, IndexProgress, NoticeBar
from bellwire.viz.window.palette import KeyHelp, Palette
from bellwire.viz.window.settings import Settings
from bellwire.viz.window.views import Views

BAR_SECONDS = 0.1  # how often the bar looks at the states
JOIN_SECONDS = 10.0

MakeSource = Callable[[Scenario], Source]


def live_session(scenario: Scenario) -> Source:
    """A real guest."""
    from bellwire.engine.live.session import Session

    return Session(scenario)


class MainWindow(QMainWindow):
    """Shows one source at a time. `make_source` makes that of another scenario."""

    def __init__(self, source: Source, theme: Theme, make_source: MakeSource = live_session) -> None:
        super().__init__()
        self.theme, self.make_source = theme, make_source
        self.presenting = self.reduced_motion = self.extended = False
        self.unit = FITTING.name  # of durations, one of UNIT_NAMES
        self.settings: Settings | None = None  # remembers nothing, unless it is given some
        self.model = LiveModel(source)
        self.commands = Commands(self)
        self.files = Files(self)
        self.breaks = BreakControl(self)
        self.notice = NoticeBar(theme)
        self.index_progress = IndexProgress()
        self.menus = Menus(self)
        self.status = StatusRow(self.commands, self.menus.bar, theme)
        self.controls = ControlRow(self.commands, theme)
        self.empty: EmptyPanel | None = None
        self._stopping: list[threading.Thread] = []
        self._bar_at = 0.0
        self._told_end, self._told_warning = False, ""
        # Once it is open: a cycle may hold widgets, which must not die in another thread, where Python may collect.
        self.collector: GarbageCollector | None = None
        self._front: dict[str, str] = {}  # which panel is in front at each place
        self._lay_out()
        self.keys = KeyHelp(self, theme)
        self.palette_ = Palette(self, theme, self.menus.entries)
        self.frame = Frame(self.model, self.refresh, self)
        self._greet()
        self.set_theme(theme)
        self.set_unit(self.unit)
        self.views.diagram.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        self.views = Views(self.model, self.theme, self._front)
        middle = QWidget()
        self._box = QVBoxLayout(middle)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        around = QVBoxLayout()
        around.setContentsMargins(22, 8, 22, 0)
        around.addWidget(self.notice)
        around.addWidget(self.index_progress)
        self._box.addWidget(self.status)
        self._box.addWidget(self.controls)
        self._box.addLayout(around)
        self._box.addWidget(self.views, 1)
        self.setCentralWidget(middle)
        self.setMinimumSize(960, 600)
        self.resize(1600, 900)

    # -- actions

    def run_action(self, action: Action) -> None:
        """Does it, and shows at once what has changed."""
        action.run(self.commands)
        self._bar_at = 0.0

    def switched_on(self) -> dict[str, bool]:
        """Which of the actions that switch something are on."""
        return {
            "ioeventfd": self.model.wired(Switch.IOEVENTFD),
            "irqfd": self.model.wired(Switch.IRQFD),
            "hold": not self.commands.running,
            "full": self.isFullScreen(),
            "presenter": self.presenting,
            "record": self.files.capture is not None,
            "motion": self.reduced_motion,
            "extended": self.extended,
            **{f"unit-{name}": name == self.unit for name in UNIT_NAMES},
        }

    # -- the source

    def _greet(self) -> None:
        """Names the source everywhere; says what to do if there is none."""
        source = self.model.source
        self._told_end, self._told_warning = False, ""
        self.setWindowTitle(f"{source.scenario.title}{' (REPLAY)' if self.model.replaying else ''} – Bellwire")
        if self.empty:
            self.empty.deleteLater()
            self.empty = None
        if isinstance(source, NoSource):
            self.empty = EmptyPanel(
                self.views.diagram, "No KVM here", source.reason, "Open a recording", self.files.open
            )
            self.empty.show()

    def run_scenario_called(self, name: str) -> None:
        """Runs a scenario that is shipped."""
        try:
            self.run_scenario(load_scenario(name))
        except EngineError as error:
            self.notice.say(str(error))

    def run_scenario(self, scenario: Scenario) -> None:
        """Starts this one and ends what ran, in the background; one that cannot start says why, and nothing changes."""
        source = self.make_source(scenario)
        try:
            source.start()
        except EngineError as error:
            self.notice.say(str(error))
            return
        self.notice.hide()
        self.show_source(source)

    def show_source(self, source: Source) -> None:
        """Shows a source that has been started, in place of the one before, which is stopped if it is another one."""
        if source is not self.model.source:
            self.files.stop_capture()
            self._stop_in_background(self.model.source)
        old = self.views
        baseline = self.model.baseline
        self.model = self.frame.model = LiveModel(source)
        self.breaks.follow(self.model)
        self.model.baseline = baseline
        self.views = Views(self.model, self.theme, self._front)
        self.views.diagram.still_motion = self.reduced_motion
        self.views.diagram.set_extended(self.extended)
        self._box.replaceWidget(old, self.views)
        old.hide()
        old.deleteLater()
        self.views.set_presenting(self.presenting)
        self.set_unit(self.unit)
        self._greet()
        self._bar_at = 0.0

    def _stop_in_background(self, source: Source) -> None:
        """Stopping waits for threads and grace periods: not in the GUI's thread."""
        self._stopping = [thread for thread in self._stopping if thread.is_alive()]
        thread = threading.Thread(target=source.stop, name="stop a source", daemon=True)
        thread.start()
        self._stopping.append(thread)

    # -- once a frame

    def refresh(self, everything: bool = True) -> None:
        """All views, and now and then the bar."""
        self.views.refresh(everything)
        if not everything and monotonic() - self._bar_at >= BAR_SECONDS:
            self._bar_at = monotonic()
            self.status.refresh()
            self.controls.refresh()
            self.files.tell()
            self.index_progress.refresh(self.model)
            self._tell_warning()
            self._tell_end()

    def _tell_warning(self) -> None:
        """What is not as it should be, once, and until it is."""
        warning = self.model.source.warning
        if warning == self._told_warning:
            return
        if warning:
            self.notice.say(warning)
        elif self.notice.words.text() == self._told_warning:
            self.notice.hide()
        self._told_warning = warning

    def _tell_end(self) -> None:
        """A session that has ended by itself says why, once."""
        source = self.model.source
        if self._told_end or source.alive or isinstance(source, NoSource) or not self.model.tally.recorded:
            return
        self._told_end = True
        if source.error or not self.model.replaying:
            self.notice.say(str(source.error or "The session has ended."), "Start afresh", self.commands.restart)

    # -- how it looks

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text, everywhere."""
        self.theme = theme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setPalette(palette(theme))
            app.setStyleSheet(stylesheet(theme))
        for part in (self.status, self.controls, self.notice, self.views, self.keys, self.palette_, self.breaks):
            part.set_theme(theme)
        self._bar_at = 0.0

    def set_extended(self, on: bool) -> None:
        """The parts of the kernel that a signal passes, or the simple picture."""
        self.extended = on
        self.views.diagram.set_extended(on)

    def set_reduced_motion(self, on: bool) -> None:
        """Tokens stand instead of gliding."""
        self.reduced_motion = self.views.diagram.still_motion = on

    def set_unit(self, name: str) -> None:
        """Every duration in this unit; cycles are those of the source that is shown."""
        self.unit = name
        Durations.unit = unit_called(name, self.model.clock.hz)
        self.views.redraw()

    def set_presenter(self, on: bool) -> None:
        """For an audience: the diagram and the large numbers only."""
        self.presenting = on
        self.controls.setVisible(not on)
        self.status.set_presenting(on)
        self.views.set_presenting(on)

    def toggle_full_screen(self) -> None:
        """Fills the screen, or not."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def close_overlays(self) -> bool:
        """Closes what is open above the picture; whether there was something."""
        opened = [part for part in (self.keys, self.palette_, self.notice) if part.isVisible()]
        for part in opened:
            part.hide()
        if not opened and self.presenting:
            self.set_presenter(False)
            return True
        return bool(opened)

    def show_keys(self) -> None:
        """All keys, or none."""
        if self.keys.isVisible():
            self.keys.hide()
        else:
            self.keys.open()

    def show_palette(self) -> None:
        """Every action by its name."""
        self.palette_.open()

    def show_about(self) -> None:
        """Versions and the machine."""
        dialog = About(self.model.source, self.model.latencies.clock_error, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def save_picture(self, path: Path | None = None) -> None:
        """Saves the window as a PNG file; asks where, unless it is told."""
        if path is None:
            name, _ = QFileDialog.getSaveFileName(self, "Save the picture", "bellwire.png", "PNG (*.png)")
            if not name:
                return
            path = Path(name)
        if not self.grab().save(str(path)):
            self.notice.say(f"The picture cannot be written to {path}.")

    def save_panel(self, name: str, path: Path | None = None) -> None:
        """Saves what a panel shows; asks where, unless it is told."""
        panel = self.views.panel(name)
        if path is None:
            chosen, _ = QFileDialog.getSaveFileName(self, f"Save: {panel.tip}", panel.file, panel.files)
            if not chosen:
                return
            path = Path(chosen)
        if trouble := panel.save(path):
            self.notice.say(trouble)

    def compare_with(self, path: Path | None = None) -> None:
        """This run beside a recorded one, in the panel; asks which, unless it is told."""
        if path is None:
            name, _ = QFileDialog.getOpenFileName(self, "Compare with a recording", "", RECORDINGS)
            if not name:
                return
            path = Path(name)
        self.compare_at_switch()
        self.model.baseline = Baseline(path)

    def compare_at_switch(self) -> None:
        """Before and after the last live switch, in the panel."""
        if self.model.baseline:
            self.model.baseline.close()
        self.model.baseline = None
        panel = self.views.panel("compare")
        if not panel.isVisible():
            self.views.show_panel("compare")
        panel.redraw()

    # -- the end

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ends the source; nothing is left behind."""
        self.frame.stop()
        if self.settings:
            self.settings.theme, self.settings.reduced_motion = self.theme, self.reduced_motion
            self.settings.extended = self.extended
            self.settings.geometry, self.settings.unit = self.saveGeometry(), self.unit
        self.hide()
        self.files.close()
        if self.model.baseline:
            self.model.baseline.close()
        self._stop_in_background(self.model.source)
        for thread in self._stopping:
            thread.join(JOIN_SECONDS)
        super().closeEvent(event)


def application() -> QApplication:
    """The one QApplication, with our fonts; set up once, because a style set anew repaints every window."""
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.applicationName() == "bellwire":
        return app
    if not isinstance(app, QApplication):
        app = QApplication(["bellwire"])
    app.setApplicationName("bellwire")
    app.setApplicationDisplayName("Bellwire")
    app.setDesktopFileName("bellwire")
    app.setStyle("Fusion")
    load_fonts()
    return app


def make_window(
    source: Source | None,
    *,
    reason: str = "",
    theme: Theme | None = None,
    make_source: MakeSource = live_session,
) -> MainWindow:
    """A window on `source`, which is started here; not yet shown. reason: why there is no KVM, if there is none."""
    application()
    settings = Settings()
    problem = ""
    if source is None:
        source = NoSource(reason or "There is no usable /dev/kvm.")
    try:
        source.start()
    except EngineError as error:
        problem, source = str(error), NoSource(str(error), source.scenario)
    window = MainWindow(source, theme or settings.theme, make_source)
    if reason and not isinstance(source, NoSource):
        window.notice.say(reason)
    elif problem:
        window.notice.say(problem)
    return window


def open_window(source: Source | None, *, reason: str = "") -> int:
    """Shows the window until it is closed; the exit code."""
    app = application()
    window = make_window(source, reason=reason)
    window.settings = Settings()
    window.set_reduced_motion(window.settings.reduced_motion)
    window.set_extended(window.settings.extended)
    window.set_unit(window.settings.unit)
    if window.settings.geometry:
        window.restoreGeometry(window.settings.geometry)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    window.collector = GarbageCollector()
    window.show()
    window.frame.start()
    return app.exec()
