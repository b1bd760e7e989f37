"""The recordings that come with the program, one of each scenario: what is seen where no guest can run.

Lessons show some scenarios with other settings, which change more than the pace: of these there is one each as well.
And of a few scenarios there is one more, "roundtrip@kvm_amd": what differs where another KVM runs the guest.

`make recordings` makes them anew (tests/record_shipped.py), `make svm-recordings` those of the other KVM. They are
files like any other, compressed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bellwire.engine.errors import RecordingError
from bellwire.engine.language import tr
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import DEFAULT, Scenario, setting_words, shipped_scenario

ELSEWHERE = "@"  # in the name of a recording: behind it is the KVM that it was made with, which has no CPU of its own
WORDS = ("title", "group", "rank", "purpose", "shows")  # of a scenario, which may change without a new recording
Played = TypeVar("Played", bound=Replay)
FOLDER = Path(__file__).resolve().parents[2] / "assets" / "recordings"


def path_of_shipped(name: str) -> Path:
    """Where the recording of this name is, if there is one: of a scenario, or of one with other settings."""
    return FOLDER / f"{name}.arrow"


def file_or_shipped(path: Path) -> Path:
    """The file of this name; if there is none, the recording of this name that is shipped, if there is one.

    RecordingError for "roundtrip@kvm_intel" if there are only recordings with other KVMs: it says with which.
    """
    shipped = path_of_shipped(path.name)
    if shipped.exists() and not path.exists():
        return shipped
    name, _, backend = path.name.partition(ELSEWHERE)
    if backend and str(path) == path.name and not path.exists() and path_of_shipped(name).exists():
        raise RecordingError(
            tr(
                "No recording of {name} with {backend} is shipped; these are: {others}.",
                name=name,
                backend=backend,
                others=", ".join(shipped_with(name)),
            )
        )
    return path


def shipped_with(name: str) -> list[str]:
    """What a scenario's shipped recordings are called, each with the KVM that it was made with."""
    paths = [path_of_shipped(name), *sorted(FOLDER.glob(f"{name}{ELSEWHERE}*.arrow"))]
    return [f"{path.stem} ({Recording(path).header.backend})" for path in paths]


def name_of_shipped(scenario: Scenario) -> str:
    """The scenario's name, and the settings that are not those of its file: "irq-window+hold_us=100".

    A pace makes no difference, unless it is flat out: what is shipped is slow anyway. But of the default both switches
    are turned in its recording; at another pace than its own nobody touches them.
    """
    shipped = shipped_scenario(scenario.name)
    if shipped is None:
        return scenario.name
    usual = shipped.settings()
    other = {name: value for name, value in scenario.settings().items() if value != usual.get(name)}
    if not math.isinf(scenario.pace.per_second) and scenario.name != DEFAULT:
        other.pop("pace", None)
    return "+".join([scenario.name, *(f"{name}={setting_words(value)}" for name, value in other.items())])


def replay_in_place_of(scenario: Scenario, why: str) -> Replay:
    """A recording of this scenario, to be shown because no guest can run; RecordingError if none is shipped.

    With the same settings, if there is one. why: no guest can run, as a sentence with what to do.
    """
    return played_in_place_of(scenario, why, Replay)


def played_in_place_of(scenario: Scenario, why: str, play: Callable[[Recording], Played]) -> Played:
    """The same, played by whatever plays a recording."""
    path = path_of_shipped(name_of_shipped(scenario))
    if not path.exists():
        path = path_of_shipped(scenario.name)
    if not path.exists():
        raise RecordingError(
            tr(
                "{why}. Of the scenario {name} no recording is shipped.",
                why=why.removesuffix("."),
                name=scenario.name,
            )
        )
    source = play(Recording(path))
    source.no_guest = why
    words = {name: getattr(scenario, name) for name in WORDS}
    source.scenario = replace(source.scenario, **words)
    return source


def words_in_place(source: Replay) -> str:
    """Why it is shown and no guest, and on which machine it was made; "" if it is shown for its own sake."""
    if not source.no_guest:
        return ""
    why, cpu = source.no_guest.removesuffix("."), source.host.get("cpu", "")
    if not cpu:
        return tr("{why}. What you see is a recording, made on another machine.", why=why)
    return tr("{why}. What you see is a recording, made on {cpu}.", why=why, cpu=cpu)
