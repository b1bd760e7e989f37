"""What a list may say of a picture: the options of `bellwire shot` and `bellwire clip`, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bellwire.engine.errors import EngineError
from bellwire.engine.scenarios.scenario import did_you_mean, load_scenario
from bellwire.viz.pictures.asked import (
    HIDDEN_FACTS,
    IN_FRONT,
    THEME_NAMES,
    USUAL_SIZES,
    WHOLE_WINDOW,
    PictureAsked,
    PictureError,
    picture_asked,
)
from bellwire.viz.pictures.clips.clip_asked import ClipPace, read_clip_seconds
from bellwire.viz.text.languages import languages

NUMBER = int | float


@dataclass(frozen=True)
class ShotKey:
    """A key of a shot, of a group or of the defaults.

    kind: of its value, as Python has it; allowed: the same in words. several: whether a list of values makes a picture
    of each; else a list, if it may be one, is one value. asks: what picture_asked() calls it; "": it is of no picture.
    """

    kind: Any
    allowed: str
    several: bool = True
    asks: str = ""

    def accepts(self, value: object) -> bool:
        """Whether a value is of its kind; True is no number."""
        return isinstance(value, self.kind) and (self.kind is bool or not isinstance(value, bool))


KEYS = {
    "scenario": ShotKey(str, "the name of a scenario, whose recording is shipped"),
    "recording": ShotKey(str, "a recording's file, from the list's folder"),
    "view": ShotKey(str, f"one of {', '.join(USUAL_SIZES)}", asks="view"),
    "at": ShotKey(str, 'a moment, as "2.5s", "#median", "#17/runnable" or "irqfd:3"', asks="at"),
    "theme": ShotKey(str, f"one of {', '.join(THEME_NAMES)}", asks="theme"),
    "size": ShotKey(str, 'pixels, as "1280x720"', asks="size"),
    "scale": ShotKey(NUMBER, "a number, as 2", asks="scale"),
    "text": ShotKey(str, 'a size of text, as "120%"', asks="text"),
    "part": ShotKey(str, "the name of a part of the diagram", asks="part"),
    "with": ShotKey(str, "a recording's file, from the list's folder", asks="other"),
    "front": ShotKey(str | list, f"a list of {', '.join(IN_FRONT)}", several=False, asks="front"),
    "off": ShotKey(str | list, 'a list of curves, as "latency:doorbell"', several=False, asks="off"),
    "language": ShotKey(str, "a language, as en", asks="language"),
    "transparent": ShotKey(bool, "true or false", several=False, asks="transparent"),
    "hide": ShotKey(str | list, f"a list of {', '.join(HIDDEN_FACTS)}", several=False, asks="hidden"),
    "pace": ShotKey(str, 'a clip\'s pace, as "story", "story:1.5", "10000" or "live"'),
    "fps": ShotKey(int, "a clip's frames a second, a whole number"),
    "seconds": ShotKey(NUMBER, "a clip's length in seconds"),
    "captions": ShotKey(bool, "true or false", several=False),
    "sidecar": ShotKey(bool, "true or false", several=False),
    "folder": ShotKey(str, "a folder in the list's own", several=False),
    "out": ShotKey(str, "a file's name, which may have {name}, {group} and {KEY} in it"),
    "group": ShotKey(str, "the name of a group", several=False),
}
LISTS = ("hide", "front", "off")  # whose value may be a list of names
OF_CLIPS = ("pace", "fps", "seconds", "captions")  # which no picture has
NAMED_IN_OUT = [key for key, one in KEYS.items() if one.several and key != "out"]


def words_for_picture(key: str, value: Any) -> Any:
    """A value as picture_asked() takes it."""
    return ",".join(value) if key in LISTS and isinstance(value, list) else value


def check_value(key: str, value: Any) -> None:
    """One of a key's values, held against what the command line allows; EngineError, of what is allowed."""
    if key in LISTS and isinstance(value, list) and not all(isinstance(one, str) for one in value):
        raise PictureError(f"allowed is {KEYS[key].allowed}.")
    if key in CHOICES:
        refuse_other(value, list(CHOICES[key]()))
    if KEYS[key].asks:
        view = WHOLE_WINDOW if key == "front" else PictureAsked.view
        picture_asked(**{"view": view, KEYS[key].asks: words_for_picture(key, value)})
    elif key in OTHERS:
        OTHERS[key](value)


def refuse_other(value: str, allowed: list[str]) -> None:
    """PictureError, with what was probably meant, if it is none of these."""
    if value not in allowed:
        raise PictureError(f"there is no {value!r}; {did_you_mean(value, allowed)}")


def check_rate(rate: int) -> None:
    """PictureError if no clip has so many frames a second; of a format more is known once there is an `out`."""
    if not 1 <= rate <= 60:
        raise PictureError("a clip has 1 to 60 frames a second.")


CHOICES: dict[str, Callable[[], tuple[str, ...]]] = {
    "view": lambda: tuple(USUAL_SIZES),
    "theme": lambda: THEME_NAMES,
    "language": languages,
}
OTHERS: dict[str, Callable[[Any], object]] = {
    "scenario": load_scenario,
    "pace": ClipPace.read,
    "fps": check_rate,
    "seconds": read_clip_seconds,
}


def sentence_of(error: EngineError) -> str:
    """What is wrong, to go on with behind a key."""
    return f"{str(error).rstrip('.')}."
