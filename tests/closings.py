"""Windows that are closed at any moment, and switched from scenario to scenario: none may crash, hang or say a word.

`python -m tests.closings COUNT SEED [PLATFORM ...]` closes COUNT windows by signals on each platform, and switches five
times as often. A platform is offscreen, xcb (in an Xvfb of its own) or wayland (in a weston without a screen).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import files_of
from tests.support.x_server import x_server

PLATFORMS = ("offscreen", "xcb", "wayland")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST = 1.5  # seconds from the guest's start to the signal, at most: before, in and after the first frames
PATIENCE = 120.0  # seconds that a start or an end may take on a busy machine
SWITCHES = 5  # to a closing

PROGRAM = """
import sys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.live.session import Session
from bellwire.viz.window.window import open_window
sys.exit(open_window(Session(load_scenario("roundtrip"))))
"""

SWITCHING = """
import random, sys
from PySide6.QtCore import QTimer
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.window.window import MainWindow, open_window

count, dice, switched = int(sys.argv[1]), random.Random(int(sys.argv[2])), []
names = [scenario.name for scenario in list_scenarios()]
show = MainWindow.show

def shown(window):
    show(window)
    window.fault_met.connect(lambda fault: print(fault.details, file=sys.stderr))
    def switch():
        if len(switched) == count:
            window.close()
            return
        switched.append(dice.choice(names))
        window.shown.run_scenario_called(switched[-1])
        QTimer.singleShot(dice.randrange(60), switch)
    QTimer.singleShot(100, switch)

MainWindow.show = shown
code = open_window(Session(load_scenario("roundtrip")))
print(len(switched))
sys.exit(code)
"""


@contextmanager
def display(platform: str) -> Iterator[dict[str, str]]:
    """A display of a platform; the environment that leads to it."""
    plain = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment = plain | {"QT_QPA_PLATFORM": platform}
    with tempfile.TemporaryDirectory(prefix="bellwire-display-") as folder:
        environment["XDG_CONFIG_HOME"] = folder
        if platform == "xcb":
            with x_server() as name:
                yield environment | {"DISPLAY": name}
        elif platform == "wayland":
            with compositor(folder):
                yield environment | {"XDG_RUNTIME_DIR": folder, "WAYLAND_DISPLAY": "wayland-7"}
        else:
            yield environment


@contextmanager
def compositor(folder: str) -> Iterator[None]:
    """A Wayland compositor without a screen, whose socket is wayland-7 in the folder."""
    command = ["weston", "--backend=headless-backend.so", "--socket=wayland-7", "--width=1920", "--height=1080"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"XDG_RUNTIME_DIR": folder}
    with subprocess.Popen([*command, "--idle-time=0"], env=environment, **quiet) as weston:  # type: ignore[call-overload]
        try:
            until = time.monotonic() + PATIENCE
            while not (Path(folder) / "wayland-7").exists() and time.monotonic() < until:
                time.sleep(0.02)
            yield
        finally:
            weston.terminate()


def missing(platform: str) -> str:
    """The program that a platform needs and that is not installed; "" if there is none."""
    program = {"xcb": "Xvfb", "wayland": "weston"}.get(platform, "true")
    return "" if shutil.which(program) else program


def started(code: str, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """A program of Python's, whose output is kept."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, text=True, stdout=pipe, stderr=pipe
    )


def wait_for_guest(window: subprocess.Popen[str]) -> None:
    """Until its guest has a vCPU, or it has ended."""
    until = time.monotonic() + PATIENCE
    while window.poll() is None and time.monotonic() < until:
        if any("kvm-vcpu" in target for target in files_of(window.pid).values()):
            return
        time.sleep(0.02)


def outcome(window: subprocess.Popen[str], by: signal.Signals) -> str:
    """What is wrong with how it ended by a signal: its code and its last words; "" if nothing is."""
    try:
        _, said = window.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        window.kill()
        window.communicate()
        return f"did not end within {PATIENCE:g} s"
    code = window.returncode
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    how = "" if code == 128 + by else how
    return f"{how} {said.strip()[-300:]}".strip()


def close_windows(platform: str, count: int, seed: int) -> list[str]:
    """Closes so many windows, each by a signal at a random moment; what went wrong."""
    dice, wrong = random.Random(seed), []
    with display(platform) as environment:
        for number in range(count):
            with started(PROGRAM, environment) as window:
                wait_for_guest(window)
                after, by = dice.random() * LONGEST, dice.choice(SIGNALS)
                time.sleep(after)
                window.send_signal(by)
                if trouble := outcome(window, by):
                    wrong.append(f"{platform}, closing {number}, {by.name} after {after:.2f} s: {trouble}")
    return wrong


def switch_scenarios(platform: str, count: int, seed: int) -> list[str]:
    """One window that shows so many scenarios one after the other; what went wrong."""
    with display(platform) as environment, started(SWITCHING, environment, str(count), str(seed)) as window:
        said, words = window.communicate()
        switched = said.strip().splitlines()[-1:] or ["0"]
        if (window.returncode, words, switched) == (0, "", [str(count)]):
            return []
        return [f"{platform}, {switched[0]} of {count} switches, code {window.returncode}: {words.strip()[-500:]}"]


def main(count: int, seed: int, chosen: list[str]) -> int:
    """Says what went wrong; the exit code."""
    for by in SIGNALS:
        if signal.getsignal(by) == signal.SIG_IGN:  # in the background of a shell, or by nohup: a window would as well
            signal.signal(by, signal.SIG_DFL)
    wrong: list[str] = []
    for platform in chosen or PLATFORMS:
        if program := missing(platform):
            wrong.append(f"{platform}: {program} is not installed")
            continue
        found = close_windows(platform, count, seed) + switch_scenarios(platform, count * SWITCHES, seed)
        print(f"{platform}: {count} closings, {count * SWITCHES} switches, {len(found)} went wrong", flush=True)
        wrong += found
    print(*wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
