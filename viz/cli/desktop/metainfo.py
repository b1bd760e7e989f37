"""What the AppStream metadata say of the program, which other files say again."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

from bellwire.viz.text.assets import asset

METAINFO = "io.github.bellwire.metainfo.xml"


class Release(NamedTuple):
    """A version, and the day that it is of: ISO 8601."""

    version: str
    date: str


def newest_release() -> Release:
    """The first that is listed."""
    found = metainfo().find("releases/release")
    assert found is not None
    return Release(found.attrib["version"], found.attrib["date"])


def program_summary() -> str:
    """What the program is for, in a few words."""
    return metainfo().findtext("summary") or ""


def metainfo() -> ElementTree.Element:
    """The file."""
    return ElementTree.parse(asset(f"desktop/{METAINFO}")).getroot()
