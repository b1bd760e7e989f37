"""The languages that are shipped, for tests that look at what is said in each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bellwire.viz.text.languages import CODE, speak_language

LANGUAGES = ("en", "de")


@contextmanager
def in_language(name: str) -> Iterator[None]:
    """Everything is said in this language; one that the build has not packed, for not all of it is said, fails."""
    speak_language(name)
    try:
        yield
    finally:
        speak_language(CODE)
