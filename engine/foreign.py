"""Text that came from elsewhere: from a recording, a scenario, a file's name, an argument. It is data.

Whatever of it is written to a terminal, a label or a file has gone through `shown` or a function that stands on it:
what would steer a terminal, turn the direction of writing or is no character at all is seen instead of obeyed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

LONGEST = 500  # characters of a text that has no limit of its own
LONGEST_NAME = 80  # characters of a file's name, without its suffix

# Control characters; line separators; what turns the direction of writing; what is invisible; halves of characters.
STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
STEERING_BUT_LINES = re.compile(STEERING.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))


def shown(text: str, most: int | None = None, *, lines: bool = False) -> str:
    """The text with a picture or an escape in place of each character that steers; cut off at `most` characters.

    lines: whether it may have several, so that a line's end is one.
    """
    if most is not None and len(text) > most:
        text = f"{text[: most - 1]}…"
    return (STEERING_BUT_LINES if lines else STEERING).sub(picture, text)


def picture(match: re.Match[str]) -> str:
    """What is seen of a character that steers: ␛; a byte that is no UTF-8 as \\xff; any other one as \\u202e."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:  # as Python reads such a byte of a file's name
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def file_name(text: str, otherwise: str = "recording") -> str:
    """A name for a file, without a suffix, that leads into no other folder and is no option, hidden or too long."""
    name = re.sub(r"[/\\:*?\"<>|\s]+", "-", STEERING.sub("-", text)).strip("-. ")
    while len(name.encode()) > LONGEST_NAME:
        name = name[:-1]
    return name or otherwise


def shell_line(words: Iterable[str]) -> str:
    """Words as a line to be pasted into a shell; what steers, or is no character, is an escape: $'\\xff.arrow'."""
    return " ".join(escaped_word(word) if STEERING.search(word) else shlex.quote(word) for word in words)


def escaped_word(word: str) -> str:
    """As bash and zsh read it."""
    plain = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{STEERING.sub(bytes_in_escapes, plain)}'"


def bytes_in_escapes(match: re.Match[str]) -> str:
    """A character as the bytes that a file's name has for it."""
    errors = "surrogateescape" if 0xDC80 <= ord(match[0]) <= 0xDCFF else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in match[0].encode(errors=errors))
