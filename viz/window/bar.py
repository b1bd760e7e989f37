"""The two rows at the top: menus, slow motion and the states that are always on screen; and the controls."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QMenu, QMenuBar, QSizePolicy, QToolButton, QWidget

from bellwire.engine.events import Switch as Wiring
from bellwire.engine.language import tr, tr_as, tr_later
from bellwire.engine.source import Order
from bellwire.viz.model.transport import FACTORS
from bellwire.viz.style.controls import Button, Chip, Choice, Combo, IconButton, Pill, ProgramMark, Toggle
from bellwire.viz.style.fitting import SPACING, FittingRow
from bellwire.viz.style.plain import PlainLabel, plain_tip, plain_words
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import count_of, grouped, pace, ratio
from bellwire.viz.text.host_words import back_end_words
from bellwire.viz.text.trust import dropped_text
from bellwire.viz.window.actions import BY_NAME, tooltip
from bellwire.viz.window.breaking import BreakControl
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.files import Files
from bellwire.viz.window.pace_popover import CLICK_SECONDS, PACES, MorePopover
from bellwire.viz.window.scenario_list import fill, show_scenario
from bellwire.viz.window.shown import reason_for

LEAST_STATE = 90  # pixels at 100 % text of the state, where there is no room for how long ago it was
USUAL_NAME, LEAST_NAME = 140, 90  # pixels at 100 % text of the scenario's name; where all else has been left out
LEAST_BEHIND = 0.1  # seconds that a view is behind before it says so
STATES = {
    tr_later("LIVE"): ("live", "circle"),
    tr_later("PAUSED"): ("paused", "bars"),
    tr_later("STORY"): ("paused", "triangle"),
    tr_later("REPLAY"): ("replay", "triangle"),
    tr_later("NO KVM"): ("heavy", "square"),
    tr_later("FAULT"): ("heavy", "square"),
    tr_later("ENDED"): ("text_muted", "square"),
    tr_later("STARTING"): ("text_muted", "square"),
}


class StatusRow(FittingRow):
    """Name, menus, slow motion, and what must always be seen: state, backend, drops, factor."""

    def __init__(self, commands: Commands, breaks: BreakControl, files: Files, menus: QMenuBar, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.commands, self.breaks, self.files = commands, breaks, files
        self.fault = False
        self.mark, self.name = ProgramMark(), PlainLabel("Bellwire")
        self.name.setObjectName("wordmark")
        self.menus = menus
        self.menus.setAccessibleName(tr("menus"))
        self.folded = IconButton()  # all menus, where there is no room for them side by side
        self.folded.setAccessibleName(tr("menus"))
        self.folded.setToolTip(tr("All menus"))
        self.folded.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.folded.setMenu(QMenu(self.folded))
        self.folded.menu().addActions(menus.actions())
        self.folded.hide()
        self.slow_label = PlainLabel(tr("slow motion"))
        self.slow_label.setObjectName("muted")
        self.slow = Choice(FACTORS, ratio)
        self.slow.setAccessibleName(tr("slow motion factor"))
        self.slow.chosen.connect(commands.set_factor)
        self.factor, self.state = Chip(theme), Chip(theme, mono=False)
        self.capture, self.backend, self.dropped = Chip(theme), Chip(theme), Chip(theme)
        self.capture.hide()
        self.breaking = Pill()  # what the view breaks at
        self.breaking.setObjectName("pill")
        self.breaking.clicked.connect(breaks.clear)
        self.breaking.hide()
        breaks.asked.connect(self._ask_break)
        breaks.changed.connect(self.refresh)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 4, 22, 4)
        row.setSpacing(8)
        self.menus.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row.addWidget(self.mark)
        row.addWidget(self.name)
        row.addWidget(self.menus)
        row.addWidget(self.folded)
        row.addStretch(1)
        row.addWidget(self.slow_label)
        row.addWidget(self.slow)
        row.addWidget(self.breaking)
        for chip in self.chips:
            row.addWidget(chip)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The states, from the left."""
        return self.factor, self.capture, self.state, self.backend, self.dropped

    def spare(self) -> list[QWidget]:
        """The slider's keys do the same."""
        return [self.slow_label, self.name, self.slow, self.menus, self.mark]

    def shorten(self, on: bool) -> None:
        """The state goes without how long ago it was, which its tooltip says."""
        self.state.shorten(LEAST_STATE if on else 0)

    def saved(self) -> int:
        """What of the state is said by its tooltip."""
        return max(self.state.sizeHint().width() - self.theme.px(LEAST_STATE), 0)

    def stands_in(self, left_out: QWidget) -> QWidget | None:
        """One button has all menus."""
        return self.folded if left_out is self.menus else None

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.mark.set_theme(theme)
        self.folded.show_icon("menus", theme)
        self.slow.setMinimumWidth(theme.px(50))
        self.slow.setMaximumWidth(theme.px(110))
        self.breaking.setMinimumWidth(theme.px(118))
        # A menu bar asks for all the width there is, and hides menus where it gets less.
        metrics = QFontMetrics(theme.font(13))
        words = sum(metrics.horizontalAdvance(menu.text()) + theme.px(26) for menu in self.menus.actions())
        self.menus.setFixedWidth(words + theme.px(40))
        for chip in self.chips:
            chip.set_theme(theme)

    def refresh(self) -> None:
        """The states as they are now."""
        model = self.commands.model
        self._show_state()
        recording = self.files.capture_text
        self.capture.say(recording, "heavy", "circle")
        self.capture.setVisible(bool(recording))
        self.backend.say(back_end_words(model.source.backend, model.source.host))
        self.factor.say(ratio(model.transport.factor), "text" if model.transport.factor > 1 else "text_muted")
        self.slow.show_value(model.transport.factor)
        self._show_break()
        self._explain()

    def say_dropped(self) -> None:
        """What was dropped, in the frame in which the caption and the numbers say it."""
        gone = self.commands.model.not_there
        self.dropped.say(dropped_text(gone), "heavy" if gone.lost or gone.passed_over else "text_muted")

    def _show_state(self) -> None:
        """A view that is behind the present says so beside the state: what runs is live, what is seen is not."""
        model, name = self.commands.model, self.state_name()
        color, mark = STATES[name] if not self.holds else ("paused", "bars")
        if name == "STORY" and not self.commands.storyteller.plays:
            mark = "bars"
        behind = not self.fault and model.transport.away and model.behind >= LEAST_BEHIND
        words = tr("ENDED") if self.commands.at_the_end and not self.fault else tr(name)
        if (self._both() or self.commands.at_the_end) and not self.fault:
            words = f"{tr('REPLAY')}, {words}"
        if self.holds:
            words = f"{words}, {tr('HELD')}"
        self.state.say(f"{words}, {back(model.behind)}" if behind else words, "paused" if behind else color, mark)

    def _show_break(self) -> None:
        """What the view waits for, or has met."""
        watch = self.breaks.watch
        if watch.wanted:
            what = watch.wanted.text
            words = tr("broke: {what}", what=what) if watch.broken else tr("break: {what}", what=what)
            self.breaking.setText(plain_words(f"{words}  ✕"))
            tip = tr("The view freezes when this happens: {what}. A click, or Esc, takes it back", what=what)
            self.breaking.setToolTip(plain_tip(tip))
        if self.breaking.isHidden() == (watch.wanted is not None):
            self.breaking.setVisible(watch.wanted is not None)
            self.slow.show()
            self.make_room()

    def _ask_break(self) -> None:
        """Below what says it."""
        self.breaks.open_below(self.state if self.breaking.isHidden() else self.breaking)

    def state_name(self) -> str:
        """LIVE, PAUSED, STORY, REPLAY, NO KVM; ENDED, if nothing can come any more; FAULT, by the program itself."""
        if self.fault:
            return "FAULT"
        model = self.commands.model
        ended = model.state == "LIVE" and not model.source.alive
        return "ENDED" if ended else model.state

    @property
    def holds(self) -> bool:
        """Whether the pace stands still, in the present of what still runs or replays."""
        over = self.fault or self.commands.at_the_end or not self.commands.source.alive
        return not over and not self.commands.running

    def _both(self) -> bool:
        return self.commands.model.replaying and self.commands.model.state in ("PAUSED", "STORY")

    def _explain(self) -> None:
        model = self.commands.model
        keys = tr(
            "{slower} slower, {faster} faster, {newest} to the present",
            slower=BY_NAME["slower"].key,
            faster=BY_NAME["faster"].key,
            newest=BY_NAME["newest"].key,
        )
        real = tr("At 1 : 1 a token moves at a pace for the eye and carries the count of what it stands for.")
        slow = tr("In slow motion a token's time on a wire is the measured one, times the factor.")
        short = tr(
            "At this factor journeys are too short to be seen: a token moves at a pace for the eye, with its count."
        )
        now = slow if model.transport.exact else short if model.transport.together else real
        self.factor.setToolTip(plain_tip(f"{now} ({keys})"))
        self.slow.setToolTip(plain_tip(tr("Slow motion of the transit itself ({keys})", keys=keys)))
        self.capture.setToolTip(tr("What happens is being written to a file. (Ctrl+E ends it)"))
        self.state.setToolTip(plain_tip(self._state_tip()))
        self.backend.setToolTip(tr("The kernel module that runs the guest; every figure here comes from it."))
        self.dropped.setToolTip(
            plain_tip(
                tr(
                    "{events} recorded; dropped: lost for want of room; only counted: they came faster than they can "
                    "be shown. A recording has them.",
                    events=count_of(model.tally.recorded, "event"),
                )
            )
        )

    def _state_tip(self) -> str:
        """Why it is a recording, if it is one in place of a guest; and what the words of the state mean."""
        why = reason_for(self.commands.model.source).removesuffix(".")
        instead = tr("REPLAY: a recording, because no guest runs here. {why}.", why=why) if why else ""
        stops = tr("PAUSED stops the view; the capture goes on. (Space)")
        if self.commands.model.story is not None:
            stops = tr("STORY tells one journey; the capture goes on. (Space)")
        newest = BY_NAME["newest"].key
        back = tr("BACK: so long before the present is what is seen. ({newest} to the present)", newest=newest)
        held = tr("HELD: the pace stands still, so no signal is sent but by hand. ({hold})", hold=BY_NAME["hold"].key)
        return " ".join(filter(None, (instead, held if self.holds else "", stops, back)))


