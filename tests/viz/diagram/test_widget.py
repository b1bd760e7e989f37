"""The diagram: its plan is complete, its tokens are where they should be, and it paints no more than it must."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.source import Order
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import Sketch
from bellwire.viz.diagram.placing import Placed
from bellwire.viz.diagram.sprites import shape_of
from bellwire.viz.diagram.still_words import RingFill, Words
from bellwire.viz.diagram.stretches import Stretch
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.travel import Token
from bellwire.viz.model.ways import LEGS
from bellwire.viz.style.theme import DARK, LIGHT, Theme
from bellwire.viz.wires.passable import Passable
from tests.support.fake_source import FakeSource
from tests.support.models import run

PLAN = blueprint_of(load_scenario("roundtrip"))


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


def test_token_is_on_its_wire_at_its_share(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot)
    (placed,) = diagram._place([Token("ioeventfd", 0.5, 48213)])
    assert placed.at.x() == pytest.approx((310 + 814) / 2, abs=1)
    assert placed.at.y() == pytest.approx(197, abs=1)


def test_without_movement_a_token_jumps_from_part_to_part(qtbot: QtBot) -> None:
    """Along the wire it is seen at a few places only, the eventfd among them, and never goes back."""
    _, _, diagram = shown(qtbot)
    diagram.still_motion = True
    for extended in (False, True):
        diagram.set_extended(extended)
        places = [diagram._place([Token("ioeventfd", n / 100, 1)])[0].at for n in range(100)]
        seen = list(dict.fromkeys((round(at.x(), 3), round(at.y(), 3)) for at in places))
        assert 2 < len(seen) < 10
        assert seen == sorted(seen)
        (eventfd,) = (one for name, one in diagram.blueprint.counters.items() if name == "doorbell_fd")
        assert any(abs(x - diagram._stage.geometry.point(eventfd.center).x()) < 1 for x, _ in seen)
    diagram.still_motion = False
    assert len({diagram._place([Token("ioeventfd", n / 100, 1)])[0].at.x() for n in range(100)}) == 100


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
    model.travel.launcher.carriers.clear()
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


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda scenario: scenario.name)
def test_every_scenario_in_every_theme(qtbot: QtBot, scenario: Scenario) -> None:
    _, _, diagram = shown(qtbot, scenario.name)
    for theme in (DARK, LIGHT):
        diagram.set_theme(theme)
        diagram.refresh()
        assert diagram.placed or not scenario.pace.per_second  # by hand: nothing travels yet
        picture = diagram.grab().toImage()
        assert picture.pixelColor(520, 20).name().upper() == theme.surface
        assert colours(picture) > 50


def colours(picture: QImage) -> int:
    """How many different colours a picture has, looked at in a grid."""
    return len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)})


def test_heavy_way_lights_up_when_it_is_taken(qtbot: QtBot) -> None:
    source, model, diagram = shown(qtbot)
    diagram.refresh()
    assert lit(diagram) == {"exit": False, "relay": False, "ioctl": False}
    source.order(Order.IOEVENTFD, False)
    run(source, model, 0.5)
    diagram._say(Words.of(model, diagram.blueprint))
    assert lit(diagram) == {"exit": True, "relay": True, "ioctl": False}
    assert diagram.words.passages["ioeventfd"].standing is Passable.UNPLUGGED


def lit(diagram: Diagram) -> dict[str, bool]:
    """Which of the ways by user space shine."""
    return {name: diagram.words.passages[name].lit for name in ("exit", "relay", "ioctl")}


def test_help_is_of_the_innermost_thing(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot)
    assert diagram.help_at(QPointF(150, 190)) == PLAN.nodes["driver"].help
    assert diagram.help_at(QPointF(400, 130)) == PLAN.boxes["guest"].help
    assert diagram.help_at(QPointF(631, 197)) == PLAN.counters["doorbell_fd"].help
    assert diagram.help_at(QPointF(5, 5)) == ""


def test_click_chooses_the_part_under_it_and_shows_it(qtbot: QtBot) -> None:
    _, model, diagram = shown(qtbot)
    model.travel.launcher.carriers.clear()
    diagram.refresh()
    plain = diagram.grab().toImage()
    for at, name in ((QPoint(450, 197), "ioeventfd"), (QPoint(631, 321), "irq_fd"), (QPoint(150, 190), "driver")):
        QTest.mouseClick(diagram, Qt.MouseButton.LeftButton, pos=at)
        assert model.selection.part == name
        diagram.refresh()
        assert diagram.grab().toImage() != plain
    QTest.mouseClick(diagram, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert model.selection.part == ""


def test_keys_go_from_part_to_part_and_back(qtbot: QtBot) -> None:
    _, model, diagram = shown(qtbot)
    seen = []
    for _ in range(sum(len(table) for table in PLAN.tables)):
        QTest.keyClick(diagram, Qt.Key.Key_Down)
        seen.append(model.selection.part)
    assert sorted(seen) == sorted(name for table in PLAN.tables for name in table)
    QTest.keyClick(diagram, Qt.Key.Key_Up)
    assert model.selection.part == seen[-2]


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
    gc.collect()  # what the tests before have left behind refers to True as well
    before = sys.getrefcount(True)
    for _ in range(1000):
        source.run(1 / 60)
        model.tick(1 / 60)
        diagram.refresh()
        diagram.repaint()
    assert sys.getrefcount(True) >= before - 50


def test_extended_diagram_lights_the_parts_on_the_way_and_those_that_hold_a_token(qtbot: QtBot) -> None:
    _, model, diagram = shown(qtbot)
    diagram.set_extended(True)
    lit = diagram._stage.lit(diagram._place([Token("ioeventfd", 0.2, 1)]))
    assert set(lit) == {"driver", "bus", "device", "queue", "wakes"}
    assert [name for name, light in lit.items() if light.inside] == ["bus"]
    called = diagram._stage.lit(diagram._place([Token("ioctl", 0.99, 1)]))  # red, where it is, and nowhere else
    assert {name: light.color for name, light in called.items()} == dict.fromkeys(
        ("answers", "msi", "lapic", "cpu", "handler"), "interrupt"
    ) | {"cpu": "heavy"}
    model.travel.launcher.carriers.clear()
    diagram.refresh()
    dark = diagram.grab().toImage()
    model.step(-1)
    diagram.refresh()
    assert diagram.grab().toImage() != dark
    diagram.set_extended(False)
    assert "bus" not in diagram.blueprint.nodes


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("text", [1.0, 1.5])
def test_titles_of_boxes_stand_above_what_is_in_the_box(
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, text: float, extended: bool
) -> None:
    said: list[tuple[str, float, float]] = []

    def note_down(self: Sketch, rect: QRectF, words: str, font: QFont, *_: object) -> None:
        half = font.pixelSize() * 0.36  # of a capital letter
        said.append((words, rect.center().y() - half, rect.center().y() + half))

    monkeypatch.setattr(Sketch, "text", note_down)
    theme = replace(DARK, scale=text)
    for name in ("roundtrip", "doorbell-fan-out", "vm-to-vm", "virtqueue", "io-uring", "vhost-user-blk"):
        plan = blueprint_of(load_scenario(name), extended=extended)
        geometry = Geometry.fit(830, 372 if text == 1 else 300, (0, 0, *plan.size), theme)
        picture = QPixmap(830, 372)
        painter = QPainter(picture)
        for box in plan.boxes.values():
            said.clear()
            Sketch(painter, geometry).box_words(box, "the VMM process, pid 12345", plan.headroom(box))
            top = geometry.rect(box.rect).top()
            below = top + plan.headroom(box) * geometry.sy
            assert all(top <= begin and end <= below for _, begin, end in said), (name, box.title, said, top, below)
        painter.end()


def test_a_smear_has_the_doorbells_colour_up_to_the_turn_and_the_interrupts_behind_it() -> None:
    def smears(start: float, end: float) -> list[tuple[Stretch, bool]]:
        placed = Placed(Token("direct", 0.5, 1), QPointF(), "", QPointF(), QRect(), smear=Stretch(start, end), turn=0.5)
        return placed.smears

    assert smears(0.2, 0.8) == [(Stretch(0.2, 0.5), False), (Stretch(0.5, 0.8), True)]
    assert smears(0.1, 0.4) == [(Stretch(0.1, 0.4), False)]
    assert smears(0.6, 0.9) == [(Stretch(0.6, 0.9), True)]


def filled(diagram: Diagram, tail: int) -> Words:
    """The diagram's words, with another fill of its ring and another figure in its device."""
    facts = {**diagram.words.facts, "device": f"{tail} so far"}
    return replace(diagram.words, facts=facts, rings={"virtqueue": RingFill(tail, tail + 7, 64)})


def test_words_that_change_again_and_again_let_the_others_be(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, diagram = shown(qtbot, "virtqueue")
    assert set(diagram.blueprint.rings) == {"virtqueue"}
    painted: list[Sketch] = []
    paint_names = diagram._paint_names

    def paint(sketch: Sketch) -> None:
        painted.append(sketch)
        paint_names(sketch)

    monkeypatch.setattr(diagram, "_paint_names", paint)
    counts = []
    for tail in range(6):
        diagram._say(filled(diagram, tail))
        diagram.grab()
        counts.append(len(painted))
    assert counts[0] == 1  # the first time nobody knows that they will
    assert counts[2:] == [counts[1]] * 4
    diagram._say(replace(diagram.words, host="another host"))
    diagram.grab()
    assert len(painted) == counts[-1] + 1


def test_what_changes_again_and_again_looks_as_it_would_elsewhere(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot, "virtqueue")
    anew = shown(qtbot, "virtqueue")[2]
    for tail in range(4):
        diagram._say(filled(diagram, tail))
    assert diagram._lively == {"virtqueue", "device"}
    diagram.placed = anew.placed = []
    anew._say(diagram.words)
    assert not anew._lively
    assert diagram.grab().toImage() == anew.grab().toImage()


def test_where_text_has_a_least_size_what_comes_first_has_the_room(qtbot: QtBot) -> None:
    _, _, diagram = shown(qtbot, "virtqueue")
    diagram.least = 20
    for tail in range(4):
        diagram._say(filled(diagram, tail))
    assert not diagram._lively
