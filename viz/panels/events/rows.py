"""Which of the events that were found are in view, and which one is chosen.

Guarantees: while it does not follow, the row at the top stays the same event, whatever comes, is found late or is
forgotten elsewhere; a chosen event stays chosen. Following, the last row is the newest event of the moment that the
view shows: of now, or of the playhead when it is paused or slowed.
"""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import Events
from bellwire.viz.model.filter import Everything, Filter
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.search import Positions, Search
from bellwire.viz.text.event_words import Wording


class EventList:
    """Rows of one model's events. `rows`: how many are in view; `chosen`, `anchor`: positions in the history, or -1."""

    def __init__(self, model: LiveModel, wanted: Filter | None = None) -> None:
        self.model = model
        self.wording = Wording(model.scenario)
        self.search = Search(model, self.wording, wanted or Everything())
        self.rows = 1
        self.following = True
        self.held = False  # by a choice, not by hand
        self.chosen = self.anchor = self._awaited = -1
        self._top = 0  # position of the first row in view, while it does not follow

    def __len__(self) -> int:
        return len(self.search)

    def look_for(self, wanted: Filter) -> None:
        """Begins a search anew; what is chosen stays chosen, and in view if it is still among the rows."""
        self.search = Search(self.model, self.wording, wanted)

    # -- what is in view

    @property
    def end(self) -> int:
        """How many rows there are up to the moment that the view shows."""
        if self.model.transport.following:
            return len(self.search)
        return self.search.index(self.model.rows.until(self.model.playhead))

    @property
    def top(self) -> int:
        """The number of the first row in view."""
        first = self.end - self.rows if self.following else self.search.index(self._top)
        return max(0, min(first, len(self.search) - self.rows))

    def page(self) -> Positions:
        """The positions of the rows in view, and of the one before them if there is one."""
        return self.search.positions(self.top - 1, self.top + self.rows)

    # -- moving

    def scroll_to(self, row: int) -> None:
        """Makes a row the first in view; from then on it stays."""
        row = max(0, min(row, len(self.search) - self.rows))
        at = self.search.positions(row, row + 1)
        if at.size:
            self._top, self.following = int(at[0]), False

    def scroll(self, rows: int) -> None:
        """Moves the view by some rows."""
        if rows:
            self.held = False
            self.scroll_to(self.top + rows)

    def bring(self, position: int, margin: int = 0) -> None:
        """Brings an event into view, or the place where it would be, so many rows from the edge, and stays there."""
        row, top = self.search.index(position), self.top
        inside = top + margin <= row < top + self.rows - margin
        self.scroll_to(top if inside else row - self.rows // 2)

    def follow(self) -> None:
        """To the newest, and on with them."""
        self.following, self.held = True, False
        self.forget()

    def forget(self) -> None:
        """Nothing is chosen any more."""
        self.chosen = self.anchor = self._awaited = -1

    # -- choosing

    def show(self, position: int) -> None:
        """Chooses an event that was chosen elsewhere; it comes into view once the search has come so far."""
        self.chosen = self.anchor = self._awaited = position
        self.held = True

    def catch_up(self) -> None:
        """Looks at more events; brings what is awaited into view, with what came before and after it."""
        self.search.advance()
        if 0 <= self._awaited < self.search.looked:
            self.bring(self._awaited, margin=self.rows // 4)
            self._awaited = -1

    def choose(self, position: int, extend: bool = False) -> None:
        """Chooses the event at a position; extend: and those from the one that was chosen first."""
        self.anchor = self.anchor if extend and self.anchor >= 0 else position
        self.chosen, self.held, self._awaited = position, True, -1
        self.bring(position)

    def row_beside(self, rows: int) -> int:
        """The position of the row so many after (or before) the chosen one; -1 if there are no rows."""
        if not len(self.search):
            return -1
        at = self.search.index(self.chosen) + rows if self.chosen >= 0 else self.end - 1
        at = max(0, min(at, len(self.search) - 1))
        return int(self.search.positions(at, at + 1)[0])

    def marked(self) -> Positions:
        """The positions of the rows from the anchor to the chosen one."""
        if self.chosen < 0:
            return np.empty(0, np.int64)
        low, high = sorted((self.anchor, self.chosen))
        return self.search.positions(self.search.index(low), self.search.index(high + 1))

    def events(self, positions: Positions) -> Events:
        """The events at some positions, as far as they are still held."""
        return self.model.rows.pick(positions[positions >= self.model.rows.oldest])
