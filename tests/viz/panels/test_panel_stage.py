"""The stage that is looked at, in Anatomy, Calls, sequence chart, event table and timeline: as the stamps have it."""

from __future__ import annotations

import random
from html import unescape
from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QTextCursor
from pytestqt.qtbot import QtBot

from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.model.moments.looking import stage_mark, stages_possible
from bellwire.viz.model.moments.telling import Teller, begin_story, end_story
from bellwire.viz.panels.anatomy.page import BESIDE, FROM, HERE, anchor_of
from bellwire.viz.panels.anatomy.panel import AnatomyPanel
from bellwire.viz.panels.calls.panel import CallPanel
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.panels.sequence.panel import SequencePanel
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.figures import duration
from bellwire.viz.timeline.widget import Timeline
from tests.support.shipped_models import shipped_model
from tests.support.stage_moments import moments_within, possible_stages

SILENT = {"irq-masked"}  # of which no journey comes
SCENARIOS = [scenario.name for scenario in list_scenarios() if scenario.name not in SILENT]
MOMENTS_EACH = 2


class FiveViews:
    """All that follow, shown, of one model."""

    def __init__(self, qtbot: QtBot, name: str) -> None:
        model = self.model = shipped_model(name)
        self.anatomy, self.calls = AnatomyPanel(model, DARK), CallPanel(model, DARK)
        self.sequence, self.events, self.timeline = (
            SequencePanel(model, DARK),
            EventsPanel(model, DARK),
            Timeline(model, DARK),
        )
        self.all = (self.anatomy, self.calls, self.sequence, self.events, self.timeline)
        for view in self.all:
            qtbot.addWidget(view)
            view.set_theme(DARK)
            view.resize(*((1200, 260) if view in (self.events, self.timeline) else (420, 480)))
            view.show()

    def redraw(self) -> StageMark:
        """What the model looks at now, in all of them."""
        for view in self.all:
            view.redraw()
        mark = stage_mark(self.model)
        assert mark is not None
        return mark

    def check(self) -> StageMark:
        """All of them say the same, and what the stamps say."""
        shown = self.calls.call.name if self.calls.call else None
        mark = self.redraw()
        self.check_anatomy(mark)
        self.check_calls(mark, shown)
        self.check_sequence(mark)
        self.check_events(mark)
        assert self.timeline.mark is not None
        assert self.timeline.mark.key == mark.key
        assert self.timeline.facts.startswith(f"◆ {mark.words(self.model.clock)} ")
        assert self.timeline._chosen() == int(mark.point.journey["seq"][0])
        if self.model.story is not None:
            assert self.timeline.view.start <= mark.point.start <= mark.point.tsc <= self.timeline.view.end
        return mark

    def check_anatomy(self, mark: StageMark) -> None:
        """The entries with a bar are the stages; the first of them is in view, and words say how many they are."""
        panel, bar = self.anatomy, QColor(DARK.color(mark.color))
        tables = [QTextCursor(block).currentTable() for block in panel._places.values()]
        marked = [table.cellAt(0, 1).format().background().color().name() == bar.name() for table in tables]
        anchors = [anchor for anchor, on in zip(panel._places, marked, strict=True) if on]
        assert anchors == [anchor_of(stop.path, stop.name) for stop in mark.stops]
        text = panel.text.toPlainText()
        words = FROM.format(stages=len(anchors)) if len(anchors) > 1 else BESIDE if mark.point.beside else HERE
        assert words in text
        bounded = len(anchors) > 1 and spread(mark) > 0 and not self.model.clock.emulated
        assert (f"≤ {duration(self.model.clock.ns(spread(mark)))}" in text) == bounded
        top = panel.text.verticalScrollBar().value()
        first = panel.text.document().documentLayout().blockBoundingRect(panel._places[anchors[0]])
        assert top <= first.top() < top + panel.text.viewport().height()

    def check_calls(self, mark: StageMark, shown: str | None) -> None:
        """The call behind the stage that has begun is in front; where there is none, what was before."""
        panel, first = self.calls, mark.stops[0]
        kind = load_anatomy().stages[first.name].call
        interrupt = self.model.scenario.interrupt
        kind = interrupt.ioctl if kind == "ioctl" and interrupt else kind
        family = [call.name for call in panel.calls.family(kind)]
        assert f"“{first.stage.title}”" in unescape(panel.stage_line.text())
        if family:
            assert panel.call is not None
            assert panel.call.name in family
        else:
            assert (panel.call and panel.call.name) == shown
            assert "behind this stage is no call" in panel.stage_line.text()

    def check_sequence(self, mark: StageMark) -> None:
        """The chart is the journey's, and what is shaded in it lies between stamps: around the moment, if it is told
        by the moment alone."""
        panel, stamps = self.sequence, {*stamps_of(mark), mark.point.tsc if mark.point.beside else 0}
        assert panel.mark is not None
        assert panel.mark.key == mark.key
        assert panel.chart is not None
        assert panel.chart.start == mark.point.start
        start, end = mark.stretch
        assert {start, end or start} <= stamps
        assert len(mark.stops) == 1 or start <= mark.point.tsc < (end or 2**64)

    def check_events(self, mark: StageMark) -> None:
        """The current row is the newest stamp up to the moment, and the rows that are passed are not later."""
        rows, stamped = self.model.rows, self.events.stamped
        assert stamped is not None
        times = rows.pick(np.array(sorted(stamped.positions), np.int64))["tsc"].tolist()
        assert set(times) == {tsc for tsc in stamps_of(mark) if tsc <= mark.point.tsc}
        [current] = rows.pick(np.array([stamped.current]))["tsc"].tolist()
        assert current == max(times)
        shown = {row.position: row for row in self.events.table.page.rows}
        assert all(row.passed == (position in stamped.positions) for position, row in shown.items())
        assert all(row.of_choice for row in shown.values() if row.passed)
        if self.model.story is not None:
            assert stamped.current in shown
        assert self.events.table.page.current == stamped.current


