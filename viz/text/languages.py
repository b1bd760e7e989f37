"""The languages that are shipped (assets/languages), and which of them somebody wants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from bellwire.engine.language import ENGLISH, Spoken, read_catalogue, speak
from bellwire.viz.text.assets import asset

CODE = "en"  # the language that the code is written in, which needs no catalogue
WANTED_IN = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set says what a user's programs speak


@cache
def languages() -> tuple[str, ...]:
    """Those that can be spoken: English, and those of which the build has packed a catalogue."""
    return CODE, *sorted(path.stem for path in asset("languages").glob("*.mo"))


def language_wanted(environment: Mapping[str, str] = os.environ) -> str:
    """The language of the user's other programs, if it is one of ours; else English."""
    locale = next((value for name in WANTED_IN if (value := environment.get(name))), "")
    language = locale.partition(".")[0].partition("_")[0].lower()
    return language if language in languages() else CODE


def speak_language(name: str) -> None:
    """Everything that is said from now on is in this language, one of languages(). OSError if it cannot be read."""
    if name != Spoken.name:
        speak(name, ENGLISH if name == CODE else read_catalogue(asset(f"languages/{name}.mo")))
