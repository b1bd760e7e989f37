"""Why a file cannot be opened is said until it is closed, or until a signal ends the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
from PySide6.QtCore import QTimer
from bellwire.viz.window.asked.refusal import Refusal, refuse_in_window

shown = Refusal.showEvent
Refusal.showEvent = lambda dialog, event: (shown(dialog, event), print("shown", flush=True))
refuse_in_window("It is broken.")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it_though_nothing_moves_in_it(number: signal.Signals) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout
            assert program.stdout.readline() == "shown\n"
            program.send_signal(number)
            assert program.wait(60) == 128 + number
        finally:
            program.kill()
