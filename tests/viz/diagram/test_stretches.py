"""Where a signal is: at a thousand moments of real runs, every view says what the stamps say, and nothing more.

What is expected is worked out anew for each journey, by a plain loop over its stops.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.diagram import counter_words
from bellwire.viz.diagram.stretches import stages_around
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stages_possible, standpoint, standpoint_of
from bellwire.viz.model.travel import Token
from bellwire.viz.style.theme import DARK
from tests.support.shipped_models import shipped_model
from tests.support.stage_moments import moments_within, possible_stages

SCENARIOS = [scenario.name for scenario in list_scenarios()]
MOMENTS_EACH = 19  # of each of 53 scenarios: a thousand
SILENT = {"irq-masked"}  # of which no journey comes


def check_tokens(model: LiveModel, tokens: list[Token]) -> None:
    """Each journey under way is in one token, which is at the stages that the journey may be at."""
    under_way = model.under_way()
    staged = [token for token in tokens if token.way]
    assert sum(token.count for token in staged) == under_way.size
    for token in staged:
        journey = under_way[under_way["seq"] == token.seq]
        assert any(
            possible_stages(model, one, model.playhead) == token.stages for one in np.split(journey, journey.size)
        )


def check_count(model: LiveModel) -> None:
    """The doorbell's eventfd holds those that are signalled for certain, and at most those that may be."""
    least = most = 0
    for journey in np.split(model.under_way(), model.under_way().size):
        point = standpoint_of(model, journey, model.playhead)
        assert point is not None
        names, out = point.times.way.names, [stop.out for stop in point.stops]
        if "waiter" not in names or not out[0]:
            continue
        counted = range(names.index("eventfd"), names.index("waiter"))
        where = range(point.first, point.last + 1)
        least += all(stop in counted for stop in where)
        most += any(stop in counted for stop in where)
    assert counter_words.eventfd_count(model, "doorbell", model.tokens()) == (least, most)


def check_lights(model: LiveModel, diagram: Diagram) -> None:
    """A part shines strongly only if a signal may be there; where a part stands for its stage, it does."""
    diagram.refresh()
    shining = {name for name, light in diagram._lit.items() if light.inside}
    stages = {known for token in model.tokens() for stage in token.stages for known in stages_around(stage)}
    nodes = diagram.blueprint.nodes
    assert {nodes[name].stage for name in shining} <= stages
    for placed in diagram.placed:
        if placed.token.way:
            assert (placed.smear is None) or len(placed.token.stages) > 1
            on_leg = diagram._stage._on_the_way(placed.token)
            assert shining or not any(nodes[name].stage in placed.token.stages for name in on_leg)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_view_says_where_the_stamps_say_it_is(name: str, qtbot: QtBot) -> None:
    model, chance = shipped_model(name), random.Random(name)
    moments = moments_within(model, chance, MOMENTS_EACH)
    assert bool(moments) != (name in SILENT)
    diagrams = []
    for extended in (False, True):
        diagram = Diagram(model, DARK)
        qtbot.addWidget(diagram)
        diagram.resize(1040, 572)
        diagram.set_extended(extended)
        diagrams.append(diagram)
    for tsc in moments:
        model.selection.choose()
        model.transport.seek(tsc)
        check_tokens(model, model.tokens())
        if "doorbell_fd" in diagrams[0].blueprint.counters and not model.scenario.direct:
            check_count(model)
        for diagram in diagrams:
            check_lights(model, diagram)
        point = standpoint(model)
        assert point is not None
        assert tuple(stop.name for stop in point.possible) == possible_stages(model, point.journey, tsc)
        assert stages_possible(model) == frozenset(possible_stages(model, point.journey, tsc))
    model.transport.to_newest()


def test_behind_a_guests_end_nothing_shines_that_it_never_used(qtbot: QtBot) -> None:
    model = shipped_model("lab-triple-fault")
    model.selection.choose()
    assert model.evidence.ended is not None
    model.transport.seek(model.evidence.ended[1] + 1)
    diagram = Diagram(model, DARK)
    qtbot.addWidget(diagram)
    diagram.set_extended(True)
    assert not model.guest_alive
    used = {name for name, node in diagram.blueprint.nodes.items() if diagram._used(name, node)}
    assert "device" in used
    assert not used & {"fast", "driver", "cpu"}
    assert diagram.words.facts["cpu"] == "has ended"
    model.transport.to_newest()
