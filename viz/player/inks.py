"""Colours by name: what is painted with these is shown in each reader's own, dark or light.

Both themes draw the same lines and differ in nothing but their colours, so one picture does for both.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace

from bellwire.viz.style.theme import DARK, LIGHT, Theme

COLORS = tuple(field.name for field in fields(Theme) if str(getattr(DARK, field.name)).startswith("#"))
INK = re.compile(r"#0b75([0-9a-f]{2})")
INKS = replace(DARK, name="inks", **{name: f"#0b75{number:02x}" for number, name in enumerate(COLORS)})  # type: ignore[arg-type]


def variable(name: str) -> str:
    """A theme's colour as a style sheet calls it."""
    return f"--{name.replace('_', '-')}"


def by_variable(markup: str) -> str:
    """Markup that was painted with INKS, with the colours' names in place of them."""
    return INK.sub(lambda found: f"var({variable(COLORS[int(found[1], 16)])})", markup)


def rules_of(theme: Theme) -> str:
    """A theme's colours as declarations."""
    return "".join(f"{variable(name)}:{getattr(theme, name).lower()};" for name in COLORS)


def theme_rules() -> str:
    """Dark or light as the reader's system has it, unless one of them was chosen."""
    dark, light = f"color-scheme:dark;{rules_of(DARK)}", f"color-scheme:light;{rules_of(LIGHT)}"
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n:root[data-theme=light]{{{light}}}\n"
    )
