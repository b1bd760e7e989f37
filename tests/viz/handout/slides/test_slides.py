"""A lesson's slides as other programs read them: PPTX with notes, PDF, and each picture by itself."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from PIL import Image
from pptx import Presentation

from bellwire.engine.errors import EngineError
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.handout.slides.deck import Deck, DeckSlide
from bellwire.viz.handout.slides.pptx_file import LONGEST_PROPERTY, pptx, pptx_of
from bellwire.viz.style.theme import PRINT
from tests.support.commands import SOMEBODY_ELSES, bellwire
from tests.support.refusals import refused

LESSON = """+++
title = "A <b>lesson</b> & more"
minutes = 1
knows = ["that it rings"]
homework = ["How often did it ring? {rung}"]
commands = ["bellwire run roundtrip"]
+++

## It rings & &lt;i&gt;

```scene
scenario = "roundtrip"
highlight = ["driver"]
panel = "calls"
until = "rung >= 5"
```

It rang {rung} times.

> Say it & point at the driver.

```question
ask = "Which?"
reveal = { until = "rung >= 10" }
[[choices]]
text = "Many"
when = "rung >= 5"
reason = "There were {rung}."
[[choices]]
text = "None"
when = "rung == 0"
reason = "There were {rung}, and not none."
```
"""
pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder."""
    folder = tmp_path_factory.mktemp("slides")
    (folder / "mine.md").write_text(LESSON)
    ran = bellwire("slides", str(folder / "mine.md"), "--replay", "-o", str(folder / "out"), "--language", "en")
    assert (ran.returncode, ran.stderr) == (0, "")
    return folder / "out"


def test_the_same_slides_are_the_same_bytes_on_another_machine(made: Path, tmp_path: Path) -> None:
    words = ["slides", str(made.parent / "mine.md"), "--replay", "-o", f"{tmp_path}/again", "--language", "en"]
    assert bellwire(*words, **SOMEBODY_ELSES).returncode == 0
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_each_time_in_the_pptx_is_that_of_the_recording(made: Path) -> None:
    began = datetime.fromisoformat(Recording(path_of_shipped("roundtrip")).header.started).replace(microsecond=0)
    deck = Presentation(str(made / "slides.pptx"))
    about = deck.core_properties
    assert about.created == began.replace(tzinfo=None)
    assert (about.author, about.last_modified_by, about.comments) == ("bellwire", "bellwire", "")  # not the template's
    runs = [run for slide in deck.slides for shape in slide.shapes if shape.has_text_frame for paragraph in
            shape.text_frame.paragraphs for run in paragraph.runs]  # fmt: skip
    assert {run._r.rPr.get("lang") for run in runs} == {"en-US"}
    with zipfile.ZipFile(made / "slides.pptx") as packed:
        assert b"<Application>bellwire</Application>" in packed.read("docProps/app.xml")
    with zipfile.ZipFile(made / "slides.pptx") as file:
        times = {datetime(*info.date_time, tzinfo=UTC) for info in file.infolist()}
    assert {abs(time - began) < timedelta(seconds=2) for time in times} == {True}  # ZIP counts in steps of two


