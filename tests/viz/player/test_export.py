"""A recording's page, clicked through in a real Chromium: it shows what the window would, and needs nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, EventPin, PartPin
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.player.asked import PageAsked
from bellwire.viz.player.export import run_page
from bellwire.viz.window.application import application
from tests.support.browser import Page, chromium, needs_browser
from tests.support.player_pages import SIZES, carried_by

ALWAYS, THERE = "The driver knows nothing of eventfds", "Here it runs at last"


def exported(name: str, asked: PageAsked) -> bytes:
    application()
    return run_page(path_of_shipped(name), asked, lambda share: None)


def set_pace(browser: Page, number: int) -> None:
    """The so-manieth that can be chosen."""
    chosen = f"document.querySelector('#pace').value = {number}"
    browser.run(f"{chosen}; document.querySelector('#pace').dispatchEvent(new Event('change'))")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two round trips and what lies between them."""
    path = tmp_path_factory.mktemp("page") / "run.html"
    path.write_bytes(exported("roundtrip", PageAsked(at=Moment(journey="20"), seconds=0.006)))
    return path


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round trip on which somebody has written, at its handler and at a part of the picture."""
    recording = Recording(path_of_shipped("roundtrip"))
    tracker = JourneyTracker(recording.header.scenario)
    journeys = {int(one["seq"]): one for events in recording.batches() for one in tracker.feed(events)}
    handler = EventPin(int(journeys[20]["handler"]), EventKind.HANDLER, int(journeys[20]["interrupt"]))
    notes = [Annotation(AnnotationKind.NOTE, text, at) for text, at in ((ALWAYS, PartPin("driver")), (THERE, handler))]
    folder = tmp_path_factory.mktemp("annotated")
    save_recording(folder / "run.arrow", recording.header, recording.batches(), annotations=notes)
    return folder / "run.arrow"


@pytest.fixture(scope="module")
def annotated_page(annotated: Path) -> Path:
    application()
    path = annotated.with_suffix(".html")
    path.write_bytes(run_page(annotated, PageAsked(at=Moment(journey="20"), seconds=0.001), lambda share: None))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


def test_it_holds_each_stage_and_each_event_in_order_and_says_what_it_left_out(made: Path) -> None:
    data = carried_by(made)
    moments, journeys = data["runs"][0]["moments"], data["runs"][0]["journeys"]
    assert [one["title"] for one in journeys] == ["Story of doorbell #20", "Story of doorbell #21"]
    stages = [one for one in moments if one["kind"] == "stage"]
    assert [one["journey"] for one in stages] == [0] * 18 + [1] * 18
    assert stages[0]["title"] == "The guest writes"
    assert stages[17]["title"] == "The guest's handler runs"
    events = [one for one in moments if one["kind"] == "event"]
    assert [one["t"] for one in events] == sorted(one["t"] for one in events)
    assert events[0]["title"] == "OUT 0x510: doorbell #20"
    assert len(events) == 12
    assert data["about"]["left_out"].startswith("This page holds a part of a recording: 2 journeys and 12 events, ")
    assert data["about"]["left_out"].endswith(" events are left out.")


@needs_browser
@pytest.mark.parametrize("size", SIZES)
def test_it_is_clicked_through(made: Path, browser: Page, size: str) -> None:
    data = carried_by(made)["runs"][0]
    width, height, phone = SIZES[size]
    browser.open(made, width, height, phone=phone)
    assert browser.text("#stage") == "The guest writes"
    first = browser.run("document.querySelector('.diagram g').innerHTML")
    for _ in range(3):
        browser.click("#stage_on")
    assert browser.text("#stage") == data["moments"][3]["title"]
    assert browser.text("#said") == data["moments"][3]["said"]
    assert browser.run("document.querySelector('.diagram g').innerHTML") != first
    browser.click("#stage_back")
    assert browser.text("#clock") == data["moments"][2]["clock"]
    browser.click("#journey_on")
    assert browser.text("#title").startswith("Story of doorbell #21: stage 1 of 18")
    browser.click("#journey_back")
    browser.click("#event_on")
    assert browser.text("#stage") == "the instruction after doorbell #20"
    browser.click("#stages li:nth-child(18) button")
    assert browser.text("#stage") == "The guest's handler runs"
    assert browser.run("document.querySelector('#stages [aria-current]').textContent").startswith("The guest's handler")
    browser.click("#start")
    assert browser.run("document.querySelector('.diagram g').innerHTML") == first
    assert browser.run("document.documentElement.scrollWidth") == width
    below, pictures = "document.querySelector('#numbers')", "document.querySelector('.timeline')"
    assert browser.run(f"{below}.getBoundingClientRect().top >= {pictures}.getBoundingClientRect().bottom")
    if phone:  # what happens is brought into view where the picture is wider than the screen
        browser.click("#stages li:nth-child(9) button")
        assert browser.run("document.querySelector('.diagram').scrollLeft") > 100
    assert browser.complaints == []
    assert {address.partition(":")[0] for address in browser.asked} == {"file", "data"}


@needs_browser
def test_it_plays_by_itself_at_the_pace_that_is_chosen_until_its_end(made: Path, browser: Page) -> None:
    """In a time of the page's own, which passes at once."""
    browser.open(made, 1280, 720, dark=True)
    set_pace(browser, 5)
    browser.click("#stages li:nth-child(16) button")
    with browser.time_by_hand():
        browser.press(" ")
        browser.pass_time(1400)  # half a second for each of two stages, and four tenths of the next one
        assert browser.text("#title").startswith("Story of doorbell #20: stage 18 of 18")
        browser.pass_time(200)
        assert browser.text("#title").startswith("Story of doorbell #21: stage 1 of 18")
        assert browser.run("document.querySelector('#play').getAttribute('aria-label')") == "Pause"
        browser.press(" ")
        browser.pass_time(5000)
        assert browser.text("#title").startswith("Story of doorbell #21: stage 1 of 18")
        assert browser.run("document.querySelector('#play').getAttribute('aria-label')") == "Play"
        set_pace(browser, 9)
        browser.click("#play")
        browser.pass_time(60_000)
    assert browser.text("#stage") == carried_by(made)["runs"][0]["moments"][-1]["title"]
    assert browser.run("document.querySelector('#play').getAttribute('aria-label')") == "Play"


