"""Reads a list of pictures from its file, shots.toml: defaults, groups that go on from each other, and shots.

What a shot does not say its group does, and then the defaults. A key with several values makes a picture of each, of
all combinations if there are several such keys; each goes to every name in `out`. A list may come from anywhere: it is
data, and what it may ask for is bounded.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import file_name, shown
from bellwire.engine.host.text_files import small_file, toml_tables
from bellwire.engine.scenarios.scenario import did_you_mean
from bellwire.viz.pictures.asked import FORMATS, PictureAsked, picture_asked
from bellwire.viz.pictures.clips.clip_asked import CLIP_FORMATS, ClipAsked, ClipPace, read_rate, refuse_clip
from bellwire.viz.pictures.lists.keys import KEYS, NAMED_IN_OUT, OF_CLIPS, check_value, sentence_of, words_for_picture
from bellwire.viz.pictures.lists.listed import ListedPicture, ShotList, ShotListError, shipped_from
from bellwire.viz.pictures.lists.toml_places import TomlPath, TomlPlaces

USUAL_LIST = "shots.toml"
LARGEST_LIST = 1 << 20  # bytes
LONGEST_QUOTED = 60  # characters of a wrong value
LONGEST_WORDS = 1000  # characters of a text
LARGEST_NUMBER = 2**63 - 1  # as TOML has it
MOST_GROUPS = 16  # that go on from each other
MOST_OF_SHOT = 1000  # pictures
MOST_OF_LIST = 5000
MOST_PIXELS = 1 << 26  # of a picture: what several workers have memory for at a time
TABLES = ("defaults", "group", "shot")
OF_PICTURES = ("scale", "transparent")  # which no clip has
INSTEAD = {"scenario": "recording", "recording": "scenario"}  # the nearer of them holds
TOML_PLACE = re.compile(r" ?\(at line (\d+), column (\d+)\)")
IN_NAME = re.compile(r"\{([^{}]*)\}")
LOST_IN_NAME = re.compile(r"[#%@]")  # of a value that stands in a file's name

Settled = dict[str, tuple[Any, TomlPath]]  # by key: its value, and where that stands


def read_shot_list(path: Path, outside: bool = False) -> ShotList:
    """The list in a file. outside: its pictures may go anywhere, instead of into its folder.

    ShotListError, one sentence with file, line and column, if there is something wrong with it.
    """
    return ListReader(path, small_file(path, LARGEST_LIST, "list of pictures", ShotListError), outside).read()


class ListReader:
    """Understands one list."""

    def __init__(self, path: Path, text: str, outside: bool = False) -> None:
        self.path, self.outside = path, outside
        self._tables = self._toml(text)
        self._places = TomlPlaces(text)
        self._known = set[tuple[str, Any]]()  # keys and values that are right
        self._files = dict[str, str]()  # by where it really is: the shot that it is of

    def read(self) -> ShotList:
        """All of it; ShotListError if something is wrong."""
        self._check_numbers((), self._tables)
        for name, table in self._tables.items():
            if name not in TABLES:
                raise self.wrong((name,), f"there is no such table; {did_you_mean(name, list(TABLES))}")
            self._check_kind((name,), table, dict, "a table")
        defaults = self._checked(("defaults",), self._tables.get("defaults", {}))
        groups = {name: self._named("group", name) for name in self._tables.get("group", {})}
        pictures = list[ListedPicture]()
        for name in self._tables.get("shot", {}):
            own = self._named("shot", name)
            found = self._with_group(own, groups)
            pictures += self._pictures(name, without_instead(found, defaults) | found, own)
            if len(pictures) > MOST_OF_LIST:
                raise self.wrong(("shot", name), f"up to here there are more than {MOST_OF_LIST} pictures.")
        if not pictures:
            raise self.wrong((), "has no picture; [shot.NAME] begins one.")
        return ShotList(self.path, tuple(pictures))

    def wrong(self, path: TomlPath, what: str) -> ShotListError:
        """A sentence that says where."""
        keys = [shown(str(key), LONGEST_QUOTED) for key in path if isinstance(key, str)]
        return ShotListError(f"{self._place(path)}: {'.'.join(keys)}{': ' if keys else ''}{what}")

    def _place(self, path: TomlPath) -> str:
        line, column = self._places.of(*path)
        return f"{self.path}:{line}:{column}"

    def _toml(self, text: str) -> dict[str, Any]:
        try:
            return toml_tables(text)
        except tomllib.TOMLDecodeError as error:
            at = TOML_PLACE.search(str(error))
            place = f"{at[1]}:{at[2]}" if at else f"{text.count(chr(10)) + 1}:1"
            raise ShotListError(f"{self.path}:{place}: not TOML: {TOML_PLACE.sub('', str(error))}.") from error
        except ValueError as error:
            raise ShotListError(f"{self.path}: not TOML that anybody would write: {error}.") from error

    # -- tables

    def _check_kind(self, path: TomlPath, value: Any, kind: Any, allowed: str) -> None:
        if not isinstance(value, kind):
            raise self.wrong(path, f"is {quoted(value)}; allowed is {allowed}.")

    def _check_numbers(self, path: TomlPath, value: Any) -> None:
        """ShotListError for one that could not even be printed."""
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise self.wrong(path, f"a number is at most {LARGEST_NUMBER}.")
        inner = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
        for key, part in inner:
            self._check_numbers((*path, key), part)

    def _named(self, kind: str, name: str) -> Settled:
        """[group.NAME] or [shot.NAME]."""
        path, table = (kind, name), self._tables[kind][name]
        if file_name(name) != name:
            raise self.wrong(path, f"a {kind} has a name that a file can have too, as {file_name(name, kind)}.")
        self._check_kind(path, table, dict, "a table")
        return self._checked(path, table)

    def _checked(self, path: TomlPath, table: dict[str, Any]) -> Settled:
        """The values of a table, each of its kind and allowed by itself."""
        for key, value in table.items():
            if key not in KEYS or (key == "group" and path == ("defaults",)):
                allowed = [one for one in KEYS if one != "group" or path != ("defaults",)]
                raise self.wrong((*path, key), f"there is no such key; {did_you_mean(key, allowed)}")
            self._check_values((*path, key), key, value)
            if key in INSTEAD and INSTEAD[key] in table:
                raise self.wrong((*path, key), f"beside {INSTEAD[key]}: a shot is of one of them.")
        return {key: (value, (*path, key)) for key, value in table.items()}

    def _check_values(self, path: TomlPath, key: str, value: Any) -> None:
        several = isinstance(value, list) and KEYS[key].several
        if several and not value:
            raise self.wrong(path, "is an empty list; leave it out.")
        for number, one in enumerate(value if several else [value]):
            at = (*path, number) if several else path
            if not KEYS[key].accepts(one):
                also = " Or a list of such." if KEYS[key].several and not several else ""
                raise self.wrong(at, f"{quoted(one)} is not allowed; allowed is {KEYS[key].allowed}.{also}")
            if isinstance(one, str) and (len(one) > LONGEST_WORDS or shown(one) != one):
                raise self.wrong(at, f"a text has at most {LONGEST_WORDS} characters, all of which can be seen.")
            known = (key, str(one))
            try:
                if known not in self._known:
                    check_value(key, one)
            except EngineError as error:
                raise self.wrong(at, sentence_of(error)) from error
            self._known.add(known)

    def _with_group(self, own: Settled, groups: dict[str, Settled]) -> Settled:
        """What a shot says, above what its group says, and so on."""
        found, passed = dict(own), list[str]()
        while "group" in own:
            name, at = own["group"]
            if name not in groups:
                hint = did_you_mean(name, list(groups)) if groups else "[group.NAME] makes one."
                raise self.wrong(at, f"there is no group {shown(name, LONGEST_QUOTED)!r}; {hint}")
            if name in passed:
                circle = [*passed[passed.index(name) :], name]
                raise self.wrong(at, f"the groups go in a circle: {', '.join(circle)}.")
            if len(passed) == MOST_GROUPS:
                raise self.wrong(at, f"more than {MOST_GROUPS} groups go on from each other.")
            passed.append(name)
            own = groups[name]
            found = without_instead(found, own) | {key: one for key, one in found.items() if key != "group"}
        return found | ({"group": (passed[0], ())} if passed else {})

    # -- a shot's pictures

    def _pictures(self, name: str, settled: Settled, own: Settled) -> Iterator[ListedPicture]:
        path: TomlPath = ("shot", name)
        axes = {key: list(dict.fromkeys(value)) for key, (value, _) in settled.items() if is_axis(key, value)}
        outs = values_of(settled, "out", [usual_out([key for key in axes if len(axes[key]) > 1])])
        count = prod(map(len, axes.values())) * len(outs)
        if count > MOST_OF_SHOT:
            several_outs = {"out": outs} if len(outs) > 1 else {}
            how = " × ".join(f"{len(values)} of {key}" for key, values in (axes | several_outs).items())
            raise self.wrong(path, f"comes to {count} pictures ({how}); a shot has at most {MOST_OF_SHOT}.")
        plain = {key: value for key, (value, _) in settled.items() if key not in axes}
        used = set[str]()
        for chosen in product(*axes.values()):
            values = plain | dict(zip(axes, chosen, strict=True)) | {"name": name}
            stems = set[Path]()
            for out in outs:
                target = self._target(path, settled, out, values)
                used |= {*(OF_CLIPS if is_clip(target) else OF_PICTURES)}
                yield self._picture(path, values, target, target.with_suffix("") not in stems)
                stems.add(target.with_suffix(""))
        for key in own:
            if key in (*OF_CLIPS, *OF_PICTURES) and key not in used:
                what = "of clips, and what this shot makes are none" if key in OF_CLIPS else "of no clip"
                raise self.wrong((*path, key), f"is {what}: see out.")

    def _picture(self, path: TomlPath, values: dict[str, Any], target: Path, first: bool) -> ListedPicture:
        """first: of those whose names differ in the suffix alone, which share a sidecar."""
        try:
            asked = asked_in(values, target)
        except EngineError as error:
            raise self.wrong(path, sentence_of(error)) from error
        picture = asked.picture if isinstance(asked, ClipAsked) else asked
        width, height = picture.pixels
        if width * height * picture.scale**2 > MOST_PIXELS:
            raise self.wrong(path, f"a picture of a list has at most {MOST_PIXELS >> 20} million pixels.")
        scenario, recording = values.get("scenario", ""), values.get("recording", "")
        if not (scenario or recording):
            raise self.wrong(path, "is of nothing: it needs a scenario or a recording, as the defaults may have.")
        beside = None
        if is_clip(target):
            beside = target.with_suffix(".vtt") if values.get("captions", True) and first else None
        elif values.get("sidecar", False) and first:
            beside = target.with_suffix(".json")
        listed = ListedPicture(
            name=str(path[-1]),
            place=self._place(path),
            out=target,
            asked=asked,
            recording=shipped_from(scenario) if scenario else Path(recording),
            scenario=scenario,
            beside=beside,
        )
        for file in listed.files:
            self._take_file(path, file, values)
        return listed

    def _target(self, path: TomlPath, settled: Settled, out: str, values: dict[str, Any]) -> Path:
        """The file that a name stands for, from the list's folder."""
        at = settled["out"][1] if "out" in settled else path
        for key in IN_NAME.findall(out):
            if key not in ("name", "group", *NAMED_IN_OUT):
                hint = did_you_mean(key, ["name", "group", *NAMED_IN_OUT])
                raise self.wrong(at, f"there is no {{{shown(key, LONGEST_QUOTED)}}}; {hint}")
        name = IN_NAME.sub(lambda found: in_file_name(found[1], values), out)
        target = Path(os.path.normpath(Path(values.get("folder", "")) / name))
        suffix = target.suffix.lower()
        if suffix not in (*FORMATS, *CLIP_FORMATS):
            allowed = f"{', '.join(FORMATS)} for a picture, {', '.join(CLIP_FORMATS)} for a clip"
            raise self.wrong(at, f"{quoted(name)} does not say its format; allowed is {allowed}.")
        self._refuse_outside(at, target)
        return target

    def _refuse_outside(self, at: TomlPath, target: Path) -> None:
        """ShotListError for a file that is not in the list's folder, by way of a link either."""
        folder = self.path.absolute().parent
        if not self.outside and not Path(os.path.realpath(folder / target)).is_relative_to(os.path.realpath(folder)):
            why = "is not in the list's folder; --outside allows that, if you know who wrote the list."
            raise self.wrong(at, f"{quoted(str(target))} {why}")

    def _take_file(self, path: TomlPath, file: Path, values: dict[str, Any]) -> None:
        """ShotListError if it is another picture's already."""
        real = os.path.realpath(self.path.absolute().parent / file)
        if real in self._files:
            of, name = self._files[real], str(path[-1])
            hint = f"of {of}" if of != name else "of this shot: put what differs into out, as {theme}"
            raise self.wrong((*path, "out"), f"{file} is already that of another picture, {hint}.")
        self._files[real] = str(path[-1])


