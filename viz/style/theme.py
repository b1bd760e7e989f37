"""Every colour and every font of the window, in four themes: dark and light, for a projector, for paper.

A theme sets all its colours; tests/viz/style/test_theme.py holds their contrast to WCAG AA, that of the projector's to
AAA. What a colour means is said by its name, and on the screen always by a shape or a word as well; where a theme is
`marked` also by line styles and hatchings: viz/style/themes/marks.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from PySide6.QtGui import QColor, QFont, QFontDatabase

from bellwire.engine.language import tr_later
from bellwire.viz.text.assets import asset

SANS = "Inter"
MONO = "JetBrains Mono"
SANS_FALLBACKS = ["Noto Sans", "DejaVu Sans", "sans-serif"]
MONO_FALLBACKS = ["Noto Sans Mono", "DejaVu Sans Mono", "monospace"]

SMALLEST_SCALE, LARGEST_SCALE = 0.8, 2.5  # of text that somebody chooses; 1.0 is what suits the window
LARGEST_USUAL = 2.0  # what suits the largest window
USUAL_WIDTH, USUAL_HEIGHT = 1920, 1080  # pixels of a window that has room for all at 100 %


@dataclass(frozen=True)
class Theme:
    """Colours as "#rrggbb"; `scale` enlarges all text (1.0 is 100 %)."""

    name: str  # one of THEMES

    # surfaces, from the back to the front
    background: str  # behind the cards
    surface: str  # cards, the top bar
    surface_raised: str  # buttons, chips, menus, lanes
    well: str  # boxes that hold a name and a fact: the diagram's nodes, tooltips
    border: str
    border_strong: str  # edges of controls: at least 3:1 against the surface
    grid: str

    # text
    text: str
    text_muted: str
    text_on_accent: str  # on a fill of doorbell, interrupt, selection...

    # what travels
    doorbell: str
    interrupt: str
    roundtrip: str
    heavy: str  # what had to go by user space; errors too, always with a word

    # where it happens
    guest: str
    guest_fill: str
    vmm: str
    vmm_fill: str
    kvm: str
    kvm_fill: str
    io_thread: str
    io_fill: str

    # states
    live: str
    paused: str
    replay: str
    selection: str
    focus: str

    scale: float = 1.0
    least: int = 0  # pixels of a font that no text is smaller than

    # how it is drawn
    stroke: float = 1.0  # how many times as thick wires, curves and frames are
    glow: bool = True  # what travels shines, and what it passes
    marked: bool = False  # line styles and hatchings say what colours say elsewhere, and nothing is pale

    def scaled(self, scale: float) -> Theme:
        """The same colours with text `scale` times as large, within what the layout holds."""
        return replace(self, scale=min(max(scale, SMALLEST_SCALE), LARGEST_SCALE * LARGEST_USUAL))

    def legible(self, least: int) -> Theme:
        """The same with no text smaller than these pixels."""
        return replace(self, least=least)

    def px(self, size: float) -> int:
        """A length in pixels that grows with the text."""
        return round(size * self.scale)

    def font(self, size: float, weight: int = 400, mono: bool = False) -> QFont:
        """A font of `size` pixels at 100 %; weight 100..900."""
        return make_font(self.type_px(size), weight, mono)

    def type_px(self, size: float) -> int:
        """The pixels of a font that has `size` at 100 %."""
        return max(self.px(size), self.least)

    @property
    def edge(self) -> str:
        """The name of the colour around cards and controls."""
        return "border_strong" if self.marked else "border"

    def faded(self, opacity: float) -> float:
        """How opaque something is that other themes have pale."""
        return 1.0 if self.marked else opacity

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """The colour called `name` as a QColor, with alpha 0..1."""
        known = self._colors.get((name, alpha))
        if known is None:
            known = self._colors[name, alpha] = QColor(getattr(self, name))
            known.setAlphaF(alpha)
        return QColor(known)

    @cached_property
    def _colors(self) -> dict[tuple[str, float], QColor]:
        """Those that were asked for: a picture asks thousands of times for a few of them."""
        return {}


def usual_scale(width: int, height: int) -> float:
    """How large text is in a window of this size, times what is chosen: 1.0, more where there is more room."""
    room = min(width / USUAL_WIDTH, height / USUAL_HEIGHT)
    return min(max(int(room * 10) / 10, 1.0), LARGEST_USUAL)


def make_font(pixels: int, weight: int, mono: bool) -> QFont:
    """A font of one of the two bundled families, the caller's own: what it changes in it changes no other text."""
    return QFont(_known_font(pixels, weight, mono))


@lru_cache(maxsize=256)
def _known_font(pixels: int, weight: int, mono: bool) -> QFont:
    """The one that is copied; the lists' later families stand in for glyphs that it lacks."""
    font = QFont([MONO, *MONO_FALLBACKS] if mono else [SANS, *SANS_FALLBACKS])
    font.setPixelSize(max(pixels, 6))
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return sign_by_sign(font)


def sign_by_sign(font: QFont) -> QFont:
    """The same font without ligatures: "Ctrl++" is three signs, and in a PDF a hyphen between capitals is a hyphen."""
    font.setFeature(QFont.Tag("calt"), 0)
    return font


