"""Which clip is wanted: of which view, from which moment, at which pace, how long; read from words, and said so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from bellwire.engine.foreign import shell_line
from bellwire.engine.language import tr
from bellwire.viz.pictures.asked import Allowed, PictureAsked, PictureError, read_number
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.stages.story import LEAST_STAGE_SECONDS, MOST_STAGE_SECONDS, STAGE_SECONDS

CLIP_FORMATS = (".webm", ".mp4", ".gif", ".apng")
USUAL_RATES = {".webm": 30, ".mp4": 30, ".gif": 15, ".apng": 15}  # frames a second
RATES = {".webm": 60, ".mp4": 60, ".gif": 50, ".apng": 60}  # at most: a GIF counts in hundredths of a second
IN_PAIRS = (".webm", ".mp4")  # each two pixels of a line, and each two lines, share a colour
CLIP_SIDES = (64, 4096)  # pixels
CLIP_SECONDS = (0.1, 600.0)
USUAL_SECONDS = 6.0  # of what is no story
STORY = "story"


@dataclass(frozen=True)
class ClipPace:
    """How quickly it goes. stage_seconds: of a story, that a stage lasts; 0: none is told, and it is by the factor.

    factor: of slow motion; 1 is real time.
    """

    stage_seconds: float = STAGE_SECONDS
    factor: float = 1.0

    @classmethod
    def read(cls, text: str) -> ClipPace:
        """ "story", "story:1.5", "live", "10000" or "1:10000"; PictureError if it is none."""
        name, _, seconds = text.strip().lower().partition(":")
        if name == STORY:
            number = read_number(seconds) if seconds else STAGE_SECONDS
            if number is not None and Allowed(LEAST_STAGE_SECONDS, MOST_STAGE_SECONDS).holds(number):
                return cls(number)
        else:
            factor = 1.0 if name == "live" and not seconds else read_number(text.strip().removeprefix("1:"))
            if factor is not None and Allowed(1.0, SLOWEST_CLIP).holds(factor):
                return cls(0.0, factor)
        raise PictureError(
            tr(
                "A pace is story, story:SECONDS ({least:g} to {most:g} a stage), live, or a factor of slow motion up to"
                " {slowest:g}, not {text!r}.",
                least=LEAST_STAGE_SECONDS,
                most=MOST_STAGE_SECONDS,
                slowest=SLOWEST_CLIP,
                text=text,
            )
        )

    def __str__(self) -> str:
        """As it is read."""
        if self.story:
            return STORY if self.stage_seconds == STAGE_SECONDS else f"{STORY}:{self.stage_seconds:g}"
        return "live" if self.live else f"{self.factor:.10g}"

    @property
    def story(self) -> bool:
        """Whether a journey is told stage by stage."""
        return self.stage_seconds > 0

    @property
    def live(self) -> bool:
        """Whether it is real time."""
        return not self.story and self.factor == 1


SLOWEST_CLIP = 1e7


@dataclass(frozen=True)
class ClipAsked:
    """What was asked for. picture: the view, and the moment at which it begins. seconds: None: of a story all of it."""

    picture: PictureAsked = field(default_factory=PictureAsked)
    pace: ClipPace = field(default_factory=ClipPace)
    rate: int = 30  # frames a second
    seconds: float | None = None

    @property
    def begins(self) -> PictureAsked:
        """The picture at its beginning, which has one where none was named: the median journey, or the first event."""
        at = self.picture.at
        usual = Moment(seconds=0.0) if self.pace.live else Moment(journey="median")
        return replace(self.picture, at=usual if at == Moment() else at)

    def command(self, recording: str, target: str) -> str:
        """The line that makes it, to be pasted into a shell."""
        options = [*self.picture.options(), "--pace", str(self.pace), "--fps", str(self.rate)]
        options += [] if self.seconds is None else ["--seconds", f"{self.seconds:g}"]
        return shell_line(["bellwire", "clip", recording, "-o", target, *options])


def clip_format_of(path: Path) -> str:
    """The suffix that says the format; PictureError if it is none of CLIP_FORMATS."""
    suffix = path.suffix.lower()
    if suffix not in CLIP_FORMATS:
        names = ", ".join(CLIP_FORMATS)
        raise PictureError(
            tr("The name of a clip ends in {names}, which says its format: {path}.", names=names, path=path)
        )
    return suffix


def read_rate(rate: int | None, suffix: str) -> int:
    """Frames a second; PictureError if a format cannot have so many."""
    rate, most = USUAL_RATES[suffix] if rate is None else rate, RATES[suffix]
    if not Allowed(1, most).holds(rate):
        raise PictureError(tr("A {suffix} has 1 to {most} frames a second.", suffix=suffix.lstrip("."), most=most))
    return rate


def read_clip_seconds(seconds: float | None) -> float | None:
    """How long it is; PictureError if that is no time for a clip."""
    if seconds is not None and not Allowed(*CLIP_SECONDS).holds(seconds):
        least, most = CLIP_SECONDS
        raise PictureError(tr("A clip lasts {least:g} to {most:g} s.", least=least, most=most))
    return seconds


def refuse_clip(asked: ClipAsked, suffix: str) -> None:
    """PictureError if a format cannot show what was asked for."""
    sides, (least, most) = asked.picture.pixels, CLIP_SIDES
    if not all(Allowed(least, most).holds(side) for side in sides):
        raise PictureError(tr("A clip has {least} to {most} pixels each way.", least=least, most=most))
    if suffix in IN_PAIRS and any(side % 2 for side in sides):
        raise PictureError(tr("A {suffix} has an even number of pixels each way.", suffix=suffix.lstrip(".")))
    if asked.pace.live and not asked.begins.at.live:
        raise PictureError(
            tr("In real time a clip begins at a time, as --at 2s; of a journey or an event slow motion is made.")
        )
