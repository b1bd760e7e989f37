"""The one application: what a frame asks for is not given back and cleared again for the next, and signals end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.stylesheet import stylesheet
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.application import application, when_told_to_end
from tests.support.windows import Stage, staged

FAULTS = """
import resource
import numpy as np
from bellwire.viz.window.application import application

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(1 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

app = application()
faults()
print(faults())
"""
PAGES = 20 * (1 << 20) // 4096  # that twenty times a megabyte has


def test_a_frame_finds_the_room_of_the_one_before() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True)
    assert int(ran.stdout) < PAGES / 10


def test_no_text_of_a_style_sheet_has_ligatures(qtbot: QtBot) -> None:
    """A hyphen between capitals was another sign then, which a PDF could not name."""
    application()
    window = QWidget()
    qtbot.addWidget(window)
    window.setStyleSheet(stylesheet(DARK))
    label = QLabel("vCPU-Thread", window)
    label.setObjectName("purpose")
    label.ensurePolished()
    font, tag = label.font(), QFont.Tag("calt")
    assert font.isFeatureSet(tag)
    assert font.featureValue(tag) == 0
    assert font.family() == "Inter"


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged(qtbot, 1280, 720) as made:
        yield made


@pytest.fixture
def handlers() -> Iterator[None]:
    """What handles the signals that end a program, as it was."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_nothing_in_the_midst_of_something(
    stage: Stage, qtbot: QtBot, handlers: None, number: signal.Signals
) -> None:
    told = when_told_to_end(stage.window.close)
    assert told() == 0
    os.kill(os.getpid(), number)
    assert stage.window.isVisible()  # this may be a paint: Python has run the handler here
    qtbot.waitUntil(lambda: not stage.window.isVisible())
    assert told() == 128 + number  # as a shell has it of any program


def test_who_is_told_to_survive_a_hang_up_does(stage: Stage, handlers: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    when_told_to_end(stage.window.close)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


OPENING = """
from bellwire.viz.window.application import application
application()
"""


def test_a_display_that_goes_before_qt_has_it_is_one_sentence_and_no_abort() -> None:
    """It was there when it was tried."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711"}
    command = [sys.executable, "-c", OPENING]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    sentence = "bellwire: Qt cannot open a window: could not connect to display :4711.\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", sentence)
