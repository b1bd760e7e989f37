"""The one table of what the user can do. Menus, keys, tooltips, the palette and the key help are made from it."""

from __future__ import annotations

from bellwire.engine.language import tr, tr_later
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.actions.analyze_menu import ANALYZE_MENU
from bellwire.viz.window.actions.file_menu import FILE_MENU
from bellwire.viz.window.actions.help_menu import HELP_MENU
from bellwire.viz.window.actions.run_menu import RUN_MENU
from bellwire.viz.window.actions.view_menu import VIEW_MENU

MENUS = (tr_later("File"), tr_later("View"), tr_later("Run"), tr_later("Analyze"), tr_later("Help"))
ACTIONS: tuple[Action, ...] = (*FILE_MENU, *VIEW_MENU, *RUN_MENU, *ANALYZE_MENU, *HELP_MENU)
BY_NAME = {action.name: action for action in ACTIONS}


def tooltip(name: str, reason: str = "") -> str:
    """What an action does and its key; `reason`: why it cannot be done now."""
    action = BY_NAME[name]
    key = f" ({action.key})" if action.key else ""
    return (
        tr("{action}: not now. {reason}", action=f"{action.text}{key}", reason=reason) if reason else action.tip + key
    )