def back(seconds: float) -> str:
    """How far behind the present, as exactly as it can be read while it changes."""
    return tr("{seconds} s BACK", seconds=grouped(seconds, 1) if seconds < 10 else grouped(round(seconds)))


class ControlRow(FittingRow):
    """Scenario, transport, pace, the two switches, single signals."""

    def __init__(self, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.commands, self.theme = commands, theme
        self.scenarios = Combo(theme)
        self.scenarios.setAccessibleName(tr("scenario"))
        fill(self.scenarios, theme)
        self.scenarios.activated.connect(self._picked)
        self.transport = {name: IconButton() for name in ("home", "step_back", "play", "step", "newest", "story")}
        for name, button in self.transport.items():
            button.setAccessibleName(BY_NAME[name].text)
            button.clicked.connect(lambda _=False, name=name: BY_NAME[name].run(commands))
        self.pace = Choice(PACES, pace)
        self.pace.setAccessibleName(tr("pace: signals a second"))
        self.pace.chosen.connect(self._pace_picked)
        self.pace_label, self.pace_value = PlainLabel(tr("pace")), PlainLabel("")
        self.pace_label.setObjectName("muted")
        self.pace_value.setObjectName("mono")
        self.switches = {
            "ioeventfd": Toggle("ioeventfd", "doorbell", theme),
            "irqfd": Toggle("irqfd", "interrupt", theme),
        }
        self.singles = {"ring": Button(tr_as("a doorbell", "Ring")), "interrupt": Button(tr("Interrupt"))}
        self.more = IconButton()
        self.more.setToolTip(tr("Pace, burst, idle, hold"))
        self.more.setAccessibleName(tr("more settings"))
        self.popover = MorePopover(commands, theme, self)
        self.more.clicked.connect(lambda: self.popover.open_below(self.more))
        self._clicked_at = dict.fromkeys(self.switches, 0.0)
        self._pace_clicked_at = 0.0
        self._icons = dict.fromkeys(self.transport, "")
        self._connect()
        self._lay_out()
        self.set_theme(theme)

    def _connect(self) -> None:
        for name, switch in self.switches.items():
            switch.clicked.connect(lambda _=False, name=name: self._switched(name))
        for name, button in self.singles.items():
            button.setObjectName("doorbell" if name == "ring" else "interrupt")
            button.clicked.connect(lambda _=False, name=name: BY_NAME[name].run(self.commands))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 7, 22, 7)
        row.setSpacing(SPACING)
        row.addWidget(self.scenarios, 3)
        row.addSpacing(10)
        for button in self.transport.values():
            row.addWidget(button)
        row.addSpacing(10)
        row.addWidget(self.pace_label)
        row.addWidget(self.pace, 2)
        row.addWidget(self.pace_value)
        row.addSpacing(10)
        for switch in self.switches.values():
            row.addWidget(switch)
            row.addSpacing(6)
        row.addStretch(1)
        for single in self.singles.values():
            row.addWidget(single)
        row.addWidget(self.more)

    def spare(self) -> list[QWidget]:
        """Keys do the same."""
        transport = (self.transport[name] for name in ("home", "newest", "step_back", "step", "story"))
        return [self.pace_label, *transport, *self.singles.values(), self.pace, self.pace_value]

    def shorten(self, on: bool) -> None:
        """The scenario's name, which its list says."""
        self.scenarios.setMinimumWidth(self.theme.px(LEAST_NAME if on else USUAL_NAME))

    def saved(self) -> int:
        """What of the scenario's name is said by its list."""
        return self.theme.px(USUAL_NAME) - self.theme.px(LEAST_NAME)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = self.scenarios.theme = theme
        self._icons = dict.fromkeys(self.transport, "")
        self.more.show_icon("more", theme)
        self.shorten(self.short)
        self.scenarios.setMaximumWidth(theme.px(330))
        self.pace.setMinimumWidth(theme.px(80))
        self.pace.setMaximumWidth(theme.px(170))
        self.pace_value.setFixedWidth(theme.px(66))
        for switch in self.switches.values():
            switch.set_theme(theme)
        self.popover.set_theme(theme)

    def _picked(self, index: int) -> None:
        name = self.scenarios.itemData(index, Qt.ItemDataRole.UserRole)
        if name:
            self.commands.run_scenario_called(name)

    def _pace_picked(self, per_second: float) -> None:
        self._pace_clicked_at = monotonic()
        self.pace_value.setText(pace(per_second))
        self.commands.set_pace(per_second)

    def _switched(self, name: str) -> None:
        self._clicked_at[name] = monotonic()
        BY_NAME[name].run(self.commands)

    def refresh(self) -> None:
        """Everything as the events say it is."""
        model = self.commands.model
        show_scenario(self.scenarios, None if self.commands.lessons.riddle else model.scenario)
        at_the_end = self.commands.at_the_end
        stands = model.transport.paused and not self.commands.storyteller.plays
        self._set_icon("play", "play" if stands or at_the_end else "pause")
        for name in self.transport:
            if name != "play":
                self._set_icon(name, name)
            self.transport[name].setToolTip(plain_tip(tooltip(name)))
        if at_the_end:
            self.transport["play"].setToolTip(
                plain_tip(tr("Plays from the start again ({key})", key=BY_NAME["play"].key))
            )
        if model.story is not None:
            self.transport["play"].setToolTip(
                plain_tip(tr("Of the story that is told ({key})", key=BY_NAME["play"].key))
            )
        self.transport["newest"].setEnabled(not model.transport.following or model.transport.factor > 1)
        if monotonic() - self._pace_clicked_at > CLICK_SECONDS:
            self.pace.show_value(self.commands.pace)
            self.pace_value.setText(pace(self.commands.pace))
        self._allow(self.pace, Order.PACE, tr("Signals a second, from by hand to flat out"))
        for name, switch in self.switches.items():
            self._show_switch(name, switch)
        for name, button in self.singles.items():
            self._allow(button, BY_NAME[name].order, tooltip(name))
        self.popover.refresh()

    def _show_switch(self, name: str, switch: Toggle) -> None:
        self._allow(switch, BY_NAME[name].order, tooltip(name))
        if monotonic() - self._clicked_at[name] > CLICK_SECONDS:
            switch.setChecked(self.commands.model.present.wired(Wiring[name.upper()]))

    def _allow(self, widget: QWidget, order: Order | None, tip: str) -> None:
        """Disabled with its reason, or enabled with its tip."""
        reason = self.commands.source.can(order) if order else ""
        if widget.isEnabled() == bool(reason):
            widget.setEnabled(not reason)
        widget.setToolTip(plain_tip(reason or tip))

    def _set_icon(self, name: str, shown: str) -> None:
        if self._icons[name] != shown:
            self._icons[name] = shown
            self.transport[name].show_icon(shown, self.theme)
