"""Whether there is a display that Qt can open. Qt itself would end the process if there is none, so we look first."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

from viz.qt_libraries import package_of

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
