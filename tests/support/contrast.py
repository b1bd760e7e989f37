"""How well colours can be told apart: the contrast of WCAG 2.2, and what lies beneath something translucent."""

from __future__ import annotations

from PySide6.QtGui import QColor


def luminance(color: QColor | str) -> float:
    """Relative luminance as WCAG defines it, 0..1."""
    channels = QColor(color).getRgbF()[:3]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: QColor | str, other: QColor | str) -> float:
    """Contrast ratio, 1..21."""
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def over(color: QColor | str, alpha: float, ground: QColor | str) -> QColor:
    """What is seen of a colour, so opaque, on an opaque ground."""
    pairs = zip(QColor(color).getRgbF()[:3], QColor(ground).getRgbF()[:3], strict=True)
    return QColor.fromRgbF(*(top * alpha + below * (1 - alpha) for top, below in pairs))
