"""Pixels of a picture, as PNG has them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from bellwire.viz.pictures.raster import opaque, png_file


@pytest.mark.parametrize(
    "form", [QImage.Format.Format_RGBA8888, QImage.Format.Format_ARGB32, QImage.Format.Format_ARGB32_Premultiplied]
)
def test_a_picture_has_the_channel_for_transparency_once_it_needs_it(form: QImage.Format, qapp: QApplication) -> None:
    image = QImage(900, 700, form)  # so large that its memory is the system's again as soon as nobody has it
    image.fill(Qt.GlobalColor.white)
    assert opaque(image)
    assert not QImage.fromData(png_file(image, {})).hasAlphaChannel()
    image.setPixelColor(899, 699, QColor(0, 0, 0, 100))
    assert not opaque(image)
    assert QImage.fromData(png_file(image, {})).pixelColor(899, 699).alpha() == 100
