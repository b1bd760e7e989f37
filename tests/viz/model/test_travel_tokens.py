"""What travels: in slow motion exactly where the clock says, in real time each journey in exactly one token."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, JOURNEY, Journeys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model import travel
from bellwire.viz.model.travel import LAUNCH_SECONDS, Launcher, Token
from bellwire.viz.model.ways import LEGS, Ways
from bellwire.viz.stages.moments import none_of
from bellwire.viz.stages.way import StageWay

WAYS = Ways(load_scenario("roundtrip"))

T0 = 10**12  # beyond what 32 bits and careless floats can hold


def exact(journeys: Journeys, tsc: int) -> list[Token]:
    moments = none_of(journeys)
    return travel.tokens_at(journeys, moments, WAYS.routes(journeys, moments), tsc)


def feed(launcher: Launcher, journeys: Journeys) -> None:
    launcher.feed(journeys, WAYS.routes(journeys, none_of(journeys)))


def journey(seq: int = 1, at: int = T0, heavy: int = 0) -> Journeys:
    """Rings at `at`, received 1000 later, answered 200 after that, handled 600 after that; exit and entry if heavy."""
    one = np.zeros(1, JOURNEY)
    one["seq"], one["heavy"] = seq, heavy
    for stage, after in (("ring", 0), ("rung", 300), ("doorbell", 1000), ("irq", 1200), ("handler", 1800)):
        one[stage] = at + after
    if heavy & HEAVY_DOORBELL:
        one["exit"], one["entry"] = at + 400, at + 500
    return one


@pytest.mark.parametrize(
    ("after", "leg", "at"),
    [
        (0, "ioeventfd", 0.0),
        (250, "ioeventfd", 0.25),
        (999, "ioeventfd", 0.999),
        (1000, "answer", 0.0),
        (1100, "answer", 0.5),
        (1200, "irqfd", 0.0),
        (1500, "irqfd", 0.5),
    ],
)
def test_place_is_the_share_of_the_measured_time(after: int, leg: str, at: float) -> None:
    (token,) = exact(journey(), T0 + after)
    assert token.leg == leg
    assert token.at == pytest.approx(at)


def test_who_passes_no_stage_is_on_its_wire_all_the_same() -> None:
    """As in a recording that is damaged."""
    one = journey()
    (route, _), *_ = WAYS.routes(one, none_of(one))
    (token,) = travel.standing_at(route, StageWay((), ()), one, none_of(one), T0 + 250)
    assert (token.leg, token.at, token.count) == ("ioeventfd", 0.25, 1)


@pytest.mark.parametrize("after", [-1, 1800, 5000])
def test_nothing_travels_before_and_after(after: int) -> None:
    assert exact(journey(), T0 + after) == []


def test_heavy_journey_takes_the_way_by_user_space() -> None:
    heavy = journey(heavy=HEAVY_DOORBELL | HEAVY_INTERRUPT)
    legs = [exact(heavy, T0 + after)[0].leg for after in (200, 400, 700, 1100, 1300)]
    assert legs == ["exit", "relay", "relay", "answer", "ioctl"]


def test_counts_of_tokens_add_up_to_the_journeys_under_way() -> None:
    chance = random.Random(7)
    many = np.concatenate([journey(n, T0 + chance.randrange(4000), chance.randrange(4)) for n in range(1, 400)])
    for after in range(0, 6000, 111):
        at = np.uint64(T0 + after)
        under_way = int(((many["ring"] <= at) & (at < many["handler"])).sum())
        assert sum(token.count for token in exact(many, int(at))) == under_way


def test_tokens_at_one_place_share_one_that_bears_the_newest_number() -> None:
    crowd = np.concatenate([journey(n, T0 + n) for n in range(1, 6)])
    (token,) = exact(crowd, T0 + 512)
    assert (token.count, token.seq, token.label) == (5, 5, "×5")


def test_label_of_one_is_its_number_with_thin_spaces() -> None:
    assert exact(journey(48213), T0)[0].label == "#48\u202f213"


def test_every_journey_is_counted_in_exactly_one_token() -> None:
    chance, launcher, fed, seq = random.Random(3), Launcher(), 0, 0
    for _ in range(500):
        batch = [journey(seq := seq + 1, heavy=chance.randrange(4)) for _ in range(chance.randrange(40))]
        if batch:
            feed(launcher, np.concatenate(batch))
        fed += len(batch)
        launcher.advance(chance.random() / 20)
        assert launcher.launched + launcher.aggregated + launcher.waiting == fed
    launcher.advance(LAUNCH_SECONDS)
    assert launcher.waiting == 0
    assert launcher.launched + launcher.aggregated == fed


def test_at_most_one_sets_out_in_each_interval_on_a_route() -> None:
    launcher = Launcher()
    for n in range(1, 1001):  # a second in steps of a millisecond, a journey each
        feed(launcher, journey(n))
        launcher.advance(0.001)
    assert launcher.launched == 1 / LAUNCH_SECONDS
    assert (
        len(launcher.carriers)
        <= sum(LEGS[leg].seconds for leg in ("ioeventfd", "answer", "irqfd")) / LAUNCH_SECONDS + 1
    )


def test_a_lone_journey_sets_out_at_once_and_travels_every_leg_to_its_end() -> None:
    launcher, seen = Launcher(), []
    feed(launcher, journey(5))
    for _ in range(200):
        launcher.advance(0.01)
        seen += [(token.leg, token.at) for token in launcher.tokens()]
    assert list(dict(seen)) == ["ioeventfd", "answer", "irqfd"]
    assert seen == sorted(seen, key=lambda place: (list(LEGS).index(place[0]), place[1]))
    assert launcher.carriers == []