def stamps_of(mark: StageMark) -> set[int]:
    """All times that something stamped on its journey's way."""
    way = mark.point.times.way
    names = {name for stop in (*way.stops, *way.beside) for name in (stop.began, *stop.by, stop.after)}
    return {mark.point.stamp(name) for name in names} - {0}


def spread(mark: StageMark) -> int:
    """Cycles between the two times of the stretch."""
    start, end = mark.stretch
    return (end or start) - start


@pytest.mark.parametrize("name", SCENARIOS)
def test_five_views_show_the_stage_that_the_stamps_leave_open(name: str, qtbot: QtBot) -> None:
    views, chance = FiveViews(qtbot, name), random.Random(name)
    model = views.model
    for tsc in moments_within(model, chance, MOMENTS_EACH):
        model.transport.seek(tsc)
        mark = views.check()
        assert {stop.name for stop in mark.stops} == set(possible_stages(model, mark.point.journey, tsc))
        assert stages_possible(model) == mark.names
    assert begin_story(model, Teller.MEDIAN)
    assert model.story is not None
    for step in sorted(chance.sample(range(len(model.story.steps)), 1)):
        model.story.go(step - model.story.step)
        model.tell(model.story)
        views.check()
        assert stages_possible(model) == {model.story.stop_of(step).name}
    end_story(model)


# -- who wins


def told(qtbot: QtBot, name: str, step: int) -> FiveViews:
    """In a story of the median journey, at a step."""
    views = FiveViews(qtbot, name)
    assert begin_story(views.model, Teller.MEDIAN)
    tell(views, step)
    return views


def tell(views: FiveViews, step: int) -> StageMark:
    story = views.model.story
    assert story is not None
    story.go(step - story.step)
    views.model.tell(story)
    return views.redraw()


def test_a_click_wins_until_the_stage_changes(qtbot: QtBot) -> None:
    views = told(qtbot, "roundtrip", 0)
    anatomy, calls = views.anatomy, views.calls
    anatomy.choose(QUrl("stage:irqfd"))
    at = anatomy.text.verticalScrollBar().value()
    assert at > 0
    views.redraw()
    assert anatomy.text.verticalScrollBar().value() == at
    assert "▸ The irqfd" in anatomy.text.toPlainText()
    calls.choose("irqfd")
    views.redraw()
    assert calls.call is not None
    assert calls.call.name == "irqfd"
    assert "“The guest writes”: out 0" in calls.stage_line.text()
    mark = tell(views, 3)
    assert mark.names == {"ioeventfd"}
    assert calls.call.name == "ioeventfd"
    assert "▸" not in anatomy.text.toPlainText()
    assert 0 < anatomy.text.verticalScrollBar().value() < at
    end_story(views.model)
    for view in views.all:
        view.redraw()
    assert "◆" not in anatomy.text.toPlainText() + views.timeline.facts
    assert calls.stage_line.isHidden()
    assert views.sequence.mark is None
    assert views.events.stamped is None


def test_a_row_that_was_chosen_stays_under_the_reader_and_a_story_moves_on(qtbot: QtBot) -> None:
    views = told(qtbot, "roundtrip", 0)
    model, events = views.model, views.events
    events.resize(1200, 150)  # three rows
    mark = tell(views, 0)
    last = len(model.story.steps) - 1 if model.story else 0
    tell(views, last)
    assert events.stamped is not None
    assert events.stamped.current in [row.position for row in events.table.page.rows]
    journey = mark.point.journey
    end_story(model)
    first = model.window(mark.point.start, mark.point.start)
    model.steps.to_event(first)
    views.redraw()
    assert views.timeline.view.start < mark.point.start < int(journey["handler"][0]) < views.timeline.view.end
    rows = [row.position for row in events.table.page.rows]
    model.transport.playhead = int(journey["handler"][0])  # it plays on, in slow motion
    events.redraw()
    assert events.stamped.current not in rows
    assert [row.position for row in events.table.page.rows] == rows
    model.to_newest()


def test_what_is_not_seen_does_nothing_and_a_stage_that_stays_paints_nothing(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = told(qtbot, "roundtrip", 0)
    sequence, painted = views.sequence, []
    monkeypatch.setattr(SequencePanel, "update", lambda *_: painted.append(True))
    sequence.redraw()
    assert not painted
    tell(views, 5)
    assert painted
    views.anatomy.hide()
    text = views.anatomy.text.toPlainText()
    story = views.model.story
    assert story is not None
    story.go(2)
    views.model.tell(story)
    for _ in range(3):
        qtbot.wait(60)
        views.anatomy.refresh()
    assert views.anatomy.text.toPlainText() == text
    end_story(views.model)


def test_a_stage_s_call_is_one_of_those_of_its_parts() -> None:
    """A part of a diagram and its stage do not lead to different calls."""
    kinds: dict[str, set[str]] = {}
    for scenario, extended in product(list_scenarios(), (False, True)):
        plan = blueprint_of(scenario, "", extended)
        for part in (*plan.wires.values(), *plan.nodes.values(), *plan.counters.values()):
            if part.stage and part.call:
                kinds.setdefault(part.stage, set()).add(part.call)
    stages = load_anatomy().stages
    told = {name for name in kinds if stages[name].call}
    assert len(told) >= 8
    assert [name for name in sorted(told) if stages[name].call not in kinds[name]] == []
