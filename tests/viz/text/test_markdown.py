"""Text in a Markdown file is read as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bellwire.viz.text.markdown import as_markdown

SIGNS = "\\`*_{}[]()<>#+-.!|&;:/=~\"'1 ah"


def read(markdown: str) -> str:
    """What a reader of one paragraph sees; a heading, an emphasis, a link or HTML is none of it."""
    opened, inline, closed = MarkdownIt("commonmark").parse(markdown)
    assert (opened.type, inline.type, closed.type) == ("paragraph_open", "inline", "paragraph_close")
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}
    return "".join(child.content for child in inline.children or ())


@pytest.mark.parametrize(
    "text",
    [
        "<h1>x</h1><img src=x onerror=alert(1)>",
        "# no heading",
        "- no list",
        "12. no list either",
        "> nobody is quoted",
        "[a](javascript:alert(1)) ![b](c)",
        "*loud* and _loud_, but io_uring",
        "`code` \\ &amp; &#60;",
        "---",
        "===",
        "p50 < 3 µs & more",
    ],
)
def test_no_sign_means_anything(text: str) -> None:
    assert read(as_markdown(text)) == text


@given(st.text(SIGNS, min_size=1).map(lambda text: " ".join(text.split())).filter(bool))
def test_whatever_is_written_is_read(text: str) -> None:
    assert read(as_markdown(text)) == text


def test_what_means_nothing_stays_as_it_is() -> None:
    text = "Of 200 doorbells (all of io_uring) 14.2 µs & more: #7, 3 < 4 - 1."
    assert as_markdown(text) == text
