"""Pictures for paper: what is noted on a run is in them, and in their words."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.handout.pictures import Unpacked, diagram_picture, painted_diagram, painted_panel
from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import played_model, source_played
from bellwire.viz.style.theme import PRINT
from tests.support.languages import LANGUAGES, in_language
from tests.support.models import running

pytestmark = pytest.mark.usefixtures("qapp")


def test_a_diagram_has_what_is_noted_on_it() -> None:
    model = running(0.5)[1]
    bare = diagram_picture(model, PRINT)
    model.annotations.all = (Annotation(AnnotationKind.NOTE, "look at this", PartPin("driver")),)
    noted = diagram_picture(model, PRINT)
    assert "look at this" not in bare.alt
    assert noted.alt.endswith("Noted: look at this")
    assert QImage.fromData(noted.png) != QImage.fromData(bare.png)


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["roundtrip", "irq-signal-msi", "irq-vcpu-moves", "vhost-user-blk", "qemu-vhost-net"])
def test_no_words_of_a_diagram_are_cut_on_paper(name: str, language: str, extended: bool) -> None:
    """They are larger than the canvas has them, and become as small as that before: "eventfd als ioeventf…"."""
    cut: list[list[str]] = []

    def look(drawing: Drawing, painted: Unpacked) -> None:
        assert isinstance(drawing.of, Diagram)
        cut.append([words for _, words in drawing.of.shortened])

    with in_language(language), source_played(Recording(path_of_shipped(name))) as source:
        painted_diagram(played_model(source, Moment()), PRINT, extended, also=look)
    assert cut == [[]]


@pytest.mark.parametrize("name", ["calls", "events"])
def test_a_panel_has_no_button_on_paper(name: str) -> None:
    model = running(0.5)[1]
    model.transport.pause()
    model.selection.choose(part="ioeventfd")
    shown: list[list[str]] = []

    def look(drawing: Drawing, painted: Unpacked) -> None:
        buttons = drawing.of.findChildren(QPushButton)
        assert buttons
        shown.append([one.text() for one in buttons if not one.isHidden()])

    painted_panel(model, name, PRINT, look)
    assert shown == [[]]
