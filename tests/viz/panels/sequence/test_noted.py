"""What is written on a journey stands in its chart, on the screen and in its files; nothing of another journey does."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.viz.model.annotations.pins import event_pin_of, stage_pin_at
from bellwire.viz.panels.sequence.noted import chart_notes
from bellwire.viz.panels.sequence.panel import SequencePanel
from bellwire.viz.panels.sequence.parts import GUEST, IO
from bellwire.viz.style.theme import DARK
from tests.support.models_at_20_hz import model_of

NOTE = AnnotationKind.NOTE


@pytest.fixture
def panel(qtbot: QtBot) -> SequencePanel:
    """Of a run whose newest journey and the one before have notes."""
    model = model_of(seconds=0.5)[0]
    for journey, name in ((model.journeys.newest(1), "mine"), (model.journeys.newest(2)[:1], "other")):
        doorbell = int(journey["doorbell"][0])
        stage = stage_pin_at(model, journey, int(journey["ring"][0]))
        assert stage is not None
        model.annotations.add(Annotation(NOTE, f"{name} event", event_pin_of(model.window(doorbell, doorbell)[:1])))
        model.annotations.add(Annotation(NOTE, f"{name} stage", stage))
    model.annotations.add(Annotation(NOTE, "a part", PartPin("driver")))
    made = SequencePanel(model, DARK)
    qtbot.addWidget(made)
    made.resize(460, 620)
    made.show()
    made.redraw()
    return made


def test_only_what_is_on_the_journey_is_in_its_chart(panel: SequencePanel) -> None:
    assert [(note.text, note.lifeline) for note in panel.noted] == [("mine stage", GUEST), ("mine event", IO)]
    assert [note.tsc for note in panel.noted] == sorted(note.tsc for note in panel.noted)
    assert panel.chart is not None
    start = int(begin(panel.journey)[0])
    assert chart_notes(panel.chart, start, panel.chart.end, panel.model.annotations.all[2:]) == []


@pytest.mark.parametrize("height", [620, 260])
def test_they_are_exported_with_the_chart_with_much_room_or_little(panel: SequencePanel, height: int) -> None:
    panel.resize(460, height)
    panel.grab()
    svg = b"".join(panel.content(Path("chart.svg"))).decode()
    assert "mine event" in svg
    assert "mine stage" in svg
    assert "other" not in svg
    noted = QImage.fromData(b"".join(panel.content(Path("chart.png"))))
    panel.model.annotations.all = ()
    bare = QImage.fromData(b"".join(panel.content(Path("chart.png"))))
    assert noted != bare
    assert "mine" not in b"".join(panel.content(Path("chart.svg"))).decode()


def test_a_height_of_the_chart_is_a_moment_of_the_journey(panel: SequencePanel) -> None:
    panel.grab()
    layout = panel.layout_
    assert layout is not None
    for tsc in layout.times:
        assert panel.moment_at(layout.y(tsc)) == pytest.approx(tsc, abs=2)
    assert panel.moment_at(2) is None
