"""A language that nobody speaks: each letter of a message has an accent. What has none was never said by tr().

It stays an accented text however it is wrapped, cut short or put together.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager

from bellwire.engine.language import speak

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTS = str.maketrans(PLAIN, "àƀçđéƒĝĥíĵķļɱñôþǫŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÍĴĶĻṀÑÔÞǪŔŠŢÛṼŴẊÝŽ")
KEPT = re.compile(r"(\{[^{}]*\}|<[^<>]*>|&\w+;)")  # places to be filled in, tags
WORD = re.compile(r"(?<![\w/.(&-])[A-Za-z]{3,}(?![\w/(=-]|\.\w)")  # no part of a path, of an expression, of a name


def accented(message: str) -> str:
    """The message, said with accents."""
    return "".join(part if n % 2 else part.translate(ACCENTS) for n, part in enumerate(KEPT.split(message)))


class Accents(gettext.NullTranslations):
    """Knows every message."""

    def gettext(self, message: str) -> str:
        return accented(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return accented(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return accented(message)


@contextmanager
def in_accents() -> Iterator[None]:
    """Everything is said so."""
    speak("xx", Accents())
    try:
        yield
    finally:
        speak("en")


def unsaid(text: str, names: frozenset[str] | set[str]) -> list[str]:
    """The words of a text that are English, and neither a name nor a part of one."""
    return [word for word in WORD.findall(text) if word not in names]
