"""A story tells every stage once, in the order in which they began, and its stopwatch shows true times."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, JOURNEY
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.stages.moments import none_of
from bellwire.viz.stages.standpoint import Standpoint, in_count, in_local_apic
from bellwire.viz.stages.story import STAGE_SECONDS, Story
from bellwire.viz.stages.times import times_of_stages
from bellwire.viz.stages.way import WaysOf

LIGHT = {"ring": 100, "rung": 140, "doorbell": 170, "irq": 180, "handler": 230}
HEAVY = {"ring": 100, "exit": 120, "entry": 150, "doorbell": 155, "rung": 160, "irq": 180, "handler": 230}


def standing(returned: int = 200, heavy: int = 0, **stamps: int) -> Standpoint:
    one = np.zeros(1, JOURNEY)
    for name, tsc in (stamps | {"heavy": heavy, "seq": 1}).items():
        one[name] = tsc
    moments = none_of(one) | {"returned": np.array([returned], np.uint64)}
    [(way, _)] = WaysOf(load_scenario("roundtrip"), "kvm_intel").of(one, moments)
    times = times_of_stages(way, one, moments)
    return Standpoint(one, moments, times, 0, 0, 0, 100)


@pytest.mark.parametrize(("stamps", "heavy"), [(LIGHT, 0), (HEAVY, HEAVY_DOORBELL)])
def test_each_stage_is_told_once_and_what_happens_beside_too(stamps: dict[str, int], heavy: int) -> None:
    whole = standing(heavy=heavy, **stamps)
    story, told = Story(whole), []
    while not story.over:
        told.append(story.standpoint.here.name)
        story.advance(STAGE_SECONDS)
    told = list(dict.fromkeys(told))
    assert [name for name in told if name in whole.times.way.names] == list(dict.fromkeys(whole.times.way.names))
    beside = {stop.name for stop in whole.times.way.beside if whole.stamp(stop.began)}
    assert beside == set(told) - set(whole.times.way.names)
    assert beside == {"goes-on", "call-over"} | ({"enters-again"} if heavy else set())
    assert [step.earliest for step in story.steps] == sorted(step.earliest for step in story.steps)


def test_a_story_pauses_goes_back_and_begins_again() -> None:
    story = Story(standing(**LIGHT))
    story.advance(STAGE_SECONDS * 2.5)
    assert (story.step, story.told) == (2, STAGE_SECONDS / 2)
    story.paused = True
    story.advance(100)
    assert story.step == 2
    story.go(-1)
    assert (story.step, story.told) == (1, 0)
    story.go(-5)
    assert story.step == 0
    story.go(1000)
    assert story.standpoint.here.name == "handler"
    assert not story.over
    story.again()
    assert (story.step, story.paused) == (0, False)


def test_a_doorbell_is_in_the_count_from_the_signal_until_read_returns() -> None:
    times = standing(**LIGHT).times
    counts = {}
    for tsc in (100, 139, 140, 169, 170, 230):
        first, last = times.standing(tsc)
        counts[tsc] = in_count(times.way, int(first[0]), int(last[0]))
    # Somewhere in the guest's instruction; certain once the guest has gone on; read.
    assert counts == {100: (0, 1), 139: (0, 1), 140: (1, 1), 169: (1, 1), 170: (0, 0), 230: (0, 0)}


def test_an_interrupt_waits_in_the_local_apic_from_its_request_until_the_handler_runs() -> None:
    story, waits = Story(standing(**LIGHT)), {}
    for step in range(len(story.steps)):
        story.go(step - story.step)
        point = story.standpoint
        waits[point.stops[point.stop].name] = in_local_apic(point.times.way, point.stop, point.stop)
    noted = [name for name, bounds in waits.items() if bounds == (1, 1)]
    assert noted == ["lapic", "vcpu", "window"]
    assert set(waits.values()) == {(0, 0), (1, 1)}


def test_what_happens_beside_leaves_the_signal_where_it_is() -> None:
    story = Story(standing(**LIGHT))
    while story.standpoint.here.name != "goes-on":
        story.go(1)
    point = story.standpoint
    assert (point.tsc, point.stops[point.stop].name) == (140, "runnable")
    assert [stop.name for stop in point.possible] == ["runnable"]


def test_a_wait_is_since_the_last_moment_that_is_known_and_what_is_told_meanwhile_shortens_nothing() -> None:
    def waits(**stamps: int) -> dict[str, int]:
        story = Story(standing(**LIGHT | stamps))
        return {story.stop_of(step).name: wait for step, wait in enumerate(story.waits) if wait}

    assert waits(doorbell=150, irq=160, returned=170, handler=180) == {}
    assert waits(doorbell=900, irq=910, handler=960, returned=930) == {"waiter": 760}
    assert waits(rung=400, doorbell=410, irq=420, handler=460, returned=430) == {}, "six stages are told of these 300"
