"""The panel says what the findings say, and leads to an event that shows it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind, Lane, Setting, event
from bellwire.engine.findings.findings import findings
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Order
from bellwire.viz.diagram.part_words import match_text
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.evidence import EvidencePanel
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.window.views import Views
from tests.support.fake_source import FakeSource


def panel_on(qtbot: QtBot, scenario: str = "roundtrip", seconds: float = 0.5) -> tuple[EvidencePanel, FakeSource]:
    source = FakeSource(scenario)
    source.start()
    panel = EvidencePanel(LiveModel(source), DARK)
    qtbot.addWidget(panel)
    panel.resize(420, 400)
    panel.show()
    run(panel, source, 0.0)
    source.order(Order.IOEVENTFD, False)
    run(panel, source, seconds)
    return panel, source


def run(panel: EvidencePanel, source: FakeSource, seconds: float) -> None:
    source.run(seconds)
    panel.model.tick(seconds)
    panel.redraw()


def claims(panel: EvidencePanel) -> list[str]:
    return [row.finding.claim for row in panel.rows if not row.isHidden()]


def test_a_row_a_finding_kept_up_to_date(qtbot: QtBot) -> None:
    panel, source = panel_on(qtbot)
    assert claims(panel) == [found.claim for found in findings(panel.model.tally, panel.model.evidence)]
    before = claims(panel)
    assert "left to user space: the ioeventfd was off" in before[0]
    run(panel, source, 0.5)
    assert claims(panel) != before
    assert panel.rows[0].accessibleName() == claims(panel)[0]


def test_of_nothing_nothing_is_told(qtbot: QtBot) -> None:
    panel, _ = panel_on(qtbot, "irq-msi", 0.0)
    assert claims(panel) == []
    assert panel.facts == "Nothing to tell yet"


@pytest.mark.parametrize("by_key", [False, True], ids=["click", "space"])
def test_a_row_leads_to_the_newest_event_that_shows_it(qtbot: QtBot, by_key: bool) -> None:
    panel, _ = panel_on(qtbot)
    row = panel.rows[0]
    if by_key:
        QTest.keyClick(row, Qt.Key.Key_Space)
    else:
        QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    chosen = panel.model.selection.events
    exits = panel.model.events.window(0, 2**63)
    assert chosen["tsc"][0] == exits["tsc"][exits["kind"] == EventKind.EXIT].max()
    assert panel.model.state == "PAUSED"


def test_rows_are_as_high_as_their_text_needs(qtbot: QtBot) -> None:
    panel, _ = panel_on(qtbot)
    row = panel.rows[0]
    assert row.heightForWidth(250) > row.heightForWidth(900)
    panel.set_theme(LIGHT)
    assert row.theme is LIGHT
    assert not panel.grab().isNull()


def test_where_a_lab_mends_the_registration_both_ways_are_drawn_and_the_words_follow() -> None:
    source = FakeSource("lab-wrong-length")
    source.start()
    model = LiveModel(source)
    assert {Trait.MENDED, Trait.DOORBELL} <= traits_of(source.scenario)
    assert Trait.MISS not in traits_of(source.scenario)
    model.tick(0.1)
    assert "4 B" in match_text(model)
    model.plugged.feed(event(1, EventKind.SETTING, Lane.ENGINE, Setting.STEP, 0, 1))
    assert "any length" in match_text(model)


def in_front(qtbot: QtBot, scenario: str, front: dict[str, str], choose: int = -1) -> int:
    """The page at the side that comes first, in views that remember `front`; then somebody chooses another."""
    views = Views(LiveModel(FakeSource(scenario)), DARK, front)
    qtbot.addWidget(views)
    first = views.side.bar.currentIndex()
    if choose >= 0:
        views.side.bring(choose)
    return first


def test_a_lab_begins_with_its_evidence_until_somebody_chooses_otherwise(qtbot: QtBot) -> None:
    front: dict[str, str] = {}
    views = Views(LiveModel(FakeSource("roundtrip")), DARK)
    qtbot.addWidget(views)
    evidence = views.side.pages.index(views.panel("evidence"))
    assert in_front(qtbot, "roundtrip", front) == 0
    assert in_front(qtbot, "lab-wire-cut", front) == evidence
    assert in_front(qtbot, "roundtrip", front, choose=evidence + 1) == 0
    assert in_front(qtbot, "lab-wire-cut", front, choose=0) == evidence
    assert in_front(qtbot, "lab-wrong-length", front) == 0
    assert in_front(qtbot, "roundtrip", front) == evidence + 1
