"""A message chart as a file: SVG, or PNG, in the size and the theme that it has on the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from bellwire.engine.events import Clock
from bellwire.viz.panels.sequence.noted import ChartNote
from bellwire.viz.panels.sequence.painter import SequencePainter
from bellwire.viz.panels.sequence.parts import Chart
from bellwire.viz.style.painting import painter_on
from bellwire.viz.style.theme import Theme

MARGIN = 16
PIXELS_AN_INCH = 96  # in CSS, and so in a browser
ELIDE = Qt.TextElideMode.ElideRight


@dataclass(frozen=True)
class SequencePicture:
    """What is in the file: the chart under its name and latency, what ran where, what somebody has written on it."""

    theme: Theme
    chart: Chart
    clock: Clock
    even: bool
    name: tuple[str, str]
    provenance: str
    noted: list[ChartNote]

    def content(self, suffix: str, size: QSize, ratio: float) -> bytes:
        """The file, whose suffix is the format. ratio: pixels of the screen to each of Qt's."""
        made = self._svg(size) if suffix.lower() == ".svg" else self._png(size, ratio)
        return bytes(made.data())

    def _svg(self, size: QSize) -> QByteArray:
        made = QBuffer()
        generator = QSvgGenerator()
        generator.setOutputDevice(made)
        generator.setSize(size)
        generator.setResolution(PIXELS_AN_INCH)
        generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
        generator.setTitle(" ".join(self.name))
        generator.setDescription(self.provenance)
        with painter_on(generator) as painter:
            self._paint(painter, size)
        # Qt writes millimetres, which who shows it turns back by a resolution of its own.
        in_pixels = f'width="{size.width()}" height="{size.height()}"'.encode()
        return QByteArray(re.sub(rb'width="[^"]*mm" height="[^"]*mm"', in_pixels, bytes(made.data().data()), count=1))

    def _png(self, size: QSize, ratio: float) -> QByteArray:
        image = QImage(size * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        with painter_on(image) as painter:
            self._paint(painter, size)
        made = QBuffer()
        QImageWriter(made, QByteArray(b"png")).write(image)
        return made.data()

    def _paint(self, painter: QPainter, size: QSize) -> None:
        theme, whole = self.theme, QRectF(0, 0, size.width(), size.height())
        painter.fillRect(whole, theme.color("surface"))
        line = QRectF(MARGIN, 8, whole.width() - 2 * MARGIN, theme.px(24))
        painter.setFont(theme.font(15, 600))
        painter.setPen(theme.color("text"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self.name[0])
        painter.setFont(theme.font(13, mono=True))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.name[1])
        line.moveTop(line.bottom())
        painter.setFont(theme.font(11))
        painter.setPen(theme.color("text_muted"))
        words = painter.fontMetrics().elidedText(self.provenance, ELIDE, round(line.width()))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)
        area = whole.adjusted(MARGIN / 2, line.bottom() + 8, -MARGIN / 2, -MARGIN / 2)
        SequencePainter(painter, theme, area, self.chart, self.clock, self.even, noted=self.noted).paint()
