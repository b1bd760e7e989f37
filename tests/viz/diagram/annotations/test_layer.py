"""Annotations on the diagram: each beside its part, over no name where there is room, in every theme and size."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, EventPin, PartPin, StagePin
from bellwire.viz.diagram.annotations.layer import LaidAnnotation
from bellwire.viz.diagram.annotations.places import part_annotated
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.legible import LegibleDiagram
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.style.note_paper import line_between
from bellwire.viz.style.theme import THEMES
from bellwire.viz.window.application import application
from tests.support.models import running
from tests.support.shipped_models import shipped_model

NOTE, ARROW = AnnotationKind.NOTE, AnnotationKind.ARROW


def diagram(qtbot: QtBot, theme: str = "dark", width: int = 1100, height: int = 620, scale: float = 1.0) -> Diagram:
    application()
    made = Diagram(running(0.5)[1], THEMES[theme].scaled(scale))
    qtbot.addWidget(made)
    made.resize(width, height)
    made.refresh()
    return made


def laid(made: Diagram, *annotations: Annotation) -> list[LaidAnnotation]:
    """As they are painted."""
    made.model.annotations.all = annotations
    made.refresh()
    made.grab()
    return made.annotated.laid


def words_under(made: Diagram, box: QRectF) -> list[QRectF]:
    return [words for words in made._stage.words if words.intersects(box)]


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("part", ["driver", "handler", "doorbell_fd", "ioeventfd", "wakes"])
def test_a_note_is_beside_its_part_and_over_no_word(qtbot: QtBot, theme: str, part: str) -> None:
    made = diagram(qtbot, theme)
    (one,) = laid(made, Annotation(NOTE, "Here the guest goes on at once.", PartPin(part)))
    assert made.rect().toRectF().contains(one.box)
    assert not one.box.intersects(one.place)
    assert words_under(made, one.box) == []
    line = line_between(one.box, one.place)
    assert not any(words.contains(line.pointAtPercent(n / 50)) for words in made._stage.words for n in range(1, 50))
    near = one.place.adjusted(-130, -130, 130, 130)
    assert near.intersects(one.box)


def test_what_is_painted_is_seen_and_goes_again(qtbot: QtBot) -> None:
    made = diagram(qtbot)
    before = made.grab().toImage()
    (one,) = laid(made, Annotation(NOTE, "seen", PartPin("driver")))
    after = made.grab().toImage()
    area = one.box.toAlignedRect()
    assert before.copy(area) != after.copy(area)
    assert laid(made) == []
    assert made.grab().toImage().copy(area) == before.copy(area)


def test_two_do_not_cover_each_other_and_an_arrow_leads_from_edge_to_edge(qtbot: QtBot) -> None:
    made = diagram(qtbot)
    first, second, arrow = laid(
        made,
        Annotation(NOTE, "one that is longer than a line of it would be", PartPin("driver")),
        Annotation(NOTE, "two", PartPin("driver")),
        Annotation(ARROW, "back", PartPin("answers"), to="handler"),
    )
    assert not first.box.intersects(second.box)
    assert not first.box.intersects(arrow.box)
    assert arrow.way is not None
    for part, share in (("answers", 0.0), ("handler", 1.0)):
        x, y, width, height = made.area_of(part) or (0, 0, 0, 0)
        rect = made.scene_geometry.rect((x, y, width, height))
        assert rect.adjusted(-3, -3, 3, 3).contains(arrow.way.pointAtPercent(share))
        assert not rect.adjusted(3, 3, -3, -3).contains(arrow.way.pointAtPercent(share))


def test_what_is_at_nothing_of_this_picture_is_left_out(qtbot: QtBot) -> None:
    made = diagram(qtbot)
    assert laid(made, Annotation(NOTE, "x", PartPin("nowhere")), Annotation(ARROW, "", PartPin("driver"), to="x")) == []


def test_its_words_grow_with_all_others_and_can_be_read_from_the_last_row(qtbot: QtBot) -> None:
    note = Annotation(NOTE, "words", PartPin("driver"))
    heights = [laid(diagram(qtbot, scale=scale), note)[0].box.height() for scale in (0.8, 1.0, 1.3)]
    assert heights == sorted(set(heights))
    legible = LegibleDiagram(running(0.5)[1], THEMES["projector"], 27)
    qtbot.addWidget(legible)
    legible.resize(1800, 900)
    assert laid(legible, note)[0].box.height() >= 27


def test_the_longest_text_stays_in_a_small_picture(qtbot: QtBot) -> None:
    made = diagram(qtbot, width=500, height=260, scale=1.3)
    for text in ("𝄞" * 280, "word " * 56):
        (one,) = laid(made, Annotation(NOTE, text, PartPin("wakes")))
        assert made.rect().toRectF().contains(one.box.topLeft())
        assert one.box.width() <= made.width() / 2 + 1


def test_one_that_was_moved_is_where_it_was_put_at_any_size(qtbot: QtBot) -> None:
    note = Annotation(NOTE, "moved", PartPin("driver"), moved=(30, 150))
    for width, height in ((1100, 620), (700, 400)):
        made = diagram(qtbot, width=width, height=height)
        (one,) = laid(made, note)
        geometry, away = made.scene_geometry, one.box.center() - one.place.center()
        assert np.allclose((away.x() / geometry.sx, away.y() / geometry.sy), (30, 150), atol=0.5)


@pytest.mark.parametrize("name", ["roundtrip", "irq-level-resample", "vm-to-vm", "doorbell-coalesced-pio", "io-uring"])
@pytest.mark.parametrize("extended", [False, True])
def test_every_event_and_stage_of_a_run_has_a_place(name: str, extended: bool) -> None:
    """In the simple picture and in the extended one: of what happens in it, and of each stage on its journeys' ways."""
    model = shipped_model(name)
    plan = blueprint_of(model.scenario, model.source.backend, extended)
    kinds = {int(kind) for events in model.events for kind in np.unique(events["kind"])}
    for kind in kinds:
        one = Annotation(NOTE, "x", EventPin(1, EventKind(kind), 1))
        assert part_annotated(plan, one), EventKind(kind)
    _, times = model.travel.staged(model.journeys.newest(1))
    placed = [
        bool(part_annotated(plan, Annotation(NOTE, "x", StagePin(1, 1, stop.name, 1)))) for stop in times.way.stops
    ]
    assert sum(placed) >= len(placed) * 0.6


def test_of_a_part_of_the_picture_alone_what_is_beyond_is_left_out(qtbot: QtBot) -> None:
    made = diagram(qtbot)
    made.show_part(made.area_of("wakes"))
    notes = [Annotation(NOTE, part, PartPin(part)) for part in ("driver", "wakes")]
    assert [one.one.text for one in laid(made, *notes)] == ["wakes"]
