"""Menus, keys and the palette's lines, made from the table of actions and the list of scenarios."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.window.actions import ACTIONS, MENUS, Action, tooltip
from bellwire.viz.window.palette import Entries
from bellwire.viz.window.scenario_list import keyed, scenario_groups

if TYPE_CHECKING:
    from bellwire.viz.window.window import MainWindow


class Menus:
    """The menu bar of a window; its actions carry the window's keys, whether the bar is shown or not."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.bar = QMenuBar()
        self.actions = {action.name: self._action(action) for action in ACTIONS}
        menus = {name: self._menu(name) for name in MENUS}
        for action in ACTIONS:
            if action.begins:
                menus[action.menu].addSeparator()
            menus[action.menu].addAction(self.actions[action.name])
        self.recent = QMenu("Open recent")
        self.recent.aboutToShow.connect(self._fill_recent)
        menus["File"].insertMenu(self.actions["record"], self.recent)
        scenarios = menus["Run"].addMenu("Scenario")
        for group, some in scenario_groups():
            submenu = scenarios.addMenu(group)
            submenu.setToolTipsVisible(True)
            for key, scenario in some:
                submenu.addAction(self._scenario(key, scenario))

    def _menu(self, name: str) -> QMenu:
        menu = self.bar.addMenu(name)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.refresh)
        return menu

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self.window.files.recent:
            made = self.recent.addAction(path.name, partial(self.window.files.replay, path))
            made.setToolTip(str(path))
        if self.recent.isEmpty():
            self.recent.addAction("None yet").setEnabled(False)

    def _action(self, action: Action) -> QAction:
        made = QAction(action.text, self.window)
        made.setShortcuts([QKeySequence(key) for key in action.keys])
        made.setCheckable(action.checkable)
        made.setToolTip(tooltip(action.name))
        made.triggered.connect(lambda _=False: self.window.run_action(action))
        self.window.addAction(made)
        return made

    def _scenario(self, key: str, scenario: Scenario) -> QAction:
        made = QAction(scenario.title, self.window)
        made.setToolTip(scenario.purpose)
        made.triggered.connect(lambda _=False: self.window.run_scenario(scenario))
        if key:
            made.setShortcut(QKeySequence(key))
        self.window.addAction(made)
        return made

    def refresh(self) -> None:
        """What can be done now, and what is on; called when a menu opens."""
        source, on = self.window.model.source, self.window.switched_on()
        for action in ACTIONS:
            reason = source.can(action.order) if action.order else ""
            made = self.actions[action.name]
            made.setToolTip(tooltip(action.name, reason))
            made.setText(f"{action.text} ({reason.rstrip('.')})" if reason else action.text)
            made.setChecked(on.get(action.name, False))

    def entries(self) -> Entries:
        """The palette's lines."""
        window = self.window
        lines: Entries = [
            (f"{action.text}{f'   {action.key}' if action.key else ''}", partial(window.run_action, action))
            for action in ACTIONS
        ]
        return lines + [(f"Scenario: {some.title}", partial(window.run_scenario, some)) for _, some in keyed()]
