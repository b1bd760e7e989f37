"""A language for tests, in which every message stands in «»: what does not is not said."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager

from bellwire.engine.language import speak


class MarkedMessages(gettext.NullTranslations):
    """Each message marked; wrong: those whose translation is this one."""

    def __init__(self, wrong: dict[str, str] | None = None) -> None:
        super().__init__()
        self.wrong = wrong or {}

    def gettext(self, message: str) -> str:
        return self.wrong.get(message, f"«{message}»")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return message if context == "decimal sign" else self.gettext(message)


@contextmanager
def marked_language(wrong: dict[str, str] | None = None) -> Iterator[None]:
    """Spoken within; afterwards it is English again."""
    speak("mark", MarkedMessages(wrong))
    try:
        yield
    finally:
        speak("en")


def unsaid(text: str) -> list[str]:
    """The words of a text that stand in no message: «a {b}», where b is one as well, counts as said."""
    depth, left = 0, [""]
    for letter in text:
        depth += (letter == "«") - (letter == "»")
        left = [*left[:-1], left[-1] + letter] if not depth and letter != "»" else [*left, ""] if left[-1] else left
    return [piece.strip() for piece in left if any(map(str.isalpha, piece))]
