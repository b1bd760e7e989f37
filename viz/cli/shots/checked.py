"""What has come of a picture that was made once more and held against the one that is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bellwire.viz.pictures.lists.listed import ListedPicture


class Outcome(StrEnum):
    """Of a picture that was checked. SAME: to the byte, or but for which version made it."""

    SAME = "the same"
    CHANGED = "changed"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True)
class CheckedPicture:
    """what: what differs, in words; "" if nothing does. before, after: its file; difference: a PNG that shows where."""

    one: ListedPicture
    state: Outcome
    what: str = ""
    before: bytes = b""
    after: bytes = b""
    difference: bytes = b""
