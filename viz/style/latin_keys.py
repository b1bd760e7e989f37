"""Keys by where they are: a letter key does its action under a keyboard layout without Latin letters as well."""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import category, decimal, name

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QShortcutEvent
from PySide6.QtWidgets import QWidget

ROWS = {10: "1234567890", 24: "QWERTYUIOP[]", 38: "ASDFGHJKL", 52: "ZXCVBNM"}  # by the first one's scan code
PLACES = {first + place: letter for first, row in ROWS.items() for place, letter in enumerate(row)}
# Where no scan code comes with the event: what stands on the same keys. Letters of two layouts are the first one's.
LAYOUTS = (
    ("ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЯЧСМИТЬ", "QWERTYUIOP[]ASDFGHJKLZXCVBNM"),  # Russian
    ("ΕΡΤΥΘΙΟΠΑΣΔΦΓΗΞΚΛΖΧΨΩΒΝΜ", "ERTYUIOPASDFGHJKLZXCVBNM"),  # Greek
    ("קראטוןםפשדגכעיחלךזסבהנמצ", "ERTYUIOPASDFGHJKLZXCVBNM"),  # Hebrew
)
# What stands on a letter's key there and is no letter itself, by sign and scan code. No Latin layout has it there.
# Greek, Hebrew, Bulgarian; Hebrew; Bulgarian.
PUNCTUATION = {(";", 24): "Q", ("/", 24): "Q", (",", 24): "Q", ("'", 25): "W", (";", 35): "]"}
LETTER_ALONE = re.compile(r"(?:(?!Shift)\w+\+)*[A-Z]")  # without Shift, as QKeySequence writes it
LETTERS: dict[str, str] = {}
for _signs, _latin in LAYOUTS:
    LETTERS = dict(zip(_signs, _latin, strict=True)) | LETTERS


def latin_key(event: QKeyEvent) -> str:
    """The Latin letter (or bracket) at the key's place, or its digit; "" if the key has one itself, or is neither."""
    sign = chr(event.key()) if 0x20 < event.key() < 0x110000 else event.text().upper()
    if len(sign) != 1:
        return ""
    if ord(sign) <= 0x7F:
        return PUNCTUATION.get((sign, event.nativeScanCode()), "")
    if sign.isdecimal():  # Persian and Devanagari have their own
        return str(decimal(sign))
    if category(sign)[0] not in "LM":  # M: a vowel that is written around another letter, as in Thai and Devanagari
        return ""
    letter = PLACES.get(event.nativeScanCode(), "")
    if letter.isdigit() and "LATIN" in name(sign, "LATIN"):  # AZERTY's é and à, whose digits come with Shift
        return ""
    return letter or LETTERS.get(sign.upper(), "")


def action_of(event: QKeyEvent, actions: Iterable[QAction]) -> QAction | None:
    """The action that the key at this place has under a Latin layout, if it can be done now."""
    letter = latin_key(event)
    if not letter:
        return None
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    wanted = QKeySequence(QKeyCombination(modifiers, Qt.Key(ord(letter))))
    return next((action for action in actions if action.isEnabled() and wanted in action.shortcuts()), None)


class CapitalKeys(QObject):
    """Shift and a letter is no letter alone: filters the shortcuts of actions, given the widget that has them all.

    Hebrew's keys, and Georgian's, have Latin letters with Shift: to Qt these are "A", the Shift being used up by it.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whether the action that Qt has found is another one's, which has been done then, or nobody's."""
        if event.type() != QEvent.Type.Shortcut:
            return False
        assert isinstance(event, QShortcutEvent)
        keys, top = event.key().toString(), self.parent()
        if (
            not LETTER_ALONE.fullmatch(keys)
            or not QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            return False
        wanted = QKeySequence(f"Shift+{keys}")
        assert isinstance(top, QWidget)
        for action in top.actions():
            if action.isEnabled() and wanted in action.shortcuts():
                action.trigger()
        return True
