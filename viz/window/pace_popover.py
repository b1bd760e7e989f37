"""What is not needed every minute: pace, burst, what the guest does between signals, and holding it."""

from __future__ import annotations

import math
from time import monotonic

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QHBoxLayout, QWidget

from bellwire.engine.events import Setting
from bellwire.engine.language import tr, tr_later
from bellwire.engine.source import Order
from bellwire.viz.style.controls import Button, Choice, Toggle, place_below
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import grouped, pace
from bellwire.viz.window.actions import tooltip
from bellwire.viz.window.commands import Commands

PACES = (0.0, *(float(m * 10**e) for e in range(5) for m in (1, 2, 5)), 1e5, math.inf)
CLICK_SECONDS = 0.5  # a control shows what was clicked until the machine has had time to follow
BURSTS = tuple(float(2**n) for n in range(11))
IDLES = {  # what is written on its button, and what is heard of that
    "hlt": ("HLT", tr_later("between signals the guest does hlt")),
    "spin": (tr_later("spin"), tr_later("between signals the guest does spin")),
}


class MorePopover(QFrame):
    """A small frame below its button; a click elsewhere, or Esc, closes it."""

    def __init__(self, commands: Commands, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popover")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.commands = commands
        self._pace_clicked_at = 0.0
        self.pace = Choice(PACES, pace)
        self.pace.setAccessibleName(tr("pace: signals a second"))
        self.pace.chosen.connect(self._pace_picked)
        self.pace_value = PlainLabel("")
        self.pace_value.setObjectName("mono")
        self.burst = Choice(BURSTS, lambda burst: f"×{grouped(burst)}")
        self.burst.setAccessibleName(tr("burst: signals a tick"))
        self.burst.chosen.connect(commands.set_burst)
        self.burst_value = PlainLabel("1")
        self.burst_value.setObjectName("mono")
        self.idle = QButtonGroup(self)
        self.idle_buttons = {name: Button(tr(text)) for name, (text, _) in IDLES.items()}
        self.hold = Toggle(tr("held"), "heavy", theme)
        self.hold.clicked.connect(commands.hold)
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(18, 16, 18, 16)
        grid.setSpacing(12)
        for row, text in enumerate((tr("pace"), tr("burst"), tr("between signals"), tr("guest"))):
            label = PlainLabel(text)
            label.setObjectName("muted")
            grid.addWidget(label, row, 0)
        grid.addWidget(self.pace, 0, 1)
        grid.addWidget(self.pace_value, 0, 2)
        grid.addWidget(self.burst, 1, 1)
        grid.addWidget(self.burst_value, 1, 2)
        buttons = QHBoxLayout()
        for name, button in self.idle_buttons.items():
            button.setCheckable(True)
            button.setAccessibleName(tr(IDLES[name][1]))
            button.clicked.connect(lambda _=False, name=name: self.commands.set_idle(name))
            self.idle.addButton(button)
            buttons.addWidget(button)
        grid.addLayout(buttons, 2, 1, 1, 2)
        grid.addWidget(self.hold, 3, 1, 1, 2)

    def open_below(self, button: QWidget) -> None:
        """Shows itself under the button, inside the window."""
        self.adjustSize()
        place_below(self, button)
        self.show()
        self.pace.setFocus()

    def _pace_picked(self, per_second: float) -> None:
        self._pace_clicked_at = monotonic()
        self.pace_value.setText(pace(per_second))
        self.commands.set_pace(per_second)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.burst.setMinimumWidth(theme.px(140))
        for value in (self.pace_value, self.burst_value):
            value.setFixedWidth(theme.px(66))
        self.hold.set_theme(theme)

    def refresh(self) -> None:
        """The settings as the events say them."""
        if not self.isVisible():
            return
        model = self.commands.model
        settings, wanted = model.present.tally.settings, model.scenario.pace
        if monotonic() - self._pace_clicked_at > CLICK_SECONDS:
            self.pace.show_value(self.commands.pace)
            self.pace_value.setText(pace(self.commands.pace))
        burst = settings.get(Setting.BURST, wanted.burst)
        self.burst.show_value(burst)
        self.burst_value.setText(f"×{grouped(burst)}")
        spins = bool(settings.get(Setting.IDLE, wanted.idle == "spin"))
        self.idle_buttons["spin" if spins else "hlt"].setChecked(True)
        self.hold.setChecked(not self.commands.running)
        for widget, order, tip in (
            (self.pace, Order.PACE, tr("Signals a second, from by hand to flat out")),
            (self.burst, Order.BURST, tr("Signals a tick of the pace")),
            (self.hold, Order.RUN, tooltip("hold")),
            *(
                (button, Order.IDLE, tr("HLT exits to the kernel; spin does not"))
                for button in self.idle_buttons.values()
            ),
        ):
            reason = model.source.can(order)
            widget.setEnabled(not reason)
            widget.setToolTip(plain_tip(reason or tip))
