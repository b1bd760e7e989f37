"""One journey as a message chart: the chosen one, the one under way in slow motion, else the newest, now and then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.events import Clock
from bellwire.engine.folds.clock_error import Agreement
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.folds.latency import begin
from bellwire.engine.language import tr, tr_later
from bellwire.viz.diagram import part_words
from bellwire.viz.model.live import LiveModel, journey_shown
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.panels.panel import SIDE, NothingToSaveError, Panel
from bellwire.viz.panels.sequence.chart import chart_of, span_of
from bellwire.viz.panels.sequence.layout import Layout
from bellwire.viz.panels.sequence.noted import ChartNote, chart_notes
from bellwire.viz.panels.sequence.painter import SequencePainter
from bellwire.viz.panels.sequence.parts import Chart
from bellwire.viz.panels.sequence.picture import SequencePicture
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.controls import Button
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import ScreenClock
from bellwire.viz.text.figures import duration, spent
from bellwire.viz.text.host_words import back_end_words
from bellwire.viz.text.trust import agreement, no_times

READABLE_SECONDS = 2.5  # that a chart stands while the newest are followed
PICTURE = QSize(460, 520)  # of a chart that no place on the screen has given a size, at 100 % text
NO_JOURNEY = tr_later("No journey yet")
NONE_WILL_COME = tr_later("No journey will come: the interrupt's pin is masked, so that nothing arrives")


class SequencePanel(Panel):
    """Reads the model; `even` is whether all steps are equally high."""

    title = tr_later("Sequence")
    name = "sequence"
    place = SIDE
    tip = tr_later("One journey as a message chart, with the time between its stamps")
    follows_stage = True
    file, files = "sequence.svg", "SVG (*.svg);;PNG (*.png)"

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.chart: Chart | None = None
        self._shown = no_journeys()  # the journey that the chart is of
        self._since = 0.0
        self.mark: StageMark | None = None  # of the journey that the chart is of, where the signal is
        self.noted: list[ChartNote] = []  # what somebody has written on it
        self.layout_: Layout | None = None  # where its times were painted
        self._painted: tuple[object, ...] = ()  # what the picture is of
        self.scale = Button(tr("To scale"), self)
        self.scale.setCheckable(True)
        self.scale.setToolTip(tr("On: a step is as high as it was long. Off: all steps are equally high"))
        self.scale.setAccessibleName(tr("time to scale"))
        self.scale.toggled.connect(lambda _on: self.update())
        self.setAccessibleName(tr("Sequence chart of one journey"))

    @property
    def even(self) -> bool:
        """Whether all steps are equally high."""
        return not self.scale.isChecked()

    # -- what is shown

    def redraw(self) -> None:
        """Takes the journey that the view is about; while the newest are followed, not before the last one was read."""
        self.mark = stage_mark(self.model)
        journey = journey_shown(self.model) if self.mark is None else self.mark.point.journey
        following = self.model.transport.following and not self.model.selection.journeys.size
        read = ScreenClock.now() - self._since >= READABLE_SECONDS
        if journey.size and not np.array_equal(journey, self._shown) and (read or not following or self.chart is None):
            self._take(journey)
        self.facts = self._facts_text()
        self.noted = self._notes()
        painted = self.chart, self.mark and self.mark.key, self._moment, self.noted
        if any(one is not other and one != other for one, other in zip_longest(painted, self._painted)):
            self._painted = painted
            self.update()

    def _notes(self) -> list[ChartNote]:
        if self.chart is None or not self._shown.size:
            return []
        start = int(begin(self._shown)[0])
        return chart_notes(self.chart, start, self.chart.end, self.model.annotations.all)

    @property
    def journey(self) -> Journeys:
        """That the chart is of; shape (1,), or (0,) if there is none."""
        return self._shown

    def moment_at(self, y: float) -> int | None:
        """The time at a height of the panel, TSC; None beside the chart."""
        layout = self.layout_
        return layout.tsc(y) if self.chart and layout and layout.top - 8 <= y <= layout.bottom + 8 else None

    @property
    def _moment(self) -> int | None:
        """That is marked."""
        return self.model.playhead if self.model.transport.exact else None

    def to_newest(self) -> None:
        """The newest journey at once, whether the last one was read or not."""
        self._since = 0.0

    def _take(self, journey: Journeys) -> None:
        model = self.model
        self._shown, self._since = journey.copy(), ScreenClock.now()
        events = model.window(*span_of(journey))
        self.chart = chart_of(journey, events, model.scenario, model.tally.partner_pid)
        self.chart.notes += clock_note(model)
        self.title = self.chart.name  # the tab has the panel's
        self.setAccessibleDescription(chart_in_words(self.chart, model))

    def _facts_text(self) -> str:
        chart = self.chart
        return f"{chart.latency} {whole_of_chart(chart, self.model)}" if chart else ""

    # -- painting

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._place_button()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button at the right of its row."""
        super().resizeEvent(event)
        self._place_button()

    def _place_button(self) -> None:
        size = self.scale.sizeHint()
        self.kept_right = PADDING + size.width()
        self.scale.setGeometry(self.header_rect(self.width() - PADDING - size.width() + self.theme.px(4), size))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card, the journey's name, the chart."""
        super().paintEvent(event)
        painter = QPainter(self)
        if self.chart is None:
            interrupt = self.model.scenario.interrupt
            self.paint_reason(painter, tr(NONE_WILL_COME) if interrupt and interrupt.masked else tr(NO_JOURNEY))
            return
        area = self.body.adjusted(-PADDING / 2, self.theme.px(6), PADDING / 2, 0)
        chart, clock = self.chart, clock_of_chart(self.model)
        sequence = SequencePainter(painter, self.theme, area, chart, clock, self.even, self.mark, self.noted)
        self.layout_ = sequence.layout
        sequence.paint(self._moment)

    def content(self, path: Path) -> Iterator[bytes]:
        """As it is on the screen, with the machine that it is from; of the journey that is shown, seen here or not."""
        if not self.isVisible():
            self.to_newest()
            self.redraw()
        if self.chart is None:
            raise NothingToSaveError(tr("There is no journey yet whose sequence chart could be saved."))
        model = self.model
        words = (self.title, self._facts_text()), provenance(model)
        picture = SequencePicture(self.theme, self.chart, clock_of_chart(model), self.even, *words, self._notes())
        size = self.size() if self.isVisible() else self.size().expandedTo(PICTURE * self.theme.scale)
        return iter([picture.content(path.suffix, size, self.devicePixelRatioF())])


