"""Both themes set every colour, and every text can be read on what it stands on (WCAG 2.2, AA)."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from bellwire.viz.style.theme import DARK, LARGEST_SCALE, LARGEST_USUAL, LIGHT, Theme

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
SURFACES = ("background", "surface", "surface_raised", "well", "guest_fill", "vmm_fill", "kvm_fill", "io_fill")
TEXTS = ("text", "text_muted")
ACCENTS = ("doorbell", "interrupt", "roundtrip", "heavy", "guest", "kvm", "live", "paused", "replay")


def luminance(color: str) -> float:
    """Relative luminance as WCAG defines it, 0..1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1..21."""
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colors(theme: Theme) -> dict[str, str]:
    return {f.name: getattr(theme, f.name) for f in fields(theme) if f.name not in ("name", "scale")}


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@THEMES
def test_every_color_is_set(theme: Theme) -> None:
    wrong = {name: color for name, color in colors(theme).items() if not re.fullmatch("#[0-9A-F]{6}", color)}
    assert not wrong


@THEMES
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable_everywhere(theme: Theme, text: str, surface: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, surface)) >= 4.5


@THEMES
@pytest.mark.parametrize("surface", ["background", "surface", "surface_raised", "well"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_colored_text_is_readable_on_cards(theme: Theme, accent: str, surface: str) -> None:
    assert contrast(getattr(theme, accent), getattr(theme, surface)) >= 4.5


@THEMES
@pytest.mark.parametrize(
    ("accent", "surface"),
    [
        ("guest", "guest_fill"),
        ("kvm", "kvm_fill"),
        ("heavy", "vmm_fill"),
        ("heavy", "kvm_fill"),
        ("doorbell", "kvm_fill"),
        ("interrupt", "kvm_fill"),
        ("doorbell", "guest_fill"),
        ("interrupt", "guest_fill"),
    ],
)
def test_colored_text_is_readable_in_the_diagram(theme: Theme, accent: str, surface: str) -> None:
    assert contrast(getattr(theme, accent), getattr(theme, surface)) >= 4.5


@THEMES
@pytest.mark.parametrize("accent", ["doorbell", "interrupt", "selection", "heavy"])
def test_text_on_an_accent_is_readable(theme: Theme, accent: str) -> None:
    assert contrast(theme.text_on_accent, getattr(theme, accent)) >= 4.5


@THEMES
@pytest.mark.parametrize("edge", ["border_strong", "focus", "vmm", "io_thread", "selection"])
def test_edges_that_carry_meaning_are_visible(theme: Theme, edge: str) -> None:
    assert contrast(getattr(theme, edge), theme.surface) >= 3


def test_scale_keeps_within_what_the_layout_holds() -> None:
    assert DARK.scaled(9).scale == LARGEST_SCALE * LARGEST_USUAL
    assert DARK.scaled(1.2).px(10) == 12
