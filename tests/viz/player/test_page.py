"""The page as a file: nothing in a recording is markup or program there."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from bellwire.engine.build import ROOT
from bellwire.viz.player.page import json_in_page, page_of
from bellwire.viz.text.assets import asset

HOSTILE = "</script><script>alert(1)</script><!-- <b> & \u2028"


def test_the_readme_says_how_long_its_program_is() -> None:
    told = re.search(r"its program, some (\d+) lines", (ROOT / "README.md").read_text())
    assert told
    lines = len(asset("player/player.js").read_text(encoding="utf-8").splitlines())
    assert abs(lines - int(told[1])) <= lines // 20


def test_what_a_recording_says_ends_nothing() -> None:
    said = json_in_page({"title": HOSTILE})
    assert "<" not in said
    assert "\u2028" not in said
    assert json.loads(said) == {"title": HOSTILE}


def test_no_program_runs_but_ours_and_nothing_is_asked_of_a_network() -> None:
    page = page_of({"about": {"title": HOSTILE}, "runs": []}, "dark")
    programs = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(programs) == 1
    digest = base64.b64encode(hashlib.sha256(programs[0].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; font-src data:; script-src 'sha256-{digest}'\"" in page
    assert re.findall(r"https?://(?!www\.w3\.org/)", page) == []
    assert '<html lang="en" data-theme="dark">' in page
