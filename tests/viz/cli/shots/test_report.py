"""The report of what has changed: a browser shows it from the file alone, and nothing in it is markup but ours."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from bellwire.viz.cli.shots.checked import CheckedPicture, Outcome
from bellwire.viz.cli.shots.report import CARRIED, report_page
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.lists.listed import ListedPicture
from tests.support.browser import chromium, needs_browser

HOSTILE = "</script><script>alert(1)</script><!-- <b> & \u202e"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def checked(out: str, state: Outcome, what: str, shown: bytes = DOT) -> CheckedPicture:
    """A picture whose list is not to be trusted."""
    one = ListedPicture(HOSTILE, HOSTILE, Path(out), PictureAsked(part=HOSTILE), Path(HOSTILE.replace("/", "")))
    return CheckedPicture(one, state, what, shown, shown, DOT)


ALL = [
    checked("a.png", Outcome.CHANGED, f"3 pixels differ. {HOSTILE}"),
    checked(
        "b.svg", Outcome.CHANGED, "5 lines", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    ),
    checked("same.png", Outcome.SAME, ""),
    checked("c.webm", Outcome.MISSING, "c.webm is missing."),
]


def page() -> str:
    """Of these."""
    return report_page(HOSTILE, ALL, [HOSTILE], HOSTILE)


def test_nothing_that_came_from_elsewhere_is_markup() -> None:
    made = page()
    programs = re.findall(r"<script>(.*?)</script>", made, re.DOTALL)
    assert len(programs) == 1
    assert "alert" not in programs[0]
    assert made.count("<b>") == made.count("<!--") == made.count("\u202e") == 0
    digest = base64.b64encode(hashlib.sha256(programs[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in made
    assert "default-src 'none'" in made
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", made) == []


def test_what_is_the_same_is_counted_alone() -> None:
    made = page()
    assert "4 pictures: 2 changed, 1 the same, 1 missing, 1 unexpected." in made
    assert "same.png" not in made
    assert made.count("<section ") == 3


def test_a_page_holds_so_many_pictures_and_no_more() -> None:
    made = report_page("t", [ALL[0]] * (CARRIED + 1), [], "")
    assert made.count("The difference</figcaption>") == CARRIED
    assert made.count("This page holds no more pictures.") == 1


@needs_browser
def test_a_browser_shows_one_over_the_other_and_asks_nothing_of_a_network(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page())
    with chromium(tmp_path / "profile") as browser:
        browser.open(path, 1280, 800)
        shown = "[...document.querySelectorAll('section img')]"
        assert browser.run(f"{shown}.map(one => one.naturalWidth > 0)") == [True] * 7  # of a film what differs alone
        x = "document.querySelector('#picture-0 .{0}').getBoundingClientRect().x"
        before, after = (browser.run(x.format(kind)) for kind in ("before", "after"))
        assert before < after
        browser.click("#picture-0 .over")
        assert browser.run(x.format("before")) == browser.run(x.format("after"))
        browser.run(
            "(slider => { slider.value = 20; slider.dispatchEvent(new Event('input')); })"
            "(document.querySelector('#picture-0 input[type=range]'))"
        )
        clip = browser.run("getComputedStyle(document.querySelector('#picture-0 .after')).clipPath")
        assert clip == "inset(0px 0px 0px 20%)"
        assert browser.complaints == []
        assert [url for url in browser.asked if not url.startswith(("data:", "file:"))] == []
