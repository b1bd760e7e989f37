"""Each key and each menu entry that the manual names is there in the window, under that very name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from bellwire.viz.window.actions import ACTIONS
from bellwire.viz.window.actions.action import written_key
from bellwire.viz.window.menus import Menus
from docs.computed.keys import keys_by_section, keys_of_a_lecture
from tests.support.manual_blocks import DOCS, pages
from tests.support.windows import staged

ROLE = re.compile(r"\{(kbd|menuselection)\}`([^`]+)`")
OF_CONTROLS = {*"123456789", "Tab", "Enter", "Up", "Down", "Alt+Up", "Alt+Down", "Alt+←", "Alt+→"}  # no action's


def named(role: str, text: str) -> list[str]:
    """What a page names in that role."""
    return [words for found, words in ROLE.findall(text) if found == role]


def paths_of(menu: QMenu, *above: str) -> Iterator[str]:
    """Its entries, and those of the menus in it, as a page has them."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        path = *above, action.text().replace("&", "")
        yield " --> ".join(path)
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from paths_of(inner, *path)


def menu_paths(menus: Menus) -> set[str]:
    """All that a menu bar leads to."""
    found = set[str]()
    for action in menus.bar.actions():
        menu = action.menu()
        assert isinstance(menu, QMenu)
        found |= {action.text(), *paths_of(menu, action.text())}
    return found


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {page: (DOCS / page).read_text() for page in pages()}


def test_each_menu_entry_is_in_the_window(qtbot: QtBot, texts: dict[str, str]) -> None:
    with staged(qtbot) as stage:
        stage.run()
        there = menu_paths(stage.window.menus)
    wanted = {(page, path) for page, text in texts.items() for path in named("menuselection", text)}
    assert {path for page, path in wanted if page == "tour.md"} >= {"Help --> Tour"}
    assert not {f"{page}: {path}" for page, path in wanted if path not in there}


def test_each_key_is_one_of_the_window_s(texts: dict[str, str]) -> None:
    there = OF_CONTROLS | {written_key(key) for action in ACTIONS for key in action.keys}
    wanted = {(page, key) for page, text in texts.items() for key in named("kbd", text)}
    assert {key for page, key in wanted if page == "tour.md"} >= {"I", "Ctrl+Shift+P"}
    assert not {f"{page}: {key}" for page, key in wanted if key not in there}


def test_a_table_of_keys_has_the_window_s_words() -> None:
    assert "| {kbd}`PgDn` | Lesson: next step. Without a lesson: play or pause |" in keys_of_a_lecture().splitlines()
    assert "| {kbd}`Space`, {kbd}`.` | Play or pause |" in keys_by_section().splitlines()
