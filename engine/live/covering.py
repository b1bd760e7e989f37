"""How many interrupts each handler covers: as many as were announced since the handler before it, less the lost ones.

A handler stamps its time first and reads the newest announced number then. A vCPU that is taken off its processor
between the two has seen what was announced long after its stamp: interrupts that a pin swallowed, too, which was masked
only after that stamp. So what happens to the pin is told here as it is done, before any handler that can have seen it,
and not in the order of the stream's times; and a handler's newest interrupt is the newest that can have come.
"""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.masked_pin import MaskedPin


class Covering:
    """A fold over what is done to the pin, as it is done, and over the stream of events."""

    def __init__(self) -> None:
        self._pin = MaskedPin()
        self._newest = 0  # that any handler has seen announced

    def note_done(self, events: Events) -> None:
        """What the engine has just done."""
        self._pin.feed(events)

    def fill_in(self, events: Events) -> None:
        """Sets seq and arg of the handlers in the next events of the stream (dtype EVENT, sorted by tsc), in place."""
        handlers = np.flatnonzero(events["kind"] == EventKind.HANDLER)
        events["seq"][handlers] = self._pin.newest_kept(events["seq"][handlers])
        newest = np.maximum.accumulate(np.append(np.uint64(self._newest), events["seq"][handlers]))
        events["arg"][handlers] = np.diff(newest - self._pin.lost_each(newest))
        self._newest = int(newest[-1])
