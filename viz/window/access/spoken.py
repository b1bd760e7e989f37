"""Which language the window speaks, what Qt has to say included: the texts of its own dialogs and menus."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from bellwire.engine.language import Spoken
from bellwire.viz.text.languages import language_wanted, speak_language
from bellwire.viz.window.settings import Settings

QT_TEXTS = "qtbase"  # Qt's catalogue of what its widgets say
NATIVE = {"en": "English"}  # Qt has a country in it


def own_name(language: str) -> str:
    """What a language calls itself: Deutsch."""
    return NATIVE.get(language) or QLocale(language).nativeLanguageName()


def speak_wanted(asked: str, settings: Settings) -> None:
    """Speaks what was asked for; "": as it was left or, if nothing was ever chosen, as the desktop does."""
    speak_language(asked or settings.language or language_wanted())


class QtTexts:
    """What translates Qt's own texts, one for the whole process; None while they are English."""

    translator: QTranslator | None = None


def translate_qt() -> None:
    """Qt's own texts in the language that is spoken, where it has them."""
    if QtTexts.translator:
        QCoreApplication.removeTranslator(QtTexts.translator)
        QtTexts.translator = None
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    translator = QTranslator()
    if translator.load(f"{QT_TEXTS}_{Spoken.name}", folder):
        QCoreApplication.installTranslator(translator)
        QtTexts.translator = translator
