"""Every theme can be read: each pair of colours that meet on the screen has the contrast that WCAG 2.2 asks for.

Text AA 4.5:1 and, for a projector, AAA 7:1; lines, edges and marks that say something 3:1.
"""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import product

import pytest

from bellwire.viz.cli.options import ThemeName
from bellwire.viz.style.theme import (
    DARK,
    LARGEST_SCALE,
    LARGEST_USUAL,
    LIGHT,
    PRINT,
    PROJECTOR,
    THEME_WORDS,
    THEMES,
    Theme,
)
from tests.support.contrast import contrast, over

EACH = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
TEXT = {"projector": 7.0}  # what text must have; elsewhere READABLE
READABLE, SEEN = 4.5, 3.0
CARDS = ("background", "surface", "surface_raised", "well")
FILLS = ("guest_fill", "vmm_fill", "kvm_fill", "io_fill")
SETTINGS = {"name", "scale", "least", "stroke", "glow", "marked"}

# Texts, and the grounds that they stand on.
WRITTEN = [
    *product(("text", "text_muted"), (*CARDS, *FILLS)),
    *product(("doorbell", "interrupt", "roundtrip", "heavy", "guest", "kvm", "live", "paused", "replay"), CARDS),
    *product(("doorbell", "interrupt", "heavy", "guest"), ("guest_fill",)),
    *product(("heavy", "doorbell", "interrupt", "kvm"), ("kvm_fill",)),
    *product(("heavy", "interrupt", "text"), ("vmm_fill",)),
    *product(("io_thread", "doorbell", "interrupt"), ("well",)),
    *product(("text",), ("border",)),  # a button that is pressed in
    *product(("selection", "focus"), ("surface",)),  # a stage that is chosen, a choice that has the focus
    *product(
        ("text_on_accent",), ("doorbell", "interrupt", "heavy", "guest", "kvm", "io_thread", "selection", "focus")
    ),
]
# Translucent colours, the ground below them, and the texts on them: what shines, and rows that are chosen.
LIT = [
    *product(("doorbell", "interrupt", "heavy", "kvm", "guest"), (0.12, 0.38), ("well",), ("text",)),
    *product(("selection",), (0.07, 0.15, 0.22), ("surface",), ("text",)),
    *product(("selection",), (0.07,), ("surface",), ("text_muted", "guest", "heavy", "kvm", "io_thread")),
]
# Lines, edges and points, and what they are seen against.
DRAWN = [
    *product(("border_strong", "focus", "selection", "paused"), CARDS),
    *product(("doorbell", "interrupt", "heavy", "guest", "io_thread", "kvm"), ("surface", "surface_raised", "well")),
    *product(("vmm", "guest", "kvm", "io_thread"), ("surface",)),
    *product(("doorbell", "interrupt", "heavy", "guest"), ("guest_fill", "kvm_fill")),
    *product(("doorbell", "interrupt", "heavy"), ("io_fill", "vmm_fill")),
]


def wanted(theme: Theme) -> float:
    return TEXT.get(theme.name, READABLE)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast(over("#000000", 0.5, "#FFFFFF"), "#FFFFFF") == pytest.approx(contrast("#808080", "#FFFFFF"), 0.02)


@EACH
def test_every_color_is_set(theme: Theme) -> None:
    colors = {field.name: getattr(theme, field.name) for field in fields(theme) if field.name not in SETTINGS}
    assert {name: color for name, color in colors.items() if not re.fullmatch("#[0-9A-F]{6}", color)} == {}


@EACH
def test_every_color_is_tried(theme: Theme) -> None:
    tried = {name for pair in (*WRITTEN, *DRAWN) for name in pair}
    only_seen_beside_a_stronger_edge = {"grid"}
    assert {field.name for field in fields(theme)} - SETTINGS - tried == only_seen_beside_a_stronger_edge


@EACH
def test_text_is_readable(theme: Theme) -> None:
    found = {pair: contrast(*(getattr(theme, name) for name in pair)) for pair in WRITTEN}
    assert {pair: ratio for pair, ratio in found.items() if ratio < wanted(theme)} == {}


@EACH
def test_text_is_readable_where_something_shines(theme: Theme) -> None:
    """A marked theme has plain grounds there, which are tried as such."""
    if theme.marked:
        assert not theme.glow
        return
    grounds = {
        lit: contrast(getattr(theme, lit[3]), over(getattr(theme, lit[0]), lit[1], getattr(theme, lit[2])))
        for lit in LIT
    }
    assert {lit: ratio for lit, ratio in grounds.items() if ratio < wanted(theme)} == {}


@EACH
def test_what_is_drawn_is_seen(theme: Theme) -> None:
    found = {pair: contrast(*(getattr(theme, name) for name in pair)) for pair in DRAWN}
    assert {pair: ratio for pair, ratio in found.items() if ratio < SEEN} == {}


def test_paper_has_black_white_and_two_tints() -> None:
    colors = {getattr(PRINT, field.name) for field in fields(PRINT)} - {getattr(PRINT, name) for name in SETTINGS}
    assert len(colors) == 4
    assert {"#000000", "#FFFFFF"} <= colors


def test_lines_for_the_last_row_are_thick_and_nothing_shines() -> None:
    assert PROJECTOR.stroke >= 1.5
    assert not PROJECTOR.glow
    assert PROJECTOR.faded(0.3) == 1.0
    assert (DARK.stroke, LIGHT.faded(0.3)) == (1.0, 0.3)


def test_everybody_knows_the_same_themes() -> None:
    assert list(THEMES) == list(THEME_WORDS) == [name.value for name in ThemeName]


def test_scale_keeps_within_what_the_layout_holds() -> None:
    assert DARK.scaled(9).scale == LARGEST_SCALE * LARGEST_USUAL
    assert DARK.scaled(1.2).px(10) == 12


@pytest.mark.usefixtures("qapp")
def test_what_somebody_changes_in_a_font_or_a_color_is_in_no_other() -> None:
    font, color = LIGHT.font(11), LIGHT.color("text", 0.5)
    font.setStrikeOut(True)
    font.setPixelSize(40)
    color.setAlphaF(1.0)
    assert (LIGHT.font(11).strikeOut(), LIGHT.font(11).pixelSize()) == (False, 11)
    assert LIGHT.color("text", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)
