"""The panel of terms: searched by any spelling and by what they mean, linked with each other, led to from a lesson."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.glossary import GlossaryPanel
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.terms.glossary import load_glossary
from tests.support.fake_source import FakeSource
from tests.support.windows import staged


def panel_on(qtbot: QtBot) -> GlossaryPanel:
    panel = GlossaryPanel(LiveModel(FakeSource()), DARK)
    qtbot.addWidget(panel)
    panel.resize(420, 400)
    panel.set_theme(DARK)
    panel.show()
    panel.redraw()
    return panel


def test_what_is_looked_for_is_found_by_spelling_and_by_meaning(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    assert panel.found() == list(load_glossary().terms.values())
    QTest.keyClicks(panel.line, "kick")
    names = [term.name for term in panel.found()]
    assert names[0] == "doorbell"  # by its other spelling, before those whose meaning has it
    assert all("kick" in f"{term.also} {term.name} {term.meaning}".lower() for term in panel.found())
    assert panel.facts.startswith(str(len(names)))
    QTest.keyClicks(panel.line, "xyz<b>")
    assert panel.found() == []
    assert "No term has “kickxyz<b>”" in panel.text.toPlainText()
    QTest.keyClick(panel.line, Qt.Key.Key_Escape)
    assert panel.line.text() == ""
    assert len(panel.found()) == len(load_glossary().terms)


def test_a_term_leads_to_another_one(qtbot: QtBot) -> None:
    panel = panel_on(qtbot)
    QTest.keyClicks(panel.line, "datamatch")
    assert "term:ioeventfd" in panel.text.toHtml()
    panel.text.anchorClicked.emit(QUrl("term:ioeventfd"))
    assert panel.line.text() == ""
    assert "▸ ioeventfd" in panel.text.toPlainText()
    assert panel.text.verticalScrollBar().value() > 0
    panel.show_term("no such term")
    assert "▸ ioeventfd" in panel.text.toPlainText()
    for name in ("exit to user space", "I/O thread"):
        panel.text.anchorClicked.emit(QUrl(f"term:{name}"))
        assert f"▸ {name}" in panel.text.toPlainText()
    panel.set_theme(LIGHT)
    assert LIGHT.interrupt.lower() in panel.text.toHtml().lower()


def test_a_term_in_a_lesson_and_a_key_lead_to_it(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        panel = stage.window.views.panel("glossary")
        assert isinstance(panel, GlossaryPanel)
        stage.window.lesson_bar.text.linkActivated.emit("vCPU")
        assert panel.isVisible()
        assert "▸ vCPU" in panel.text.toPlainText()
        stage.window.views.front("")
        assert not panel.isVisible()
        stage.window.commands.look_up()
        assert panel.isVisible()
        assert panel.line.hasFocus() or stage.window.focusWidget() is panel.line
