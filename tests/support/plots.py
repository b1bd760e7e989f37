"""Plots that are shown, and what colours are in their picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from bellwire.viz.plots.plot import Plot
from bellwire.viz.style.theme import DARK, Theme
from tests.support.fake_source import FakeSource


def model_of(scenario: str, seconds: float = 3.0, switch: Order | None = None) -> LiveModel:
    """A model that has seen so many seconds; `switch` is turned off half way."""
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    for step in range(round(seconds / 0.05)):
        if switch and step == round(seconds / 0.1):
            source.order(switch, False)
        source.run(0.05)
        model.tick(0.05)
    return model


def shown(plot: Plot, qtbot: QtBot, width: int = 480, height: int = 200) -> QImage:
    """The plot's picture once it is on the screen in this size."""
    qtbot.addWidget(plot)
    plot.resize(width, height)
    plot.show()
    plot.redraw()
    return plot.grab().toImage()


def has_color(image: QImage, name: str, theme: Theme = DARK, near: int = 40) -> bool:
    """Whether some pixel is nearly of a theme's colour."""
    return amount(image, name, theme, near) > 0


def amount(image: QImage, name: str, theme: Theme, near: int) -> int:
    """How many pixels are nearly of a theme's colour."""
    wanted = theme.color(name)
    pixels = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8).reshape(-1, 4)
    target = np.array([wanted.blue(), wanted.green(), wanted.red()])
    return int((np.abs(pixels[:, :3].astype(int) - target).sum(axis=1) < near).sum())
