"""Whether a choice is right, as a sign and in a word: the same in the window, on paper, on slides and on a page."""

from __future__ import annotations

from bellwire.engine.language import tr, tr_later

Right = bool | None  # None: that cannot be told

MARKS: dict[Right, str] = {True: "✓", False: "✗", None: "–"}
WORDS: dict[Right, str] = {True: tr_later("right"), False: tr_later("wrong"), None: tr_later("not known")}


def verdict_word(right: Right) -> str:
    """For whoever hears it: "right"."""
    return tr(WORDS[right])


def verdict_words(right: Right) -> str:
    """ "✓ right"."""
    return f"{MARKS[right]} {verdict_word(right)}"
