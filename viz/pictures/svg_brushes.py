"""Colours, gradients and hatchings as SVG has them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QGradient, QImage, QLinearGradient, QRadialGradient, QTransform

from bellwire.viz.style.painting import painter_on

TILE = 24  # pixels of a side: a whole number of each hatching's periods, ours and Qt's

Pixels = npt.NDArray[np.uint32]  # shape (TILE, TILE), QRgb


def opacity_of(color: QColor, opacity: float) -> tuple[str, str]:
    """A colour without its alpha, and how opaque it is."""
    alpha = f"{color.alphaF() * opacity:.3f}".rstrip("0").rstrip(".")
    return color.name(), alpha or "0"


def brush_tile(brush: QBrush) -> Pixels:
    """A hatching's pixels, of which it repeats."""
    image = QImage(TILE, TILE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    plain = QBrush(brush)
    plain.setTransform(QTransform())
    with painter_on(image) as painter:
        painter.fillRect(QRectF(0, 0, TILE, TILE), plain)
    return np.frombuffer(image.constBits(), np.uint32).reshape(TILE, TILE).copy()


def tile_markup(pixels: Pixels, origin: QPointF) -> str:
    """A pattern of its lines, each a row's stretch of one colour; `{name}` stands for its name."""
    stretches: dict[int, list[str]] = {}
    for y in range(TILE):
        edges = np.flatnonzero(np.diff(pixels[y])) + 1
        for start, end in pairwise([0, *edges.tolist(), TILE]):
            if pixels[y, start] >> 24:
                stretches.setdefault(int(pixels[y, start]), []).append(f"M{start} {y}h{end - start}v1H{start}z")
    paths = []
    for rgba, outlines in stretches.items():
        color, opacity = opacity_of(QColor.fromRgba(rgba), 1.0)
        paths.append(f'<path fill="{color}" fill-opacity="{opacity}" d="{"".join(outlines)}"/>')
    left, top = round(origin.x() % TILE, 2), round(origin.y() % TILE, 2)
    return (
        f'<pattern id="{{name}}" patternUnits="userSpaceOnUse" x="{left:g}" y="{top:g}" width="{TILE}" height="{TILE}">'
        f"{''.join(paths)}</pattern>"
    )


def gradient_markup(gradient: QGradient, transform: QTransform) -> str:
    """A gradient, linear or radial; `{name}` stands for its name."""
    stops = "".join(stop_markup(at, color) for at, color in gradient.stops())
    matrix = " ".join(
        f"{value:.4g}"
        for value in (
            transform.m11(),
            transform.m12(),
            transform.m21(),
            transform.m22(),
            transform.dx(),
            transform.dy(),
        )
    )
    about = f'id="{{name}}" gradientUnits="userSpaceOnUse" gradientTransform="matrix({matrix})"'
    if isinstance(gradient, QRadialGradient):
        center, focus, radius = gradient.center(), gradient.focalPoint(), gradient.radius()
        place = f'cx="{center.x():g}" cy="{center.y():g}" r="{radius:g}" fx="{focus.x():g}" fy="{focus.y():g}"'
        return f"<radialGradient {about} {place}>{stops}</radialGradient>"
    if isinstance(gradient, QLinearGradient):
        start, end = gradient.start(), gradient.finalStop()
        place = f'x1="{start.x():g}" y1="{start.y():g}" x2="{end.x():g}" y2="{end.y():g}"'
        return f"<linearGradient {about} {place}>{stops}</linearGradient>"
    raise NotImplementedError(gradient.type())


def stop_markup(at: float, color: QColor) -> str:
    """One of a gradient's colours."""
    name, opacity = opacity_of(color, 1.0)
    return f'<stop offset="{at:g}" stop-color="{name}" stop-opacity="{opacity}"/>'
