"""Whose screen is which."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QRect

from bellwire.viz.window.presenter.screens import screen_apart


class Screen:
    """A screen as Qt tells of it."""

    def __init__(self, name: str, *place: int) -> None:
        self._name, self._place = name, QRect(*place)

    def name(self) -> str:
        return self._name

    def geometry(self) -> QRect:
        return self._place


BUILT_IN, SAME = Screen("eDP-1", 0, 0, 1920, 1080), Screen("HDMI-1", 0, 0, 1920, 1080)
LEFT, DOCK = Screen("HDMI-1", -1280, 0, 1280, 720), Screen("DP-2", 1920, 0, 2560, 1440)


@pytest.mark.parametrize(
    ("own", "screens", "audiences"),
    [
        (BUILT_IN, [BUILT_IN], None),
        (BUILT_IN, [BUILT_IN, SAME], None),
        (BUILT_IN, [BUILT_IN, LEFT], LEFT),
        (LEFT, [BUILT_IN, LEFT], BUILT_IN),
        (DOCK, [BUILT_IN, DOCK, LEFT], LEFT),
    ],
    ids=["one", "two that show the same", "a projector at the left", "on the projector", "three"],
)
def test_the_audience_has_a_screen_of_its_own_if_there_is_one(own: Any, screens: Any, audiences: Any) -> None:
    assert screen_apart(own, screens) is audiences
