"""What handlers cover, told of a pin before the stream tells of it."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, EventKind, Events, Lane, Setting
from bellwire.engine.live.covering import Covering


def handlers(*seen: int) -> Events:
    """HANDLER events that have seen so many interrupts announced."""
    return np.array([(n, EventKind.HANDLER, Lane.GUEST, 0, 0x41, seq, 0) for n, seq in enumerate(seen)], EVENT)


def pin(newest: int, masked: int) -> Events:
    return np.array([(0, EventKind.SETTING, Lane.ENGINE, 0, Setting.MASKED, newest, masked)], EVENT)


def filled(covering: Covering, events: Events) -> list[int]:
    covering.fill_in(events)
    covers: list[int] = events["arg"].tolist()
    return covers


def test_each_covers_what_was_announced_since_the_one_before() -> None:
    covering = Covering()
    assert filled(covering, handlers(2, 3, 3)) == [2, 1, 0]
    assert filled(covering, handlers(7)) == [4]


def test_a_late_look_of_a_handler_from_before_the_mask_covers_nothing_that_is_lost() -> None:
    covering = Covering()
    assert filled(covering, handlers(10)) == [10]
    covering.note_done(pin(12, 1))
    late = handlers(500)
    assert filled(covering, late) == [2], "its stamp is older than the mask, what it read is not"
    assert late["seq"].tolist() == [12], "the newest that can have come"
    assert filled(covering, pin(12, 1)) == [1], "the stream tells of it behind the handler, and is not changed"
    covering.note_done(pin(900, 0))
    assert filled(covering, handlers(910)) == [10]


def test_what_comes_after_the_mask_is_taken_is_known_before_it_is_handed_on() -> None:
    covering = Covering()
    covering.note_done(pin(12, 1))
    covering.note_done(pin(20, 0))
    assert filled(covering, handlers(12, 25)) == [12, 5]
