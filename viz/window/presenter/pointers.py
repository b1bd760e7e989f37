"""Which tool points at the diagram, in every window that shows it."""

from __future__ import annotations

from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.diagram.pointing.pointer import point_at
from bellwire.viz.window.shown import Shown


def take_tool(shown: Shown, tool: Tool) -> None:
    """Takes it, and points at the part that is chosen; or lays it down, and with it what it has lit or enlarged."""
    pointing = shown.pointing
    pointing.take(tool)
    part = shown.model.selection.part
    if pointing.tool is None and tool is Tool.SPOTLIGHT:
        pointing.light(None)
    elif pointing.tool is None and tool is Tool.ZOOM:
        pointing.fill_with(None)
    elif pointing.tool and part and tool is not Tool.PEN:
        point_at(pointing, shown.views.diagram, part)
