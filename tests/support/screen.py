"""Wipes the screen of a process between two of its tests: of its windows, its pointer and its clipboard.

Which tests share a process, and in which order, differs from run to run. Qt is not imported by those that need none.
"""

from __future__ import annotations

import gc
import sys

NOWHERE = 0, 0  # no window is there on the offscreen screen: they begin at 2, 2


def windows() -> list[object]:
    """All that is owned by no other widget: windows, menus, popups."""
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtWidgets import QApplication

    return list(QApplication.topLevelWidgets())


def wiped(before: list[object]) -> list[object]:
    """Removes what was to be deleted, how the application was styled, what was copied; and takes the pointer away, as
    where it rests a tip appears in the end. Returns the windows that stay and were not there before: nobody owns them.

    Outside of an event loop Qt deletes nothing by itself: the windows of a thousand tests would each be styled anew by
    every further one.
    """
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtGui import QCursor, QPalette
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return []
    QCursor.setPos(*NOWHERE)
    for tip in [widget for widget in app.topLevelWidgets() if widget.inherits("QTipLabel")]:
        tip.deleteLater()
    delete_now()
    if app.styleSheet():
        app.setStyleSheet("")
        app.setPalette(QPalette())
    app.clipboard().clear()
    if any(widget not in before for widget in windows()):
        gc.collect()  # what only a ring of objects still holds goes at some time or other
        delete_now()
    return [widget for widget in windows() if widget not in before]


def delete_now() -> None:
    """What the event loop would delete once it is back in it."""
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
