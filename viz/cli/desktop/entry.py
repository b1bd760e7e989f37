"""The desktop entry, with the words by which the program is started on this machine."""

from __future__ import annotations

import re

RESERVED = re.compile(r"""[\s"'\\><~|&;$*?#()`]""")  # characters for which a word has to stand in quotes


def entry_calling(entry: str, call: list[str]) -> str:
    """The entry with this call in place of `bellwire`."""
    lines = []
    for line in entry.splitlines():
        key, _, value = line.partition("=")
        if key == "Exec":
            through = ["env"] if "%" in call[0] else []  # GLib looks for the first word as it is written: with %%
            line = f"Exec={' '.join(map(exec_word, [*through, *call]))}{value.removeprefix('bellwire')}"
        elif key == "TryExec":
            line = f"TryExec={in_string(call[0])}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def exec_word(word: str) -> str:
    """A word of Exec. What is quoted is a string in a string: each backslash doubles twice."""
    word = word.replace("%", "%%")
    if not RESERVED.search(word):
        return word
    return in_string('"' + re.sub(r'["`$\\]', r"\\\g<0>", word) + '"')


def in_string(value: str) -> str:
    """A value of the file."""
    return value.replace("\\", "\\\\")
