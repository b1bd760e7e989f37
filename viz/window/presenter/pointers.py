"""Which tool points at the diagram, in every window that shows it."""

from __future__ import annotations

from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.diagram.pointing.pointer import point_at
from bellwire.viz.window.shown import Shown


class Pointers:
    """Takes tools, and what they have marked away."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    @property
    def tool(self) -> Tool | None:
        """The one that is taken."""
        return self._shown.pointing.tool

    def take(self, tool: Tool) -> None:
        """Takes it, and points at the part that is chosen; or lays it down, and with it what it has lit or enlarged."""
        pointing = self._shown.pointing
        pointing.take(tool)
        part = self._shown.model.selection.part
        if pointing.tool is None and tool is Tool.SPOTLIGHT:
            pointing.light(None)
        elif pointing.tool is None and tool is Tool.ZOOM:
            pointing.fill_with(None)
        elif pointing.tool and part and tool is not Tool.PEN:
            point_at(pointing, self._shown.views.diagram, part)

    def undo(self) -> None:
        """The newest mark, spotlight or zoom."""
        self._shown.pointing.undo()

    def clear(self) -> bool:
        """All of it, and no tool; whether there was anything."""
        return self._shown.pointing.clear()
