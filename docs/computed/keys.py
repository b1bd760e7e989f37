"""The window's keys, from the table of its actions; what needs Qt is imported once a page asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LECTURE = (  # what somebody who leads a lesson presses, in the order in which it is wanted
    *("page_on", "page_back", "present", "turn", "black", "white"),
    *("laser", "pen", "spotlight", "zoom", "undo_mark", "clear_marks"),
    *("play", "story", "newest", "ioeventfd", "irqfd", "theme", "larger", "smaller", "full"),
)


def keys_by_section() -> str:
    """All of them, as the window's own help of keys has them."""
    from bellwire.viz.window.menus import sections

    pages = [["", f"## {title}", "", *table(rows)] for title, rows in sections()]
    return "\n".join(line for page in pages for line in page)


def keys_of_a_lecture() -> str:
    """Those that somebody needs who stands in front of people, and what each does."""
    from bellwire.viz.window.actions import BY_NAME
    from bellwire.viz.window.menus import keys_of

    actions = [BY_NAME[name] for name in LECTURE]
    return "\n".join(table((keys_of(action), f"{action.text}. {action.tip}") for action in actions))


def table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Markdown: keys, two spaces between them, and what they do."""
    yield from ("| Key | What it does |", "|---|---|")
    for keys, told in rows:
        yield f"| {', '.join(map(keycaps, keys.split('  ')))} | {told} |"


def keycaps(key: str) -> str:
    """Sphinx's role for a key."""
    return f"{{kbd}}`{key}`"
