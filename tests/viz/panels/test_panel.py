"""What stands around each panel's content, and what a screen reader says of it, is said in the language of now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.panels import PANELS
from bellwire.viz.panels.panel import Panel
from bellwire.viz.style.theme import LIGHT
from tests.support.accented import KEPT, in_accents, unsaid
from tests.support.shipped_models import shipped_model

NAMES = frozenset({"Linux", "Scroll", "Left", "Right"})  # the last three: of a tab bar, which Qt itself names


def texts_around(panel: Panel) -> Iterator[str]:
    """Titles, tips, labels of controls, names for screen readers."""
    yield from (panel.title, panel.tip, panel.facts, panel.note)
    for part in (panel, *panel.findChildren(QWidget)):
        yield from (part.accessibleName(), part.accessibleDescription() if part is panel else "", part.toolTip())
        match part:
            case QAbstractButton():
                yield part.text()
            case QLineEdit():
                yield part.placeholderText()
            case QComboBox():
                yield from (part.itemText(n) for n in range(part.count()))


@pytest.mark.parametrize("kind", PANELS, ids=lambda kind: kind.name)
def test_all_that_is_around_a_panel_is_said(qtbot: QtBot, kind: type[Panel]) -> None:
    with in_accents():
        panel = kind(shipped_model("irq-burst"), LIGHT)
        qtbot.addWidget(panel)
        panel.resize(900, 500)
        panel.show()
        panel.redraw()
        assert [text for text in texts_around(panel) if unsaid(KEPT.sub("", text), NAMES)] == []
