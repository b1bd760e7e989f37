"""Our typefaces in a vector picture: which file a font is of, and as much of it as some text needs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from bellwire.viz.style.theme import MONO, SANS
from bellwire.viz.text.assets import asset

FILES = {  # by family and weight; a heavier text takes the next heavier file
    SANS: {400: "Inter-Regular.otf", 500: "Inter-Medium.otf", 600: "Inter-SemiBold.otf", 700: "Inter-Bold.otf"},
    MONO: {400: "JetBrainsMono-Regular.ttf", 500: "JetBrainsMono-Medium.ttf", 700: "JetBrainsMono-Bold.ttf"},
}
KEPT_FEATURES = ("ccmp", "kern", "mark", "mkmk")  # ligatures of ours are never wanted: "Ctrl++" is three signs


class Typeface(NamedTuple):
    """One of FILES, by the family that it is asked for by and the weight that its file has."""

    family: str
    weight: int

    @property
    def file(self) -> str:
        """Its file's name."""
        return FILES[self.family][self.weight]


def typeface_of(families: Iterable[str], weight: int) -> Typeface:
    """That of the first family that is ours; who asks for none of them gets Inter, as Qt has no other here."""
    family = next((name for name in families if name in FILES), SANS)
    weights = sorted(FILES[family])
    return Typeface(family, next((one for one in weights if one >= weight), weights[-1]))


@lru_cache(maxsize=64)
def subset_as_url(typeface: Typeface, letters: str) -> str:
    """A font of these letters alone as a data URL, in WOFF2."""
    from fontTools import subset

    options = subset.Options(
        flavor="woff2", layout_features=list(KEPT_FEATURES), desubroutinize=True, notdef_outline=True
    )
    options.name_IDs = [0, 1, 2, 13, 14]  # whose it is, and its licence
    font = subset.load_font(str(asset(f"fonts/{typeface.file}")), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(font)
    made = io.BytesIO()
    subset.save_font(font, made, options)
    font.close()
    return "data:font/woff2;base64," + base64.b64encode(made.getvalue()).decode()


def font_face(typeface: Typeface, letters: str) -> str:
    """The rule by which a style sheet has it."""
    url = subset_as_url(typeface, letters)
    return f'@font-face{{font-family:"{typeface.family}";font-weight:{typeface.weight};src:url({url}) format("woff2")}}'
