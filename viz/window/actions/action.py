"""What an action is: something that the user can do, with its words, its keys and what does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bellwire.engine.language import tr
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
        return KEY_NAMES.get(self.keys[0], self.keys[0]) if self.keys else ""


KEY_NAMES = {
    "Right": "→",
    "Left": "←",
    "PgDown": "PgDn",
    "Esc": "Esc",
    "Shift+Right": "Shift+→",
    "Shift+Left": "Shift+←",
    "Ctrl+Right": "Ctrl+→",
    "Ctrl+Left": "Ctrl+←",
}
