"""A lecture that is held over guests, with an audience's window: `python -m tests.lectures MINUTES [TIMES]`.

Lessons are told in turns, each to its end and back, every step for a while, until MINUTES of a lecture have passed,
TIMES as fast (by default four). After each lesson it is looked at what the process holds: memory, threads, file
descriptors. Exit code 1 if any of them grows.
"""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QTimer

from bellwire.engine.live.session import Session
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import lesson_named
from bellwire.viz.window.application import application
from bellwire.viz.window.lesson.player import Coming
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.leaks import belongings
from tests.support.playing import position_is_on

LESSONS = ("vm-exit", "counting-is-merging", "two-vms")  # with settings, switches and guests that change
STEP_SECONDS = 30  # that a lecturer speaks about a step
BACK_SECONDS = 4  # that he looks at one again
TICK_MS = 20
LEAST_SECONDS = 0.2  # for what a step shows, however quickly it is told
ROUNDS = 3  # that each lesson is told at least: the first has everything built and read that is kept
GROWTH = 1.1  # of memory, from the second round to the last, that is still called flat


class Held(NamedTuple):
    """What a process holds after a lesson: bytes in memory, threads, file descriptors."""

    memory: int
    threads: int
    files: int


def held_now() -> Held:
    """After what is no longer used has gone."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    belonging = belongings()
    return Held(pages * 4096, len(belonging.threads), len(belonging.fds))


def pause(seconds: float) -> Iterator[None]:
    """Yields until they have passed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def told(window: MainWindow, lesson: Lesson, times: float) -> Iterator[None]:
    """Tells a lesson to its end and back; yields while there is something to wait for."""
    player = window.lessons
    player.begin(lesson)
    course = player.course
    assert course
    while True:
        while not position_is_on(window, course):
            yield
        yield from pause(max(STEP_SECONDS / times, LEAST_SECONDS))
        if course.last:
            break
        at = course.at
        while course.at == at:
            player.go_on()
            yield
    while course.at:
        player.go_back()
        while player.coming is not Coming.VISITED:
            yield
        yield from pause(max(BACK_SECONDS / times, LEAST_SECONDS))
    player.end()


def lecture(window: MainWindow, minutes: float, times: float, found: list[Held]) -> Iterator[None]:
    """Lessons in turns until the time is over; `found` gets what is held after each of them."""
    window.look.set_presenting(True)
    end = time.monotonic() + minutes * 60 / times
    for round_ in itertools.count(1):
        for name in LESSONS:
            yield from told(window, lesson_named(name), times)
            yield from pause(1.0)  # what a lesson has left ends in the background
            found.append(held_now())
            memory, threads, files = found[-1]
            print(f"{name}: {memory >> 20} MiB, {threads} threads, {files} files", flush=True)
        if round_ >= ROUNDS and time.monotonic() > end:
            return


def grows(found: list[Held]) -> list[str]:
    """What was more in the last round than in the second, in words."""
    second, last = found[len(LESSONS) : 2 * len(LESSONS)], found[-len(LESSONS) :]
    before, after = (Held(*map(max, zip(*lessons, strict=True))) for lessons in (second, last))
    words = []
    if after.memory > before.memory * GROWTH:
        words.append(f"memory: {before.memory >> 20} to {after.memory >> 20} MiB")
    words += [f"threads: {before.threads} to {after.threads}"] * (after.threads > before.threads)
    words += [f"files: {before.files} to {after.files}"] * (after.files > before.files)
    return words


def hold(minutes: float, times: float) -> list[Held]:
    """Holds a lecture; what the process held after each of its lessons."""
    app = application()
    window = make_window(Session(lesson_named(LESSONS[0]).steps[0].scene.scenario))
    window.show()
    window.frame.start()
    found: list[Held] = []
    steps = lecture(window, minutes, times, found)
    timer = QTimer(interval=TICK_MS)
    timer.timeout.connect(lambda: next(steps, "over") and window.close())
    timer.start()
    app.exec()
    timer.stop()
    window.garbage.collect()
    return found


def main(arguments: list[str]) -> int:
    """Holds it and says how it went."""
    minutes, times = float(arguments[0]), float(arguments[1]) if len(arguments) > 1 else 4.0
    found = hold(minutes, times)
    grown = grows(found)
    print(f"{len(found)} lessons; " + ("; ".join(grown) if grown else "memory, threads and files are flat."))
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
