"""Why a file that was double-clicked cannot be opened: whoever starts the program from a desktop sees no terminal."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout

from bellwire.engine.language import tr
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.stylesheet import wear_theme
from bellwire.viz.style.theme import THEMES
from bellwire.viz.window.access.spoken import speak_wanted
from bellwire.viz.window.application import application, when_told_to_end
from bellwire.viz.window.settings import Settings

WIDTH = 480  # pixels, of the sentence
HEED_MS = 100  # between looks for a signal: Python heeds one once it runs, and nothing else of it does here


class Refusal(QDialog):
    """One sentence, and a button that closes it."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.setWindowTitle("Bellwire")
        title, self.sentence, close = PlainLabel(tr("This cannot be opened")), PlainLabel(sentence), Button(tr("Close"))
        title.setObjectName("title")
        self.sentence.setWordWrap(True)
        self.sentence.setFixedWidth(WIDTH)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        box = QVBoxLayout(self)
        box.setContentsMargins(28, 24, 28, 20)
        box.setSpacing(12)
        for widget in (title, self.sentence):
            box.addWidget(widget)
        box.addLayout(buttons)
        close.setDefault(True)
        self._looks = QTimer(self)
        self._looks.timeout.connect(lambda: None)
        self._looks.start(HEED_MS)


def refuse_in_window(sentence: str, theme: str = "", language: str = "") -> None:
    """Shows it until it is closed; a signal ends the program. theme, language: "": those of last time."""
    app, settings = application(), Settings()
    speak_wanted(language, settings)
    colors = THEMES[theme] if theme else settings.theme
    wear_theme(app, colors)
    refusal = Refusal(sentence)
    told = when_told_to_end(refusal.reject)
    refusal.exec()
    if code := told():
        raise SystemExit(code)
