"""Signals that come before their irqfd is there: the eventfd counts them, and the assign makes something of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.events import Eventfd, EventKind, Events, Switch

MOST_STORIES = 64  # that are told apart


@dataclass(frozen=True)
class Early:
    """Signals that found no irqfd."""

    signals: int = 0
    counted: int = 0  # by their eventfd, as sampled last
    injected: int = 0  # handlers between the irqfd's assign and the next signal


class EarlySignals:
    """A fold over events."""

    def __init__(self) -> None:
        self._told: Counter[Early] = Counter()
        self._now = Early()
        self._on: bool | None = None  # whether there is an irqfd
        self._assigned = False  # it was assigned to early signals, and no other signal has come since

    def feed(self, events: Events) -> None:
        """Adds the next batch."""
        wires = (events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IRQFD)
        for wire, part in cut_at(events, wires):
            if wire is not None:
                self._switch(bool(wire["arg"]))
            if self._on is False:
                self._count(part)
            elif self._assigned:
                self._wait_for_handlers(part)

    def stories(self) -> Counter[Early]:
        """What happened, and how often; the last one may still go on."""
        return self._told + Counter([self._now] if self._assigned else [])

    def _switch(self, on: bool) -> None:
        self._end()
        self._assigned = on and self._on is False and self._now.signals > 0
        self._now = self._now if self._assigned else Early()
        self._on = on

    def _count(self, events: Events) -> None:
        """While there is no irqfd."""
        samples = events["arg"][(events["kind"] == EventKind.COUNT) & (events["id"] == Eventfd.IRQ)]
        signals = np.flatnonzero(events["kind"] == EventKind.IRQFD)
        # Before the irqfd is told to be there its assign may have injected already.
        after = events[signals[-1] :] if signals.size else events
        handlers = int(np.count_nonzero(after["kind"] == EventKind.HANDLER))
        self._now = Early(
            self._now.signals + signals.size,
            int(samples[-1]) if samples.size else self._now.counted,
            handlers + (0 if signals.size else self._now.injected),
        )

    def _wait_for_handlers(self, events: Events) -> None:
        signals = np.flatnonzero(events["kind"] == EventKind.IRQFD)
        before = events[: signals[0]] if signals.size else events
        handlers = int(np.count_nonzero(before["kind"] == EventKind.HANDLER))
        self._now = replace(self._now, injected=self._now.injected + handlers)
        if signals.size:
            self._end()

    def _end(self) -> None:
        """The story of some early signals is over."""
        if self._assigned and (self._now in self._told or len(self._told) < MOST_STORIES):
            self._told[self._now] += 1
        if self._assigned:
            self._now = Early()
        self._assigned = False


def cut_at(events: Events, changes: npt.NDArray[np.bool_]) -> Iterator[tuple[np.void | None, Events]]:
    """The batch in parts that each begin with a change, but for the first: (the change or None, the part)."""
    cuts = np.flatnonzero(changes).tolist()
    ends = [*cuts, events.size]
    yield None, events[: ends[0]]
    for start, end in zip(cuts, ends[1:], strict=True):
        yield events[start], events[start:end]
