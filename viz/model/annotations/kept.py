"""The notes and arrows on a run: added, changed, taken away, undone; and for how long each one that was passed is read.

An annotation is known by its index. It is read in the viewer's time: from the moment at which the view passes what it
is pinned to, as long as its text takes to be read, however slow the motion; while the view stands still, so does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bellwire.engine.recordings.annotations.annotation import MOST_ANNOTATIONS, Annotation, Ink

LEAST_SECONDS, MOST_SECONDS = 4.0, 20.0  # that one is read
LOOK_SECONDS, CHARACTERS_A_SECOND = 2.0, 14.0  # until it is found, and then of a reader who also looks at the picture
UNDONE = 100  # changes that can be undone

Annotated = tuple[Annotation, ...]


def reading_seconds(text: str) -> float:
    """How long somebody reads this beside a picture."""
    return min(max(LOOK_SECONDS + len(text) / CHARACTERS_A_SECOND, LEAST_SECONDS), MOST_SECONDS)


class Annotations:
    """All of one run. chosen: the index of the one that is chosen, -1: none; changed: called when any of it is."""

    def __init__(self, written: Sequence[Annotation] = ()) -> None:
        """written: those that are in the file already."""
        self.all: Annotated = tuple(written)
        self.chosen = -1
        self.changed: list[Callable[[], None]] = []
        self._saved = self.all  # as they are in a file
        self._before: list[Annotated] = []
        self._left: dict[Annotation, float] = {}  # seconds for which those that were passed are still read
        self._stood = -1  # where the view stood, TSC

    def carried(self) -> Annotations:
        """The same for another model of the same run, whose views have not asked to be told."""
        same = Annotations(self.all)
        same._saved, same._before = self._saved, self._before
        return same

    # -- changes

    @property
    def full(self) -> bool:
        """Whether a recording holds no more."""
        return len(self.all) >= MOST_ANNOTATIONS

    @property
    def unsaved(self) -> bool:
        """Whether they are otherwise in no file."""
        return self.all != self._saved

    def note_saved(self, saved: Annotated) -> None:
        """These are in a file now."""
        self._saved = saved

    def add(self, one: Annotation) -> None:
        """One more, which is chosen, and is read from now on; where there is room for it."""
        if not self.full:
            self._put((*self.all, one), len(self.all))
            self._left[one] = reading_seconds(one.text)

    def change(self, index: int, one: Annotation) -> None:
        """This one in its place."""
        before = self.all[index]
        if one != before:
            self._left[one] = max(self._left.pop(before, 0.0), reading_seconds(one.text))
            self._put((*self.all[:index], one, *self.all[index + 1 :]), index)

    def recolor(self, index: int, ink: Ink) -> None:
        """In another of the theme's colours."""
        self.change(index, replace(self.all[index], ink=ink))

    def remove(self, index: int) -> None:
        """It is there no more."""
        self._put((*self.all[:index], *self.all[index + 1 :]), -1)

    def undo(self) -> bool:
        """As before the newest change; whether there was one."""
        if not self._before:
            return False
        self.all, self.chosen = self._before.pop(), -1
        self._tell()
        return True

    def choose(self, index: int) -> None:
        """This one; -1: none."""
        if index != self.chosen:
            self.chosen = index
            self._tell()

    def _put(self, them: Annotated, chosen: int) -> None:
        self._before = [*self._before[1 - UNDONE :], self.all]
        self.all, self.chosen = them, chosen
        self._tell()

    def _tell(self) -> None:
        for call in self.changed:
            call()

    # -- in time

    @property
    def in_time(self) -> list[int]:
        """Indices by their moments; first those that belong to all."""
        return sorted(range(len(self.all)), key=lambda index: self.all[index].tsc or -1)

    @property
    def timed(self) -> list[tuple[int, int]]:
        """The moment (TSC) and the index of those that have one, in the order of time."""
        return [(tsc, index) for index in self.in_time if (tsc := self.all[index].tsc) is not None]

    def beside(self, playhead: int, step: int) -> int:
        """The next one (+1) or the one before (-1): beside the chosen one, while the view is there, else by time.

        -1 if there is none.
        """
        order = self.in_time
        if self.chosen >= 0 and self.all[self.chosen].tsc in (None, playhead):
            at = order.index(self.chosen) + step
            return order[at] if 0 <= at < len(order) else -1
        later = [index for tsc, index in self.timed if tsc > playhead]
        earlier = [index for tsc, index in self.timed if tsc < playhead]
        found = later[:1] if step > 0 else earlier[-1:]
        return found[0] if found else -1

    def advance(self, before: int, after: int, seconds: float, still: bool) -> None:
        """The view has moved from `before` to `after` (TSC) in so much of the viewer's time.

        still: it stands still, and so does who reads. Where it was put elsewhere, what was passed before is over.
        """
        if before != self._stood:
            self._left = {one: reading_seconds(one.text) for one in self.all if one.tsc == before}
        elif not still:
            self._left = {one: left - seconds for one, left in self._left.items() if left > seconds}
        self._stood = after
        for one in self.all if after > before else ():
            if one.tsc is not None and before < one.tsc <= after:
                self._left[one] = reading_seconds(one.text)

    def is_read(self, index: int, playhead: int) -> bool:
        """Whether its moment was passed so shortly before that somebody still reads it.

        playhead: where the view stands; nothing is read of where it has been put since.
        """
        return playhead == self._stood and self.all[index] in self._left
