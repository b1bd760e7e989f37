"""Garbage is collected where widgets may die: in the GUI's thread, when it is due."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from viz.garbage import Garbage, collect


class Ring:
    """Garbage that only the collector finds; says which thread took it away."""

    died_in: list[threading.Thread]

    def __init__(self, died_in: list[threading.Thread]) -> None:
        self.me, self.died_in = self, died_in

    def __del__(self) -> None:
        self.died_in.append(threading.current_thread())


def test_cycles_die_in_this_thread_whoever_makes_more_of_them(qtbot: QtBot) -> None:
    parent, died_in = QObject(), list[threading.Thread]()
    Garbage(parent)
    thread = threading.Thread(target=lambda: [Ring(died_in) for _ in range(20_000)])
    thread.start()
    thread.join()
    assert not died_in
    qtbot.waitUntil(lambda: len(died_in) == 20_000)
    assert set(died_in) == {threading.current_thread()}
    parent.deleteLater()


def test_what_is_not_due_is_left(qtbot: QtBot) -> None:
    gc.collect()
    gc.disable()
    ring = Ring([])
    alive = weakref.ref(ring)
    del ring
    collect()
    assert alive() is not None
    gc.collect()
    assert alive() is None
