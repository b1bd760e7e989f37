"""`bellwire shots build`: which pictures are out of date, who makes them, and where they go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellwire.engine.errors import EngineError, RecordingError
from bellwire.engine.outputs import cannot, reason, tried_target, write_whole
from bellwire.viz.cli.shots.crew import made_by_all, pictures_counted
from bellwire.viz.cli.terminal import out
from bellwire.viz.pictures.lists.listed import ListedPicture, ShotList
from bellwire.viz.pictures.lists.states import FileState, Standings

if TYPE_CHECKING:
    from bellwire.viz.pictures.lists.series import MadeFiles

MADE, SAME = "made", "made again"  # SAME: to the very bytes that were there


class Building:
    """Of one list. done: what became of each picture; failures: a sentence of each that there is none of."""

    def __init__(self, listed: ShotList, force: bool = False) -> None:
        """force: also what is up to date, and in the place of files that are none of ours."""
        self.listed, self.force = listed, force
        self._standings = Standings(listed.folder)
        self.done = dict[ListedPicture, str]()
        self.failures = dict[ListedPicture, str]()

    def make(self, chosen: Sequence[ListedPicture], jobs: int | None = None, quiet: bool = False) -> None:
        """Makes those that are out of date. jobs: how many processes; None: as many as they are worth."""
        due = [one for one in chosen if self._is_due(one)]
        made_by_all(self.listed.folder, due, jobs, lambda one, answer: self._take(one, answer, quiet))

    def _is_due(self, one: ListedPicture) -> bool:
        """Whether it is to be made, and can be written."""
        if not self.force:
            state, why, _ = self._standings.of(one)
            if state is FileState.FRESH:
                self.done[one] = str(state)
                return False
            if state is FileState.FOREIGN:
                self._fail(one, f"{why}: name another file, or add --force to replace it.")
                return False
        try:
            for file in one.files:
                begin_folder(self.listed.folder / file)
                tried_target(self.listed.folder / file, force=True)
        except EngineError as error:
            self._fail(one, str(error))
            return False
        return True

    def _take(self, one: ListedPicture, answer: MadeFiles | str, quiet: bool) -> None:
        """The files of a picture, or the reason why there are none."""
        if isinstance(answer, str):
            self._fail(one, answer)
            return
        try:
            written = [self._write(file, content) for file, content in zip(one.files, answer.contents, strict=True)]
        except RecordingError as error:
            self._fail(one, str(error))
            return
        self.done[one] = MADE if any(written) else SAME
        if not quiet:
            out(f"{one.out}: {self.done[one]}")

    def _write(self, file: Path, content: bytes) -> bool:
        """Writes a file, unless it is there already to the very byte; whether it did."""
        path = self.listed.folder / file
        try:
            same = path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
        except OSError:
            same = False
        if not same:
            write_whole(path, content, force=True)
        return not same

    def _fail(self, one: ListedPicture, why: str) -> None:
        self.failures[one] = f"{one.place}: {one.name}: {why}"

    def summary(self) -> str:
        """What became of all of them, in a sentence."""
        counts = {state: list(self.done.values()).count(state) for state in dict.fromkeys(self.done.values())}
        told = [f"{count} {state}" for state, count in counts.items()]
        told += [f"{len(self.failures)} failed"] if self.failures else []
        return f"{pictures_counted(len(self.done) + len(self.failures))}: {', '.join(told)}."

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        told = {one: {"state": state} for one, state in self.done.items()}
        told |= {one: {"state": "failed", "why": why} for one, why in self.failures.items()}
        pictures = [{"name": one.name, "out": str(one.out)} | told[one] for one in self.listed.pictures if one in told]
        return {"list": str(self.listed.path), "pictures": pictures}


def begin_folder(path: Path) -> None:
    """Makes the folder that a file goes into; RecordingError if it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot(path, reason(error)) from error
