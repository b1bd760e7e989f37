"""The playhead: 1/factor of real time, never past what is known, quiet stretches cut short."""

from __future__ import annotations

import pytest

from bellwire.engine.events import Clock
from bellwire.viz.model.transport import FACTORS, LEAST_SECONDS, LONGEST_QUIET, SLOWEST, SURE, Transport

CLOCK = Clock(1e9)


def never(_t: int) -> None:
    """Nothing sets out any more."""


def transport(factor: float = 1.0) -> Transport:
    made = Transport(CLOCK)
    made.playhead = 1000
    made.set_factor(factor)
    return made


def test_real_time_follows_the_present() -> None:
    made = transport()
    made.advance(0.016, 5000, False, never, 4000)
    assert made.playhead == 5000
    assert made.following


@pytest.mark.parametrize("factor", [2.0, 1e3, 1e5, 1e7])
def test_slow_motion_moves_at_one_over_the_factor(factor: float) -> None:
    made = transport(factor)
    for _ in range(10):
        made.advance(0.1, 10**12, True, never, 10**12)
    assert made.playhead - 1000 == pytest.approx(1e9 / factor, abs=10)


def test_pause_holds() -> None:
    made = transport(1e4)
    made.pause()
    made.advance(0.1, 10**9, True, never, 10**9)
    assert made.playhead == 1000


def test_quiet_is_cut_short_but_what_sets_out_is_not_passed_over() -> None:
    made, start = transport(1e6), 10**8
    for _ in range(round(LONGEST_QUIET / 0.1) + 1):
        made.advance(0.1, 10**9, False, lambda t: start if t < start else None, 10**9)
    assert made.playhead >= start
    assert made.skipped > 0


def test_short_quiet_is_not_cut() -> None:
    made = transport(1e3)
    made.advance(0.1, 10**9, False, lambda _t: 1000 + 150_000, 10**9)
    assert made.playhead == 1000 + 100_000
    made.advance(0.1, 10**9, False, lambda _t: 1000 + 150_000, 10**9)
    assert made.playhead == 1000 + 150_000
    assert made.skipped == 0


def test_never_beyond_what_is_known() -> None:
    made = transport(2)
    made.advance(0.1, 10**12, False, never, 2000)
    assert made.playhead == 2000


def test_notches_go_there_and_back() -> None:
    made = transport()
    for factor in FACTORS[1:]:
        made.slower()
        assert made.factor == factor
    made.slower()
    assert made.factor == SLOWEST
    for factor in reversed(FACTORS[:-1]):
        made.faster()
        assert made.factor == factor


def test_journeys_too_short_to_be_seen_go_together_and_longer_ones_for_themselves() -> None:
    seconds = 5e-5
    for factor in FACTORS:
        made = transport(factor)
        made.judge(seconds)
        assert made.together == (1 < factor < LEAST_SECONDS / SURE / seconds)
        assert made.away == (factor > 1)
        assert made.exact == (made.away and not made.together)


def test_near_the_border_it_does_not_change_its_mind() -> None:
    made, said = transport(LEAST_SECONDS / 1e-4), []
    for seconds in (1e-4, 0.5e-4, 1e-4, 2e-4):
        made.judge(seconds)
        said.append(made.together)
    assert said == [False, True, True, False]


def test_a_pause_keeps_what_is_shown_and_a_step_shows_the_very_moment() -> None:
    made = transport(10)
    made.judge(1e-4)
    made.pause()
    made.judge(1.0)
    assert made.together
    made.seek(2000)
    assert made.exact
    made.judge(1e-4)
    assert made.exact


def test_back_to_the_present_from_anywhere() -> None:
    made = transport(1e5)
    made.seek(500)
    assert made.exact
    made.to_newest()
    assert made.following
    assert made.factor == 1
