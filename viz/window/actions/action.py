"""What an action is: something that the user can do, with its words, its keys and what does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bellwire.engine.language import tr, tr_later
from bellwire.engine.source import Order
from bellwire.viz.window.commands import Commands


@dataclass(frozen=True)
class Action:
    """Something to do: its words, its keys (the first one is shown), what does it, and what it needs.

    words, hint: as messages; text and tip say them.
    """

    name: str
    menu: str  # one of MENUS
    words: str
    keys: tuple[str, ...]
    run: Callable[[Commands], None]
    hint: str
    order: Order | None = None  # that it gives the source: while that cannot be, it is disabled and says why
    checkable: bool = False
    begins: bool = False  # a group in its menu
    under: str = ""  # the title of a menu in its menu, as a message
    presenting: bool = False  # its keys are its own while there is an audience, whatever they are else

    @property
    def text(self) -> str:
        """What it is called in menus and in the palette."""
        return tr(self.words)

    @property
    def tip(self) -> str:
        """What it does, in one sentence."""
        return tr(self.hint)

    @property
    def key(self) -> str:
        """The key as it is written on a keyboard; empty if there is none."""
        return written_key(self.keys[0]) if self.keys else ""


KEY_NAMES = {  # as they are written on a keyboard
    "Right": "→",
    "Left": "←",
    "PgDown": tr_later("PgDn"),
    "PgUp": tr_later("PgUp"),
    "Home": tr_later("Home"),
    "End": tr_later("End"),
    "Del": tr_later("Del"),
    "Space": tr_later("Space"),
    "Esc": tr_later("Esc"),
    "Ctrl": tr_later("Ctrl"),
    "Shift": tr_later("Shift"),
}


def written_key(key: str) -> str:
    """A key, with those that are held down, as they are written on a keyboard: "Shift+→"."""
    return "+".join(tr(KEY_NAMES[one]) if one in KEY_NAMES else one for one in re.split(r"\+(?=.)", key))
