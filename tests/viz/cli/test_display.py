"""Which display is opened, tried before Qt ends the process over it; missing libraries have the command that helps."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.viz.cli.display import (
    OPEN,
    WAYLAND_SYNC,
    Opening,
    close_connections,
    find_display,
    libraries_check,
    missing_libraries,
    package_of,
    platforms,
)
from tests.support.processes import files_of
from tests.support.x_server import x_server

SHIPPED = str(Path(__file__).resolve().parents[3] / "assets/recordings/roundtrip.arrow")
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


# -- the display


@pytest.mark.parametrize(
    ("environment", "order"),
    [
        ({}, []),
        ({"DISPLAY": ":0"}, ["xcb"]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ["wayland"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"XDG_SESSION_TYPE": "x11"}, ["xcb"]),
        ({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "wayland-0"}, ["xcb"]),
        ({"QT_QPA_PLATFORM": "wayland;xcb;"}, ["wayland", "xcb"]),
        ({"QT_QPA_PLATFORM": "offscreen:size=1x1"}, ["offscreen:size=1x1"]),
    ],
)
def test_platforms_are_tried_in_qts_own_order(environment: dict[str, str], order: list[str]) -> None:
    assert platforms(environment) == order


WAYLAND_0 = "The Wayland display wayland-0 cannot be opened"
NOBODY = "The display :4711 cannot be opened."
STALE = "The Wayland display stale cannot be opened: "


@pytest.mark.parametrize(
    ("environment", "trouble"),
    [
        ({}, "There is no display."),
        ({"DISPLAY": ""}, "There is no display."),
        ({"DISPLAY": ":4711"}, NOBODY),
        ({"DISPLAY": "nonsense"}, "The display nonsense cannot be opened."),
        ({"QT_QPA_PLATFORM": "xcb"}, "There is no display."),
        ({"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711"}, NOBODY),
        ({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, "QT_QPA_PLATFORM is offscreen."),
        ({"QT_QPA_PLATFORM": "minimal"}, "QT_QPA_PLATFORM is minimal."),
        ({"QT_QPA_PLATFORM": "cocoa"}, "Qt has no platform cocoa here."),
        ({"QT_QPA_PLATFORM": "[a-z]*"}, "Qt has no platform [a-z]* here."),
        ({"QT_QPA_PLATFORM": "linuxfb"}, "The platform linuxfb takes a whole screen"),
        ({"WAYLAND_DISPLAY": "stale"}, "The Wayland display stale cannot be found: XDG_RUNTIME_DIR is not set."),
        ({"WAYLAND_DISPLAY": "/nowhere/stale"}, "The Wayland display /nowhere/stale cannot be opened: No such file"),
        ({"WAYLAND_SOCKET": "77", "WAYLAND_DISPLAY": "w"}, "WAYLAND_SOCKET is 77, which is no socket."),
        (
            {"WAYLAND_DISPLAY": "stale", "XDG_RUNTIME_DIR": "/nowhere", "DISPLAY": ":4711"},
            f"{STALE}No such file or directory. {NOBODY}",
        ),
        (
            {"QT_QPA_PLATFORM": "wayland;xcb", "XDG_RUNTIME_DIR": "/nowhere"},
            WAYLAND_0,
        ),
        (
            {"QT_QPA_PLATFORM": "wayland-egl", "XDG_RUNTIME_DIR": "/nowhere"},
            WAYLAND_0,
        ),
        ({"QT_QPA_PLATFORM": "xcb;offscreen"}, "There is no display. QT_QPA_PLATFORM is offscreen."),
    ],
)
def test_a_display_that_cannot_be_opened_is_told_and_the_window_goes_offscreen(
    environment: dict[str, str], trouble: str
) -> None:
    found = find_display(environment)
    assert found.trouble.startswith(trouble)
    assert found.platform.startswith(("offscreen", "minimal"))


@pytest.fixture
def compositor(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What answers as a compositor does, as far as it is asked; how to find it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "wayland-9"))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = connection.recv(100)
                connection.sendall(asked[4:] if asked == WAYLAND_SYNC else b"")

        answering = threading.Thread(target=answer)
        answering.start()
        yield {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-9"}
        answering.join()


def test_a_compositor_that_answers_is_the_platform(compositor: dict[str, str]) -> None:
    assert find_display(compositor | {"DISPLAY": ":4711"}) == Opening("wayland")


def test_a_compositor_that_listens_and_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.viz.cli.display.ANSWER_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "wayland-0"))
        listener.listen()
        found = find_display({"XDG_SESSION_TYPE": "wayland", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert found == Opening("offscreen", "The Wayland display wayland-0 does not answer.")


@pytest.fixture
def nothing_open() -> Iterator[None]:
    """No connection before, none afterwards."""
    close_connections()
    yield
    close_connections()


@pytest.mark.xcb
@pytest.mark.usefixtures("nothing_open")
def test_a_display_has_a_client_until_qt_opens_it(xvfb: str) -> None:
    """Else a server that starts afresh when its last one goes refuses the next."""
    assert find_display({"DISPLAY": ":4711"}).trouble == "The display :4711 cannot be opened."
    assert not OPEN
    before = sockets()
    for _ in range(3):
        assert find_display({"DISPLAY": xvfb}) == Opening("xcb")
        assert (len(OPEN), sockets() - before) == (1, 1)
    close_connections()
    assert (OPEN, sockets()) == ([], before)


def sockets() -> int:
    """How many this process has open."""
    return sum(target.startswith("socket:") for target in files_of().values())


@pytest.mark.xcb
@pytest.mark.usefixtures("nothing_open")
def test_behind_a_stale_wayland_display_there_may_be_a_real_one(xvfb: str) -> None:
    stale = {"WAYLAND_DISPLAY": "stale", "XDG_RUNTIME_DIR": "/nowhere"}
    assert find_display({"DISPLAY": xvfb, **stale}) == Opening("xcb")
    assert find_display({"DISPLAY": xvfb, "QT_QPA_PLATFORM": "wayland;xcb"}) == Opening("xcb")


@pytest.mark.xcb
@pytest.mark.usefixtures("nothing_open", "xvfb")
@pytest.mark.parametrize(("depth", "trouble"), [(8, "has 8 bits a pixel, and Qt paints with 15 or more."), (16, "")])
def test_a_display_with_too_few_colors_is_refused_and_told(depth: int, trouble: str) -> None:
    """Qt would open it, fail at each paint and show a black window."""
    with x_server(depth) as display:
        told = f"The display {display} {trouble}" if trouble else ""
        assert find_display({"DISPLAY": display}) == Opening("offscreen" if told else "xcb", told)
        assert bool(OPEN) != bool(told)


def test_missing_libraries_have_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.cli.display.loadable", lambda library: "cursor" not in library)
    remedy = "Qt cannot open a window here: sudo apt install"
    assert find_display({"DISPLAY": ":0"}).trouble == f"{remedy} libxcb-cursor0"
    assert find_display({"WAYLAND_DISPLAY": "w"}).trouble == f"{remedy} libwayland-cursor0"


ENDLESS = {"DISPLAY": ":4711", "WAYLAND_DISPLAY": "stale", "XDG_RUNTIME_DIR": "/nowhere"}


@pytest.mark.parametrize("platform", [None, "wayland;xcb", "cocoa"])
def test_the_program_does_not_abort_over_a_display(platform: str | None, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"} | ENDLESS
    code = (
        "import sys; import bellwire.viz.cli.opening as o; o.OFFSCREEN_SECONDS = 0.3\n"
        f"from bellwire.viz.cli.app import main; sys.exit(main(['replay', {SHIPPED!r}]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | ({"QT_QPA_PLATFORM": platform} if platform else {}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0
    assert ran.stderr.startswith("bellwire: ")
    assert ran.stderr.endswith(" Runs 0.3 s offscreen.\n")
    assert ran.stderr.count("\n") == 1
