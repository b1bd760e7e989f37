"""The manual's pictures: each is shown, is small, and is made again by the command that stands below it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from bellwire.viz.pictures.provenance import read_provenance
from docs.computed.shot import PICTURES, command_again, files_of
from tests.support.commands import bellwire
from tests.support.manual_blocks import DOCS, pages

MOST_BYTES = 150_000


def test_every_picture_is_shown() -> None:
    shown = {name for page in pages() for name in re.findall(r"\{shot\} (\S+)", (DOCS / page).read_text())}
    files = {file for name in shown for file in files_of(name).values()}
    other = {
        PICTURES / name for page in pages() for name in re.findall(r"pictures/([\w.-]+)", (DOCS / page).read_text())
    }
    assert {file.name for file in PICTURES.iterdir()} <= {file.name for file in files | other}


def test_every_picture_is_small() -> None:
    assert {file.name for file in PICTURES.iterdir() if file.stat().st_size > MOST_BYTES} == set()


def test_every_picture_has_words_in_its_place() -> None:
    told = {file.name: read_provenance(file).alt for file in PICTURES.glob("*.svg")}
    assert told
    assert [name for name, alt in told.items() if len(alt.split()) < 8] == []


def test_the_command_below_a_picture_makes_it_again(tmp_path: Path) -> None:
    picture, again = min(PICTURES.glob("*.svg"), key=lambda file: file.stat().st_size), tmp_path / "again.svg"
    words = shlex.split(command_again(read_provenance(picture)).astext().removeprefix("$ bellwire "))
    words[words.index("-o") + 1] = str(again)
    done = bellwire(*words)
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == picture.read_bytes()
