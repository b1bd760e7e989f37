"""What is on paper can be read and copied: no word is parted, and each sign is the one that was written."""

from __future__ import annotations

import gc
import re
import zlib
from pathlib import Path

import pytest
from weasyprint import HTML
from weasyprint.formatting_structure.boxes import TextBox

from bellwire.viz.handout.pdf import pdf_of
from bellwire.viz.handout.sheet import sheet
from bellwire.viz.handout.slides.arrangement import SLIDE
from bellwire.viz.handout.slides.slides_html import STYLE

LINKED = 'The <a class="term">guest</a>\'s <a class="term">handler</a> ran 484 times; of the others none came.'


STREAM = re.compile(rb"stream\n(x.*?)\nendstream", re.DOTALL)


def words_on(html: str) -> set[str]:
    """The words as they stand on the lines of its pages."""
    boxes = [box for page in HTML(string=html).render().pages for box in page._page_box.descendants()]
    return {word for box in boxes if isinstance(box, TextBox) for word in box.text.split()}


def test_nothing_is_left_behind_however_the_program_ends_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gc.disable()
    try:
        made = pdf_of(sheet("x", "<p>a word</p>"))
        assert any(b"Inter" in part for part in [zlib.decompress(found) for found in STREAM.findall(made)])
        assert list(tmp_path.iterdir()) == []
    finally:
        gc.enable()


def test_no_word_before_or_in_a_link_is_parted() -> None:
    """Wherever the line ends: "the guest's han", "dler ran"."""
    body = "".join(f"<p>{'to be ' * 10}{'l' * n} {LINKED}</p>" for n in range(1, 60))
    found = words_on(sheet("A sheet", body))
    assert {word for word in found if word.strip("l") and word.isalpha()} == {
        *("to", "be", "The", "guest", "handler", "ran", "of", "the", "others", "none"),
    }


def test_a_path_without_a_blank_stays_on_the_page() -> None:
    found = words_on(sheet("A sheet", f"<p><code>/{'x' * 400}</code></p>"))
    assert sum("xxx" in word for word in found) > 1


@pytest.mark.parametrize(
    "style",
    [
        None,
        STYLE.format(width=SLIDE[0], height=SLIDE[1], leading=1.2, text="#000", background="#fff", apart=1, kinds=""),
    ],
)
def test_a_sign_is_copied_as_it_was_written(style: str | None) -> None:
    """The x of an address between digits was drawn as the sign for times, which was copied as an x then."""
    body = "<p>0x510, 791 × a write, -> !=</p>"
    html = sheet("A sheet", body) if style is None else f"<style>{style}</style><section>{body}</section>"
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf_of(html), re.DOTALL)
    maps = b"".join(content for content in map(unpacked, streams) if b"beginbfchar" in content).lower()
    assert maps.count(b"<00d7>") == 1
    assert maps.count(b"<0078>") == 1


def unpacked(stream: bytes) -> bytes:
    """What is in a stream, packed or not."""
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream
