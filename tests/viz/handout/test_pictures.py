"""Pictures for paper: what is noted on a run is in them, and in their words."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.viz.handout.pictures import diagram_picture
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
