"""`bellwire complete`, which shells run when Tab is pressed, and nobody types. No command of Typer's: it is quick.

bellwire complete LINE              the line up to the cursor, as it was typed
bellwire complete -- WORD ...       those behind the program's name, the last one up to the cursor

Prints a line for each word or pattern that fits, with what it means behind a tab.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from bellwire.viz.cli.completing.offers import offers

COMPLETE = "complete"


def print_offers(program: Any, asked: Sequence[str]) -> None:
    """Of Click's command. asked: what stands behind `bellwire complete`."""
    words = asked[1:] if asked[:1] == ["--"] else typed_words(asked[0] if asked else "")[1:]
    for offered in offers(program, words):
        print(f"{offered.word}\t{' '.join(offered.meaning.split())}")


def typed_words(line: str) -> list[str]:
    """The words of a line as a shell takes them apart; the last one, which may be empty, need not be whole."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[str] = []
    try:
        found.extend(lexer)
    except ValueError:  # within quotes, or behind a backslash
        return [*found, lexer.token.lstrip("'\"")]
    return [*found, ""] if line[-1:].isspace() else found
