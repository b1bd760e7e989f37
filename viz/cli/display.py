"""Whether there is a display that Qt can open. Qt itself would end the process if there is none, so we look first."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bellwire.engine.host.host import Check

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
    "libxkbcommon.so.0": "libxkbcommon0",
}
# What the window is made of, and the plugin that puts it on the screen.
PARTS = {"window": "QtWidgets.abi3.so", "X11 (xcb)": "Qt/plugins/platforms/libqxcb.so"}


def qt_checks() -> list[Check]:
    """One check for each part of Qt that loads system libraries."""
    found = importlib.util.find_spec("PySide6")
    if found is None or not found.submodule_search_locations:
        return [Check("Qt", "PySide6", False, "not installed", "pip install bellwire")]
    folder = Path(next(iter(found.submodule_search_locations)))
    return [part_check(name, folder / file) for name, file in PARTS.items()]


def part_check(name: str, file: Path) -> Check:
    """Whether every library that a file of Qt needs is there."""
    try:
        listing = subprocess.run(["ldd", str(file)], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("Qt", name, False, f"ldd does not run: {error}", "sudo apt install libc-bin")
    return libraries_check(name, missing_libraries(listing))


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


XCB_LIBRARIES = (
    *("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-image.so.0", "libxcb-keysyms.so.1", "libxcb-randr.so.0"),
    *("libxcb-render-util.so.0", "libxcb-shape.so.0", "libxcb-xkb.so.1", "libxkbcommon-x11.so.0", "libX11-xcb.so.1"),
)


def display_trouble(environment: Mapping[str, str] = os.environ) -> str:
    """Why no window can be shown, in one sentence; "" if one can."""
    platform = environment.get("QT_QPA_PLATFORM", "")
    if platform:
        return f"QT_QPA_PLATFORM is {platform}." if platform.startswith(("offscreen", "minimal")) else ""
    if environment.get("WAYLAND_DISPLAY"):
        return ""
    display = environment.get("DISPLAY", "")
    if not display:
        return "There is no display."
    return library_trouble() or connection_trouble(display)


def library_trouble() -> str:
    """The libraries that Qt's X11 platform lacks, and the command that installs them."""
    missing = sorted(package_of(library) for library in XCB_LIBRARIES if not loadable(library))
    return f"Qt cannot open a window here: sudo apt install {' '.join(missing)}" if missing else ""


def loadable(library: str) -> bool:
    """Whether the system has a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def connection_trouble(display: str) -> str:
    """Why the X server does not answer."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    try:
        return f"The display {display} cannot be opened." if xcb.xcb_connection_has_error(connection) else ""
    finally:
        xcb.xcb_disconnect(connection)
