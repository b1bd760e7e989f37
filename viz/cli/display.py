"""Which display Qt can open. Qt itself would end the process if there is none, so we look first, in Qt's own order."""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import re
import socket
import stat
import struct
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.host.host import Check
from bellwire.engine.kvm.python_thread import begin_thread

# -- Whether Qt will find the system libraries that its window needs; found out without loading Qt.

# Debian's and Ubuntu's package of each library; those of xcb follow a pattern.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
# What the window is made of, and the plugin that puts it on the screen.
PARTS = {"window": "QtWidgets.abi3.so", "X11 (xcb)": "Qt/plugins/platforms/libqxcb.so"}


def qt_checks() -> list[Check]:
    """One check for each part of Qt that loads system libraries."""
    folder = qt_folder()
    if folder is None:
        return [Check("Qt", "PySide6", False, "not installed", "pip install bellwire")]
    return [part_check(name, folder / file) for name, file in PARTS.items()]


def qt_folder() -> Path | None:
    """Where PySide6 is installed; None if it is not."""
    found = importlib.util.find_spec("PySide6")
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def part_check(name: str, file: Path) -> Check:
    """Whether every library that a file of Qt needs is there."""
    try:
        ran = subprocess.run(
            ["ldd", str(file)], capture_output=True, text=True, errors="replace", timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("Qt", name, False, f"ldd does not run: {answer_of(error)}", "sudo apt install libc-bin")
    return libraries_check(name, missing_libraries(ran.stdout))


def missing_libraries(listing: str) -> list[str]:
    """The libraries that `ldd` could not find, from what it printed."""
    return sorted(set(re.findall(r"^\s*(\S+) => not found", listing, re.MULTILINE)))


def libraries_check(name: str, missing: list[str]) -> Check:
    """The check that says what is missing, and the command that installs it."""
    if not missing:
        return Check("Qt", name, True, "all system libraries found")
    packages = sorted({package_of(library) for library in missing})
    return Check("Qt", name, False, f"missing: {', '.join(missing)}", f"sudo apt install {' '.join(packages)}")


def package_of(library: str) -> str:
    """The Debian package of a library: libxcb-cursor.so.0 is in libxcb-cursor0."""
    return PACKAGES.get(library) or re.sub(r"\.so\.(\d+)$", r"\1", library).lower()


# -- Which of Qt's platforms can be opened: each is tried as Qt would, before Qt does.

XCB_LIBRARIES = (
    *("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-image.so.0", "libxcb-keysyms.so.1", "libxcb-randr.so.0"),
    *("libxcb-render-util.so.0", "libxcb-shape.so.0", "libxcb-xkb.so.1", "libxkbcommon-x11.so.0", "libX11-xcb.so.1"),
)
WAYLAND_LIBRARIES = ("libwayland-client.so.0", "libwayland-cursor.so.0", "libxkbcommon.so.0")
WITHOUT_SCREEN = ("offscreen", "minimal", "minimalegl")  # nobody sees a window there
NO_DISPLAY = "There is no display."
LEAST_DEPTH = 15  # bits a pixel that Qt can paint with: with fewer each paint fails, and the window stays black
ROOT_DEPTH = 38  # where xcb_screen_t has the root window's depth
ANSWER_SECONDS = 5.0  # how long a display server may take to answer


@dataclass(frozen=True)
class Opening:
    """Where a window can be opened. platform: for QT_QPA_PLATFORM; trouble: why nobody would see it, "" if one can."""

    platform: str
    trouble: str = ""


def find_display(environment: Mapping[str, str] = os.environ) -> Opening:
    """The first platform, in Qt's order, that can be opened; the offscreen one, and why, if there is none to see."""
    troubles: list[str] = []
    for platform in platforms(environment):
        name = platform.partition(":")[0].lower()
        if name in WITHOUT_SCREEN:
            return Opening(platform, " ".join([*troubles, f"QT_QPA_PLATFORM is {platform}."]))
        trouble = platform_trouble(name, environment)
        if not trouble:
            return Opening(platform)
        troubles.append(trouble)
    return Opening("offscreen", " ".join(troubles) or NO_DISPLAY)


def platforms(environment: Mapping[str, str]) -> list[str]:
    """What Qt tries, in its order: QT_QPA_PLATFORM alone, with its alternatives, or what the session seems to be.

    (QGuiApplicationPrivate::createPlatformIntegration; without any sign of a session it tries xcb, which needs one.)
    """
    if chosen := environment.get("QT_QPA_PLATFORM", ""):
        return [platform for platform in chosen.split(";") if platform]
    session = environment.get("XDG_SESSION_TYPE", "")
    found = ["wayland"] if "WAYLAND_DISPLAY" in environment or session == "wayland" else []
    return [*found, "xcb"] if "DISPLAY" in environment or session == "x11" else found


def platform_trouble(name: str, environment: Mapping[str, str]) -> str:
    """Why a platform cannot be opened, in one sentence; "" if it can, or if only Qt can find out."""
    folder, plugin = qt_folder(), "wayland" if name.startswith("wayland") else glob.escape(name)
    if folder and not list((folder / "Qt/plugins/platforms").glob(f"libq{plugin}*.so")):
        return f"Qt has no platform {name} here."
    if name == "xcb":
        display = environment.get("DISPLAY", "")
        return (library_trouble(XCB_LIBRARIES) or x11_trouble(display)) if display else NO_DISPLAY
    if name.startswith("wayland"):
        return library_trouble(WAYLAND_LIBRARIES) or wayland_trouble(environment)
    if name == "vnc":
        return ""
    return f"The platform {name} takes a whole screen, and no window: unset QT_QPA_PLATFORM."


def library_trouble(libraries: tuple[str, ...] = XCB_LIBRARIES) -> str:
    """The libraries that a platform of Qt's lacks, and the command that installs them."""
    missing = sorted(package_of(library) for library in libraries if not loadable(library))
    return f"Qt cannot open a window here: sudo apt install {' '.join(missing)}" if missing else ""


def loadable(library: str) -> bool:
    """Whether the system has a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def x11_trouble(display: str) -> str:
    """Why the X server does not answer. It may be on another machine, so it is not waited for without end."""
    outcome: list[str] = []
    asking = threading.Thread(target=lambda: outcome.append(x11_refusal(display)), name="ask the display", daemon=True)
    try:
        begin_thread(asking)
    except EngineError as error:
        return str(error)
    asking.join(ANSWER_SECONDS)
    if not outcome:
        return f"The display {display} does not answer."
    return outcome[0]


def x11_refusal(display: str) -> str:
    """Why no window can be shown over a connection, by xcb; "" if one can, and then it stays open, in OPEN."""
    xcb, chosen = ctypes.CDLL("libxcb.so.1"), ctypes.c_int(0)
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), ctypes.byref(chosen)))
    refusal = f"The display {display} cannot be opened." if xcb.xcb_connection_has_error(connection) else ""
    depth = 0 if refusal else screen_depth(xcb, connection, chosen.value)
    if 0 < depth < LEAST_DEPTH:
        refusal = f"The display {display} has {depth} bits a pixel, and Qt paints with {LEAST_DEPTH} or more."
    close_connections()
    if refusal:
        xcb.xcb_disconnect(connection)
    else:
        OPEN.append(connection)
    return refusal


class ScreensLeft(ctypes.Structure):
    """xcb_screen_iterator_t."""

    _fields_ = [("data", ctypes.c_void_p), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


def screen_depth(xcb: ctypes.CDLL, connection: ctypes.c_void_p, number: int) -> int:
    """Bits a pixel of the root window of a screen; 0: there is no such screen."""
    xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = ScreensLeft
    screens = xcb.xcb_setup_roots_iterator(ctypes.c_void_p(xcb.xcb_get_setup(connection)))
    for _ in range(number):
        xcb.xcb_screen_next(ctypes.byref(screens))
    return ctypes.string_at(screens.data, ROOT_DEPTH + 1)[ROOT_DEPTH] if screens.data and screens.rem else 0


# The connection that was tried last, for as long as the process lives: an X server that starts afresh when its last
# client has gone, as Xvfb does, would refuse Qt just then, and Qt would end the process.
OPEN: list[ctypes.c_void_p] = []


def close_connections() -> None:
    """Closes what the last try has left open."""
    while OPEN:
        ctypes.CDLL("libxcb.so.1").xcb_disconnect(OPEN.pop())


def wayland_trouble(environment: Mapping[str, str]) -> str:
    """Why the Wayland compositor does not answer."""
    if inherited := environment.get("WAYLAND_SOCKET", ""):  # which can be used once, and not by us
        return "" if is_socket(inherited) else f"WAYLAND_SOCKET is {inherited}, which is no socket."
    name = environment.get("WAYLAND_DISPLAY") or "wayland-0"
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if not folder and not name.startswith("/"):
        return f"The Wayland display {name} cannot be found: XDG_RUNTIME_DIR is not set."
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(os.fsencode(Path(folder) / name))
            connection.sendall(WAYLAND_SYNC)
            answered = connection.recv(1)
    except TimeoutError:
        return f"The Wayland display {name} does not answer."
    except OSError as error:
        return f"The Wayland display {name} cannot be opened: {answer_of(error)}."
    return "" if answered else f"The Wayland display {name} has hung up."


WAYLAND_SYNC = struct.pack(
    "=III", 1, 12 << 16 | 0, 2
)  # to object 1, wl_display: size and message, sync; the callback, 2


def is_socket(fd: str) -> bool:
    """Whether a number is that of an open socket."""
    try:
        return stat.S_ISSOCK(os.fstat(int(fd)).st_mode)
    except (OSError, ValueError, OverflowError):
        return False
