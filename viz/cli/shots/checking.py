"""`bellwire shots check`: makes the pictures of a list once more, in memory, and holds them against what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellwire.engine.errors import EngineError, RecordingError
from bellwire.engine.foreign import file_name
from bellwire.engine.host.text_files import first_bytes
from bellwire.engine.outputs import cannot, reason, write_whole
from bellwire.viz.cli.shots.building import begin_folder
from bellwire.viz.cli.shots.checked import CheckedPicture, Outcome
from bellwire.viz.cli.shots.crew import made_by_all
from bellwire.viz.cli.shots.report import MADE_BY, pictures_told, report_page
from bellwire.viz.pictures.asked import FORMATS
from bellwire.viz.pictures.clips.clip_asked import CLIP_FORMATS
from bellwire.viz.pictures.lists.listed import ListedPicture, ShotList
from bellwire.viz.pictures.provenance import MOST, read_provenance

if TYPE_CHECKING:
    from bellwire.viz.pictures.lists.series import MadeFiles

REPORT = "report.html"
FAR_ENOUGH = 4096  # bytes, in which a report says what it is


class Checking:
    """Of one list. found: of each picture what came of it, in the list's order; unexpected: files that are in none."""

    def __init__(self, listed: ShotList) -> None:
        self.listed = listed
        self.found: list[CheckedPicture] = []
        self.unexpected: list[str] = []

    def check(self, chosen: Sequence[ListedPicture], jobs: int | None = None) -> None:
        """Makes these, and compares. jobs: how many processes; None: as many as they are worth."""
        found = dict[ListedPicture, CheckedPicture]()

        def take(one: ListedPicture, answer: MadeFiles | str) -> None:
            found[one] = self._checked(one, answer)

        made_by_all(self.listed.folder, chosen, jobs, take)
        self.found = [found[one] for one in chosen]
        if len(chosen) == len(self.listed.pictures):
            self.unexpected = sorted(unexpected_files(self.listed))

    @property
    def wrong(self) -> list[CheckedPicture]:
        """Those that are not as they were."""
        return [one for one in self.found if one.state is not Outcome.SAME]

    def _checked(self, one: ListedPicture, answer: MadeFiles | str) -> CheckedPicture:
        if isinstance(answer, str):
            return CheckedPicture(one, Outcome.FAILED, answer)
        there = [file_there(self.listed.folder / file) for file in one.files]
        missing = [str(file) for file, content in zip(one.files, there, strict=True) if content is None]
        if missing:
            return CheckedPicture(
                one, Outcome.MISSING, f"{', '.join(missing)} is missing.", there[0] or b"", answer.contents[0]
            )
        return checked_files(one, [content or b"" for content in there], answer.contents)

    def summary(self) -> str:
        """What came of all of them, in a sentence."""
        return pictures_told(self.found, self.unexpected)

    @property
    def again(self) -> str:
        """The command that makes anew what has changed; "" if nothing has."""
        names = [one.one.name for one in self.found if one.state in (Outcome.CHANGED, Outcome.MISSING)]
        return self.listed.again(*names) if names else ""

    def write_report(self, folder: Path) -> Path:
        """Into a folder: a page, and of each picture where it differs. The page; RecordingError if it cannot be."""
        page = folder / REPORT
        begin_folder(page)
        title = f"Pictures of {self.listed.path}"
        write_whole(page, report_page(title, self.found, self.unexpected, self.again).encode(), force=True)
        for one in self.found:
            if one.difference:
                name = file_name(str(one.one.out.with_suffix("")).replace(os.sep, "-"), "picture")
                write_whole(folder / f"{name}{one.one.suffix}.difference.png", one.difference, force=True)
        return page

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "list": str(self.listed.path),
            "pictures": [
                {"name": one.one.name, "out": str(one.one.out), "state": str(one.state), "what": one.what}
                for one in self.found
            ],
            "unexpected": self.unexpected,
        }


def refuse_report(folder: Path) -> None:
    """RecordingError, before the work, if no report can stand in that folder, or what has its name there is none."""
    begin_folder(folder / REPORT)
    try:
        is_ours = MADE_BY.encode() in first_bytes(folder / REPORT, FAR_ENOUGH)
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot(folder / REPORT, reason(error)) from error
    if not is_ours:
        raise RecordingError(f"{folder / REPORT} is there already, and is no report of pictures: name another folder.")


def checked_files(one: ListedPicture, there: list[bytes], made: tuple[bytes, ...]) -> CheckedPicture:
    """A picture's files, as they are there and as they are made now."""
    if tuple(there) == made:
        return CheckedPicture(one, Outcome.SAME)
    from bellwire.viz.pictures.lists.comparing import Likeness, compared_beside, compared_files

    picture = compared_files(there[0], made[0], one.suffix)
    words = [picture.what] if picture.what else []
    beside = [compared_beside(*two, str(one.beside)) for two in zip(there[1:], made[1:], strict=True)]
    changed = picture.likeness is Likeness.CHANGED or any(beside)
    if not changed:
        return CheckedPicture(one, Outcome.SAME)
    what = " ".join([*words, *filter(None, beside)])
    return CheckedPicture(one, Outcome.CHANGED, what, there[0], made[0], picture.difference)


def file_there(path: Path) -> bytes | None:
    """A file's content; None if there is none."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(MOST)
    except OSError:
        return None


def unexpected_files(listed: ShotList) -> Iterator[str]:
    """Pictures of bellwire's in the list's folders that are none of its: what somebody has taken out of it."""
    known = {os.path.realpath(listed.folder / one.out) for one in listed.pictures}
    for folder in {one.out.parent for one in listed.pictures}:
        for path in (listed.folder / folder).glob("*"):
            suffix = path.suffix.lower()
            if suffix not in (*FORMATS, *CLIP_FORMATS) or os.path.realpath(path) in known or not path.is_file():
                continue
            try:
                read_provenance(path)
            except EngineError:
                continue  # somebody else's
            yield str(folder / path.name)
