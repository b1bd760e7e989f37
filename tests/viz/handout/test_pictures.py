"""Pictures for paper: what is noted on a run is in them, and in their words."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.viz.handout.pictures import Unpacked, diagram_picture, painted_panel
from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.style.theme import PRINT
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
