"""A lesson's handout: over recordings and over guests, whole or not at all, and its texts stay texts."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.app import main
from bellwire.viz.handout.document import AskedAnswer, Handout, HandoutStep, KeptRecording, Seen
from bellwire.viz.handout.lesson_handout import counts_itself
from bellwire.viz.handout.lesson_sheet import lesson_sheet
from bellwire.viz.lessons.course import ChoiceSoFar
from bellwire.viz.lessons.lesson_file import lesson_named
from tests.support.accented import accented, in_accents, unsaid

LESSON = "ioeventfd"
KEPT = KeptRecording("1.arrow", "", 100_000, "", True)
pytestmark = pytest.mark.usefixtures("qapp")
HOSTILE = """+++
title = "<script>alert(1)</script>"
minutes = 1
knows = ["<b>"]
homework = ["<img src=http://x/> {rung}?"]
commands = ["bellwire run roundtrip && echo '<i>'"]
+++

## A & B

```scene
scenario = "roundtrip"
panel = "anatomy"
until = "rung >= 40"
```

It rang {rung} times by an eventfd, "&lt;u&gt;".

- &lt;!-- one

```question
ask = "Which?"
reveal = { until = "rung >= 20" }
[[choices]]
text = "Many</li>"
when = "rung >= 20"
reason = "There were {rung}."
[[choices]]
text = "None"
when = "rung == 0"
reason = "There were {rung}, and not none."
```
"""


class Parsed(HTMLParser):
    """Which tags and which ids there are, what is linked to, and the texts of pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.alts: list[str] = []
        self.sources: list[str] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.ids[found.get("id", "")] += 1
        self.links += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        self.alts += [found.get("alt", "")] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handout") / "out"
    assert main(["handout", LESSON, "-o", str(folder), "--replay"]) == 0
    return folder


def test_what_is_said_around_a_lesson_is_in_the_language_that_is_spoken() -> None:
    seen = Seen((), "")
    asked = AskedAnswer(1, "", (ChoiceSoFar("", right=True),), seen)
    with in_accents():
        steps, made = (HandoutStep("", (), seen, asked),), accented("d MMMM yyyy")
        handout = Handout("", "", 2, (), steps, ("",), ("bellwire list",), (KEPT,), {}, "", made)
        page = lesson_sheet(handout)
    body = unescape(re.sub(r"<pre>.*?</pre>|<[^>]*>", "\n", page.partition("</style>")[2], flags=re.DOTALL))
    assert accented("Question 1") in body
    assert unsaid(body, set()) == ["Linux"]


def test_it_has_each_step_each_question_and_each_answer(replayed: Path) -> None:
    page = (replayed / "handout.html").read_text()
    lesson = lesson_named(LESSON)
    parsed, said = Parsed(page), unescape(re.sub(r"<[^>]+>", "", page))
    shown = [step for step in lesson.steps if step.name != "homework"]
    asked = [step.question for step in shown if step.question]
    counted = [step for step in shown if any(counts_itself(text) for text in step.text)]
    assert counted
    assert said.count("The text counts what came within ") >= len(counted)  # else "has rung 152" says not since when
    for step in shown:
        assert step.title in said
    for question in asked:
        assert said.count(question.ask) == 2  # where it is asked, and where it is answered
    assert page.count("✓ right") == len(asked)  # of each question one choice is
    assert page.count("✗ wrong") == sum(len(question.choices) - 1 for question in asked)
    assert len(parsed.alts) >= len(shown) + len(asked)
    assert all(line in said for line in (*lesson.homework, "REPLAY", "exits==0"))
    assert "{" not in said.partition("</style>")[2]
    assert not re.search(r"(?<![\w.])–", "".join(parsed.said))  # every figure is known


def test_it_needs_nothing_else_and_every_link_leads_somewhere(replayed: Path) -> None:
    page = (replayed / "handout.html").read_text()
    parsed = Parsed(page)
    assert max(count for name, count in parsed.ids.items() if name) == 1
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    assert all(source.startswith("data:image/png;base64,") for source in parsed.sources)
    assert "url(" not in page
    assert all(len(alt) > 40 for alt in parsed.alts)


def test_what_lies_beside_it_is_what_it_shows(replayed: Path) -> None:
    page = (replayed / "handout.html").read_text()
    files = sorted(path.name for path in replayed.glob("*.arrow"))
    assert {path.name for path in replayed.iterdir()} == {"handout.html", "handout.pdf", *files}
    assert set(re.findall(r" in <code>([\w-]+\.arrow)</code>\.", page)) == set(files)
    for name in files:
        assert Recording(replayed / name).header.scenario.name in name


def test_the_pdf_has_tags_pages_and_bookmarks(replayed: Path) -> None:
    file = (replayed / "handout.pdf").read_bytes()
    packed = re.findall(rb"/ObjStm.*?stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    content = file + b"".join(map(zlib.decompress, packed))
    assert content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in content
    assert b"/Outlines" in content


@pytest.mark.kvm
def test_over_guests_it_has_their_figures_and_what_is_no_text_stays_text(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(HOSTILE)
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main(["handout", str(tmp_path / "mine.md"), "-o", str(folder), "--no-pdf"]) == 0
    page = (folder / "handout.html").read_text()
    parsed = Parsed(page)
    assert parsed.tags.keys().isdisjoint({"script", "b", "u", "i"})
    assert "REPLAY" not in page
    assert re.search(r"It rang [\d\u202f]+ times", page)
    assert len(parsed.sources) == 3  # diagram and panel, and the diagram once it is revealed
    assert Recording(folder / "1-roundtrip.arrow").header.started
    assert sorted(path.name for path in folder.iterdir()) == ["1-roundtrip.arrow", "handout.html"]


@pytest.mark.parametrize(
    ("there", "why"),
    [("used/file", "is not empty"), ("file", "is no folder"), ("none/deeper", "there is no folder")],
)
def test_a_folder_that_cannot_be_it_is_one_sentence(
    there: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").touch()
    (tmp_path / "file").touch()
    folder = tmp_path / ("used" if there == "used/file" else there)
    assert main(["handout", LESSON, "-o", str(folder), "--replay", "--no-pdf"]) == 1
    told = capsys.readouterr().err
    assert why in told
    assert told.count("\n") == 1


def test_a_disk_that_is_full_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bellwire.viz.handout.files.lesson_handout", full)
    assert main(["handout", LESSON, "-o", str(tmp_path / "out"), "--replay", "--no-pdf"]) == 1
    assert capsys.readouterr().err == f"bellwire: {tmp_path}/out cannot be written: No space left on device.\n"
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while the lesson is walked."""
    import os
    import signal

    from bellwire.viz.handout import walk

    usual = walk.has_come

    def interrupted(*arguments: object) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return usual(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(walk, "has_come", interrupted)
    assert main(["handout", LESSON, "-o", str(tmp_path / "out"), "--replay", "--no-pdf"]) == 130
    assert list(tmp_path.iterdir()) == []
