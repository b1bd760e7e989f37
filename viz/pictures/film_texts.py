"""Texts in files that move: a comment in a GIF, a chunk in an APNG; in WebM and MP4 what FFmpeg has written there."""

from __future__ import annotations

import json

from bellwire.viz.pictures.raster import SIGNATURE, text_chunk

COMMENT, TRAILER = b"\x21\xfe", b"\x3b"  # of a GIF
BLOCK = 255  # bytes that a part of a GIF's comment has at most
HEADER = len(SIGNATURE) + 25  # bytes before a PNG's second chunk
JSON_BEGINS = b'{"alt":'  # as that of a provenance does, whose keys are sorted


def gif_with_comment(content: bytes, text: str) -> bytes:
    """The GIF, with a comment at its end."""
    left = text.encode()
    parts = [left[at : at + BLOCK] for at in range(0, len(left), BLOCK)]
    comment = COMMENT + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    return content.removesuffix(TRAILER) + comment + TRAILER


def comment_in_gif(content: bytes) -> str:
    """Its last comment; "" if there is none."""
    at, parts = content.rfind(COMMENT), list[bytes]()
    at = len(content) if at < 0 else at + len(COMMENT)
    while at < len(content) and content[at]:
        parts.append(content[at + 1 : at + 1 + content[at]])
        at += 1 + content[at]
    return b"".join(parts).decode(errors="replace")


def apng_with_text(content: bytes, key: str, text: str) -> bytes:
    """The APNG, which holds texts as any PNG does."""
    return content[:HEADER] + text_chunk(key, text) + content[HEADER:]


def json_in_film(content: bytes) -> str:
    """The provenance that lies in a WebM or MP4 as it was written; "" if there is none."""
    at = content.find(JSON_BEGINS)
    if at < 0:
        return ""
    text = content[at:].split(b"\0", 1)[0].decode(errors="replace")
    try:
        return text[: json.JSONDecoder().raw_decode(text)[1]]
    except (ValueError, RecursionError):
        return ""
