"""The list of scenarios, by group, as a combo box and a menu show it."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox

from bellwire.engine.language import tr
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios
from bellwire.viz.style.plain import plain_tip

NAME = Qt.ItemDataRole.UserRole
KEYS = "1234567890"  # of the first scenario of each group


def scenario_groups() -> list[tuple[str, list[tuple[str, Scenario]]]]:
    """(group, [(key, scenario)]) in the order of a course; the first of each group has a key, the others have ""."""
    groups = groupby(list_scenarios(), key=lambda scenario: scenario.group)
    keys = iter(KEYS)
    return [(group, [(next(keys, "") if n == 0 else "", one) for n, one in enumerate(some)]) for group, some in groups]


def keyed() -> list[tuple[str, Scenario]]:
    """Every scenario with its key."""
    return [pair for _, some in scenario_groups() for pair in some]


def fill(combo: QComboBox) -> None:
    """All scenarios under the names of their groups, which cannot be chosen."""
    items = QStandardItemModel(combo)
    for group, some in scenario_groups():
        heading = QStandardItem(tr(group).upper())
        heading.setEnabled(False)
        items.appendRow(heading)
        for key, scenario in some:
            items.appendRow(entry(key, scenario))
    combo.setModel(items)


def entry(key: str, scenario: Scenario) -> QStandardItem:
    """One scenario; its tooltip says what it is for, what this host lacks for it, and its key."""
    title = tr(scenario.title)
    item = QStandardItem(title)
    item.setData(scenario.name, NAME)
    said = f"{title}. {tr(scenario.purpose)} {refusal(scenario)}".rstrip()
    item.setToolTip(plain_tip(f"{said}{f' ({key})' if key else ''}"))
    return item


def show_scenario(combo: QComboBox, name: str) -> None:
    """Makes the scenario called `name` the current one; none, if it is not among them or has no name to be told."""
    if combo.currentData(NAME) != name:
        combo.setCurrentIndex(combo.findData(name, NAME))
    item = combo.currentIndex()
    combo.setToolTip(
        combo.itemData(item, Qt.ItemDataRole.ToolTipRole) or tr("Scenario (1 to 9, then 0: the first of each group)")
    )
