"""The window fits the screen that is there: the first one, and one that was remembered from another screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.panels import PANELS
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.access.on_screen import FRAME, fit_to_screen
from bellwire.viz.window.window import USUAL, MainWindow, make_window
from tests.support.fake_source import FakeSource
from tests.support.windows import Stage

SCREENS = {  # of so many pixels, by so much larger
    "1024x768": QRect(0, 0, 1024, 768),
    "1280x720": QRect(0, 0, 1280, 720),
    "1280x720 at 1.5": QRect(0, 0, 853, 480),
    "1280x720 at 2": QRect(0, 0, 640, 360),
    "3840x2160": QRect(0, 0, 3840, 2160),
    "3840x2160 at 2": QRect(0, 0, 1920, 1080),
    "beside another": QRect(1920, 200, 1366, 740),
}


class Screen:
    """Of a size that a test chooses."""

    def __init__(self, room: QRect, ratio: float = 1.0) -> None:
        self.room, self.ratio = room, ratio

    def availableGeometry(self) -> QRect:
        return QRect(self.room)

    def devicePixelRatio(self) -> float:
        return self.ratio


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = make_window(FakeSource(), theme=DARK, make_source=FakeSource)
    qtbot.addWidget(made)
    yield made
    made.close()


def on(room: QRect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QGuiApplication, "screenAt", lambda point: Screen(room) if room.contains(point) else None)
    monkeypatch.setattr(QGuiApplication, "primaryScreen", lambda: Screen(room))


def there(window: QWidget, room: QRect) -> bool:
    """Whether all of the window is on the screen, its title included."""
    return room.marginsRemoved(FRAME).contains(window.geometry())


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize(
    "remembered",
    [None, QRect(5000, 4000, 1600, 900), QRect(-3000, -50, 3840, 2160), QRect(100, 5, 700, 5000)],
    ids=["first", "gone", "larger", "long"],
)
def test_all_of_the_window_is_on_the_screen(
    name: str, remembered: QRect | None, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = SCREENS[name]
    on(room, monkeypatch)
    if remembered:
        window.setGeometry(remembered)
    fit_to_screen(window)
    window.move(window.pos().x(), window.pos().y() + FRAME.top())  # as the window manager does that adds a title
    assert there(window, room)


@pytest.mark.parametrize("name", SCREENS)
def test_the_first_window_takes_all_of_its_screen(
    name: str, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(SCREENS[name], monkeypatch)
    fit_to_screen(window, first=True)
    assert window.size() == SCREENS[name].marginsRemoved(FRAME).size()
    fit_to_screen(window)
    assert window.size() == SCREENS[name].marginsRemoved(FRAME).size()


def test_where_a_pixel_is_a_fraction_the_window_is_no_larger_than_the_screen(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1024x768 at 1.5 there are 683 by 512, so Qt says: a half and a third of a pixel more than there are."""
    monkeypatch.setattr(QGuiApplication, "screenAt", lambda point: Screen(QRect(0, 0, 683, 512), 1.5))
    fit_to_screen(window, first=True)
    assert window.width() * 1.5 <= 1024
    assert (window.height() + FRAME.top()) * 1.5 <= 768


def test_a_size_that_was_chosen_stays_where_there_is_room(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    on(SCREENS["3840x2160"], monkeypatch)
    fit_to_screen(window)
    assert window.size() == QSize(*USUAL)


@pytest.mark.parametrize(
    ("name", "stacked"), [("1024x768", False), ("1280x720 at 1.5", False), ("1280x720 at 2", True)]
)
def test_nothing_stands_over_anything_else(
    name: str, stacked: bool, window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there is no room for is left out; where even that does not help, all stands below each other and scrolls."""
    on(SCREENS[name], monkeypatch)
    fit_to_screen(window)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    source = window.model.source
    assert isinstance(source, FakeSource)
    Stage(window, source).run()
    qtbot.wait(50)
    assert window.middle.width() <= window.width()
    assert (window.middle.height() > window.height()) == stacked == window.views.stacked
    for row in (window.status, window.controls):
        shown = [child.geometry() for child in row.findChildren(QWidget) if child.isVisible() and child.parent() is row]
        assert shown
        assert all(row.rect().contains(place) for place in shown)
        assert [(a, b) for n, a in enumerate(shown) for b in shown[:n] if a.intersects(b)] == []


def test_text_goes_with_the_window_times_what_is_chosen(window: MainWindow, qtbot: QtBot) -> None:
    def resized(width: int, height: int, scale: float) -> None:
        """A window hears of its new size when the event comes, on a busy machine a little later."""
        window.resize(width, height)
        qtbot.waitUntil(lambda: window.look.theme.scale == pytest.approx(scale))

    window.show()
    assert QTest.qWaitForWindowExposed(window)
    for (width, height), scale in {(2560, 1440): 1.3, (1920, 1080): 1.0, (1280, 720): 1.0, (3840, 2160): 2.0}.items():
        resized(width, height, scale)
        assert window.look.theme.scale == scale
    window.commands.smaller()
    assert window.look.theme.scale == pytest.approx(1.8)
    resized(1920, 1080, 0.9)
    for _ in range(20):
        window.commands.larger()
    assert window.look.theme.scale == 2.5
    resized(2560, 1440, 3.25)
    window.commands.normal_size()
    assert window.look.theme.scale == 1.3


@pytest.mark.parametrize("size", [(1272, 688), (1920, 1080)])
@pytest.mark.parametrize("front", ["", *(panel.name for panel in PANELS)])
def test_a_notice_takes_its_room_from_the_views_and_scrolls_nothing(
    size: tuple[int, int], front: str, window: MainWindow, qtbot: QtBot
) -> None:
    source = window.model.source
    assert isinstance(source, FakeSource)
    window.resize(*size)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    if front:
        window.views.show_panel(front)
    Stage(window, source).run(60)
    scrolled = window.centralWidget()
    assert scrolled
    room = scrolled.height()
    assert window.middle.height() == room
    window.notice.say("This guest rings no doorbell: the host signals it.")
    qtbot.waitUntil(window.notice.isVisible)
    qtbot.wait(50)  # for what the layout of one part asks of the next
    assert window.middle.height() == room


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
@pytest.mark.parametrize("front", ["calls", "events"])
def test_a_panel_that_is_brought_where_all_is_scrolled_is_seen_from_its_tabs_on(
    front: str, window: MainWindow, qtbot: QtBot
) -> None:
    window.setMinimumSize(1, 1)
    window.resize(512, 352)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    source = window.model.source
    assert isinstance(source, FakeSource)
    Stage(window, source).run()
    window.views.show_panel(front)
    tabs = window.views.side if front == "calls" else window.views.below
    viewport = window.scrolled.viewport()
    qtbot.waitUntil(lambda: viewport.rect().contains(tabs.mapTo(viewport, QPoint())))
    qtbot.waitUntil(lambda: viewport.rect().contains(tabs.mapTo(viewport, QPoint(0, tabs.theme.px(30)))))
