"""Whether the desktop wants less movement: its settings portal is asked by D-Bus, and answers when it likes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

SERVICE, PATH, INTERFACE = (
    "org.freedesktop.portal.Desktop",
    "/org/freedesktop/portal/desktop",
    "org.freedesktop.portal.Settings",
)
KEY = ["org.freedesktop.appearance", "reduced-motion"]  # 0: nothing is said about it, 1: reduced


def ask_about_motion(parent: QObject, hear: Callable[[bool], object]) -> None:
    """Nobody waits: `hear` is called from the event loop, and never where there is no portal, or none that knows.

    parent: a window that has been closed meanwhile asks nothing.
    """
    if not bus_is_known() or (isinstance(parent, QWidget) and not parent.isVisible()):
        return
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant  # once it is shown

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return
    question = QDBusMessage.createMethodCall(SERVICE, PATH, INTERFACE, "ReadOne")
    question.setArguments(KEY)
    answer = QDBusPendingCallWatcher(bus.asyncCall(question), parent)

    def answered(done: QDBusPendingCallWatcher) -> None:
        said = done.reply().arguments() if not done.isError() else []
        if said and isinstance(said[0], QDBusVariant):
            hear(said[0].variant() == 1)
        done.deleteLater()

    answer.finished.connect(answered)


def bus_is_known() -> bool:
    """Whether there is a session's bus: Qt would start threads to look for one."""
    address, folder = (os.environ.get(name, "") for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"))
    return bool(address) or (bool(folder) and Path(folder, "bus").exists())
