"""Keys by where they are: a letter key does its action under a keyboard layout without Latin letters as well."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import decimal

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence

ROWS = {24: "QWERTYUIOP[]", 38: "ASDFGHJKL", 52: "ZXCVBNM"}  # by the first one's scan code
PLACES = {first + place: letter for first, row in ROWS.items() for place, letter in enumerate(row)}
# Where no scan code comes with the event: what stands on the same keys. Letters of two layouts are the first one's.
LAYOUTS = (
    ("ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЯЧСМИТЬ", "QWERTYUIOP[]ASDFGHJKLZXCVBNM"),  # Russian
    ("ΕΡΤΥΘΙΟΠΑΣΔΦΓΗΞΚΛΖΧΨΩΒΝΜ", "ERTYUIOPASDFGHJKLZXCVBNM"),  # Greek
    ("קראטוןםפשדגכעיחלךזסבהנמצ", "ERTYUIOPASDFGHJKLZXCVBNM"),  # Hebrew
)
# What stands on a letter's key there and is no letter itself, by sign and scan code. No Latin layout has it there.
PUNCTUATION = {(";", 24): "Q", ("/", 24): "Q", (",", 24): "Q", ("'", 25): "W"}  # Greek, Hebrew, Bulgarian, Hebrew
LETTERS: dict[str, str] = {}
for _signs, _latin in LAYOUTS:
    LETTERS = dict(zip(_signs, _latin, strict=True)) | LETTERS


def latin_key(event: QKeyEvent) -> str:
    """The Latin letter (or bracket) at the key's place, or its digit; "" if the key has one itself, or is neither."""
    sign = chr(event.key()) if 0x7F < event.key() < 0x110000 else event.text().upper()
    if len(sign) != 1:
        return ""
    if ord(sign) <= 0x7F:
        return PUNCTUATION.get((sign, event.nativeScanCode()), "")
    if sign.isdecimal():  # Persian and Devanagari have their own
        return str(decimal(sign))
    return (PLACES.get(event.nativeScanCode(), "") or LETTERS.get(sign.upper(), "")) if sign.isalpha() else ""


def action_of(event: QKeyEvent, actions: Iterable[QAction]) -> QAction | None:
    """The action that the key at this place has under a Latin layout, if it can be done now."""
    letter = latin_key(event)
    if not letter:
        return None
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    wanted = QKeySequence(QKeyCombination(modifiers, Qt.Key(ord(letter))))
    return next((action for action in actions if action.isEnabled() and wanted in action.shortcuts()), None)
