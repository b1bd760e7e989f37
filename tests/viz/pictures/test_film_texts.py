"""Texts in clips: what was put in is read again, and what is no clip holds none."""

from __future__ import annotations

import json

import pytest

from bellwire.viz.pictures.film_texts import (
    apng_with_text,
    comment_in_gif,
    gif_with_comment,
    json_in_film,
)
from bellwire.viz.pictures.raster import MOST_CHUNKS, SIGNATURE, chunk, text_chunk, texts_in

LONG = "µ;" * 400  # several blocks, with the byte that ends a GIF


def test_a_comment_of_a_gif_is_read_again() -> None:
    plain = b"GIF89a....;"
    assert comment_in_gif(gif_with_comment(plain, LONG)) == LONG
    assert gif_with_comment(plain, LONG).endswith(b"\0;")
    assert comment_in_gif(plain) == ""
    assert comment_in_gif(plain + b"\x21\xfe\xff") == ""


def test_a_text_of_an_apng_is_read_again() -> None:
    plain = SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b"")
    made = apng_with_text(plain, "bellwire", LONG)
    assert texts_in(made) == {"bellwire": LONG}
    assert made.startswith(plain[:33])


@pytest.mark.parametrize("after", [b"", b"\0rest", b'{"more": 1}'])
def test_the_json_of_a_film_is_found_where_it_lies(after: bytes) -> None:
    text = json.dumps({"alt": "", "command": "µ {}"}, ensure_ascii=False, separators=(",", ":"))
    assert json_in_film(b"\x1a\x45\xdf\xa3 \xff" + text.encode() + after) == text


def test_what_is_none_is_none() -> None:
    assert json_in_film(b'\x1a\x45\xdf\xa3 {"alt":') == ""
    assert json_in_film(b'\x1a\x45\xdf\xa3 {"alt":' + b"[" * 100_000) == ""
    assert json_in_film(b"") == ""


def test_a_comment_as_long_as_a_film_is_read_in_one_go() -> None:
    """Each block copied to the end of all that came before, sixteen million of them take hours."""
    assert comment_in_gif(b"GIF89a" + b"\x21\xfe" + b"\x01a" * 4_000_000) == "a" * 4_000_000


def test_only_so_many_parts_of_a_file_are_looked_through() -> None:
    """Of 64 MB of empty ones it was seconds until a file was told to be no picture."""
    text = text_chunk("bellwire", LONG)
    for empty, found in ((MOST_CHUNKS - 1, {"bellwire": LONG}), (MOST_CHUNKS, {})):
        assert texts_in(SIGNATURE + chunk(b"abCd", b"") * empty + text) == found
