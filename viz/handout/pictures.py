"""Pictures of what a lesson shows: its diagram, and its panel, painted for paper rather than for the window."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QBuffer
from PySide6.QtGui import QImage, QPixmap

from bellwire.engine.language import tr
from bellwire.viz.diagram.annotations.words import noted_words
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.handout.document import Picture
from bellwire.viz.lessons.lesson import LessonScene
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import PANELS
from bellwire.viz.style.stylesheet import stylesheet
from bellwire.viz.style.theme import Theme

DIAGRAM_SIZE = (1560, 858)  # pixels: twice what a page shows, so that print is sharp
DIAGRAM_SCALE = 1.3  # of its text, as it is shown smaller
PANEL_SIZE = (1560, 1100)
PANEL_SCALE = 1.7
EDGE, BELOW = 60, 40  # pixels of a panel: its frame, in which nothing is said; what is left below its last line


def scene_pictures(model: LiveModel, scene: LessonScene, theme: Theme) -> tuple[Picture, ...]:
    """The diagram at the moment that the model shows, then the scene's panel, if it has one in front."""
    return diagram_picture(model, theme, scene.extended, scene.highlight), *(
        panel_picture(model, panel.name, theme) for panel in PANELS if panel.name == scene.panel
    )


def diagram_picture(
    model: LiveModel, theme: Theme, extended: bool = False, highlight: frozenset[str] = frozenset()
) -> Picture:
    """The diagram, with what is spoken of, and the rest dimmed."""
    diagram = Diagram(model, theme.scaled(DIAGRAM_SCALE))
    diagram.still_motion = True
    diagram.resize(*DIAGRAM_SIZE)
    diagram.set_extended(extended)
    diagram.set_highlight(highlight)
    diagram.refresh()
    made = Picture(png_bytes(diagram.grab()), DIAGRAM_SIZE, diagram_alt(diagram))
    diagram.deleteLater()
    return made


def diagram_alt(diagram: Diagram) -> str:
    """The picture in words: its caption, which is computed from the events, and what stands out."""
    words: Words = diagram.words
    titles = {name: box.title for name, box in diagram.blueprint.boxes.items()}
    titles |= {name: node.title for name, node in diagram.blueprint.nodes.items()}
    spoken_of = [title for name, title in titles.items() if name in diagram.highlight and title]
    said = [tr("Diagram of host, QEMU and guest."), words.facts.get("note caption", "")]
    if spoken_of:
        said.append(tr("Stands out: {parts}.", parts=", ".join(spoken_of)))
    return " ".join(filter(None, (*said, noted_words(diagram.model))))


def panel_picture(model: LiveModel, name: str, theme: Theme) -> Picture:
    """A panel as it is in front beside the diagram, without what is empty at its bottom."""
    panel = next(panel for panel in PANELS if panel.name == name)(model, theme.scaled(PANEL_SCALE))
    panel.setStyleSheet(stylesheet(panel.theme))  # the application's is of another size
    panel.resize(*PANEL_SIZE)
    panel.set_theme(panel.theme)
    panel.redraw()
    grabbed = panel.grab()
    height = last_line(grabbed)
    said = f"{panel.title}: {panel.tip}. {panel.facts}".strip()
    panel.deleteLater()
    return Picture(png_bytes(grabbed.copy(0, 0, grabbed.width(), height)), (grabbed.width(), height), said)


def last_line(pixmap: QPixmap) -> int:
    """How high a picture has to be for all that is in it: below that each row of it has one colour."""
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    inner = pixels[:-EDGE, EDGE:-EDGE]
    busy = np.flatnonzero((inner != inner[:, :1]).any(axis=1))
    return min(int(busy[-1]) + BELOW, image.height()) if busy.size else image.height()


def png_bytes(pixmap: QPixmap) -> bytes:
    """The pixmap as a PNG file; without transparency a PDF takes it as it is."""
    made = QBuffer()
    QPixmap.fromImage(pixmap.toImage().convertToFormat(QImage.Format.Format_RGB888)).save(made, "PNG")
    return bytes(made.data().data())
