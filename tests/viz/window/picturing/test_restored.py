"""A window at what a picture shows: a picture of it is that picture again, and from there on it plays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import PictureAsked, read_asked
from bellwire.viz.pictures.moment import Moment, moment_of
from bellwire.viz.pictures.played import PlayedRecording, begin_before, played_model
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.picturing.restored import restore_view
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.states import state


@contextmanager
def restored(qtbot: QtBot, asked: PictureAsked) -> Iterator[MainWindow]:
    """A shown window at a picture of a shipped recording."""
    source = PlayedRecording(Recording(path_of_shipped("roundtrip")))
    begin_before(source, asked.at)
    window = make_window(source, theme=DARK)
    qtbot.addWidget(window)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    restore_view(window, asked)
    yield window
    window.close()


@pytest.mark.parametrize(
    ("view", "at", "panel"),
    [
        ("extended", "3s", ""),
        ("sequence", "#40/runnable", "sequence"),
        ("stages", "#slowest", "explain"),
        ("timeline", "irqfd:3", ""),
        ("latency", "", ""),
    ],
)
def test_it_looks_at_the_same(view: str, at: str, panel: str, qtbot: QtBot) -> None:
    asked = PictureAsked(view=view, at=Moment.read(at))
    source = PlayedRecording(Recording(path_of_shipped("roundtrip")))
    expected = played_model(source, asked.at)
    expected.transport.pause()
    with restored(qtbot, asked) as window:
        for _ in range(3):
            window.frame.tick()
        model = window.model
        assert state(model) == state(expected)
        assert model.transport.paused
        if at:
            assert str(moment_of(model)).split("/")[0] == str(moment_of(expected)).split("/")[0]
        assert window.look.extended == (view == "extended")
        if panel:
            assert window.views.panel(panel).isVisible()
    source.stop()


def test_a_picture_of_the_window_keeps_what_is_in_front_and_which_curves_are_off(qtbot: QtBot) -> None:
    front, off = ("sequence", "events", "extended"), ("latency:doorbell",)
    asked = replace(PictureAsked(view="window", at=Moment.read("#40/runnable")), front=front, off=off)
    with restored(qtbot, read_asked(asked.options())) as window:
        window.refresh()
        assert window.look.extended
        assert window.views.fronts == ("sequence", "events")
        assert [window.views.panel(name).isVisible() for name in ("events", "sequence", "anatomy")] == [
            True,
            True,
            False,
        ]
        plot = next(plot for plot in window.views.plots if plot.name == "latency")
        assert not plot.legend["doorbell"].isChecked()
        again = window.pictures.asked_of(None)
        assert (again.front, again.off) == (front, off)


def test_from_there_on_it_plays(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    with restored(qtbot, PictureAsked(at=Moment.read("2s"))) as window:
        model, before = window.model, window.model.playhead
        assert model.recorded is not None
        began = model.recorded._started_ns
        assert began is not None
        monkeypatch.setattr(model.recorded, "_monotonic_ns", lambda: began + 10**9)
        model.transport.play()
        window.frame.tick()
        window.frame.tick()
        assert model.playhead == before + model.clock.cycles(1)
