"""Which picture is wanted: of which view, at which moment, how large, in which colours; read from words, and said so.

It is said again in the same words, in the same order: the command that a picture carries makes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import shell_line
from bellwire.engine.language import tr
from bellwire.viz.pictures.moment import BEGINNING_OF_NUMBER, Moment
from bellwire.viz.text.languages import CODE

FORMATS = (".png", ".svg", ".pdf")
PANEL_OF = {"stages": "explain", "call": "calls"}  # a view's panel, where it has another name
HIDDEN_FACTS = ("pid", "host", "cpu", "annotations")
SIZES = (64, 16384)  # pixels that a side may have, times the scale too
MOST_DIGITS = 9  # of a side
SCALES = (0.25, 8.0)
TEXTS = (0.8, 5.0)  # of text, times what it is by itself
THEME_NAMES = ("dark", "light", "projector", "print")
WHOLE_WINDOW = "window"
# Each view and the size that it has by itself: that of a slide, or about what it has in a window of 1920×1080.
USUAL_SIZES = {
    WHOLE_WINDOW: (1920, 1080),
    "diagram": (1280, 720),
    "extended": (1280, 720),
    "timeline": (1280, 320),
    "latency": (720, 400),
    "distribution": (720, 400),
    "exits": (720, 400),
    "suppression": (720, 400),
    "numbers": (1280, 96),
    "sequence": (640, 720),
    "stages": (1280, 480),
    "anatomy": (640, 720),
    "call": (640, 560),
    "compare": (960, 400),
    "evidence": (640, 560),
    "events": (1280, 480),
}


PANEL_VIEWS = ("sequence", "stages", "anatomy", "call", "compare", "evidence", "events")
VIEW_OF_PANEL = {PANEL_OF.get(view, view): view for view in PANEL_VIEWS}
EXTENDED = "extended"
IN_FRONT = (*PANEL_VIEWS, "glossary", "annotations", EXTENDED)  # what may be in front in the window


class PictureError(EngineError):
    """A picture cannot be made as it was asked for; the text names what is allowed."""


@dataclass(frozen=True)
class PictureAsked:
    """What was asked for. size: None: that which the view has by itself; part: of the diagram, that is chosen.

    front: of IN_FRONT, what is in front in the window; off: curves that are switched off, as "latency:doorbell".
    """

    view: str = "diagram"
    at: Moment = field(default_factory=Moment)
    theme: str = "light"
    size: tuple[int, int] | None = None
    scale: float = 1.0
    text: float = 1.0
    part: str = ""
    other: str = ""  # a recording that it is compared with
    transparent: bool = False
    hidden: frozenset[str] = frozenset()
    language: str = CODE
    front: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    order = "shot"  # of the command line, that makes it

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height before they are scaled."""
        return self.size or USUAL_SIZES[self.view]

    def options(self) -> list[str]:
        """What is not as it is by itself, as the command line has it."""
        usual, found = PictureAsked(), ["--view", self.view]
        if self.at != usual.at:
            found += ["--at", str(self.at)]
        found += ["--theme", self.theme, "--size", "{}x{}".format(*self.pixels)]
        if self.scale != usual.scale:
            found += ["--scale", f"{self.scale:g}"]
        if self.text != usual.text:
            found += ["--text", f"{100 * self.text:g}%"]
        lists = ("--front", ",".join(self.front)), ("--off", ",".join(self.off))
        for option, value in (("--part", self.part), ("--with", self.other), *lists):
            found += [option, value] if value else []
        if self.language != usual.language:
            found += ["--language", self.language]
        if self.transparent:
            found.append("--transparent")
        if self.hidden:
            found += ["--hide", ",".join(name for name in HIDDEN_FACTS if name in self.hidden)]
        return found

    def command(self, recording: str, target: str) -> str:
        """The line that makes it, to be pasted into a shell."""
        return shell_line(["bellwire", self.order, recording, "-o", target, *self.options()])


class Allowed(NamedTuple):
    """Between which numbers something must lie."""

    least: float
    most: float

    def holds(self, number: float) -> bool:
        """Whether it does; no NaN does."""
        return self.least <= number <= self.most


def read_view(text: str) -> str:
    """One of the views; PictureError if it is none."""
    if text not in USUAL_SIZES:
        raise PictureError(tr("There is no view {name!r}; there are {names}.", name=text, names=", ".join(USUAL_SIZES)))
    return text


def read_size(text: str) -> tuple[int, int]:
    """ "1280x720" or "1280×720"; PictureError if it is none, or too large."""
    width, by, height = text.lower().replace("×", "x").partition("x")
    sides = width.strip(), height.strip()
    if not (by and all(side.isdecimal() and len(side) <= MOST_DIGITS for side in sides)):
        raise PictureError(tr("A size is WIDTHxHEIGHT in pixels, as 1280x720, not {text!r}.", text=text))
    found = int(sides[0]), int(sides[1])
    if not all(Allowed(*SIZES).holds(side) for side in found):
        least, most = SIZES
        raise PictureError(tr("A picture has {least} to {most} pixels each way.", least=least, most=most))
    return found


