"""The menu Help."""

from __future__ import annotations

from bellwire.engine.language import tr_later
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.commands import Commands

C = Commands

HELP_MENU: tuple[Action, ...] = (
    Action("tour", "Help", tr_later("Tour"), (), C.take_tour, tr_later("Round the window in a minute; Esc ends it")),
    Action("keys", "Help", tr_later("Keys"), ("?", "F1"), C.show_keys, tr_later("Shows every key")),
    Action("look_up", "Help", tr_later("Look a term up…"), ("G",), C.look_up, tr_later("What the field's terms mean")),
    Action(
        "palette",
        "Help",
        tr_later("Find an action…"),
        ("Ctrl+Shift+P",),
        C.show_palette,
        tr_later("Every action by its name"),
    ),
    Action("about", "Help", tr_later("About…"), (), C.show_about, tr_later("Versions and this machine")),
)
