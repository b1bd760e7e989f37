"""A lesson is walked as far as it comes, and what does not come is not waited for."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from bellwire.engine.errors import EngineError
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import NoSource, Source
from bellwire.viz.handout.files import maker_of
from bellwire.viz.handout.walk import walked, window_for
from bellwire.viz.lessons.lesson_file import lesson_named
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.lesson.bar import still_wanted, waiting_words
from tests.support.asking import ASKING, asking


@pytest.mark.usefixtures("qapp")
def test_a_guest_that_cannot_start_is_not_waited_for() -> None:
    def refused(scenario: Scenario) -> Source:
        return NoSource("There is no room for a guest.", scenario)

    look, gone, lesson = Mock(), Mock(), lesson_named("ioeventfd")
    with window_for(lesson, refused, LIGHT) as window:
        window.destroyed.connect(gone)
        with pytest.raises(EngineError, match=r"There is no room for a guest\."):
            next(walked(window, lesson, look))
    assert look.call_count == 0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert gone.call_count == 1  # a window that is only closed would be styled with every further one


@pytest.mark.usefixtures("qapp")
def test_what_a_recording_never_comes_to_is_not_waited_for() -> None:
    lesson = asking(ASKING.replace('until = "rung >= 40"', 'until = "exits >= 100000"'))
    with window_for(lesson, maker_of("No guest runs."), LIGHT) as window:
        with pytest.raises(EngineError, match=r"Count: exits >= 100000 has not come to be\."):
            next(walked(window, lesson, lambda: None))
        said = waiting_words(window.lessons)
        assert re.fullmatch(r"this recording never comes to exits >= 100000 \([\d\u202f]+ so far\)", said)
        stands = window.lessons.course.unmet()[0] if window.lessons.course else None
        assert stands is not None
        assert still_wanted(stands, 12.3).endswith(" so far, unchanged for 12 s)")
