"""A step's pictures for a slide: as a handout has them, with larger words, in pixels and in lines."""

from __future__ import annotations

from html import escape

from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.handout.pictures import Lettering, Unpacked, painted_diagram, painted_panel
from bellwire.viz.handout.slides.deck import SlidePicture
from bellwire.viz.lessons.lesson import LessonScene
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.pictures.svg import svg_of
from bellwire.viz.style.theme import Theme

ON_SLIDES = Lettering(1.6, 20)  # 8 points on the slide, at the least
PANEL_ON_SLIDES, PANEL_WORDS = (1640, 660), 1.9  # pixels: as wide as a slide has room; 13 points and more


def slide_pictures(model: LiveModel, scene: LessonScene, theme: Theme) -> list[SlidePicture]:
    """The diagram at the moment that the model shows, then the scene's panel, if it has one in front."""
    made = list[SlidePicture]()

    def keep(drawing: Drawing, painted: Unpacked) -> None:
        said = drawing.of.caption if isinstance(drawing.of, Diagram) else ""
        svg = svg_of(drawing, f'<desc id="d">{escape(painted.alt)}</desc>\n', "d")
        made.append(SlidePicture(painted.packed(), svg, said))

    painted_diagram(model, theme, scene.extended, scene.highlight, ON_SLIDES, keep)
    if scene.panel:
        painted_panel(model, scene.panel, theme, keep, PANEL_ON_SLIDES, PANEL_WORDS)
    return made
