"""The page: one HTML file with its style, its program, its typefaces and what it shows; it needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

from bellwire.engine.language import Spoken, tr
from bellwire.viz.pictures.typefaces import FILES, Typeface, font_face
from bellwire.viz.player.inks import theme_rules
from bellwire.viz.text.assets import asset
from bellwire.viz.text.verdicts import verdict_words

Table = dict[str, Any]
POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; script-src 'sha256-{script}'"


def page_of(data: Table, theme: str) -> str:
    """The whole file. theme: "dark", "light", or "" for what the reader prefers."""
    script = asset("player/player.js").read_text(encoding="utf-8")
    policy = POLICY.format(script=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode())
    carried = json_in_page(data | {"words": page_words()})
    style = theme_rules() + asset("player/player.css").read_text(encoding="utf-8")
    chosen = f' data-theme="{theme}"' if theme else ""
    body = (
        f'<body>\n<noscript><p class="alone">{escape(tr("This page shows nothing without its own program."))}</p>'
        f'</noscript>\n<div id="page"></div>\n<script type="application/json" id="run">{carried}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
    title = escape(data["about"]["title"])
    return (
        f'<!doctype html>\n<html lang="{Spoken.name}"{chosen}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="bellwire">\n<title>{title} – bellwire</title>\n'
        f"<style>\n{typefaces(set(carried + body))}\n{style}</style>\n</head>\n{body}"
    )


def json_in_page(data: Table) -> str:
    """As it can stand in a page: nothing in it ends what it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def typefaces(letters: set[str]) -> str:
    """Ours, as much of each as these letters need."""
    wanted = "".join(sorted(letter for letter in letters if letter.isprintable()))
    return "\n".join(font_face(Typeface(family, weight), wanted) for family in FILES for weight in FILES[family])


def page_words() -> dict[str, str]:
    """What the page's controls and headings say."""
    return {
        "play": tr("Play"),
        "pause": tr("Pause"),
        "stage_on": tr("Next stage"),
        "stage_back": tr("Stage before"),
        "event_on": tr("Next event"),
        "event_back": tr("Event before"),
        "journey_on": tr("Next journey"),
        "journey_back": tr("Journey before"),
        "stage_name": tr("Stage"),
        "event_name": tr("Event"),
        "journey_name": tr("Journey"),
        "start": tr("To the start"),
        "pace": tr("Pace"),
        "story": tr("Story pace"),
        "stage_seconds": tr("{seconds} s a stage"),
        "slow": tr("Slow motion"),
        "theme": tr("Dark or light"),
        "keys": tr("Keys"),
        "space": tr("Space"),
        "home": tr("Home"),
        "shift": tr("Shift"),
        "faster": tr("Faster"),
        "slower": tr("Slower"),
        "journeys": tr("Journeys"),
        "stages": tr("Stages"),
        "events": tr("Events"),
        "timeline": tr("Timeline"),
        "numbers": tr("Numbers"),
        "diagram": tr("Diagram of host, QEMU and guest"),
        "notes": tr("Annotations"),
        "about": tr("About this page"),
        "replay": tr("REPLAY"),
        "recorded": tr("Recorded on {machine}, {date}."),
        "lesson": tr("Lesson"),
        "step": tr("Step {step} of {steps}"),
        "step_on": tr("Next step"),
        "step_back": tr("Step before"),
        "reveal": tr("Show the answer"),
        "right": verdict_words(True),
        "wrong": verdict_words(False),
        "untold": verdict_words(None),
    }
