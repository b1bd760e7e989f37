"""Versions and the machine: what belongs in every report, ready to copy."""

from __future__ import annotations

import platform

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.language import tr
from bellwire.engine.source import Source
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.text.trust import agreement
from bellwire.viz.text.versions import distribution, program_version

PACKAGES = ("PySide6-Essentials", "pyqtgraph", "numpy", "pyarrow")
MOST_OF_WINDOW = 0.6  # of its size that the facts may take
AROUND = 210  # pixels of its height that all else in the dialog takes
LEAST = 60  # pixels of the facts' height, which are scrolled


def about_text(source: Source, clock_error: ClockError) -> str:
    """One fact a line."""
    lines = [f"Bellwire {program_version()}", f"Python {platform.python_version()}, Qt {qVersion()}"]
    lines += [f"{name} {distribution(name)}" for name in PACKAGES]
    lines += [f"{name}: {value}" for name, value in source.host.items()]
    return "\n".join([*lines, tr("clocks: {agreement}", agreement=agreement(clock_error))])


class About(QDialog):
    """The facts, and a button that copies them."""

    def __init__(self, source: Source, clock_error: ClockError, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Bellwire"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = about_text(source, clock_error)
        title, purpose, facts = (
            PlainLabel("Bellwire"),
            PlainLabel(tr("How a KVM guest and its host signal each other.")),
            PlainLabel(),
        )
        title.setObjectName("title")
        purpose.setWordWrap(True)
        facts.setObjectName("mono")
        facts.setText(self.text)
        copy, close = Button(tr("Copy")), Button(tr("Close"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        box = QVBoxLayout(self)
        box.setContentsMargins(28, 24, 28, 20)
        box.setSpacing(12)
        most = (parent.size() * MOST_OF_WINDOW).boundedTo(QSize(parent.width(), max(parent.height() - AROUND, LEAST)))
        for widget in (title, purpose, self._scrolled(facts, most)):
            box.addWidget(widget)
        box.addLayout(buttons)
        self.resize(self.sizeHint().boundedTo(parent.size()))

    def _scrolled(self, facts: PlainLabel, most: QSize) -> UprightArea:
        """As large as the facts need, up to that; what is wider is wrapped, what is higher scrolled."""
        facts.ensurePolished()
        area = UprightArea(facts, self)
        bar = area.verticalScrollBar().sizeHint().width()
        width = min(facts.sizeHint().width() + bar, most.width())
        facts.setWordWrap(True)
        area.setMinimumSize(width, min(facts.heightForWidth(width - bar), most.height()))
        return area