def provenance(model: LiveModel) -> str:
    """What ran on what."""
    back_end = back_end_words(model.source.backend, model.source.host)
    parts = [tr(model.scenario.title), back_end, part_words.host_text(model.source.host)]
    parts += [tr("replayed from a recording")] if model.replaying else []
    return " · ".join(part for part in parts if part)


def chart_in_words(chart: Chart, model: LiveModel) -> str:
    """The chart in words."""
    clock = clock_of_chart(model)
    parts = [f"{segment.name} {segment.bound}{spent(clock, segment.cycles)}" for segment in chart.segments]
    return f"{chart.name}, {chart.latency} {whole_of_chart(chart, model)}: {', '.join(parts)}."


def clock_of_chart(model: LiveModel) -> Clock:
    """By which its parts are told: of clocks that are apart no more than of an emulated CPU."""
    apart = model.present.latencies.clock_error.apart
    return replace(model.clock, emulated=True) if apart else model.clock


def whole_of_chart(chart: Chart, model: LiveModel) -> str:
    """How long its journey took."""
    known = model.present.latencies.known(chart.measures)
    return duration(model.clock.ns(chart.cycles) if known else None)


def clock_note(model: LiveModel) -> list[str]:
    """How far the clocks of the two sides can be apart."""
    error = model.latencies.clock_error
    if model.clock.emulated:
        return [no_times()]
    if error.agreement is not Agreement.AGREE:
        word = agreement(error)
        return [f"{word[0].upper()}{word[1:]}."] if error.apart else []
    farthest = max(abs(ns) for ns in error.ns if ns is not None)
    return [
        tr("Guest's and host's clock are less than {time} apart, say the fastest journeys.", time=duration(farthest))
    ]
