"""Pictures made of lines: what two other programs show of them is what the PNG shows; their text is text."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import USUAL_SIZES, PictureAsked
from bellwire.viz.pictures.making import made_picture
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.provenance import NAMESPACE, read_provenance
from bellwire.viz.text.assets import asset
from bellwire.viz.window.application import application
from bellwire.viz.window.picturing.drawn_window import drawn_window

SVG = "{http://www.w3.org/2000/svg}"
VIEWS = [view for view in USUAL_SIZES if view != "suppression"]
SEEN = ("window", "extended", "latency", "stages")  # by other programs
FAR = 4.0  # of 255: how far a picture may be from another program's, on average; edges are smoothed otherwise
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>"""


@pytest.fixture(autouse=True)
def _app(qapp: object) -> None:
    """Qt is there before a test begins."""


@lru_cache
def picture(view: str, suffix: str) -> bytes:
    """A picture of a shipped recording at a journey, in the theme that is hatched."""
    application()
    asked = PictureAsked(view=view, at=Moment.read("#40/runnable"), theme="projector")
    return made_picture(path_of_shipped("roundtrip"), asked, suffix, drawn_window).content


def needs(program: str) -> str:
    """A program that draws such files; fails, loudly, where it is missing: `make test-libraries` installs it."""
    found = shutil.which(program)
    assert found, f"{program} is missing: make test-libraries"
    return found


@contextmanager
def file_of(view: str, suffix: str, folder: Path) -> Iterator[Path]:
    """The picture as a file."""
    path = folder / f"{view}{suffix}"
    path.write_bytes(picture(view, suffix))
    yield path


def far_from_png(view: str, seen: bytes) -> float:
    """How far another program's pixels are from those of the PNG, blurred by a pixel, on average."""
    ours, theirs = (Image.open(io.BytesIO(png)).convert("RGB") for png in (picture(view, ".png"), seen))
    assert abs(ours.width - theirs.width) <= 1
    assert abs(ours.height - theirs.height) <= 1
    small = ours.width // 2, ours.height // 2
    one, other = (
        np.asarray(image.crop((0, 0, *ours.size)).resize(small, Image.Resampling.BOX), np.float64)
        for image in (ours, theirs)
    )
    return float(np.abs(one - other).mean())


@pytest.mark.parametrize("view", SEEN)
def test_rsvg_shows_the_same(view: str, tmp_path: Path) -> None:
    """It takes typefaces from the system alone, so it is given ours."""
    (tmp_path / "fonts.conf").write_text(FONTS.format(fonts=asset("fonts"), cache=tmp_path))
    with file_of(view, ".svg", tmp_path) as path:
        command = [needs("rsvg-convert"), str(path)]
        environment = os.environ | {"FONTCONFIG_FILE": f"{tmp_path}/fonts.conf"}
        seen = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=240).stdout
    assert far_from_png(view, seen) < FAR


@pytest.mark.parametrize("view", SEEN)
def test_poppler_shows_the_same(view: str, tmp_path: Path) -> None:
    with file_of(view, ".pdf", tmp_path) as path:
        command = [needs("pdftoppm"), "-r", "96", "-png", "-singlefile", str(path)]
        made = subprocess.run(command, capture_output=True, check=True, timeout=240)
    assert made.stderr == b""
    assert far_from_png(view, made.stdout) < FAR


