"""The diagram: its plan is complete, its tokens are where they should be, and it paints no more than it must."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPaintEvent
from pytestqt.qtbot import QtBot

from engine.journeys import STAGES
from engine.latency import LATENCIES
from engine.scenario import list_scenarios
from tests.fake_source import FakeSource
from tests.test_model import run
from viz.blueprint import load_blueprint
from viz.diagram import Diagram, Words
from viz.model import LiveModel
from viz.pulse import shape_of
from viz.theme import DARK, LIGHT, Theme
from viz.tokens import LEGS, Token

PLAN = load_blueprint()


def shown(qtbot: QtBot, scenario: str = "roundtrip", theme: Theme = DARK) -> tuple[FakeSource, LiveModel, Diagram]:
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    diagram = Diagram(model, theme)
    qtbot.addWidget(diagram)
    diagram.resize(1040, 572)
    diagram.show()
    run(source, model, 1)
    return source, model, diagram


def test_plan_knows_every_leg_colour_and_latency() -> None:
    assert set(PLAN.legs) == set(LEGS)
    assert {stage for leg in LEGS.values() for stage in leg[:2]} <= set(STAGES)
    assert {pill.of for pill in PLAN.pills.values()} <= set(LATENCIES)
    colors = {box.color for box in PLAN.boxes.values()} | {wire.color for wire in PLAN.wires.values()}
    colors |= {eventfd.color for eventfd in PLAN.eventfds.values()} | {pill.color for pill in PLAN.pills.values()}
    assert all(hasattr(DARK, color) for color in colors)


@pytest.mark.parametrize("name", PLAN.nodes)
def test_nodes_lie_in_a_box_and_boxes_on_the_canvas(name: str) -> None:
    x, y, w, h = PLAN.nodes[name].rect
    around = [box.rect for box in PLAN.boxes.values()]
    assert any(bx <= x and by <= y and x + w <= bx + bw and y + h <= by + bh for bx, by, bw, bh in around)
    assert all(bx + bw <= PLAN.size[0] and by + bh <= PLAN.size[1] for bx, by, bw, bh in around)


def test_the_doorbells_wire_goes_through_its_eventfd() -> None:
    (_, y0), (_, y1) = PLAN.legs["ioeventfd"].points
    assert y0 == y1 == PLAN.eventfds["doorbell"].center[1]
    assert PLAN.eventfds["doorbell"].center in PLAN.legs["relay"].points or any(
        point[0] == PLAN.eventfds["doorbell"].center[0] for point in PLAN.legs["relay"].points
    )


def test_token_is_on_its_wire_at_its_share(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot)
    (placed,) = diagram._place([Token("ioeventfd", 0.5, 48213)])
    assert placed.at.x() == pytest.approx((310 + 814) / 2, abs=1)
    assert placed.at.y() == pytest.approx(197, abs=1)


def test_labels_do_not_cover_each_other(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot)
    crowd = [Token("ioeventfd", 0.3 + n / 500, 1000 + n) for n in range(20)]
    placed = diagram._place(crowd)
    labelled = [p for p in placed if p.label]
    assert labelled[0].label == "#1\u202f019"
    assert len(labelled) < 4


def test_shapes_say_what_colours_say() -> None:
    shapes = {leg: shape_of(Token(leg, 0, 1)) for leg in LEGS}
    assert shapes["ioeventfd"] == "circle"
    assert shapes["irqfd"] == "diamond"
    assert {shapes["exit"], shapes["relay"], shapes["ioctl"]} == {"square"}


def test_tokens_are_painted(qtbot: QtBot) -> None:
    _, model, diagram = shown(qtbot)
    diagram.refresh()
    assert diagram.placed
    picture = diagram.grab().toImage()
    at = next(p.at for p in diagram.placed if 0.1 < p.token.at < 0.4 and p.token.leg == "ioeventfd")
    assert picture.pixelColor(at.toPoint()).name().upper() == DARK.doorbell
    model.launcher.carriers.clear()
    diagram.refresh()
    assert diagram.placed == []


def test_nothing_new_paints_nothing(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    _, model, diagram = shown(qtbot)
    model.transport.pause()
    diagram.refresh()
    qtbot.wait(50)  # what had to be painted before
    painted: list[QPaintEvent] = []
    monkeypatch.setattr(Diagram, "paintEvent", lambda self, event: painted.append(event))
    for _ in range(20):
        diagram.refresh()
        qtbot.wait(1)
    assert painted == []


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda scenario: scenario.name)
def test_every_scenario_in_every_theme(qtbot: QtBot, scenario, theme: Theme) -> None:  # type: ignore[no-untyped-def]
    _, model, diagram = shown(qtbot, scenario.name, theme)
    diagram.refresh()
    masked = scenario.interrupt is not None and scenario.interrupt.masked
    assert bool(model.tokens()) is not masked  # at a masked pin nothing arrives, so nothing travels
    picture = diagram.grab().toImage()
    assert picture.pixelColor(520, 20).name().upper() == theme.surface
    assert colours(picture) > 50


def colours(picture: QImage) -> int:
    """How many different colours a picture has, looked at in a grid."""
    return len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)})


def test_heavy_way_lights_up_when_it_is_taken(qtbot: QtBot) -> None:
    source, model, diagram = shown(qtbot)
    diagram.refresh()
    assert diagram.words.lit == {"doorbell": False, "interrupt": False}
    source.set_ioeventfd(False)
    run(source, model, 0.5)
    diagram._say(Words.of(model))
    assert diagram.words.lit == {"doorbell": True, "interrupt": False}
    assert not diagram.words.wiring["ioeventfd"]


def test_help_is_of_the_innermost_thing(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot)
    assert diagram.help_at(QPointF(150, 190)) == PLAN.nodes["driver"].help
    assert diagram.help_at(QPointF(400, 130)) == PLAN.boxes["guest"].help
    assert diagram.help_at(QPointF(631, 197)) == PLAN.eventfds["doorbell"].help
    assert diagram.help_at(QPointF(5, 5)) == ""


def test_click_on_a_token_chooses_its_journey(qtbot: QtBot) -> None:
    _, model, diagram = shown(qtbot)
    model.step(-1)
    chosen = int(model.selection.journeys["seq"][0])
    model.selection.choose()
    diagram.refresh()
    diagram._choose(diagram.placed[0].token)
    assert int(model.selection.journeys["seq"][0]) == chosen


def test_a_thousand_repaints_lose_no_reference(qtbot: QtBot) -> None:
    """PySide6 6.12 on Python 3.11 loses a reference to True at each repaint, until the process dies."""
    source, model, diagram = shown(qtbot)
    before = sys.getrefcount(True)
    for _ in range(1000):
        source.run(1 / 60)
        model.tick(1 / 60)
        diagram.refresh()
        diagram.repaint()
    assert sys.getrefcount(True) >= before - 50
