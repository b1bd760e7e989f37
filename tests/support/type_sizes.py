"""How large each piece of text is that somebody paints, whatever it is painted on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtGui import QPainter

from bellwire.viz.diagram import sprites


@contextmanager
def sizes_painted() -> Iterator[dict[str, float]]:
    """Pixels of the font by the text, the smallest in which it was painted meanwhile."""
    found: dict[str, float] = {}
    paint = QPainter.drawText

    def measured(painter: QPainter, *args: Any) -> Any:
        pixels = painter.font().pixelSize() * painter.worldTransform().m22()
        for words in (arg for arg in args if isinstance(arg, str) and arg.strip()):
            found[words] = min(pixels, found.get(words, pixels))
        return paint(painter, *args)

    sprites.label.cache_clear()
    QPainter.drawText = measured  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        QPainter.drawText = paint  # type: ignore[method-assign]
