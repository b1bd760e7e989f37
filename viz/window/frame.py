"""The one clock of the window: drain, model, views, in that order, and paint what has changed.

Tokens move in every frame. What costs more takes turns: in one frame the source is drained and folded, in the next the
plots, the timeline and the numbers may redraw. So no frame pays for both. Where redrawing has cost more than frames may
cost on average it is left out until that is made up for, so that tokens and keys keep their pace on a busy machine.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.turns import LONGEST_FRAME

FAST, SLOW = 16, 32  # ms between frames
BUDGET = 0.012  # seconds of work that a frame may cost
ALLOWED = 0.007  # seconds of work that a frame may cost on average
SAVED = 0.014  # seconds that cheap frames can save up for a dear one
OWED = 0.05  # seconds that a dear one can owe: one that imports is no sign of a busy machine
SELDOM = 0.5  # seconds after which everything is redrawn, whatever it costs
COLLECTED = 1000  # ms between looks for garbage


class Frame(QObject):
    """Ticks while it runs.

    work: seconds of this thread's CPU time that the newest frames cost, painting included; spent: seconds of the wall
    clock, which is longer where the guest's threads and the GUI share processors.
    """

    def __init__(self, model: LiveModel, show: Callable[[bool], None], parent: QObject) -> None:
        """show(everything): shows the model; only the tokens, or every view that is due."""
        super().__init__(parent)
        self.model, self._show = model, show
        self.work: deque[float] = deque(maxlen=3600)
        self.spent: deque[float] = deque(maxlen=3600)
        self._drains = False
        self._credit = SAVED
        self._redrawn = 0.0
        self._last = perf_counter()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FAST)
        self._timer.timeout.connect(self.tick)

    def start(self) -> None:
        """Begins to tick."""
        self._last = perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """No more ticks."""
        self._timer.stop()

    @property
    def running(self) -> bool:
        """Whether it ticks."""
        return self._timer.isActive()

    @property
    def interval(self) -> int:
        """ms between frames."""
        return self._timer.interval()

    def tick(self) -> None:
        """One frame."""
        now, work = perf_counter(), thread_time()
        seconds, self._last = min(now - self._last, LONGEST_FRAME), now
        self._drains = not self._drains
        if self._drains:
            self.model.drain()
        self.model.move(seconds)
        everything = not self._drains and (self._credit >= 0 or now - self._redrawn >= SELDOM)
        self._redrawn = now if everything else self._redrawn
        self._show(everything)
        QCoreApplication.sendPostedEvents(self.parent(), QEvent.Type.UpdateRequest.value)
        self.work.append(thread_time() - work)
        self._credit = max(min(self._credit + ALLOWED - self.work[-1], SAVED), -OWED)
        self.spent.append(perf_counter() - now)
        self._adapt()

    def step(self, seconds: float) -> None:
        """One frame of so many seconds, however long it takes: for whoever makes time pass by hand."""
        self.model.drain()
        self.model.move(seconds)
        self._show(False)

    def _adapt(self) -> None:
        """Fewer frames while they cost too much, so that input and the guest's own threads have time."""
        costs = sorted(list(self.spent)[-9:])
        usual = costs[len(costs) // 2]
        wanted = FAST if usual < BUDGET else min(SLOW, round(usual * 2000))
        if abs(wanted - self._timer.interval()) > 4:
            self._timer.setInterval(wanted)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """While Qt walks through all widgets by their addresses: garbage may hold some, which would die on the way."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class WidgetGarbage(QObject):
    """Looks now and then whether Python would have collected garbage by itself, which it no longer does from here on.

    Garbage is collected in the window's thread alone: a cycle may hold widgets, which must not die in another thread.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(COLLECTED)

    def collect(self) -> None:
        """The youngest objects, and older ones where as many have become old as Python would wait for."""
        due = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        oldest = due.index(False) - 1 if False in due else len(due) - 1
        if oldest >= 0:
            gc.collect(oldest)