def fitting_size(width: int, height: int) -> tuple[int, int]:
    """The nearest size that a picture may have."""
    least, most = SIZES
    return min(max(width, least), most), min(max(height, least), most)


def read_text_size(text: str) -> float:
    """ "120%" as 1.2; PictureError if it is none, or nothing that the layout holds."""
    number = read_number(text.removesuffix("%").strip())
    if number is None or not Allowed(*TEXTS).holds(number / 100):
        least, most = (f"{100 * one:g}%" for one in TEXTS)
        raise PictureError(
            tr("Text has a size from {least} to {most}, not {text!r}.", least=least, most=most, text=text)
        )
    return number / 100


def read_scale(scale: float, pixels: tuple[int, int]) -> float:
    """How many pixels the file has to each of the picture's; PictureError if that is none, or too many."""
    if not Allowed(*SCALES).holds(scale):
        least, most = (f"{one:g}" for one in SCALES)
        raise PictureError(tr("A scale is from {least} to {most}, not {scale:g}.", least=least, most=most, scale=scale))
    if max(pixels) * scale > SIZES[1]:
        raise PictureError(tr("Scaled by {scale:g} it has more than {most} pixels.", scale=scale, most=SIZES[1]))
    return scale


def read_hidden(text: str) -> frozenset[str]:
    """ "pid,host" as a set; PictureError if one of them is none."""
    names = names_listed(text)
    for name in names:
        if name not in HIDDEN_FACTS:
            allowed = ", ".join(HIDDEN_FACTS)
            raise PictureError(tr("--hide takes {allowed}, not {name!r}.", allowed=allowed, name=name))
    return frozenset(names)


def read_front(text: str, view: str) -> tuple[str, ...]:
    """ "extended,events" as names; PictureError if one of them cannot be in front, or of no window."""
    names = names_listed(text)
    for name in names:
        if name not in IN_FRONT:
            raise PictureError(tr("--front takes {allowed}, not {name!r}.", allowed=", ".join(IN_FRONT), name=name))
    if names and view != WHOLE_WINDOW:
        raise PictureError(tr("--front is for --view {view}.", view=WHOLE_WINDOW))
    return names


def names_listed(text: str) -> tuple[str, ...]:
    """Names between commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def picture_asked(
    view: str,
    at: str = "",
    theme: str = PictureAsked.theme,
    size: str | None = None,
    scale: float = PictureAsked.scale,
    text: str = "100%",
    part: str = "",
    other: str = "",
    transparent: bool = False,
    hidden: str = "",
    language: str = CODE,
    front: str = "",
    off: str = "",
) -> PictureAsked:
    """From the words of options; PictureError or MomentError if one of them makes no sense."""
    chosen, pixels = read_view(view), None if size is None else read_size(size)
    return PictureAsked(
        view=chosen,
        at=Moment.read(at),
        theme=theme,
        size=pixels,
        scale=read_scale(scale, pixels or USUAL_SIZES[chosen]),
        text=read_text_size(text),
        part=part,
        other=other,
        transparent=transparent,
        hidden=read_hidden(hidden),
        language=language,
        front=read_front(front, chosen),
        off=names_listed(off),
    )


def read_asked(options: list[str]) -> PictureAsked:
    """What options() said; PictureError, MomentError, KeyError or ValueError if it is none of that."""
    said, at = dict[str, str](), 0
    while at < len(options):
        alone = options[at] == "--transparent"
        said[options[at].removeprefix("--")] = "" if alone else options[at + 1]
        at += 1 if alone else 2
    if said["theme"] not in THEME_NAMES:
        raise ValueError(said["theme"])
    return picture_asked(
        view=said["view"],
        at=said.get("at", ""),
        theme=said["theme"],
        size=said["size"],
        scale=float(said.get("scale", "1")),
        text=said.get("text", "100%"),
        part=said.get("part", ""),
        other=said.get("with", ""),
        transparent="transparent" in said,
        hidden=said.get("hide", ""),
        language=said.get("language", CODE),
        front=said.get("front", ""),
        off=said.get("off", ""),
    )


def read_number(text: str) -> float | None:
    """A number that is written with digits; None if it is none."""
    try:
        return float(text) if BEGINNING_OF_NUMBER.match(text) else None
    except ValueError:
        return None


def format_of(path: Path) -> str:
    """The suffix that says the format; PictureError if it is none of FORMATS."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        names = ", ".join(FORMATS)
        raise PictureError(
            tr("The name of a picture ends in {names}, which says its format: {path}.", names=names, path=path)
        )
    return suffix
