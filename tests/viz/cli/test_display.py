"""Missing system libraries are named with the command that installs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bellwire.viz.cli.display import libraries_check, missing_libraries, package_of

LISTING = """\
\tlinux-vdso.so.1 (0x00007ffd)
\tlibxcb-cursor.so.0 => not found
\tlibX11.so.6 => /lib/x86_64-linux-gnu/libX11.so.6 (0x00007f)
\tlibEGL.so.1 => not found
\tlibxcb-cursor.so.0 => not found
"""


def test_missing_libraries_are_read_from_ldd() -> None:
    assert missing_libraries(LISTING) == ["libEGL.so.1", "libxcb-cursor.so.0"]


def test_the_remedy_installs_them() -> None:
    check = libraries_check("X11 (xcb)", missing_libraries(LISTING))
    assert not check.ok
    assert check.remedy == "sudo apt install libegl1 libxcb-cursor0"
    assert libraries_check("window", []).ok


@pytest.mark.parametrize(
    ("library", "package"),
    [("libxcb-icccm.so.4", "libxcb-icccm4"), ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"), ("libGL.so.1", "libgl1")],
)
def test_packages(library: str, package: str) -> None:
    assert package_of(library) == package


def test_qt_is_found_but_not_imported() -> None:
    code = (
        "import sys; from bellwire.viz.cli.display import qt_checks; print(len(qt_checks()), 'PySide6' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["2", "False"]
