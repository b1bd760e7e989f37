"""Paints the views of a model as it stands, and takes down all that they say: a moment as a page carries it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.drawing import ROOM, Drawing, drawing_of, leave_out_controls, settle_layout
from bellwire.viz.player.inks import INKS
from bellwire.viz.player.page import Table
from bellwire.viz.player.shapes import SharedShapes
from bellwire.viz.plots.numbers import NOTHING, numbers_of
from bellwire.viz.timeline.minimap import GAP, HEIGHT
from bellwire.viz.timeline.widget import Timeline

DIAGRAM_WIDTH = 1120  # pixels in which it is painted; a page shows it in any size
BELOW = 9  # canvas pixels below the lowest box
TIMELINE_SIZE = (1120, 216)
MINIMAP = GAP + HEIGHT  # pixels at its bottom, not shown: it is of a recording of which the page has but a part


class Stills:
    """The diagram and the timeline of one model, painted again and again."""

    def __init__(self, model: LiveModel, diagram: Drawing, timeline: Drawing, shared: SharedShapes) -> None:
        self.model, self._diagram, self._timeline, self.shared = model, diagram, timeline, shared
        assert isinstance(diagram.of, Diagram)
        assert isinstance(timeline.of, Timeline)
        self.diagram, self.timeline = diagram.of, timeline.of

    @property
    def views(self) -> dict[str, str]:
        """What of each picture is shown: left, top, width, height."""
        wide, high = self._diagram.asked.pixels
        across, tall = TIMELINE_SIZE[0] - 2 * ROOM, TIMELINE_SIZE[1] - 2 * ROOM - MINIMAP
        return {"diagram": f"0 0 {wide} {high}", "timeline": f"{ROOM} {ROOM} {across} {tall}"}

    def take(self) -> Table:
        """What is shown and said now. x: where in the diagram something happens, as a share of its width."""
        self.diagram.refresh()
        self.timeline.redraw()
        leave_out_controls(self.timeline)
        return {
            "diagram": self._painted(self._diagram),
            "timeline": self._painted(self._timeline),
            "said": caption(self.model),
            "numbers": self._numbers(),
            **self._where(),
        }

    def _painted(self, drawing: Drawing) -> list[int]:
        return self.shared.painted(*drawing.asked.pixels, drawing.paint)

    def _numbers(self) -> int:
        strip = tuple(
            (one.value, "" if one.value == NOTHING else one.unit, one.label, one.shown_color)
            for one in numbers_of(self.model)
        )
        return self.shared.strip(strip)

    def _where(self) -> dict[str, float]:
        placed = self.diagram.placed
        return {"x": round(placed[0].at.x() / self.diagram.width(), 3)} if placed else {}


@contextmanager
def stills_of(
    model: LiveModel, shared: SharedShapes, extended: bool, highlight: frozenset[str] = frozenset()
) -> Iterator[Stills]:
    """Both views, while they are needed. What the diagram says below its parts the page says in its own words.

    highlight: the parts that are spoken of; the others are dimmed.
    """
    view = "extended" if extended else "diagram"
    plan = blueprint_of(model.scenario, model.source.backend, extended)
    silent = replace(plan, notes={name: note for name, note in plan.notes.items() if name != "caption"})
    wide = plan.size[0]
    high = max(top + height for _, top, _, height in (box.rect for box in plan.boxes.values())) + BELOW
    asked = PictureAsked(view=view, size=(DIAGRAM_WIDTH, round(DIAGRAM_WIDTH * high / wide)), transparent=True)
    below = PictureAsked(view="timeline", size=TIMELINE_SIZE, transparent=True)
    with drawing_of(model, asked, INKS) as diagram, drawing_of(model, below, INKS) as timeline:
        assert isinstance(diagram.of, Diagram)
        diagram.of.still_motion = False
        diagram.of.blueprint = silent
        diagram.of.show_part((0, 0, wide, high))
        diagram.of.set_highlight(highlight)
        assert isinstance(timeline.of, Timeline)
        timeline.of.minimap.hide()
        settle_layout()
        yield Stills(model, diagram, timeline, shared)
