"""The guard itself: it must see what it is there to see."""

from __future__ import annotations

import os
import subprocess
import threading
from unittest.mock import patch

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from tests.support import leaks
from tests.support.screen import NOWHERE, windows, wiped


def left_now(before: leaks.Belongings) -> list[str]:
    """What is left behind, without waiting for anything to go: the guard of these tests themselves does wait."""
    with patch.object(leaks, "GRACE_S", 0.0):
        return leaks.left_behind(before)


def test_an_open_fd_is_seen() -> None:
    before = leaks.belongings()
    fd = os.eventfd(0)
    left = left_now(before)
    os.close(fd)
    assert left == [f"fd {fd}: anon_inode:[eventfd]"]
    assert leaks.left_behind(before) == []


def test_a_child_process_is_seen_until_it_is_waited_for() -> None:
    before = leaks.belongings()
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"x")
    child.stdin.close()
    assert child.stdout.read(1) == b"x"  # only now it is certain to bear the program's name: execve(2) gives that last
    child.stdout.close()
    running = left_now(before)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    ended = left_now(before)
    child.wait()
    assert running == ended == [f"process {child.pid}: cat"]
    assert leaks.left_behind(before) == []


def test_a_running_thread_is_seen() -> None:
    before = leaks.belongings()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    left = left_now(before)
    end.set()
    thread.join()
    assert left == [f"thread {thread.native_id}: forgotten"]


def test_a_part_of_a_window_that_nobody_owns_is_seen(qtbot: QtBot) -> None:
    before = windows()
    menu = QMenu("Open recent")
    assert wiped(before) == [menu]
    menu.deleteLater()
    assert wiped(before) == []


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of tips
def test_neither_a_pointer_nor_its_tip_nor_what_was_copied_outlives_a_test(qtbot: QtBot) -> None:
    before = windows()
    window = QWidget()
    window.resize(300, 300)
    window.show()
    QTest.mouseMove(window, QPoint(100, 100))
    QToolTip.showText(QCursor.pos(), "a tip", window)
    QApplication.clipboard().setText("copied")
    assert len(windows()) == len(before) + 2
    window.deleteLater()
    assert wiped(before) == []
    assert QCursor.pos().toTuple() == NOWHERE
    assert not QToolTip.isVisible()
    assert QApplication.clipboard().text() == ""
