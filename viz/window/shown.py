"""What is shown: one source, its model and the views of it; and what changes when another one takes the stage."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from bellwire.engine.errors import EngineError, LackingError, NoKvmError
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.source import Source
from bellwire.viz.diagram.pointing.marks import Pointing
from bellwire.viz.model.live import LiveModel, recorded
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import Durations, unit_called
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.settings import Look
from bellwire.viz.window.views import Views

JOIN_SECONDS = 10.0

MakeSource = Callable[[Scenario], Source]


def live_session(scenario: Scenario) -> Source:
    """A real guest."""
    from bellwire.engine.live.session import Session

    return Session(scenario)


def reason_for(source: Source) -> str:
    """Why a recording is shown and no guest; "" if it is a guest, or a recording that was asked for."""
    replay = recorded(source)
    return replay.no_guest if replay else ""


class Shown(QWidget):
    """One source at a time. `make_source` makes that of another scenario.

    changed: another source is shown, and `model` and `views` are new.
    """

    changed = Signal()

    def __init__(self, model: LiveModel, look: Look, notice: NoticeBar, make_source: MakeSource = live_session) -> None:
        super().__init__()
        self.setObjectName("plain")
        self.look, self.notice, self.make_source = look, notice, make_source
        self.model = model
        self.front: dict[str, str] = {}  # which panel is in front at each place
        self._stopping: list[threading.Thread] = []
        self._expected: Source | None = None  # has been told to start, and is still being built
        self._told_end, self._told_warning = False, ""
        self._told_no_guest = reason_for(model.source)  # whoever opens the window has said so
        self.handed_over = False
        self.pointing = Pointing()  # at the diagram, wherever it is shown
        self.views = Views(self.model, look.theme, self.front, self.pointing, self)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(self.views)
        look.unit_changed.connect(self._set_unit)
        look.extended_changed.connect(self._set_extended)
        look.motion_changed.connect(self._set_motion)
        self._set_unit()

    # -- another source

    def run_scenario_called(self, name: str) -> None:
        """Runs a scenario that is shipped."""
        try:
            self.run_scenario(load_scenario(name))
        except EngineError as error:
            self.notice.say(str(error))

    def run_scenario(self, scenario: Scenario) -> None:
        """Starts this one, in the background; one that cannot start says why, and nothing changes."""
        source = self.make_source(scenario)
        source.ask_as(self.model.source)
        try:
            source.start()
        except EngineError as error:
            self.notice.say(str(error))
        else:
            self.expect(source)

    def expect(self, source: Source) -> None:
        """Shows it as soon as it has started, and ends what is shown until then; of several the newest."""
        if self._expected:
            self._stop_in_background(self._expected)
        self._expected = source
        self.arrive()

    def arrive(self) -> None:
        """Shows what has started meanwhile, or says why it cannot; asked once a frame.

        Without KVM, or what else the scenario needs, it is a recording of the same scenario that is shown.
        """
        source = self._expected
        if source is None or source.starting:
            return
        self._expected = None
        try:
            source.wait_until_started()
        except (NoKvmError, LackingError) as error:
            self._show_instead(source.scenario, str(error))
        except EngineError as error:
            self.notice.say(str(error))
        else:
            self.notice.hide()
            self._told_no_guest = ""  # of the next one that cannot run it is said again
            self.show_source(source)

    def _show_instead(self, scenario: Scenario, why: str) -> None:
        """The recording of a scenario that no guest can run here; why, once for each reason."""
        from bellwire.engine.recordings.shipped import replay_in_place_of, words_in_place

        try:
            source = replay_in_place_of(scenario, why)
            source.start()
        except EngineError as error:
            self.notice.say(str(error))
            return
        self.notice.hide()
        self.show_source(source)
        if why != self._told_no_guest:
            self._told_no_guest = why
            self.notice.say(words_in_place(source))

    def restart(self) -> None:
        """The same scenario, or the same recording, from its start."""
        if self.model.replaying:
            self.model.source.start()
            self.show_source(self.model.source)
        else:
            self.run_scenario(self.model.scenario)

    def show_source(self, source: Source) -> None:
        """Shows a source that has been started, in place of the one before, which is stopped if it is another one."""
        old, before = self.views, self.model
        focus = self.window().focusWidget()
        within = focus is not None and old.isAncestorOf(focus)
        if source is not before.source:
            self._stop_in_background(before.source)
        self.model = LiveModel(source)
        self.model.baseline = before.baseline
        if source is before.source:
            self.model.annotations = before.annotations.carried()
        self._told_end, self._told_warning = False, ""
        self.pointing.clear()
        self.views = Views(self.model, self.look.theme, self.front, self.pointing, self)
        self._set_motion()
        self._set_extended()
        self._box.replaceWidget(old, self.views)
        if within:  # or it would go to the next control, which keeps PgDn and the arrows to itself
            self.views.diagram.setFocus(Qt.FocusReason.OtherFocusReason)
        old.hide()
        old.deleteLater()
        self._set_unit()
        self.changed.emit()

    def _stop_in_background(self, source: Source) -> None:
        """Stopping waits for threads and grace periods: not in the GUI's thread, unless there is no other."""
        self._stopping = [thread for thread in self._stopping if thread.is_alive()]
        thread = threading.Thread(target=source.stop, name="stop a source", daemon=True)
        try:
            begin_thread(thread)
        except EngineError:
            source.stop()
        else:
            self._stopping.append(thread)

    def stop_source(self) -> None:
        """Ends what is shown, in the background; it stays shown."""
        self._stop_in_background(self.model.source)

    def hand_over(self) -> Source | None:
        """Another window shows the model from now on: with this one nothing ends. Returns what comes next, if any."""
        self.handed_over = True
        self.model.leave()
        expected, self._expected = self._expected, None
        return expected

    def end(self) -> None:
        """Ends the source, and waits until it has ended; nothing is left behind."""
        if not self.handed_over:
            if self.model.baseline:
                self.model.baseline.close()
            self._stop_in_background(self.model.source)
        if self._expected:
            self._stop_in_background(self._expected)
        for thread in self._stopping:
            thread.join(JOIN_SECONDS)

    # -- now and then

    def tell(self) -> None:
        """Says what is not as it should be, and that the source has ended."""
        self._tell_warning()
        self._tell_end()

    def _tell_warning(self) -> None:
        """Once, and until it is over."""
        warning = self.model.source.warning
        if warning == self._told_warning:
            return
        if warning:
            self.notice.say(warning)
        else:
            self.notice.take_back(self._told_warning)
        self._told_warning = warning

    def _tell_end(self) -> None:
        """A session that has ended by itself says why, once."""
        source = self.model.source
        if self._told_end or source.alive or source.why_nothing or not self.model.present.tally.recorded:
            return
        self._told_end = True
        if source.error or not self.model.replaying:
            self.notice.say(str(source.error or tr("The session has ended.")), tr("Start afresh"), self.restart)

    # -- how it looks

    def _set_extended(self) -> None:
        self.pointing.clear()  # its places are those of the other picture
        self.views.diagram.set_extended(self.look.extended)

    def _set_motion(self) -> None:
        self.views.diagram.still_motion = Turns.calm = self.look.reduced_motion

    def _set_unit(self) -> None:
        """Cycles are those of the source that is shown."""
        Durations.unit = unit_called(self.look.unit, self.model.clock.hz)
        self.views.redraw()
