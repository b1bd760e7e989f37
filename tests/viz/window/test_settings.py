"""How the window looks is kept, and the next window looks so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.window.settings import Look, Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    made = Settings()
    yield made
    made._store.clear()  # what other tests' windows would open with


def test_the_next_window_looks_as_the_one_before_but_for_the_audience(qtbot: QtBot, settings: Settings) -> None:
    before, after = Look(LIGHT.scaled(1.2)), Look(DARK)
    before.set_unit("ns")
    before.set_extended(True)
    before.set_reduced_motion(True)
    before.set_presenting(True)
    settings.keep(before)
    settings.restore(after)
    assert settings.theme == before.theme
    assert (after.unit, after.extended, after.reduced_motion, after.presenting) == ("ns", True, True, False)


def test_each_change_is_told_by_its_own_signal(qtbot: QtBot) -> None:
    look, told = Look(DARK), list[str]()
    for name in ("theme", "unit", "extended", "motion", "presenting"):
        getattr(look, f"{name}_changed").connect(lambda name=name: told.append(name))
    look.set_theme(LIGHT)
    look.set_unit("us")
    look.set_extended(True)
    look.set_reduced_motion(True)
    look.set_presenting(True)
    assert told == ["theme", "unit", "extended", "motion", "presenting"]
