"""Views redraw in turns; where somebody wants no movement, in steps that can be told apart."""

from __future__ import annotations

import pytest

from bellwire.viz.style.turns import SECONDS, STEP_SECONDS, Turns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which the test moves."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(Turns, "_queue", [])
    return now


def redrawn(clock: list[float], seconds: float, view: Turns) -> int:
    """How often a view redraws in a time in which there is a frame every 16 ms."""
    count, end = 0, clock[0] + seconds
    while clock[0] < end:
        Turns.begin_frame()
        count += view.come()
        clock[0] += 0.016
    return count


def test_a_view_redraws_a_few_times_a_second_and_without_movement_once(clock: list[float]) -> None:
    often = redrawn(clock, 10 * STEP_SECONDS, Turns())
    assert 0.7 * 10 / SECONDS <= often <= 10 / SECONDS + 1
    Turns.calm = True
    assert 9 <= redrawn(clock, 10 * STEP_SECONDS, Turns()) <= 11


def test_of_two_views_one_redraws_in_a_frame(clock: list[float]) -> None:
    one, other = Turns(), Turns()
    Turns.begin_frame()
    assert (one.come(), other.come()) == (True, False)
    clock[0] += 0.016
    Turns.begin_frame()
    assert (one.come(), other.come()) == (False, True)