def without_instead(nearer: Settled, further: Settled) -> Settled:
    """What a further table says, but for what the nearer one says something else instead of."""
    return {key: one for key, one in further.items() if INSTEAD.get(key) not in nearer}


def is_axis(key: str, value: Any) -> bool:
    """Whether it makes several pictures."""
    return isinstance(value, list) and KEYS[key].several and key != "out"


def values_of(settled: Settled, key: str, usual: list[str]) -> list[str]:
    """One value or several, as a list."""
    value = settled[key][0] if key in settled else usual
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]


def usual_out(axes: list[str]) -> str:
    """The name of a picture that says none: the shot's, and the values of what it has several of."""
    return "-".join(["{name}", *(f"{{{key}}}" for key in axes)]) + ".png"


def in_file_name(key: str, values: dict[str, Any]) -> str:
    """What stands for {key}."""
    value = str(values.get(key, getattr(PictureAsked(), key, "")))
    value = Path(value).stem if key in ("recording", "with") else value
    return file_name(LOST_IN_NAME.sub("", value), "none")


def is_clip(target: Path) -> bool:
    """Whether it moves."""
    return target.suffix.lower() in CLIP_FORMATS


def asked_in(values: dict[str, Any], target: Path) -> PictureAsked | ClipAsked:
    """What a shot asks for; EngineError if that makes no sense as a whole."""
    clip = is_clip(target)
    words = {
        one.asks: words_for_picture(key, values[key])
        for key, one in KEYS.items()
        if one.asks and key in values and not (clip and key in OF_PICTURES)
    }
    picture = picture_asked(**{"view": PictureAsked.view} | words)
    if not clip:
        return picture
    suffix = target.suffix.lower()
    rate, seconds = read_rate(values.get("fps"), suffix), values.get("seconds")
    asked = ClipAsked(picture, ClipPace.read(values.get("pace", "story")), rate, seconds)
    refuse_clip(asked, suffix)
    return replace(asked, seconds=None if seconds is None else float(seconds))


def quoted(value: Any) -> str:
    """A value as a list has it, cut off where it is long."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    words = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return shown(words, LONGEST_QUOTED)
