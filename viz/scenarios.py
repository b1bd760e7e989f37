"""The list of scenarios, by group, as a combo box and a menu show it."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from engine.scenario import Scenario, list_scenarios

NAME = Qt.ItemDataRole.UserRole
KEYS = "123456789"  # of the first nine


def keyed() -> list[tuple[str, Scenario]]:
    """Every scenario with its key, "" from the tenth on."""
    return [(KEYS[n] if n < len(KEYS) else "", scenario) for n, scenario in enumerate(list_scenarios())]


def fill(combo: QComboBox) -> None:
    """All scenarios under the names of their groups, which cannot be chosen."""
    items = QStandardItemModel(combo)
    for group, some in groupby(keyed(), key=lambda pair: pair[1].group):
        heading = QStandardItem(group.upper())
        heading.setEnabled(False)
        items.appendRow(heading)
        for key, scenario in some:
            items.appendRow(entry(key, scenario))
    combo.setModel(items)


def entry(key: str, scenario: Scenario) -> QStandardItem:
    """One scenario; its tooltip says what it is for, and its key."""
    item = QStandardItem(scenario.title)
    item.setData(scenario.name, NAME)
    item.setToolTip(f"{scenario.purpose} ({key})" if key else scenario.purpose)
    return item


def show_scenario(combo: QComboBox, name: str) -> None:
    """Makes the scenario called `name` the current one; none, if it is not among them."""
    if combo.currentData(NAME) != name:
        combo.setCurrentIndex(combo.findData(name, NAME))
    item = combo.currentIndex()
    combo.setToolTip(combo.itemData(item, Qt.ItemDataRole.ToolTipRole) or "Scenario (1 to 9)")
