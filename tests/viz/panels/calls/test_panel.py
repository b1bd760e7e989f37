"""The panels Calls and Anatomy: the list and one call, by mouse and keyboard, from the diagram, after a live switch."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.program import program_of
from bellwire.engine.events import OTHER_VECTOR, EventKind, Lane, Setting, event
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.anatomy.panel import AnatomyPanel
from bellwire.viz.panels.calls.panel import COPIED, CallPanel
from bellwire.viz.panels.calls.state import call_at, calls_now, part_of
from bellwire.viz.style.theme import DARK, LIGHT
from tests.support.fake_source import FakeSource


def model_of(scenario: str = "roundtrip") -> tuple[LiveModel, FakeSource]:
    source = FakeSource(scenario)
    source.start()
    source.run(0.1)
    model = LiveModel(source)
    model.drain()
    return model, source


@pytest.fixture
def panel(qtbot: QtBot) -> CallPanel:
    made = CallPanel(model_of()[0], DARK)
    made.set_theme(DARK)
    made.resize(390, 400)
    qtbot.addWidget(made)
    made.show()
    return made


def test_with_nothing_chosen_it_lists_every_call(panel: CallPanel) -> None:
    items = panel.list.model()
    titles = [items.index(row, 0).data() for row in range(items.rowCount())]
    calls = [call.title for call in calls_of(panel.model.scenario)]
    assert [title for title in titles if title not in ("SET-UP", "WIRES", "SIGNALS", "CLOSE")] == calls
    assert panel.call is None


def test_the_keyboard_chooses_a_call_and_goes_back(panel: CallPanel) -> None:
    panel.list.point_at("ioeventfd")
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert panel.call is not None
    assert panel.call.name == "ioeventfd"
    assert panel.model.selection.part == "ioeventfd"
    panel.model.selection.choose(part="")
    assert panel.call is None


def test_a_part_of_the_diagram_chooses_its_call(panel: CallPanel) -> None:
    simple = ("wakeup", "read"), ("irqfd", "write"), ("ioctl", "signal-msi"), ("exit", "run")
    extended = ("device", "ioeventfd"), ("irqfd_entry", "irqfd"), ("routing", "routing"), ("cpu", "run")
    for part, name in (*simple, *extended):
        panel.model.selection.choose(part=part)
        assert panel.call is not None
        assert panel.call.name == name


@pytest.mark.parametrize("form", ["c", "python", "rust"])
def test_what_is_copied_is_the_program_that_is_shown(panel: CallPanel, form: str) -> None:
    panel.choose("irqfd")
    panel.forms.setCurrentIndex([panel.forms.tabData(n) for n in range(panel.forms.count())].index(form))
    panel.copy.click()
    assert panel.call is not None
    assert QGuiApplication.clipboard().text() == panel.code.toPlainText() == program_of(panel.call, form).text
    assert panel.copy.text() == COPIED


def test_a_live_switch_is_marked(qtbot: QtBot) -> None:
    model, source = model_of()
    panel = CallPanel(model, DARK)
    panel.set_theme(DARK)
    qtbot.addWidget(panel)
    panel.choose("ioeventfd")
    assert "assigned" in panel.says.text()
    source.order(Order.IOEVENTFD, False)
    source.run(0.05)
    model.drain()
    panel.redraw()
    assert "deassigned now" in panel.says.text()
    assert "→" in panel.struct.toPlainText()
    assert "KVM_IOEVENTFD_FLAG_DEASSIGN" in panel.shown_text
    assert {"ioeventfd", "run", "relay"} <= panel.calls.changed


def test_what_was_switched_on_and_off_again_was_deassigned() -> None:
    model, source = model_of("doorbell-coalesced-pio")
    assert state_in(model, "ioeventfd") == "not assigned"
    for on in (True, False):
        source.order(Order.IOEVENTFD, on)
        source.run(0.05)
        model.drain()
    assert state_in(model, "ioeventfd") == "deassigned"


def test_an_order_that_changes_the_route_marks_its_call() -> None:
    model, source = model_of()
    assert "routing" not in calls_now(model).changed
    model.plugged.feed(event(source.now(), EventKind.SETTING, Lane.ENGINE, Setting.ROUTE, 0, OTHER_VECTOR))
    now = calls_now(model)
    assert "routing" in now.changed
    assert f"vector {OTHER_VECTOR:#x}" in now.named("routing").says  # type: ignore[union-attr]


def state_in(model: LiveModel, name: str) -> str:
    call = calls_now(model).named(name)
    assert call is not None
    return call.state


@pytest.mark.parametrize("name", [scenario.name for scenario in list_scenarios()])
def test_every_picture_leads_to_calls_of_its_scenario(name: str) -> None:
    model = LiveModel(FakeSource(name))
    calls = calls_now(model)
    parts = {call.name: part_of(model, calls, call) for call in calls.calls}
    assert any(parts.values())
    for part in filter(None, parts.values()):
        assert call_at(model, calls, part) is not None


def test_themes_and_sizes_of_text(panel: CallPanel) -> None:
    panel.choose("routing")
    for theme in (LIGHT, DARK.scaled(1.5)):
        panel.set_theme(theme)
        assert panel.copy.x() > 0
        assert panel.title.startswith("KVM_SET")


def test_anatomy_shows_each_stage_and_marks_the_chosen_one(qtbot: QtBot) -> None:
    model, _ = model_of()
    panel = AnatomyPanel(model, DARK)
    panel.set_theme(DARK)
    qtbot.addWidget(panel)
    text = panel.text.toPlainText()
    for path in panel.paths:
        assert path.commit in text
        for stage in path.stages:
            assert stage.function in text
    assert "▸" not in text
    model.selection.choose(part="ioeventfd")
    assert "▸ The I/O bus is searched" in panel.text.toPlainText()
    panel.choose(QUrl("stage:irqfd"))
    assert "▸ The irqfd is called" in panel.text.toPlainText()
    assert model.selection.part


@pytest.mark.parametrize("scenario", ["roundtrip", "doorbell-fan-out", "irq-level-resample"])
def test_no_member_of_a_call_needs_to_be_scrolled_to_sideways(scenario: str, qtbot: QtBot) -> None:
    """However long the names of its flags are, in a column as narrow as it may be."""
    made = CallPanel(model_of(scenario)[0], DARK)
    made.set_theme(DARK)
    made.resize(300, 400)
    qtbot.addWidget(made)
    made.show()
    wide = []
    for call in made.calls.calls:
        made.choose(call.name)
        wide.append(made.struct.document().idealWidth() - made.struct.viewport().width())
    assert len(wide) > 3
    assert max(wide) <= 1  # of rounding
    assert not made.struct.horizontalScrollBar().isVisible()
