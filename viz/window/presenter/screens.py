"""Which screen is whose: the audience's window fills one of its own where there are two."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QScreen

OF_A_LAPTOP = ("eDP", "LVDS", "DSI")  # what the connectors of built-in screens are called


def screen_apart(lecturers: QScreen, screens: Iterable[QScreen]) -> QScreen | None:
    """The audience's: another than the lecturer's, rather a projector than a built-in one; None: there is one only.

    Two that show the same are one.
    """
    others = [screen for screen in screens if not screen.geometry().intersects(lecturers.geometry())]
    return min(others, key=lambda screen: screen.name().startswith(OF_A_LAPTOP), default=None)
