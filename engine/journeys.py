"""Pairs events into journeys: one doorbell, or one interrupt, from its cause to its last effect.

Guarantees:
- Pairing goes by sequence numbers, never by neighbourhood in time; so a gap (a LOST event) leaves journeys unpaired,
  it never pairs two halves of different ones. What can no longer be paired is counted in `given_up`.
- It does not matter how the events are cut into batches.
- Memory and work are bounded: work by the batch and the open journeys, open journeys by `OPEN_LIMIT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.events import EventKind, Events, Lane

if TYPE_CHECKING:
    from engine.scenario import Scenario

JOURNEY: np.dtype[np.void] = np.dtype(
    [
        ("seq", "<u8"),  # the doorbell's number; of an interrupt that answers none, the interrupt's
        ("ring", "<u8"),  # the stages' TSC in the order of the path; 0: not part of this journey
        ("exit", "<u8"),
        ("entry", "<u8"),
        ("rung", "<u8"),
        ("doorbell", "<u8"),
        ("irq", "<u8"),
        ("handler", "<u8"),
        ("interrupt", "<u8"),  # number of the interrupt that answered; 0: none
        ("batch", "<u4"),  # doorbells that the same read() of the eventfd returned
        ("merged", "<u4"),  # interrupts that the same run of the handler served
        ("heavy", "u1"),  # HEAVY_* bits
    ]
)
STAGES = ("ring", "exit", "entry", "rung", "doorbell", "irq", "handler")
HEAVY_DOORBELL = 1  # the doorbell left to user space
HEAVY_INTERRUPT = 2  # the interrupt was an ioctl

OPEN_LIMIT = 1 << 16  # journeys under way at once; beyond, the oldest are given up

Journeys = npt.NDArray[np.void]  # shape (n,), dtype JOURNEY


def no_journeys() -> Journeys:
    """An empty batch."""
    return np.empty(0, JOURNEY)


def finish(journeys: Journeys) -> npt.NDArray[np.uint64]:
    """TSC of each journey's last stage; shape (n,)."""
    return np.maximum.reduce([journeys[stage] for stage in STAGES])


class JourneyTracker:
    """Folds events into complete journeys. A doorbell's journey ends with the handler if the scenario answers doorbells."""

    def __init__(self, scenario: Scenario) -> None: ...

    def feed(self, events: Events) -> Journeys:
        """The journeys that `events` (the next batch, sorted by tsc) completed, doorbells first, each by seq."""
        ...
