"""Pictures of what a lesson shows: its diagram, and its panel, painted for paper rather than for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from bellwire.engine.language import tr
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.handout.document import Picture
from bellwire.viz.lessons.lesson import LessonScene
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import panel_of
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.drawing import Drawing, drawing_of, leave_out_controls
from bellwire.viz.pictures.raster import image_of, png_file
from bellwire.viz.pictures.words import diagram_in_words
from bellwire.viz.style.stylesheet import stylesheet
from bellwire.viz.style.theme import Theme

DIAGRAM_SIZE = (1560, 858)  # pixels: twice what a page shows, so that print is sharp
PANEL_SIZE = (1560, 1100)
PANEL_SCALE = 1.7
EDGE, BELOW = 60, 40  # pixels of a panel: its frame, in which nothing is said; what is left below its last line


@dataclass(frozen=True)
class Unpacked:
    """What becomes a picture; alt: what it shows, in words."""

    image: QImage
    alt: str

    def packed(self) -> Picture:
        """As a PNG file, in whichever thread: that takes as long as to paint it."""
        return Picture(png_file(self.image, {}), (self.image.width(), self.image.height()), self.alt)


class Lettering(NamedTuple):
    """How large the words of a diagram are. least: pixels that none is smaller than; then it has no sentence below."""

    scale: float = 1.3  # as it is shown smaller
    least: int = 0


Also = Callable[[Drawing, Unpacked], None]  # what else is done with what was painted, while it is there


def scene_painted(model: LiveModel, scene: LessonScene, theme: Theme) -> Iterator[Unpacked]:
    """The diagram at the moment that the model shows, then the scene's panel, if it has one in front."""
    yield painted_diagram(model, theme, scene.extended, scene.highlight)
    if scene.panel:
        yield painted_panel(model, scene.panel, theme)


def diagram_picture(model: LiveModel, theme: Theme) -> Picture:
    """The diagram, of which no part is spoken of more than of others."""
    return painted_diagram(model, theme).packed()


def painted_diagram(
    model: LiveModel,
    theme: Theme,
    extended: bool = False,
    highlight: frozenset[str] = frozenset(),
    words: Lettering = Lettering(),  # noqa: B008 (it never changes)
    also: Also = lambda drawing, painted: None,
) -> Unpacked:
    """The diagram, with what is spoken of, and the rest dimmed."""
    asked = PictureAsked(view="extended" if extended else "diagram", size=DIAGRAM_SIZE)
    with drawing_of(model, asked, theme.scaled(words.scale)) as drawing:
        diagram = drawing.of
        assert isinstance(diagram, Diagram)
        if words.least:
            diagram.least = words.least
            diagram.set_theme(diagram.theme)  # arranges it anew
            diagram.refresh()
        diagram.set_highlight(highlight)
        said = f"{tr('Diagram of host, QEMU and guest.')} {diagram_in_words(diagram)}"
        painted = Unpacked(image_of(drawing), said)
        also(drawing, painted)
        return painted


def painted_panel(
    model: LiveModel,
    name: str,
    theme: Theme,
    also: Also = lambda drawing, painted: None,
    size: tuple[int, int] = PANEL_SIZE,
    scale: float = PANEL_SCALE,
) -> Unpacked:
    """A panel as it is in front beside the diagram, without what is empty at its bottom. scale: of its text."""
    panel = panel_of(model, name, theme.scaled(scale))
    panel.setStyleSheet(stylesheet(panel.theme))  # the application's is of another size
    panel.resize(*size)
    panel.set_theme(panel.theme)
    panel.redraw()
    panel.grab(QRect(0, 0, 1, 1))  # painted at all, its parts take their places, and some show their buttons
    leave_out_controls(panel)
    grabbed = panel.grab().toImage()
    height = last_line(grabbed)
    said = f"{panel.title}: {panel.tip}. {panel.facts}".strip()
    painted = Unpacked(grabbed.copy(0, 0, grabbed.width(), height), said)
    also(Drawing(panel, panel, PictureAsked(size=(grabbed.width(), height)), theme), painted)
    panel.leave()
    panel.deleteLater()
    return painted


def last_line(painted: QImage) -> int:
    """How high a picture has to be for all that is in it: below that each row of it has one colour."""
    image = painted.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    inner = pixels[:-EDGE, EDGE:-EDGE]
    busy = np.flatnonzero((inner != inner[:, :1]).any(axis=1))
    return min(int(busy[-1]) + BELOW, image.height()) if busy.size else image.height()
