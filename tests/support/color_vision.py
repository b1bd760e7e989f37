"""Colours as somebody sees them who lacks one kind of cone, and how far apart two colours are.

The matrices are those of G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A Physiologically-based Model for
Simulation of Color Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (6), 2009, for a
severity of 1; they are of linear sRGB. The distance is CIEDE2000 (CIE 142, 2001), in which 1 is just seen.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tests.support.contrast import linear

Vector = npt.NDArray[np.float64]

MATRICES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
VISIONS = ("all cones", *MATRICES)
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
WHITE = (0.95047, 1.0, 1.08883)  # D65


def seen(color: str, vision: str) -> Vector:
    """A colour "#rrggbb" in linear sRGB, shape (3,), as it is seen with one of VISIONS."""
    light = np.array(linear(color))
    found = np.array(MATRICES[vision]) @ light if vision in MATRICES else light
    return np.asarray(np.clip(found, 0, 1), np.float64)


def lab(light: Vector) -> tuple[float, float, float]:
    """CIELAB of linear sRGB."""
    ratios = np.array(TO_XYZ) @ light / np.array(WHITE)
    x, y, z = np.where(ratios > 216 / 24389, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116)
    return float(116 * y - 16), float(500 * (x - y)), float(200 * (y - z))


def apart(one: str, other: str, vision: str) -> float:
    """How far apart two colours are for whoever sees so."""
    return ciede2000(lab(seen(one, vision)), lab(seen(other, vision)))


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """The distance of two colours in CIELAB, with all weights 1."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretched = 1 + 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25.0**7)))
    c1, c2 = math.hypot(a1 * stretched, b1), math.hypot(a2 * stretched, b2)
    h1, h2 = (math.degrees(math.atan2(b, a * stretched)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    lightness, chroma, hue = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    middle, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.20 * cos(4 * h - 63)
    s_l = 1 + 0.015 * (middle - 50) ** 2 / math.sqrt(20 + (middle - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    rotated = -math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2)))) * 2 * math.sqrt(c**7 / (c**7 + 25.0**7))
    parts = lightness / s_l, chroma / s_c, hue / s_h
    return math.sqrt(sum(part**2 for part in parts) + rotated * parts[1] * parts[2])


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))