@needs_browser
def test_the_keyboard_does_all_of_it_and_both_themes_are_there(made: Path, browser: Page) -> None:
    browser.open(made, 1280, 720)
    light = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    browser.press("ArrowRight")
    assert browser.text("#stage") == "The OUT is decoded"
    browser.press("ArrowRight", shift=True)
    assert browser.text("#stage") == "the instruction after doorbell #20"
    browser.press("n")
    assert browser.text("#title").startswith("Story of doorbell #21")
    browser.press("Home")
    assert browser.text("#stage") == "The guest writes"
    browser.press("]")
    assert browser.run("document.querySelector('#pace').selectedOptions[0].textContent") == "1 s a stage"
    browser.click("#theme")
    browser.press("?")
    assert browser.run("document.activeElement.textContent") == "Keys"
    assert browser.run("document.activeElement.getBoundingClientRect().top") < 720
    dark = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert (light, dark) == ("rgb(238, 241, 245)", "rgb(14, 19, 25)")
    browser.open(made, 1280, 720, dark=True)
    assert browser.run("getComputedStyle(document.documentElement).backgroundColor") == dark


@needs_browser
def test_whoever_hears_it_meets_names_and_the_sentence(made: Path, browser: Page) -> None:
    browser.open(made, 1280, 720)
    spoken = browser.spoken()
    said = browser.text("#said")
    assert said
    assert ("image", f"Diagram of host, QEMU and guest. {said}") in spoken
    assert [name for role, name in spoken if role in ("button", "combobox", "image", "region") and not name] == []
    assert browser.run("document.querySelector('#said').getAttribute('aria-live')") == "polite"
    assert {"banner", "main", "toolbar", "heading", "list", "region"} <= {role for role, _ in spoken}
    stages = [name for role, name in spoken if role == "button" and name.startswith("The guest writes")]
    assert len(stages) == 1


@needs_browser
@pytest.mark.parametrize("size", SIZES)
def test_text_of_twice_the_size_has_room(made: Path, browser: Page, size: str) -> None:
    width, height, phone = SIZES[size]
    browser.open(made, width, height, phone=phone)
    small = browser.run("parts.said.getBoundingClientRect().height")
    browser.run("document.documentElement.style.fontSize = '200%'")
    assert browser.run("parts.said.getBoundingClientRect().height") >= 2 * small
    assert browser.run("document.documentElement.scrollWidth") == width


@needs_browser
def test_nothing_moves_but_from_moment_to_moment(made: Path, browser: Page) -> None:
    """For whoever wants no movement: what plays does so because somebody has pressed a button."""
    browser.open(made, 1280, 720)
    first = browser.text("#stage")
    with browser.time_by_hand():
        browser.pass_time(60_000)
        assert browser.run("document.getAnimations().length") == 0
    assert browser.text("#stage") == first


@needs_browser
def test_what_is_written_on_a_run_is_shown_and_said_at_its_moment(annotated_page: Path, browser: Page) -> None:
    browser.open(annotated_page, 1280, 720)
    assert browser.text("#notes") == ALWAYS
    browser.click("#stages li:nth-child(18) button")
    assert browser.run("[...document.querySelectorAll('#notes li')].map((one) => one.textContent)") == [ALWAYS, THERE]
    assert THERE in browser.run("document.querySelector('.diagram g').textContent")
    assert ("listitem", THERE) in browser.spoken() or THERE in [name for _, name in browser.spoken()]
    browser.click("#stage_back")
    assert THERE not in browser.run("document.querySelector('.diagram g').textContent")
    assert browser.run("document.querySelectorAll('#notes li').length") == 1


def test_what_is_to_be_hidden_is_nowhere(annotated: Path, annotated_page: Path) -> None:
    asked = PageAsked(at=Moment(journey="20"), seconds=0.001, hidden=frozenset({"host"}))
    hidden = run_page(annotated, asked, lambda share: None)
    assert [b"AMD EPYC" in page for page in (annotated_page.read_bytes(), hidden)] == [True, False]
    assert carried_by(hidden)["about"]["machine"] == "kvm_pvm"


@pytest.mark.parametrize("name", ["irq-masked", "doorbell-coalesced-pio"])
def test_what_has_no_story_has_events_and_what_is_long_is_bounded(name: str) -> None:
    asked = PageAsked(seconds=0.004, extended=name == "doorbell-coalesced-pio")
    run = carried_by(exported(name, asked))["runs"][0]
    kinds = {one["kind"] for one in run["moments"]}
    assert kinds == ({"event"} if name == "irq-masked" else {"stage", "event"})
    assert all(one["diagram"] and one["timeline"] for one in run["moments"])


def test_where_nothing_happens_there_is_a_picture_all_the_same() -> None:
    run = carried_by(exported("roundtrip", PageAsked(at=Moment(seconds=0.0003), seconds=0.0)))["runs"][0]
    assert [one["kind"] for one in run["moments"]] == ["live"]
    assert run["journeys"] == []


def test_a_moment_that_is_not_there_is_refused() -> None:
    with pytest.raises(EngineError, match="There is no journey #999"):
        exported("roundtrip", PageAsked(at=Moment(journey="999999")))