def test_titles_pictures_and_notes_are_in_the_pptx(made: Path) -> None:
    deck = Presentation(str(made / "slides.pptx"))
    slides = list(deck.slides)
    assert round(deck.slide_width / deck.slide_height, 2) == 1.78
    titles = [slide.shapes.title.text for slide in slides]
    answer = "The answer to question 1"
    step, question, end = "It rings & <i>", "Question 1", "To find out at home"
    assert titles == ["A <b>lesson</b> & more", step, step, question, *[answer] * 2, end]
    pictures = [[shape for shape in slide.shapes if shape.shape_type == 13] for slide in slides]
    assert [len(some) for some in pictures] == [0, 1, 1, 0, 0, 1, 0]
    assert "Stands out: driver." in pictures[1][0]._element.nvPicPr.cNvPr.get("descr")
    assert slides[1].notes_slide.notes_text_frame.text == "Say it & point at the driver."
    texts = [" ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame) for slide in slides]
    assert re.search(r"It rang \d+ times\..*REPLAY · The newest signals", texts[1], re.DOTALL)
    assert "A. Many\nB. None" in texts[3]
    assert re.search(r"A\. Many ✓ right\nThere were \d+\.\nB\. None ✗ wrong\n", texts[4])
    assert "bellwire run roundtrip" in texts[6]


def test_each_picture_is_there_in_pixels_and_in_lines(made: Path) -> None:
    names = sorted(path.name for path in made.iterdir())
    steps = [f"{name}.{form}" for name in ("02-step", "03-step", "06-seen") for form in ("png", "svg")]
    assert names == [*steps, "notes.md", "slides.pdf", "slides.pptx"]
    for name in ("02-step", "03-step"):
        root = ElementTree.fromstring((made / f"{name}.svg").read_bytes())
        with Image.open(made / f"{name}.png") as image:
            assert (root.get("width"), root.get("height")) == tuple(map(str, image.size))
    notes = (made / "notes.md").read_text()
    assert "](02-step.svg)" in notes
    assert "> Say it & point at the driver." in notes


def test_in_the_notes_a_title_is_text(made: Path) -> None:
    """What looked like HTML in it was HTML to whoever rendered them."""
    page = MarkdownIt("commonmark").render((made / "notes.md").read_text())
    assert page.startswith("<h1>A &lt;b&gt;lesson&lt;/b&gt; &amp; more</h1>")
    assert set(re.findall(r"<(\w+)", page)) == {"h1", "h2", "p", "em", "img", "blockquote"}


def test_the_pdf_has_a_page_for_each_slide_and_one_for_notes_that_are_wanted(made: Path, tmp_path: Path) -> None:
    source, target = str(made.parent / "mine.md"), tmp_path / "notes.pdf"
    with patch.dict(os.environ):  # which it makes plain
        assert main(["slides", source, "--replay", "--notes", "--theme", "print", "-o", str(target)]) == 0
    assert [pages_of(path.read_bytes()) for path in (made / "slides.pdf", target)] == [7, 8]
    assert main(["slides", source, "--replay", "-o", str(target)]) == 1  # it is there already


def pages_of(pdf: bytes) -> int:
    """How many a PDF has; its objects may be packed."""
    unpacked = [pdf]
    for begin in re.finditer(rb"(?<!end)stream\r?\n", pdf):
        try:
            unpacked.append(zlib.decompressobj().decompress(pdf[begin.end() :]))
        except zlib.error:
            continue
    return sum(len(re.findall(rb"/Type\s*/Page\b(?!s)", some)) for some in unpacked)


def test_libreoffice_opens_it(made: Path, tmp_path: Path) -> None:
    """As many pages as slides, and their words."""
    if not (office := shutil.which("soffice")):
        pytest.skip("LibreOffice is not installed: nobody but python-pptx has opened the slides")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    ran = subprocess.run([*command, str(made / "slides.pptx")], capture_output=True, check=False, timeout=200)
    assert ran.returncode == 0
    assert pages_of((tmp_path / "slides.pdf").read_bytes()) == 7


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(EngineError, match=r"by python-pptx, which cannot be loaded \(.*\): pip install python-pptx"):
        pptx()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ("slides nothing -o x.pptx", 2, "There is no lesson"),
        ("slides round-trip", 2, "--output"),
        ("slides round-trip -o /nonexistent/x.pdf", 1, "cannot be written"),
        ("slides round-trip -o /nonexistent/x", 1, "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    words: str, code: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found, said = refused(words, tmp_path, monkeypatch, capfd)
    assert found == code
    assert why in said


def test_a_title_is_as_long_as_a_pptx_can_have_it() -> None:
    title = "W" * 1000
    made = pptx_of(Deck(title, (DeckSlide("title", title),), datetime(2026, 1, 1, tzinfo=UTC)), PRINT)
    assert len(Presentation(io.BytesIO(made)).core_properties.title) == LONGEST_PROPERTY
