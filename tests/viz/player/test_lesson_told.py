"""A lesson's page, clicked through in a real Chromium at the size of a screen and of a telephone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellwire.viz.lessons.lesson_file import read_lesson
from bellwire.viz.player.lesson_told import lesson_page
from tests.support.browser import Page, chromium, needs_browser
from tests.support.player_pages import SIZES, carried_by

LESSON = Path(__file__).resolve().parents[2] / "support/asking.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a lesson with a story, a switch and a question."""
    shares: list[float] = []
    path = tmp_path_factory.mktemp("page") / "lesson.html"
    path.write_bytes(lesson_page(read_lesson(LESSON), "", "No guest runs.", shares.append, lambda: None))
    assert shares == [0.25, 0.5, 0.75, 1.0]
    return path


@pytest.fixture(scope="module")
def carried(made: Path) -> dict[str, Any]:
    return carried_by(made)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


def test_each_step_carries_what_its_scene_shows(carried: dict[str, Any]) -> None:
    steps, runs = carried["lesson"]["steps"], carried["runs"]
    assert [step["title"] for step in steps] == [
        "It rings",
        "Its doorbell is on its way",
        "The ioeventfd is taken away",
    ]
    first = [runs[step["run"]]["moments"][runs[step["run"]]["start"]] for step in steps]
    assert [one["kind"] for one in first] == ["live", "stage", "live"]
    assert first[1]["title"] == "The eventfd counts"
    assert first[2]["where"] == "Round trip: exit out, irqfd back"  # of the recording in place of a guest
    assert [bool(run["journeys"]) for run in runs] == [True] * 4
    assert [answer["right"] for answer in steps[2]["answers"]] == [False, True]
    assert re.fullmatch(r"It left \d+ times\.", steps[2]["answers"][1]["reason"])
    assert ["panel" in run["views"] for run in runs] == [False, False, True, False]
    assert runs[2]["panel"].startswith("Anatomy: What the kernel does")


@needs_browser
@pytest.mark.parametrize("size", SIZES)
def test_it_is_clicked_through_to_its_end(made: Path, browser: Page, carried: dict[str, Any], size: str) -> None:
    width, height, phone = SIZES[size]
    browser.open(made, width, height, phone=phone)
    assert browser.text("h1") == "Asked <b>once</b>"
    assert re.fullmatch(r"It rang \d+ times\.", browser.text("#lesson h2 + p"))
    assert browser.text("#stage") == "As it runs"
    browser.click("#stage_on")
    assert browser.text("#stage") == "The guest writes"
    browser.click("#step_on")
    assert browser.text("#lesson h2") == "Its doorbell is on its way"
    assert browser.text("#stage") == "The eventfd counts"
    assert browser.run("parts.panel.hidden")
    browser.click("#step_on")
    assert browser.run("document.querySelector('#step_on').disabled")
    assert not browser.run("parts.panel.hidden")
    assert "The count waits for the I/O thread" in browser.text(".panel")
    assert browser.run("parts.panel.getBoundingClientRect().right") <= width
    assert ("region", carried["runs"][2]["panel"]) in browser.spoken()
    browser.click(".choice:nth-of-type(1)")
    assert browser.run("document.querySelector('.choice').getAttribute('aria-pressed')") == "true"
    assert browser.text(".question").count("left") == 0
    browser.click("#reveal")
    assert [browser.run(f"document.querySelectorAll('.choice')[{n}].className") for n in (0, 1)] == [
        "choice wrong",
        "choice right",
    ]
    assert browser.text(".choice:nth-of-type(1)").startswith("KVM <i>✗ wrong. It did so for ")
    assert browser.run("document.querySelector('.choice').getAttribute('aria-pressed')") == "true"
    browser.click("#step_back")
    browser.click("#step_on")
    assert browser.run("document.querySelector('#reveal')") is None  # it stays answered
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.complaints == []
    assert {address.partition(":")[0] for address in browser.asked} == {"file", "data"}


@needs_browser
def test_a_step_without_a_story_leaves_the_pace_of_stories_as_it_was(made: Path, browser: Page) -> None:
    browser.open(made, 1280, 720)
    assert browser.run("parts.pace.selectedOptions[0].textContent") == "2 s a stage"
    browser.run("runs[1] = {...runs[1], moments: runs[1].moments.filter((one) => one.kind === 'event'), journeys: []}")
    browser.run("runs[1].start = 0")
    browser.click("#step_on")
    assert browser.run("parts.pace.selectedOptions[0].parentElement.label") == "Slow motion"
    assert browser.run("document.querySelector('#passed').hidden")
    browser.click("#step_on")
    assert browser.run("parts.pace.selectedOptions[0].textContent") == "2 s a stage"
    assert browser.complaints == []
