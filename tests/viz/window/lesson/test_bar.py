"""The lesson as its audience reads it, where it has little room."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.lesson_file import lesson_named
from tests.support.painted_text import texts_painted
from tests.support.windows import settle, staged


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
def test_which_step_it_is_is_cut_short_by_an_ellipsis_and_its_tooltip_has_all_of_it(qtbot: QtBot) -> None:
    with staged(qtbot, 512, 352) as stage:
        window, bar = stage.window, stage.window.lesson_bar
        window.setMinimumSize(1, 1)
        window.resize(512, 352)
        window.lessons.begin(lesson_named("round-trip"), here=True)
        settle(window)
        [head] = [piece for piece in texts_painted(bar) if piece.text.startswith("Round trip")]
        assert not head.cut
        assert head.text.endswith("…")
        assert "step 1 of 9" in bar.head.toolTip()
        window.lessons.end()
