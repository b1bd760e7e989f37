"""Colours by name: painted once, shown dark and light."""

from __future__ import annotations

from dataclasses import fields

from bellwire.viz.player.inks import COLORS, INKS, by_variable, theme_rules
from bellwire.viz.style.theme import DARK, LIGHT, Theme


def test_each_color_is_told_by_its_ink() -> None:
    assert {"guest_fill", "doorbell", "surface"} <= set(COLORS)
    told = [by_variable(f'fill="{getattr(INKS, name)}"') for name in COLORS]
    assert told == [f'fill="var(--{name.replace("_", "-")})"' for name in COLORS]


def test_dark_and_light_differ_in_nothing_but_colors_so_one_picture_does_for_both() -> None:
    others = [field.name for field in fields(Theme) if field.name not in (*COLORS, "name")]
    assert [getattr(DARK, name) for name in others] == [getattr(LIGHT, name) for name in others]


def test_the_rules_hold_both_themes() -> None:
    assert theme_rules().count(f"--doorbell:{DARK.doorbell.lower()};") == 2
    assert theme_rules().count(f"--doorbell:{LIGHT.doorbell.lower()};") == 2
