"""A page for a browser is made by a command, of the run that is shown or of the lesson that is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.lessons.lesson_file import lesson_named, read_lesson
from bellwire.viz.window.picturing.paging import argument_of
from bellwire.viz.window.window import make_window
from tests.support.player_pages import carried_by
from tests.support.windows import Stage, staged_in_front

SHORT = Path(__file__).resolve().parents[3] / "support/short.md"


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    """A window on a guest that runs."""
    with staged_in_front(qtbot, 1280, 800) as made:
        made.run(60)
        yield made


def test_a_page_begins_at_the_journey_that_is_looked_at(stage: Stage) -> None:
    pages, model = stage.window.pages, stage.window.model
    assert pages.wanted().command("run.arrow", "run.html") == "bellwire export-html run.arrow -o run.html"
    stage.window.commands.story_of_newest()
    stage.run(3)
    stage.window.look.set_extended(True)
    number = int(model.story.whole.journey["seq"][0]) if model.story else 0
    assert pages.wanted().options()[0] == "--at"
    assert pages.wanted().options()[1].startswith(f"#{number}")
    assert pages.wanted().options()[2:] == ["--extended"]


def test_the_name_that_is_suggested_leads_into_no_other_folder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_top: QWidget, _title: str, name: str, _kinds: str) -> tuple[str, str]:
        asked.append(name)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    model = stage.window.model
    model.scenario = replace(model.scenario, name="../../etc/a run")
    stage.window.pages.save()
    assert asked == ["etc-a-run.html"]


def test_where_nothing_has_happened_or_no_lesson_is_held_it_says_so(qtbot: QtBot) -> None:
    window = make_window(None)
    qtbot.addWidget(window)
    window.pages.save(Path("/nonexistent/a.html"))
    assert "Nothing has happened yet" in window.notice.words.text()
    window.pages.save_lesson(Path("/nonexistent/a.html"))
    assert "There is no lesson" in window.notice.words.text()
    assert not window.pages.busy
    window.close()


def test_a_lesson_is_a_page_with_its_steps(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    window, path = stage.window, tmp_path / "short.html"
    window.lessons.begin(read_lesson(SHORT), here=True)
    window.pages.save_lesson(path)
    window.pages.save_lesson(path)
    assert "the next one can follow it" in window.notice.words.text()
    qtbot.waitUntil(lambda: not window.pages.busy)
    assert window.pages.command == f"bellwire export-html {SHORT} -o {path}"
    assert window.pages.command in window.notice.words.text()
    assert [step["title"] for step in carried_by(path)["lesson"]["steps"]] == ["It rings"]


def test_a_shipped_lesson_is_called_by_its_name() -> None:
    assert argument_of(lesson_named("round-trip")) == "round-trip"
