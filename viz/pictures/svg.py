"""A drawing as an SVG file that needs nothing else: its letters are in it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtGui import QPainter

from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.pictures.provenance import NAMESPACE, Provenance
from bellwire.viz.pictures.svg_engine import SvgDevice, SvgEngine, short_number
from bellwire.viz.pictures.typefaces import font_face
from bellwire.viz.style.painting import painter_on


def svg_file(drawing: Drawing, told: Provenance) -> bytes:
    """The file, with what is told of it."""
    about = (
        f'<title id="t">{escape(told.title)}</title>\n<desc id="d">{escape(told.alt)}</desc>\n<metadata>'
        f'<bellwire:provenance xmlns:bellwire="{NAMESPACE}">{escape(told.as_json())}</bellwire:provenance></metadata>\n'
    )
    return svg_of(drawing, about, "t d")


def svg_of(drawing: Drawing, about: str, labels: str) -> bytes:
    """The file. about: elements that tell of it; labels: the ids of those by which it is called."""
    width, height = drawing.asked.pixels
    wide, high = (short_number(side * drawing.asked.scale) for side in (width, height))
    engine = painted_as_svg(width, height, drawing.paint)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-labelledby="{labels}" xml:space="preserve">\n'
        f"{about}{style_of(engine)}{defs_of(engine)}"
        f'<g stroke-miterlimit="2">\n' + "\n".join(engine.parts) + "\n</g>\n</svg>\n"
    ).encode()


def painted_as_svg(width: int, height: int, paint: Callable[[QPainter], None]) -> SvgEngine:
    """What is painted on paper of so many pixels."""
    device = SvgDevice(width, height)
    with painter_on(device) as painter:
        paint(painter)
    return device.engine


def style_of(engine: SvgEngine) -> str:
    """The typefaces, of the letters that are in it."""
    faces = [font_face(face, "".join(sorted(letters))) for face, letters in sorted(engine.letters.items())]
    rules = "text{white-space:pre;font-feature-settings:'calt' 0;font-kerning:normal}"
    return "<style>" + "\n".join([*faces, rules]) + "</style>\n"


def defs_of(engine: SvgEngine) -> str:
    """What is referred to by name."""
    if not engine.defs:
        return ""
    return (
        "<defs>\n" + "\n".join(markup.replace("{name}", name) for markup, name in engine.defs.items()) + "\n</defs>\n"
    )
