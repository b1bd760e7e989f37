"""A tally that is written down and read again is the same tally."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Lane, Operation, Setting, Switch, event
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.tally import Tally, state_of, tally_of


def test_everything_survives() -> None:
    tally = Tally()
    tally.feed(
        np.concatenate(
            [
                event(1, EventKind.BEFORE, Lane.ENGINE, Before.RUNG, 5),
                event(2, EventKind.BEFORE, Lane.ENGINE, Before.RECEIVED, 4, 0),
                event(3, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, 1),
                event(4, EventKind.SETTING, Lane.ENGINE, Setting.MASKED, 0, 1),
                event(5, EventKind.RING, Lane.GUEST, 0x510, 7),
                event(6, EventKind.DOORBELL, Lane.IO_THREAD, 0, 7, 3),
                event(7, EventKind.EXIT, Lane.VCPU, 2, 7),
                event(8, EventKind.COUNT, Lane.KVM, 0, 0, 2),
                event(9, EventKind.STAT, Lane.KVM, 0, 0, 9),
                event(10, EventKind.IRQFD, Lane.IO_THREAD, 24, 3),
                event(11, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 2),
            ]
        )
    )
    tally.refused[Operation(0), 24, 22] = 3
    again = tally_of(json.loads(json.dumps(state_of(tally))))
    assert vars(again) == vars(tally)
    for name, value in vars(tally).items():
        if isinstance(value, dict):
            assert [type(key) for key in getattr(again, name)] == [type(key) for key in value], name
    assert again.counts() == tally.counts()


@pytest.mark.parametrize("state", [{}, {"began": {}}, {**state_of(Tally()), "wiring": [[77, 1]]}])
def test_what_is_none_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        tally_of(state)
