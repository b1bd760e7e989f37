"""What the window tells whoever does not see it: sentences as they change, but not more than can be listened to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import monotonic

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

PAUSE = 4.0  # seconds between two sentences, however fast things change
CALM = (
    20.0  # seconds between two that differ in their figures only: such a one changes with every second that is counted
)
FIGURES = re.compile(r"[\d\u202f.,]+|[nµm]?s\b")

Telling = Callable[[], str]


class Announcements:
    """Announces the first of several texts that has something new to say; "" says nothing.

    A screen reader that is asked for by nobody costs nothing: then it only keeps what has changed.
    """

    def __init__(self, top: QWidget, tell: Mapping[str, Telling], clock: Callable[[], float] = monotonic) -> None:
        """top: whose sentences these are. tell: the texts by name, the most urgent first."""
        self._top, self._tell, self._clock = top, tell, clock
        self._said: dict[str, tuple[str, float]] = {}  # by name: the sentence, and when
        self._last = -PAUSE

    def follow(self) -> str:
        """Called a few times a second; the sentence that was announced now, or ""."""
        now = self._clock()
        texts = {name: tell() for name, tell in self._tell.items()}
        for name in [name for name, text in texts.items() if not text]:
            self._said.pop(name, None)  # what comes again is new again
        if now - self._last < PAUSE:
            return ""
        for name, text in texts.items():
            if text and self._is_new(name, text, now):
                self._said[name] = text, now
                self._last = now
                self._announce(text)
                return text
        return ""

    def _is_new(self, name: str, text: str, now: float) -> bool:
        before, when = self._said.get(name, ("", -CALM))
        if text == before:
            return False
        return without_figures(text) != without_figures(before) or now - when >= CALM

    def _announce(self, text: str) -> None:
        """Not in the midst of another sentence, which goes on to its end."""
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self._top, text)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
            QAccessible.updateAccessibility(event)


def without_figures(text: str) -> str:
    """What a sentence says, but for how much."""
    return FIGURES.sub("#", text)
