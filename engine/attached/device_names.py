"""What QEMU calls the devices at its guest's addresses, if somebody may ask it: by its control channel, QMP.

QEMU lists no ioeventfds, but what is at which address (`info mtree -f`), and that names a doorbell.
"""

from __future__ import annotations

import re
import socket
from itertools import pairwise
from pathlib import Path

from bellwire.engine.attached.processes import command_line
from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.foreign import shown
from bellwire.engine.host.host import ROOT
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.partners.qmp import ANSWER_SECONDS, Qmp
from bellwire.engine.kvm.partners.socket_name import socket_name
from bellwire.engine.language import tr

ROOTS = {"system": "mmio", "io": "pio"}  # the memory regions that a bus is, as QEMU calls them
ROOT_LINE = re.compile(r"\s*Root memory region: (\S+)")
DEVICE_LINE = re.compile(r"\s*([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, i/o\): (\S+)")
LONGEST_DEVICE = 60  # characters of a name


class DeviceNames(Belongings):
    """A QEMU that is asked for names. EngineError, in one sentence, if it cannot be asked."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        self.callback(connection.close)
        try:
            connection.settimeout(ANSWER_SECONDS)
            with socket_name(path) as name:
                connection.connect(name)
            self._qmp = Qmp(connection, tr("the QEMU at {path}", path=path))
            self._qmp.greet()
            self._ranges: dict[str, list[tuple[int, int, str]]] = {}
            self.ask()
        except OSError as error:
            self.close()
            raise EngineError(
                tr("{path} is no control channel of QEMU's: {what}.", path=path, what=answer_of(error))
            ) from error
        except BaseException:
            self.close()
            raise

    def ask(self) -> None:
        """Once more: a guest has placed its devices elsewhere, or some were plugged in."""
        told = self._qmp.execute("human-monitor-command", **{"command-line": "info mtree -f"})
        self._ranges = named_ranges(str(told))

    def name_of(self, match: IoMatch) -> str:
        """What is at a doorbell's address; "" if QEMU does not say."""
        ranges = self._ranges.get(match.bus, [])
        return next((name for first, last, name in ranges if first <= match.address <= last), "")


def control_channel(pid: int, root: Path = ROOT) -> Path | None:
    """Where QEMU was told to open its control channel, by its command line; None: nowhere, or not by a name."""
    folder = root / "proc" / str(pid)
    arguments = command_line(folder)
    options = list(pairwise(arguments))
    sockets = {
        parts.get("id", ""): parts for name, value in options if name == "-chardev" for parts in [option_parts(value)]
    }
    for name, value in options:
        place = ""
        if name == "-qmp" and value.startswith("unix:"):
            place = value.removeprefix("unix:").partition(",")[0]
        elif name == "-mon" and (told := option_parts(value)).get("mode") == "control":
            place = sockets.get(told.get("chardev", told.get("", "")), {}).get("path", "")
        if place:
            return root / "proc" / str(pid) / "cwd" / place if not place.startswith("/") else Path(place)
    return None


def option_parts(value: str) -> dict[str, str]:
    """An option of QEMU's as "socket,id=mon,path=/run/mon", by names; what has no name by "", the first one."""
    found: dict[str, str] = {}
    for part in value.split(","):
        name, equals, rest = part.partition("=")
        found.setdefault(name if equals else "", rest if equals else name)
    return found


def named_ranges(told: str) -> dict[str, list[tuple[int, int, str]]]:
    """bus -> first and last address and name of each device, of what `info mtree -f` prints."""
    ranges: dict[str, list[tuple[int, int, str]]] = {}
    bus = ""
    for line in told.splitlines():
        if root := ROOT_LINE.match(line):
            bus = ROOTS.get(root[1], "")
        elif bus and (device := DEVICE_LINE.match(line)):
            name = shown(device[3], LONGEST_DEVICE)
            ranges.setdefault(bus, []).append((int(device[1], 16), int(device[2], 16), name))
    return ranges
