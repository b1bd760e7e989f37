"""Makes Qt the same wherever it runs: without a screen, without a desktop's settings, without the system's typefaces.

Called before Qt is imported; what a process has loaded already stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from bellwire.viz.text.assets import asset

OFFSCREEN = "offscreen"
CHANGING_LOOKS = (  # variables of Qt that change what is painted
    *(
        "QT_SCALE_FACTOR",
        "QT_SCREEN_SCALE_FACTORS",
        "QT_AUTO_SCREEN_SCALE_FACTOR",
        "QT_FONT_DPI",
        "QT_DEVICE_PIXEL_RATIO",
    ),
    *("QT_SCALE_FACTOR_ROUNDING_POLICY", "QT_USE_PHYSICAL_DPI", "QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME"),
    *("QT_LOGICAL_DPI_OVERRIDE", "QT_IM_MODULE", "QT_FONTCONFIG_TIMESTAMP", "QSG_RHI_BACKEND"),
)


def make_qt_plain(environment: MutableMapping[str, str] = os.environ) -> None:
    """Qt will be loaded without what a user, a desktop or a screen wants. A platform that is named stays."""
    for name in CHANGING_LOOKS:
        environment.pop(name, None)
    environment["QT_QPA_PLATFORM"] = environment.get("QT_QPA_PLATFORM") or OFFSCREEN
    environment["QT_ENABLE_HIGHDPI_SCALING"] = "0"
    environment["FONTCONFIG_FILE"] = str(asset("fonts/fonts.conf"))
    environment["QT_HASH_SEED"] = "0"  # fonts are in a PDF in an order of hashes
    environment["LC_ALL"] = "C.UTF-8"  # of numbers and signs nothing depends on the user's
