"""Text as it stands in a Markdown file: as it is, whatever signs are in it."""

from __future__ import annotations

import re

SPECIAL = re.compile(
    r"[\\`*\[\]]"  # that mean something anywhere
    r"|(?<!\w)_|_(?!\w)"  # in the midst of a word it is none
    r"|<(?=[A-Za-z/!?])"  # HTML
    r"|&(?=#?\w+;)"
)
AT_THE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|>|[-=~_]{3,}|=+\s*$)")
NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def as_markdown(text: str) -> str:
    """A line of text in which no sign means anything."""
    escaped = SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    escaped = NUMBERED.sub(r"\1\\\2", escaped)
    return AT_THE_START.sub(lambda found: f"\\{found[0]}", escaped)
