"""Qt for commands that make pictures: the same wherever they run."""

from __future__ import annotations

import os

from bellwire.viz.window import importing_qt


def plain_application() -> None:
    """Before Qt is imported: offscreen, unless a platform is named that can be opened, as Qt would end the process."""
    from bellwire.viz.cli.display import find_display
    from bellwire.viz.pictures.plain_qt import OFFSCREEN, make_qt_plain

    if os.environ.get("QT_QPA_PLATFORM") and find_display().trouble:
        os.environ["QT_QPA_PLATFORM"] = OFFSCREEN
    make_qt_plain()
    with importing_qt():
        from bellwire.viz.window.application import application, keep_large_blocks

    application()
    keep_large_blocks()