def test_a_browser_shows_the_same_by_the_letters_that_are_in_it(tmp_path: Path) -> None:
    """Without any typeface of ours on the system."""
    view, shown = "extended", tmp_path / "shown.png"
    with file_of(view, ".svg", tmp_path) as path:
        command = [needs("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += ["--force-device-scale-factor=1", "--window-size=1280,720", f"--user-data-dir={tmp_path}/profile"]
        command += ["--virtual-time-budget=5000"]  # no picture before its letters are loaded, on a busy machine either
        subprocess.run(
            [*command, f"--screenshot={shown}", f"file://{path}"], capture_output=True, check=True, timeout=120
        )
    assert far_from_png(view, shown.read_bytes()) < FAR


@pytest.mark.parametrize("view", VIEWS)
def test_an_svg_is_one_file_whose_text_is_text(view: str) -> None:
    content = picture(view, ".svg")
    root = ElementTree.fromstring(content)
    width, height = USUAL_SIZES[view]
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    assert root.find(f"{SVG}title") is not None
    assert root.findtext(f"{SVG}desc")
    words = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert sum(map(len, words)) > 30
    assert b"font/woff2;base64," in content
    assert not re.findall(rb'(?:href|src)="(?!data:|#)', content)
    named = set(re.findall(r'id="(d\d+)"', content.decode()))
    assert set(re.findall(r"url\(#(d\d+)\)", content.decode())) <= named
    assert len(list(root.iter(f"{SVG}path"))) >= (1 if view == "numbers" else 3)


@pytest.mark.parametrize("view", VIEWS)
def test_a_pdf_is_one_page_of_the_size_with_its_typefaces_in_it(view: str, tmp_path: Path) -> None:
    width, height = USUAL_SIZES[view]
    content = picture(view, ".pdf")
    assert f"/MediaBox [0 0 {width * 0.75:.6f} {height * 0.75:.6f}]".encode() in content
    assert content.count(b"/Type /Page\n") == 1
    assert b"/FontFile2" in content
    assert not re.search(rb"CreationDate|ModDate|/ID", content)


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_the_same_picture_is_the_same_bytes(suffix: str) -> None:
    before = picture("latency", suffix)
    picture.cache_clear()
    assert picture("latency", suffix) == before


@pytest.mark.parametrize("view", ["latency", "distribution", "exits", "numbers"])
def test_the_text_in_a_plots_place_is_of_what_it_shows(view: str, tmp_path: Path) -> None:
    """In place of the exits there were latencies, and in place of one wiring's figures the whole run's."""
    asked = PictureAsked(view=view, at=Moment.read("#newest"), theme="projector")
    made = made_picture(path_of_shipped("roundtrip"), asked, ".svg", drawn_window)
    texts = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", made.content.decode()))
    alt = made.told.alt.removeprefix(made.told.caption)
    assert ("round trip" in alt) == (view != "exits")
    if view == "distribution":
        assert re.findall(r"round trip: p50 ([\d.]+) ", alt)[0] in texts
    assert ("HLT" in alt) == (view == "exits")
    assert made.told.caption.startswith("Numbers") == (view == "numbers")


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_picture_says_where_it_comes_from(suffix: str, tmp_path: Path) -> None:
    with file_of("extended", suffix, tmp_path) as path:
        told = read_provenance(path)
    assert (told.scenario, told.backend, told.recording) == ("roundtrip", "kvm_pvm", "roundtrip.arrow")
    assert told.asked == PictureAsked(
        view="extended", at=Moment.read("#40/runnable"), theme="projector", size=USUAL_SIZES["extended"]
    )
    assert told.caption.startswith(
        "Diagram of host, QEMU and guest of “Round trip: ioeventfd out, irqfd back” in the story"
    )
    assert told.alt.startswith(told.caption)
    assert len(told.alt) > len(told.caption) + 20
    if suffix == ".svg":
        assert NAMESPACE.encode() in picture("extended", suffix)


@pytest.mark.parametrize("view", ["window", "timeline"])
def test_nothing_of_it_is_pixels_where_nothing_is_hatched(view: str) -> None:
    """Icons, the program's mark and what the minimap counts are lines."""
    application()
    asked, path = PictureAsked(view=view, at=Moment.read("#40/runnable")), path_of_shipped("roundtrip")
    svg, pdf = (made_picture(path, asked, suffix, drawn_window).content for suffix in (".svg", ".pdf"))
    assert b"<image" not in svg
    assert b"/Subtype /Image" not in pdf


def test_lines_are_as_wide_as_on_the_screen() -> None:
    """A curve is drawn in units of its data; its pen is not."""
    root = ElementTree.fromstring(picture("latency", ".svg"))
    widths = {float(path.get("stroke-width", 0)) for path in root.iter(f"{SVG}path")}
    assert max(widths) <= 6
    assert not [path for path in root.iter(f"{SVG}path") if path.get("transform")]
