"""Whoever takes too slowly gets less, is told how much less, and counts the same all the same."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Setting, Switch, event
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.exit_split import ExitSplit
from bellwire.engine.folds.journeys import JOURNEY, TOLD_BY_ANOTHER, JourneyTracker
from bellwire.engine.folds.tally import Tally
from bellwire.engine.outlet import CATCH_UP, Outlet, gaps_of, passed_over, without_most
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model.rates import Rates
from bellwire.viz.wires.way_counts import BY_NUMBER
from tests.support.journey_streams import World, cut, lose, scenario

MANY = range(20)
INTERRUPT = list(JOURNEY.names or ()).index("interrupt")


def world(seed: int, steps: int = 3000) -> Events:
    return World(random.Random(seed), True).run(steps)


def taken_slowly(events: Events, seed: int, room: int = 120) -> list[Events]:
    """The stream through an outlet that is looked at now and then, for a part of what waits."""
    chance, outlet, taken = random.Random(seed), Outlet(room), []
    for batch in np.array_split(events, 60):
        outlet.put(batch)
        if chance.random() < 0.3:
            taken.append(outlet.take(chance.choice([None, 5, 30, 200])))
    return [*taken, outlet.take()]


def tally_of(batches: list[Events]) -> Tally:
    tally = Tally()
    for batch in batches:
        tally.feed(batch)
    return tally


def journeys_of(batches: list[Events]) -> set[tuple[int, ...]]:
    tracker = JourneyTracker(scenario())
    return {journey for batch in batches for journey in tracker.feed(batch).tolist()}


def by_others(events: Events) -> Events:
    """What the engine itself does not say."""
    others: Events = events[events["lane"] != Lane.ENGINE]
    return others


def test_who_keeps_up_gets_everything_as_it_was_put() -> None:
    events = world(1)
    outlet, taken = Outlet(events.size), []
    for batch in cut(events, random.Random(1)):
        outlet.put(batch)
        taken.append(outlet.take())
    np.testing.assert_array_equal(np.concatenate(taken), np.concatenate(cut(events, random.Random(1))))


def test_no_more_wait_than_there_is_room_for_however_much_is_put() -> None:
    outlet = Outlet(100)
    for n in range(200):
        outlet.put(world(n, 300))
        assert outlet._count <= 100
    assert outlet.take().size < 150  # the newest hundred, and a few that tell of the rest


@pytest.mark.parametrize("seed", MANY)
def test_what_is_counted_is_the_same_however_slowly_it_is_taken(seed: int) -> None:
    events = world(seed)
    slow, whole = tally_of(taken_slowly(events, seed)), tally_of([events])
    assert slow.passed_over == slow.dropped == events.size - slow.recorded > 0
    assert slow.counts() == whole.counts()
    for fold in (lambda: ExitSplit(scenario()), lambda: Evidence(scenario(), "kvm_fake")):
        seen, all_of_it = fold(), fold()
        for batch in taken_slowly(events, seed):
            seen.feed(batch)
        all_of_it.feed(events)
        for name in ("whole", "rung_by", "handled_by", "vectors"):
            assert getattr(seen, name, None) == getattr(all_of_it, name, None)


@pytest.mark.parametrize("seed", MANY)
def test_no_journey_is_made_up_across_a_gap(seed: int) -> None:
    events = world(seed)
    slow, whole = journeys_of(taken_slowly(events, seed, 150)), journeys_of([events])
    assert 0 < len(slow) <= len(whole)
    stages = {(journey[0], journey[1]): journey for journey in whole}  # a lone interrupt has no ring
    for journey in slow:
        whole_one = stages[journey[0], journey[1]]
        without_entry = (*whole_one[:3], 0, *whole_one[4:])  # of an exit it may not be known when it was served
        assert journey[:9] in (whole_one[:9], without_entry[:9])
        # Light or heavy. Of several doorbells another one tells of their interrupt where the newest is missing,
        assert journey[-1] & ~TOLD_BY_ANOTHER == whole_one[-1] & ~TOLD_BY_ANOTHER
    telling = [journey[INTERRUPT] for journey in slow if journey[INTERRUPT] and not journey[-1] & TOLD_BY_ANOTHER]
    assert len(telling) == len(set(telling))  # but it is one of them


@pytest.mark.parametrize("seed", MANY)
def test_no_access_is_made_up_across_a_gap(seed: int) -> None:
    events = world(seed)
    events["arg"][events["kind"] == EventKind.ENTRY] = np.arange(np.count_nonzero(events["kind"] == EventKind.ENTRY))
    slow, whole = Evidence(scenario(), ""), Evidence(scenario(), "")
    for batch in taken_slowly(events, seed):
        slow.feed(batch)
    whole.feed(events)
    if not whole.left_unknown:
        assert set(slow.left) <= set(whole.left)


@pytest.mark.parametrize("seed", MANY)
def test_what_is_summed_up_twice_is_summed_up_once(seed: int) -> None:
    events = lose(world(seed, 500), random.Random(seed))
    half = events.size // 2
    once, twice = without_most(events), without_most(np.concatenate([without_most(events[:half]), events[half:]]))
    assert tally_of([twice]).counts() == tally_of([once]).counts()
    assert tally_of([twice]).dropped == tally_of([once]).dropped
    np.testing.assert_array_equal(by_others(without_most(once)), by_others(once))


def test_batches_follow_each_other_in_time_across_a_gap() -> None:
    taken = np.concatenate(taken_slowly(world(3), 3))
    assert np.all(np.diff(taken["tsc"].astype(np.int64)) >= 0)


def test_wiring_and_settings_are_never_passed_over() -> None:
    outlet, noise = Outlet(10), world(4, 400)
    at = int(noise["tsc"][-1])
    outlet.put(event(0, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, 1))
    outlet.put(noise)
    outlet.put(event(at, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, 0))
    outlet.put(event(at, EventKind.SETTING, Lane.ENGINE, Setting.PACE, 0, 7))
    later = noise.copy()
    later["tsc"] += np.uint64(at)
    outlet.put(later)
    tally = tally_of([outlet.take()])
    assert (tally.wiring, tally.settings) == ({Switch.IRQFD: False}, {Setting.PACE: 7})


def test_what_others_have_lost_is_told_on() -> None:
    lost = event(5, EventKind.LOST, Lane.ENGINE, Lane.IO_THREAD, 0, 1000)
    outlet = Outlet(1)
    outlet.put(np.concatenate([lost, world(5, 200)]))
    taken = outlet.take()
    assert tally_of([taken]).dropped - tally_of([taken]).passed_over == 1000
    assert taken["arg"][(taken["kind"] == EventKind.LOST) & (taken["id"] == Lane.IO_THREAD)].sum() >= 1000


def test_every_lane_and_every_sort_is_told_by_itself() -> None:
    rows = [(n, EventKind.EXIT, Lane.VCPU, 0, n % 3, 0, 0) for n in range(30)]
    rows += [(n, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1) for n in range(30, 40)]
    told = without_most(np.array(rows, EVENT))
    exits = passed_over(told, EventKind.EXIT)
    assert {int(id): int(exits["arg"][exits["id"] == id].sum()) for id in np.unique(exits["id"])} == {0: 9, 1: 9, 2: 9}
    assert passed_over(told, EventKind.DOORBELL)["arg"].sum() == 9
    assert passed_over(told, EventKind.DOORBELL)["seq"].sum() == 9
    assert np.count_nonzero(gaps_of(told, Lane.VCPU)) >= 3
    assert not np.any(gaps_of(told, Lane.GUEST))


def test_one_who_takes_little_goes_on_near_the_present() -> None:
    outlet, least = Outlet(100_000), []
    for batch in np.array_split(world(6, 20_000), 100):
        outlet.put(batch)
        outlet.take(20)
        least.append(outlet._count)
        assert outlet._count <= 20 * CATCH_UP
    assert min(least[CATCH_UP:]) == 0


def test_a_delay_that_is_soon_worked_off_costs_nothing() -> None:
    events = world(8, 1000)
    outlet = Outlet(events.size)
    outlet.put(events)
    part = events.size // (CATCH_UP - 1)
    taken = [outlet.take(part) for _ in range(CATCH_UP)]
    np.testing.assert_array_equal(np.concatenate(taken), events)


def test_another_outlet_begins_where_the_first_one_stands() -> None:
    events = world(7)
    first = Outlet(events.size)
    parts = np.array_split(events, 10)
    for part in parts[:5]:
        first.put(part)
    seen = first.take(events.size // 3)
    second = first.fork(events.size)
    for part in parts[5:]:
        first.put(part)
        second.put(part)
    rest = second.take()
    np.testing.assert_array_equal(np.concatenate([seen, rest]), events)
    np.testing.assert_array_equal(first.take(), rest)


def test_exits_beside_doorbells_of_several_guests_are_told_apart() -> None:
    vm_to_vm = replace(load_scenario("vm-to-vm"), lab=None)
    rows = [(n, EventKind.RING, Lane.GUEST, n % 2, 0x510, n, 0) for n in range(100)]
    outlet = Outlet(10)
    outlet.put(np.array(rows, EVENT))
    evidence = Evidence(vm_to_vm, "")
    evidence.feed(outlet.take())
    assert evidence.rung_by == {0: 50, 1: 50}


@pytest.mark.parametrize("seed", MANY)
def test_each_part_of_the_time_is_counted_by_itself(seed: int) -> None:
    events, clock = world(seed), Clock(2e4)  # bins of a thousand cycles
    slow, whole, chance = Rates(clock), Rates(clock), random.Random(seed)
    outlet = Outlet(60, cut=whole.bin_cycles)
    for batch in np.array_split(events, 60):
        whole.feed(batch, 0)
        outlet.put(batch)
        if chance.random() < 0.2:
            slow.feed(outlet.take(), 0)
    slow.feed(outlet.take(), int(events["tsc"][-1]))
    for name in whole.names:
        first, end = int(events["tsc"][0]) // whole.bin_cycles, whole.newest + 1
        parts = slow.between(name, first, end), whole.between(name, first, end)
        if name in BY_NUMBER:  # of what was passed over there is a bound, but for what it cuts in two
            assert np.nansum(parts[0]) <= np.nansum(parts[1]) + 4, name
        else:
            np.testing.assert_array_equal(*parts, name)
