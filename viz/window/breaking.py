"""Break when, in the window: the frame in which it is picked, the pill that says it, the notice when it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz.break_popover import BreakPopover
from viz.breaks import Break
from viz.theme import Theme

if TYPE_CHECKING:
    from viz.model import LiveModel
    from viz.window import MainWindow


class BreakControl:
    """Follows the window from one model to the next: what is armed stays armed."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.popover = BreakPopover(window.theme, window)
        self._wanted: Break | None = None
        self._told = ""  # the notice that is ours

    def follow(self, model: LiveModel) -> None:
        """Watches another model."""
        model.watch.changed.append(self._changed)
        if self._wanted:
            model.watch.arm(self._wanted)

    def open(self) -> None:
        """Asks what to break at."""
        status = self.window.status
        pill = status.breaking
        self.popover.open_below(status.state if pill.isHidden() else pill, self.window.model)

    def clear(self) -> None:
        """Nothing is waited for any more."""
        self.window.model.watch.clear()

    def _changed(self) -> None:
        watch, notice = self.window.model.watch, self.window.notice
        self._wanted = watch.wanted
        if watch.broken and watch.hit:
            self._told = watch.hit.why
            if watch.shown:
                self._fit()
                notice.say(self._told, "Go on", watch.go_on)
            else:
                notice.say(f"{self._told} The view was paused and stays where it is.", "Show it", watch.show)
        elif self._told:
            self._told = ""
            notice.hide()
        self.window.status.refresh()

    def _fit(self) -> None:
        """The journey whole in the timeline, with a little of what came before and after."""
        if self.window.model.selection.journeys.size:
            self.window.commands.fit()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.popover.set_theme(theme)
