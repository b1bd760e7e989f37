"""What may stand for an option's value or for an argument, by what help calls it. Imports neither Qt nor Arrow.

Some of what is offered are patterns of file names, which begin with *: the shell looks for such files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from bellwire.engine.errors import EngineError
from bellwire.viz.text.assets import asset, recorded_elsewhere

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario

ANY_FILE, FOLDERS = "*", "*/"
RECORDINGS = ("*.arrow", "*.arrows")
PICTURES = ("*.png", "*.svg", "*.pdf")
LESSON_FILES, SCENARIO_FILES = ("*.md",), ("*.toml",)
SCENARIOS = asset("").parent / "guests"
CHOICES = re.compile(r"[<\[]?([\w-]+(?:\|[\w-]+)+)[>\]]?$")  # as help has them: --theme <dark|light>, c|python|rust


class Offered(NamedTuple):
    """A word or a pattern, and what it means."""

    word: str
    meaning: str = ""


class Asked(NamedTuple):
    """What stands in its place as yet, the parameter that it is to be, and the arguments before it."""

    word: str
    parameter: Any
    given: Sequence[str]


Offers = Callable[[Asked], Iterator[Offered]]


def always(*words: str) -> Offers:
    """These, whatever stands before."""
    return lambda wanted: map(Offered, words)


def scenarios_offered(wanted: Asked) -> Iterator[Offered]:
    """Those that are shipped, and their titles; and files of one's own."""
    for path in sorted(SCENARIOS.glob("*.toml")):
        yield Offered(path.stem, tomllib.loads(path.read_text())["title"])
    yield from map(Offered, SCENARIO_FILES)


def recordings_offered(wanted: Asked) -> Iterator[Offered]:
    """Files of one's own, and those that are shipped of another KVM."""
    yield from map(Offered, RECORDINGS)
    for name in recorded_elsewhere():
        yield Offered(name, "recorded with another KVM")


def labs_offered(wanted: Asked) -> Iterator[Offered]:
    """Without their titles, which would tell."""
    return (Offered(path.stem) for path in sorted(SCENARIOS.glob("lab-*.toml")))


def lessons_offered(wanted: Asked) -> Iterator[Offered]:
    """The same of lessons."""
    for path in sorted(asset("lessons").glob("*.md")):
        yield Offered(path.stem, tomllib.loads(path.read_text().split("+++")[1])["title"])
    yield from map(Offered, LESSON_FILES)


def languages_offered(wanted: Asked) -> Iterator[Offered]:
    """Those that are shipped."""
    from bellwire.viz.text.languages import languages

    return map(Offered, languages())


def listed_in_help(wanted: Asked) -> Iterator[Offered]:
    """What the first sentence of its help lists."""
    return map(Offered, re.split(r", | or ", wanted.parameter.help.partition(".")[0]))


def moments_offered(wanted: Asked) -> Iterator[Offered]:
    """Journeys that have names, and the first event of each kind."""
    from bellwire.engine.events import EventKind

    kinds = (kind.name.lower().replace("_", "-") for kind in EventKind)
    return map(Offered, chain(("#median", "#slowest", "#newest"), kinds))


def settings_offered(wanted: Asked) -> Iterator[Offered]:
    """What of the scenario can be set, and how it is; of one setting, what it can be."""
    from bellwire.engine.scenarios.rules import RULES, SETTINGS
    from bellwire.engine.scenarios.scenario import setting_words

    key, equals, _ = wanted.word.partition("=")
    if equals and key in SETTINGS:
        table, field = SETTINGS[key]
        yield from (Offered(f"{key}={value}") for value in allowed_values(RULES[table][field].allowed))
        return
    scenario = scenario_before(wanted)
    now = scenario.settings() if scenario else dict.fromkeys(SETTINGS)
    for name, value in now.items():
        yield Offered(f"{name}=", f"now {setting_words(value)}" if scenario else "")


def allowed_values(sentence: str) -> Iterator[str]:
    """Of what is allowed, what has a name: "one of hlt, spin", "on (true) or off (false)", '…, or "flat-out"'."""
    if sentence.startswith("one of "):
        yield from sentence.removeprefix("one of ").split(", ")
    elif sentence.startswith("on "):
        yield from ("on", "off")
    else:
        yield from re.findall(r'"([\w-]+)"', sentence)


def parts_offered(wanted: Asked) -> Iterator[Offered]:
    """Of a scenario the parts of its diagram; of a recording nobody knows them yet."""
    if scenario := scenario_before(wanted):
        from bellwire.viz.diagram.blueprint import blueprint_of

        yield from (Offered(name) for table in blueprint_of(scenario).tables for name in table)


def scenario_before(wanted: Asked) -> Scenario | None:
    """The scenario among the arguments before it, if there is one."""
    from bellwire.engine.scenarios.scenario import load_scenario

    try:
        return load_scenario(wanted.given[0]) if wanted.given else None
    except EngineError:
        return None


def processes_offered(wanted: Asked) -> Iterator[Offered]:
    """Those that have a VM."""
    from bellwire.engine.attached.processes import kvm_processes

    for process in kvm_processes():
        yield Offered(str(process.pid), f"{process.name} {process.guest}".strip())


def nothing_offered(wanted: Asked) -> Iterator[Offered]:
    """A number, or what is listed nowhere."""
    return iter(())


# By the option, where its metavariable does not tell; then by each part of the metavariable.
OF_OPTION: dict[str, Offers] = {
    "--language": languages_offered,
    "--lab": labs_offered,
    "--part": parts_offered,
    "--hide": always("pid", "host", "cpu", "annotations"),
    "--only": nothing_offered,
}
OF_METAVARIABLE: dict[str, Offers] = {
    "SCENARIO": scenarios_offered,
    "RECORDING": recordings_offered,
    "FILE": always(*RECORDINGS),
    "LIST": always(*SCENARIO_FILES),
    "A": recordings_offered,
    "B": recordings_offered,
    "PICTURE": always(*PICTURES),
    "LESSON": lessons_offered,
    "LESSON.md": always(*LESSON_FILES),
    "LAB": labs_offered,
    "OUT": always(ANY_FILE),
    "OUT.html": always(ANY_FILE),
    "DIR": always(FOLDERS),
    "VIEW": listed_in_help,
    "FORMAT": listed_in_help,
    "MOMENT": moments_offered,
    "KEY=VALUE": settings_offered,
    "PACE": always("story", "live"),
    "PID": processes_offered,
    "SOCKET": always(ANY_FILE),
    **dict.fromkeys(("N", "S", "WxH", "PERCENT", "METRIC<LIMIT", "NAMES", "PLOT:CURVE"), nothing_offered),
}


def values_offered(wanted: Asked, shown: str) -> Iterator[Offered]:
    """What may stand there. shown: the parameter, as help shows it."""
    for name in wanted.parameter.opts:
        if name in OF_OPTION:
            yield from OF_OPTION[name](wanted)
            return
    if found := CHOICES.search(shown):
        yield from map(Offered, found[1].split("|"))
        return
    for name in metavariables(wanted.parameter):
        yield from OF_METAVARIABLE.get(name, nothing_offered)(wanted)


def metavariables(parameter: Any) -> list[str]:
    """What help says may stand there: "[SCENARIO | RECORDING]" is two."""
    return (parameter.metavar or "").strip("[]").split(" | ")
