"""Tables that never cut a digit: what is too wide for the terminal is set one value a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Column, Table
from rich.text import Text

GAP = 2  # spaces between columns, as rich sets them
INDENT = "  "


class Figures(Table):
    """A rich table whose columns of numbers are shown whole, or not as a table.

    Columns that may not wrap are numbers; the others are words, which are folded. Where the words would be left with
    less than their longest one, each row becomes a heading, its first cell, and a line for each of its other cells.
    """

    def __init__(self, *headers: str, **options: Any) -> None:
        style: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "show_edge": False}
        super().__init__(*headers, **style | options)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As a table if it has room."""
        for column in self.columns:
            column.overflow = "fold"
        if self.least_width() <= options.max_width:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._stacked()

    def least_width(self) -> int:
        """Columns of the terminal that the table needs."""
        return sum(map(needed_width, self.columns)) + (GAP + 1) * max(0, len(self.columns) - 1) + GAP * self.pad_edge

    def _stacked(self) -> Iterator[Text]:
        if self.title:
            yield text_of(self.title)
        heads = [text_of(column.header) for column in self.columns]
        if heads and heads[0].plain:
            yield heads[0]
        for number in range(self.row_count):
            cells = [text_of(list(column.cells)[number]) for column in self.columns]
            yield Text(cells[0].plain, style="bold", overflow="fold")
            for head, cell in zip(heads[1:], cells[1:], strict=True):
                if cell.plain:
                    name = f"{head.plain}: " if head.plain else ""
                    yield Text.assemble(f"{INDENT}{name}", cell, overflow="fold")


def with_rows(table: Table, none: str) -> RenderableType:
    """A table; of one without a row the sentence that says so."""
    return table if table.row_count else Text(none)


def needed_width(column: Column) -> int:
    """Of a column of numbers its widest cell, of one of words its longest word."""
    texts = [text_of(column.header).plain, *(text_of(cell).plain for cell in column.cells)]
    pieces = texts if column.no_wrap else [word for text in texts for word in text.split(" ")]
    return max([column.min_width or 0, *map(cell_len, pieces)])


def text_of(cell: object) -> Text:
    """What a cell says; its brackets are its own."""
    return cell.copy() if isinstance(cell, Text) else Text(str(cell))
