"""What has changed in pictures, as one HTML file that any browser shows without a network: before, now, what differs.

Nothing in it that came from elsewhere, a list's names and texts before all, is markup or program.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from bellwire.engine.counted import number_of
from bellwire.engine.foreign import shown
from bellwire.viz.text.assets import asset

if TYPE_CHECKING:
    from bellwire.viz.cli.shots.checked import CheckedPicture

CARRIED = 100  # pictures that are in the page; of more it says that they differ
LONGEST_ALT = 600  # characters
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'; "
    "script-src 'sha256-{script}'"
)
KINDS = {".png": "image/png", ".apng": "image/apng", ".svg": "image/svg+xml", ".gif": "image/gif"}
FILMS = {".webm": "video/webm", ".mp4": "video/mp4"}
MADE_BY = '<meta name="generator" content="bellwire">'
WAYS = (("aside", "Side by side"), ("over", "One over the other"), ("turns", "In turns"))


def report_page(title: str, checked: Sequence[CheckedPicture], unexpected: Sequence[str], again: str) -> str:
    """The whole file. unexpected: files that are in no list; again: the command that makes what has changed anew."""
    from bellwire.viz.player.inks import theme_rules
    from bellwire.viz.player.page import typefaces

    script = asset("shots/report.js").read_text(encoding="utf-8")
    policy = POLICY.format(script=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode())
    style = theme_rules() + asset("shots/report.css").read_text(encoding="utf-8")
    told = [one for one in checked if one.what]
    body = "\n".join(
        [
            f"<h1>{as_markup(title)}</h1>",
            f"<p>{as_markup(pictures_told(checked, unexpected))}</p>",
            report_overview(told, unexpected),
            *(f"<p>To make them anew: <code>{as_markup(line)}</code></p>" for line in [again] if line),
            *(picture_section(number, one) for number, one in enumerate(told)),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{MADE_BY}\n<title>{as_markup(title)}</title>\n"
        f"<style>\n{typefaces(set(body))}\n{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def as_markup(text: str, most: int | None = None) -> str:
    """A text as markup has it, which steers nothing."""
    return escape(shown(text, most))


def pictures_told(checked: Sequence[CheckedPicture], unexpected: Sequence[str]) -> str:
    """How many there are of which kind, in a sentence."""
    states = [str(one.state) for one in checked]
    told = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    told += [f"{len(unexpected)} unexpected"] if unexpected else []
    return f"{number_of(len(states), 'picture')}: {', '.join(told)}."


def report_overview(told: Sequence[CheckedPicture], unexpected: Sequence[str]) -> str:
    """What is to be looked at, as links."""
    links = [
        (f'<a class="name" href="#picture-{n}">{as_markup(str(one.one.out))}</a>', one) for n, one in enumerate(told)
    ]
    lines = [f"<li>{link}{state_badge(str(one.state))}</li>" for link, one in links]
    lines += [f'<li><span class="name">{as_markup(name)}</span>{state_badge("unexpected")}</li>' for name in unexpected]
    return f'<ul class="overview">\n{"".join(lines)}</ul>' if lines else ""


def state_badge(state: str) -> str:
    """The word that says how it stands with it."""
    return f'<span class="state {state.split()[-1]}">{as_markup(state)}</span>'


def picture_section(number: int, one: CheckedPicture) -> str:
    """Of one picture."""
    listed = one.one
    facts = [("Shot", f"{listed.name} ({listed.place})"), ("Recording", listed.source)]
    about = "".join(f"<dt>{name}</dt><dd>{as_markup(words)}</dd>" for name, words in facts)
    about += f"<dt>Command</dt><dd><code>{as_markup(listed.command)}</code></dd>"
    too_many = '<p class="muted">This page holds no more pictures.</p>'
    shows = "".join(report_figures(number, one)) if number < CARRIED else too_many
    return (
        f'<section id="picture-{number}">\n<h2>{as_markup(str(listed.out))}{state_badge(str(one.state))}</h2>\n'
        f"<p>{as_markup(one.what)}</p>\n{shows}<dl>{about}{provenance_rows(one)}</dl>\n</section>"
    )


def provenance_rows(one: CheckedPicture) -> str:
    """What the files say of themselves: once, or twice where that differs."""
    from bellwire.viz.pictures.lists.comparing import provenance_table

    tables = [provenance_table(content) for content in (one.before, one.after)]
    rows = []
    for key, name in (("program", "Made by"), ("sha256", "SHA-256"), ("alt", "Text")):
        words = list(dict.fromkeys(str(table[key]) for table in tables if table.get(key)))
        if words and (len(words) > 1 or key != "sha256"):
            lines = "<br>→ ".join(as_markup(word, LONGEST_ALT) for word in words)
            rows.append(f"<dt>{name}</dt><dd>{lines}</dd>")
    return "".join(rows)


def report_figures(number: int, one: CheckedPicture) -> Iterator[str]:
    """The picture as it was and as it is, and where they differ."""
    suffix = one.one.suffix
    shows = [("before", "Before", one.before), ("after", "Now", one.after)]
    shows = [(kind, words, content) for kind, words, content in shows if content]
    if len(shows) == 2 and suffix not in FILMS:
        yield ways_to_compare(number)
    yield '<div class="pictures">\n<div class="pair">\n'
    for kind, words, content in shows:
        image = seen_in_report(content, suffix, words)
        yield f'<figure class="{kind}">{image}<figcaption>{words}</figcaption></figure>\n'
    yield "</div>\n"
    if one.difference:
        image = seen_in_report(one.difference, ".png", "The difference")
        yield f"<figure>{image}<figcaption>The difference</figcaption></figure>\n"
    yield "</div>\n"


def ways_to_compare(number: int) -> str:
    """How before and after are shown."""
    choices = "".join(
        f'<label><input type="radio" name="way-{number}" class="{kind}"{" checked" * (kind == "aside")}>{words}</label>'
        for kind, words in WAYS
    )
    cut = '<label class="cut">Before <input type="range" min="0" max="100" value="50" aria-label="Where"> now</label>'
    return f"<fieldset>{choices}{cut}</fieldset>\n"


def seen_in_report(content: bytes, suffix: str, words: str) -> str:
    """A picture as a page carries it within itself."""
    from bellwire.viz.pictures.lists.drawn_elsewhere import png_of_vectors

    if suffix == ".pdf":
        content, suffix = png_of_vectors(content, suffix), ".png"
        if not content:
            return '<p class="muted">pdftoppm, which shows a PDF here, is not installed.</p>'
    url = f"data:{(KINDS | FILMS)[suffix]};base64,{base64.b64encode(content).decode()}"
    if suffix in FILMS:
        return f'<video controls loop muted src="{url}"></video>'
    return f'<img alt="{escape(words)}" src="{url}">'
