"""The tour leads round the window, says what the run says, and can be left and found again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import DARK
from bellwire.viz.text.figures import grouped
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.tour.stations import STATIONS
from bellwire.viz.window.tour.tour import bubble_corner
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import FakeSource
from tests.support.windows import on_whole_run

SIZES = [(1280, 720, 1.0), (1280, 720, 1.6), (2560, 1440, 1.0)]  # and of text


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    with on_whole_run(qtbot, 1280, 720) as made:
        yield made


def stands(window: MainWindow) -> tuple[bool, bool]:
    """Whether the tour is on, and whether it has been seen."""
    return window.tour.on, window.tour.seen


def refreshed(window: MainWindow) -> None:
    QApplication.processEvents()
    window._bar_at = 0.0
    window.frame.tick()
    QApplication.processEvents()


@pytest.mark.parametrize(("width", "height", "text"), SIZES)
def test_every_station_shows_something_and_its_words_have_room_beside_it(
    width: int, height: int, text: float, window: MainWindow
) -> None:
    window.resize(width, height)
    window.look.size_text(text)
    window.tour.begin()
    titles = []
    for _ in STATIONS:
        refreshed(window)
        tour, bubble = window.tour, window.tour.bubble
        titles.append(bubble.title.text())
        assert tour.holes, titles
        assert all(window.rect().contains(hole) for hole in tour.holes)
        assert window.rect().contains(bubble.geometry())
        assert bubble.text.height() >= bubble.text.heightForWidth(bubble.text.width()), titles
        if text == 1.0:
            assert not bubble.geometry().intersects(tour.holes[0]), titles
        tour.go(+1)
    assert titles == [station.title for station in STATIONS]
    assert len(titles) == 7
    assert not window.tour.on


def test_it_says_what_has_happened(window: MainWindow) -> None:
    window.tour.begin()
    window.tour.go(+1)
    rung, received = window.model.tally.doorbells_rung, window.model.tally.doorbells_received
    assert rung
    assert f"Of {grouped(rung)} doorbells so far {grouped(received)} came" in window.tour.bubble.text.text()
    assert window.views.diagram.highlight == STATIONS[1].parts
    window.tour.go(+1)
    assert window.views.diagram.highlight == frozenset()


def test_a_recording_is_told_as_one(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    window.tour.begin()
    assert "runs in KVM now" in window.tour.bubble.text.text()
    monkeypatch.setattr(type(window.model), "replaying", property(lambda _: True))
    window.tour.refresh()
    assert "recording of a real guest" in window.tour.bubble.text.text()
    assert window.model.source.host["cpu"] in window.tour.bubble.text.text()


def test_keys_lead_on_back_and_out_while_the_program_goes_on(window: MainWindow) -> None:
    BY_NAME["tour"].run(window.commands)
    bubble = window.tour.bubble
    assert bubble.on.hasFocus() or not window.isActiveWindow()
    assert not bubble.back.isEnabled()
    QTest.keyClick(bubble.on, Qt.Key.Key_Return)
    assert bubble.where.text() == "2 of 7"
    QTest.keyClick(bubble.back, Qt.Key.Key_Return)
    assert bubble.where.text() == "1 of 7"
    assert stands(window) == (True, False)
    QTest.keyClick(bubble, Qt.Key.Key_Escape)
    assert stands(window) == (False, True)
    BY_NAME["tour"].run(window.commands)
    assert stands(window) == (True, True)
    window.commands.clear()
    assert stands(window) == (False, True)


def test_a_click_beside_the_bubble_reaches_the_program(window: MainWindow) -> None:
    window.tour.begin()
    refreshed(window)
    assert window.childAt(window.controls.mapTo(window, QPoint(5, 5))) is not window.tour
    assert window.tour.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_the_light_way_is_taken_away_and_given_back(qtbot: QtBot) -> None:
    source = FakeSource()
    window = make_window(source, theme=DARK)
    qtbot.addWidget(window)
    window.show()

    def said() -> str:
        source.run(0.2)
        refreshed(window)
        return window.tour.bubble.text.text()

    window.tour.begin()
    window.tour.go(+2)
    assert "press I: without an ioeventfd each doorbell leaves the guest for user space. So far 0 have." in said()
    window.controls.switches["ioeventfd"].click()
    qtbot.waitUntil(lambda: "The ioeventfd is off." in said())
    window.model.present.tally.exits_to_userspace["MMIO"] = 7  # of no doorbell
    words, exits = said(), window.model.evidence.ways.left
    assert 0 < exits < sum(window.model.tally.exits_to_userspace.values())
    assert f"an exit to user space: {grouped(exits)} so far. I switches it on again." in words
    window.controls.switches["ioeventfd"].click()
    qtbot.waitUntil(lambda: "Click the switch" in said())
    window.close()


@pytest.mark.parametrize(
    ("hole", "place"),
    [
        (QRect(300, 20, 80, 30), "below"),
        (QRect(100, 600, 800, 190), "above"),
        (QRect(10, 10, 300, 780), "right"),
        (QRect(700, 10, 290, 780), "left"),
        (QRect(), "middle"),
    ],
)
def test_where_the_bubble_stands(hole: QRect, place: str) -> None:
    room, size = QRect(0, 0, 1000, 800), QSize(300, 200)
    stands = QRect(bubble_corner(hole, size, room), size)
    assert room.contains(stands)
    assert not stands.intersects(hole)
    found = {
        "below": stands.top() > hole.bottom(),
        "above": stands.bottom() < hole.top(),
        "right": stands.left() > hole.right(),
        "left": stands.right() < hole.left(),
        "middle": (stands.center() - room.center()).manhattanLength() <= 2,
    }
    assert found[place]