@lru_cache(maxsize=1)
def load_fonts() -> tuple[str, ...]:
    """Registers the bundled fonts with Qt, once; needs a QGuiApplication. The families that were found."""
    families: list[str] = []
    folder = asset("fonts")
    files = sorted(f for f in folder.glob("**/*") if f.suffix in (".ttf", ".otf")) if folder.is_dir() else []
    for file in files:
        number = QFontDatabase.addApplicationFont(str(file))
        families += QFontDatabase.applicationFontFamilies(number)
    return tuple(families)


DARK = Theme(
    name="dark",
    background="#0E1319",
    surface="#151C25",
    surface_raised="#1B2430",
    well="#0E1319",
    border="#2B3644",
    border_strong="#64748A",
    grid="#222D3A",
    text="#E8EEF5",
    text_muted="#93A1B3",
    text_on_accent="#0E1319",
    doorbell="#FFB454",
    interrupt="#4CC9F0",
    roundtrip="#E8EEF5",
    heavy="#FF6B81",
    guest="#7BD88F",
    guest_fill="#14231C",
    vmm="#5B6B7F",
    vmm_fill="#18212C",
    kvm="#A796FF",
    kvm_fill="#1A1A2E",
    io_thread="#C9A26B",
    io_fill="#221C14",
    live="#7BD88F",
    paused="#FFD166",
    replay="#A796FF",
    selection="#F2F5A9",
    focus="#8CB8FF",
)

LIGHT = Theme(
    name="light",
    background="#EEF1F5",
    surface="#FFFFFF",
    surface_raised="#F1F4F8",
    well="#FFFFFF",
    border="#CDD6E0",
    border_strong="#76869A",
    grid="#E3E8EE",
    text="#141C26",
    text_muted="#4E5D6E",
    text_on_accent="#FFFFFF",
    doorbell="#9C5700",
    interrupt="#006B8F",
    roundtrip="#141C26",
    heavy="#C01F43",
    guest="#1B7436",
    guest_fill="#EDF8F0",
    vmm="#76869A",
    vmm_fill="#F4F7FA",
    kvm="#5A43C6",
    kvm_fill="#F2F0FF",
    io_thread="#80612C",
    io_fill="#FBF6EC",
    live="#1B7436",
    paused="#8A5A00",
    replay="#5A43C6",
    selection="#7A5B00",
    focus="#1F5FD0",
)

PROJECTOR = Theme(
    name="projector",
    background="#FFFFFF",
    surface="#FFFFFF",
    surface_raised="#EEF1F5",
    well="#FFFFFF",
    border="#B9C2CE",
    border_strong="#1F2937",
    grid="#B9C2CE",
    text="#000000",
    text_muted="#39424E",
    text_on_accent="#FFFFFF",
    doorbell="#7A3B00",
    interrupt="#00497A",
    roundtrip="#000000",
    heavy="#9B0030",
    guest="#0B5324",
    guest_fill="#E3F4E7",
    vmm="#39424E",
    vmm_fill="#EEF1F5",
    kvm="#4527A0",
    kvm_fill="#ECE8FF",
    io_thread="#5B4310",
    io_fill="#F7EEDC",
    live="#0B5324",
    paused="#6B4200",
    replay="#4527A0",
    selection="#8A0070",
    focus="#0040B0",
    stroke=1.6,
    glow=False,
    marked=True,
)

WHITE, BLACK, DARK_TINT, LIGHT_TINT = "#FFFFFF", "#000000", "#4D4D4D", "#E6E6E6"  # of paper, ink, and ink's two screens

PRINT = Theme(
    name="print",
    background=WHITE,
    surface=WHITE,
    surface_raised=LIGHT_TINT,
    well=WHITE,
    border=LIGHT_TINT,
    border_strong=BLACK,
    grid=LIGHT_TINT,
    text=BLACK,
    text_muted=DARK_TINT,
    text_on_accent=WHITE,
    doorbell=BLACK,
    interrupt=DARK_TINT,
    roundtrip=BLACK,
    heavy=BLACK,
    guest=DARK_TINT,
    guest_fill=WHITE,
    vmm=DARK_TINT,
    vmm_fill=LIGHT_TINT,
    kvm=DARK_TINT,
    kvm_fill=LIGHT_TINT,
    io_thread=DARK_TINT,
    io_fill=WHITE,
    live=BLACK,
    paused=BLACK,
    replay=BLACK,
    selection=BLACK,
    focus=BLACK,
    stroke=1.2,
    glow=False,
    marked=True,
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT, PROJECTOR, PRINT)}
THEME_WORDS = {  # as it is called where it is chosen, and what it is for
    "dark": (tr_later("Theme: dark"), tr_later("For a screen in a room that is not bright")),
    "light": (tr_later("Theme: light"), tr_later("For a screen in a bright room")),
    "projector": (
        tr_later("Theme: projector"),
        tr_later("For the last row: thick lines, strong contrast, line styles beside colours"),
    ),
    "print": (tr_later("Theme: print"), tr_later("For paper: black, white and two tints")),
}
