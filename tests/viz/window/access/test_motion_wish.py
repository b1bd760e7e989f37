"""What a desktop's portal says about movement is heard; where nobody says anything nothing is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtDBus import QDBusConnection, QDBusVariant, QDBusVirtualObject
from bellwire.viz.window.access.motion_wish import KEY, PATH, SERVICE, ask_about_motion

class Portal(QDBusVirtualObject):
    def introspect(self, path):
        return ""
    def handleMessage(self, message, bus):
        assert message.arguments() == KEY
        return bus.send(message.createReply(QDBusVariant(int(sys.argv[1]))))

app, portal = QCoreApplication([]), Portal()
if len(sys.argv) > 1:
    bus = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, "portal")
    assert bus.registerService(SERVICE) and bus.registerVirtualObject(PATH, portal)

def hear(wanted):
    print(wanted)
    app.quit()

ask_about_motion(app, hear)
if len(sys.argv) == 1:
    QTimer.singleShot(500, app.quit)
app.exec()
"""
BUS = shutil.which("dbus-run-session")


def heard(*arguments: str, bus: bool = True) -> str:
    command = [BUS, "--", sys.executable] if bus and BUS else [sys.executable]
    environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    environment["XDG_RUNTIME_DIR"] = "/nowhere"  # where a bus would be looked for
    run = subprocess.run(
        [*command, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=240, check=False, env=environment
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(BUS is None, reason="there is no dbus-run-session")
@pytest.mark.parametrize(("said", "wanted"), [("1", "True"), ("0", "False"), ("7", "False")])
def test_what_the_portal_says_is_heard(said: str, wanted: str) -> None:
    assert heard(said) == wanted


@pytest.mark.skipif(BUS is None, reason="there is no dbus-run-session")
def test_without_a_portal_nothing_is_heard() -> None:
    assert heard() == ""


def test_without_a_bus_nothing_is_asked() -> None:
    assert heard(bus=False) == ""
