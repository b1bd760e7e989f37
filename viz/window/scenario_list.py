"""The list of scenarios, by group, as a combo box and a menu show it."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QListView, QStyledItemDelegate, QStyleOptionViewItem

from bellwire.engine.language import tr
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.commands import commands_quoted

NAME = Qt.ItemDataRole.UserRole
LACKS = NAME + 1  # what this host lacks for it, as a sentence; "" if nothing
KEYS = "123456789"  # of the first scenario of each group; 0 is a zoom
NEW_LINE = "\u2028"  # within the text of one entry
PADDING = 8  # of an entry, to the left and to the right (stylesheet.py)
FRAME = 3  # pixels that Qt keeps free beside an entry's text, as its frame of focus and one more
LEAST_WIDTH, MOST_HEIGHT = 200, 10_000  # of an entry's lines


def scenario_groups() -> list[tuple[str, list[tuple[str, Scenario]]]]:
    """(group, [(key, scenario)]) in the order of a course; the first of each group has a key, the others have ""."""
    groups = groupby(list_scenarios(), key=lambda scenario: scenario.group)
    keys = iter(KEYS)
    return [(group, [(next(keys, "") if n == 0 else "", one) for n, one in enumerate(some)]) for group, some in groups]


def keyed() -> list[tuple[str, Scenario]]:
    """Every scenario with its key."""
    return [pair for _, some in scenario_groups() for pair in some]


class ScenarioLines(QStyledItemDelegate):
    """Draws an entry; below the title of one that this host cannot run, and as muted, what it lacks."""

    def __init__(self, theme: Theme, parent: QComboBox) -> None:
        super().__init__(parent)
        self.theme = theme

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        if why := index.data(LACKS):
            option.text = f"{option.text}{NEW_LINE}{tr('A recording. {why}', why=commands_quoted(why))}"
            option.features |= QStyleOptionViewItem.ViewItemFeature.WrapText
            for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
                option.palette.setColor(role, self.theme.color("text_muted"))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as its lines are in the width of the list."""
        size = super().sizeHint(option, index)
        combo = self.parent()
        if index.data(LACKS) and isinstance(combo, QComboBox):
            self.initStyleOption(option, index)
            view = combo.view()
            bar = view.verticalScrollBar()
            taken = 0 if bar.isVisible() else bar.sizeHint().width()  # it comes when the entries have got their places
            room = view.viewport().width() - taken - 2 * (self.theme.px(PADDING) + FRAME)
            lines = QRect(0, 0, max(room, self.theme.px(LEAST_WIDTH)), MOST_HEIGHT)
            flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
            words = option.fontMetrics.boundingRect(lines, flags, option.text.replace(NEW_LINE, "\n"))
            size.setHeight(words.height() + self.theme.px(2 * PADDING))
        return size


def fill(combo: QComboBox, theme: Theme) -> None:
    """All scenarios under the names of their groups, which cannot be chosen; muted what this host cannot run."""
    items = QStandardItemModel(combo)
    for group, some in scenario_groups():
        heading = QStandardItem(tr(group).upper())
        heading.setEnabled(False)
        items.appendRow(heading)
        for key, scenario in some:
            items.appendRow(entry(key, scenario))
    combo.setModel(items)
    combo.setItemDelegate(ScenarioLines(theme, combo))
    view = combo.view()
    if isinstance(view, QListView):
        view.setResizeMode(QListView.ResizeMode.Adjust)  # how high an entry is depends on how wide it is


def entry(key: str, scenario: Scenario) -> QStandardItem:
    """One scenario; its tooltip says what it is for, what this host lacks for it, and its key."""
    title = tr(scenario.title)
    item = QStandardItem(title)
    item.setData(scenario.name, NAME)
    lacks = refusal(scenario)
    item.setData(lacks, LACKS)
    if lacks:
        item.setData(f"{title}. {lacks}", Qt.ItemDataRole.AccessibleTextRole)
    said = f"{title}. {tr(scenario.purpose)} {lacks}".rstrip()
    item.setToolTip(plain_tip(f"{said}{f' ({key})' if key else ''}"))
    return item


def show_scenario(combo: QComboBox, scenario: Scenario | None) -> None:
    """Makes a scenario the current one; one that is not among them is only named. None: which it is is not told yet."""
    title = tr(scenario.title) if scenario else tr("not told yet")
    index = combo.findData(scenario.name, NAME) if scenario else -1
    if combo.itemText(index) != title:  # somebody's own, which may have the name of another
        index = -1
    if combo.currentIndex() != index:
        combo.setCurrentIndex(index)
    if combo.placeholderText() != title:
        combo.setPlaceholderText(title)
    item = combo.currentIndex()
    combo.setToolTip(combo.itemData(item, Qt.ItemDataRole.ToolTipRole) or tr("Scenario (1 to 9: the first of a group)"))
