"""How long it has gone on, and how much is left."""

from __future__ import annotations

import pytest

from bellwire.viz.window.presenter.lecture_clock import LectureClock


@pytest.mark.parametrize(
    ("seconds", "gone", "left"),
    [
        (0, "0:00 of 15 min", "15:00 left"),
        (61, "1:01 of 15 min", "13:59 left"),
        (900, "15:00 of 15 min", "0:00 left"),
        (965, "16:05 of 15 min", "1:05 over"),
        (3661, "1:01:01 of 15 min", "46:01 over"),
    ],
)
def test_the_minutes_of_a_lesson(seconds: int, gone: str, left: str) -> None:
    now = [100.0]
    clock = LectureClock(15, lambda: now[0])
    now[0] += seconds + 0.5
    assert (clock.gone_words, clock.left_words) == (gone, left)
    clock.start()
    assert clock.left_words == "15:00 left"


def test_without_minutes_nothing_is_left() -> None:
    now = [0.0]
    clock = LectureClock(0, lambda: now[0])
    now[0] = 75.0
    assert (clock.gone_words, clock.left_words) == ("1:15", "")
