"""Saves a page that any browser plays: of the run that is shown, or of the lesson that is held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from bellwire.engine.foreign import file_name, shell_line
from bellwire.engine.language import Spoken, tr
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.text.languages import CODE
from bellwire.viz.window.files import Files
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.picturing.by_command import SavedByCommand

SUFFIX = ".html"


@dataclass(frozen=True)
class PageWanted:
    """at: where the part of a run begins, as the command line has it; "" at its median journey, and of a lesson."""

    at: str = ""
    extended: bool = False
    language: str = CODE

    order = "export-html"

    def options(self) -> list[str]:
        """What is not as it is by itself."""
        found = ["--at", self.at] if self.at else []
        found += ["--extended"] * self.extended
        return found + (["--language", self.language] if self.language != CODE else [])

    def command(self, recording: str, target: str) -> str:
        """The line that makes it, to be pasted into a shell."""
        return shell_line(["bellwire", self.order, recording, "-o", target, *self.options()])


class PageSaver(SavedByCommand):
    """Of one window; one page at a time."""

    def __init__(self, files: Files, lessons: LessonPlayer) -> None:
        super().__init__(files)
        self._lessons = lessons

    def save(self, path: Path | None = None) -> None:
        """Of the run, from the journey that is looked at on; asks where, unless it is told."""
        model = self.files.shown.model
        if not model.past.size:
            self.files.notice.say(tr("Nothing has happened yet that a page could show."))
        elif self._free() and (path := path or self._ask_where(model.scenario.name)):
            self.make(path, self.wanted())
            self._say()

    def save_lesson(self, path: Path | None = None) -> None:
        """Of the lesson, with its questions, told of recordings."""
        course = self._lessons.course
        if course is None:
            self.files.notice.say(tr("There is no lesson; Run > Lesson begins one."))
        elif self._free() and (path := path or self._ask_where(course.lesson.name)):
            wanted, what = PageWanted(language=Spoken.name), argument_of(course.lesson)
            self._start(what, path, wanted, wanted.command(what, str(path)))
            self._say()

    def _free(self) -> bool:
        if self.busy:
            self.say_busy()
        return not self.busy

    def _say(self) -> None:
        self.files.notice.say(tr("The page is being made, which takes some seconds."), color="live")

    def _ask_where(self, name: str) -> Path | None:
        """Where to; None: nowhere."""
        kind = f"{tr('Page for a browser')} (*{SUFFIX})"
        found, _ = QFileDialog.getSaveFileName(self.files.top, tr("Save the page"), f"{file_name(name)}{SUFFIX}", kind)
        if not found:
            return None
        return Path(found) if Path(found).suffix else Path(f"{found}{SUFFIX}")

    def wanted(self) -> PageWanted:
        """The page of what is looked at: of the newest, the median journey."""
        from bellwire.viz.pictures.moment import moment_of

        shown = self.files.shown
        at_the_end = shown.model.transport.following and not shown.model.replaying
        at = "" if at_the_end else str(moment_of(shown.model))
        return PageWanted(at, shown.look.extended, Spoken.name)


def argument_of(lesson: Lesson) -> str:
    """By which the command line knows a lesson: the name of one that is shipped, else its file."""
    from bellwire.viz.lessons.lesson_file import lesson_paths

    return lesson.name if lesson.path in lesson_paths() else str(lesson.path.absolute())
