"""How well colours can be told apart: the contrast of WCAG 2.2, and what lies beneath something translucent."""

from __future__ import annotations

from PySide6.QtGui import QColor


def rgb(color: QColor | str) -> tuple[float, float, float]:
    """Red, green and blue in sRGB, 0..1."""
    known = QColor(color)
    return known.redF(), known.greenF(), known.blueF()


def linear(color: QColor | str) -> tuple[float, float, float]:
    """Red, green and blue in linear sRGB, 0..1."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(color))
    return red, green, blue


def luminance(color: QColor | str) -> float:
    """Relative luminance as WCAG defines it, 0..1."""
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor | str, other: QColor | str) -> float:
    """Contrast ratio, 1..21."""
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def over(color: QColor | str, alpha: float, ground: QColor | str) -> QColor:
    """What is seen of a colour, so opaque, on an opaque ground."""
    pairs = zip(rgb(color), rgb(ground), strict=True)
    return QColor.fromRgbF(*(top * alpha + below * (1 - alpha) for top, below in pairs))
