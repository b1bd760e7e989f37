"""Paints the views of a model as it stands, and takes down all that they say: a moment as a page carries it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.handout.pictures import last_line
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import Panel
from bellwire.viz.pictures.asked import USUAL_SIZES, VIEW_OF_PANEL, PictureAsked
from bellwire.viz.pictures.drawing import (
    ROOM,
    Drawing,
    bring_up_to_date,
    drawing_of,
    leave_out_controls,
    settle_layout,
)
from bellwire.viz.pictures.raster import image_of
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
    """The diagram, the timeline and perhaps a panel of one model, painted again and again."""

    def __init__(
        self, model: LiveModel, diagram: Drawing, timeline: Drawing, panel: Drawing | None, shared: SharedShapes
    ) -> None:
        self.model, self._diagram, self._timeline, self._panel = model, diagram, timeline, panel
        self.shared = shared
        assert isinstance(diagram.of, Diagram)
        assert isinstance(timeline.of, Timeline)
        self.diagram, self.timeline = diagram.of, timeline.of
        self._still_panel: list[int] = []  # of a panel that shows the same at each moment
        self._high = 0  # pixels of the panel in which something is

    @property
    def views(self) -> dict[str, str]:
        """What of each picture is shown: left, top, width, height."""
        wide, high = self._diagram.asked.pixels
        across, tall = TIMELINE_SIZE[0] - 2 * ROOM, TIMELINE_SIZE[1] - 2 * ROOM - MINIMAP
        found = {"diagram": f"0 0 {wide} {high}", "timeline": f"{ROOM} {ROOM} {across} {tall}"}
        if self._panel:
            found["panel"] = f"{ROOM} {ROOM} {self._panel.asked.pixels[0] - 2 * ROOM} {self._high}"
        return found

    @property
    def panel_words(self) -> str:
        """What the panel is, and what it shows; "" without one."""
        return f"{self.panel.title}: {self.panel.tip}" if self.panel else ""

    @property
    def panel(self) -> Panel | None:
        """The panel, if there is one."""
        return self._panel.of if self._panel and isinstance(self._panel.of, Panel) else None

    def take(self) -> Table:
        """What is shown and said now. x: where in the diagram something happens, as a share of its width.

        notes: what somebody has written on it, each with the name of its colour.
        """
        self.diagram.refresh()
        self.timeline.redraw()
        leave_out_controls(self.timeline)
        return {
            "diagram": self._painted(self._diagram),
            "timeline": self._painted(self._timeline),
            "said": caption(self.model),
            "numbers": self._numbers(),
            "notes": self._notes(),
            **self._beside(),
            **self._where(),
        }

    def _beside(self) -> dict[str, list[int]]:
        """The panel: of this moment, or as it is at all of them."""
        panel, drawing = self.panel, self._panel
        if panel is None or drawing is None:
            return {}
        if panel.follows_stage or not self._still_panel:
            bring_up_to_date(panel, drawing.theme)
            self._still_panel = self._painted(drawing)
            self._high = max(self._high, min(last_line(image_of(drawing)), drawing.asked.pixels[1] - 2 * ROOM))
        return {"panel": self._still_panel}

    def _notes(self) -> list[tuple[str, str]]:
        written = [self.model.annotations.all[index] for index in annotations_seen(self.model)]
        return [(one.ink.replace("_", "-"), one.text) for one in written if one.text]

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
    model: LiveModel, shared: SharedShapes, extended: bool, highlight: frozenset[str] = frozenset(), panel: str = ""
) -> Iterator[Stills]:
    """All views, while they are needed. What the diagram says below its parts the page says in its own words.

    highlight: the parts that are spoken of; the others are dimmed. panel: the name of the one that is in front.
    """
    view = "extended" if extended else "diagram"
    plan = blueprint_of(model.scenario, model.source.backend, extended)
    silent = replace(plan, notes={name: note for name, note in plan.notes.items() if name != "caption"})
    wide = plan.size[0]
    high = max(top + height for _, top, _, height in (box.rect for box in plan.boxes.values())) + BELOW
    asked = PictureAsked(view=view, size=(DIAGRAM_WIDTH, round(DIAGRAM_WIDTH * high / wide)), transparent=True)
    below = PictureAsked(view="timeline", size=TIMELINE_SIZE, transparent=True)
    with (
        drawing_of(model, asked, INKS) as diagram,
        drawing_of(model, below, INKS) as timeline,
        panel_drawn(model, panel) as beside,
    ):
        assert isinstance(diagram.of, Diagram)
        diagram.of.still_motion = False
        diagram.of.blueprint = silent
        diagram.of.show_part((0, 0, wide, high))
        diagram.of.set_highlight(highlight)
        assert isinstance(timeline.of, Timeline)
        timeline.of.minimap.hide()
        settle_layout()
        yield Stills(model, diagram, timeline, beside, shared)


def panel_drawn(model: LiveModel, name: str) -> AbstractContextManager[Drawing | None]:
    """The drawing of a panel; None if it has no name."""
    if not name:
        return nullcontext()
    view = VIEW_OF_PANEL[name]
    return drawing_of(model, PictureAsked(view=view, size=USUAL_SIZES[view], transparent=True), INKS)
