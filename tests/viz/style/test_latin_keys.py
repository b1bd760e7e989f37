"""Letter keys under layouts without Latin letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QShortcutEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.latin_keys import LAYOUTS, PLACES, CapitalKeys, action_of, latin_key
from tests.support.windows import Stage, staged

Modifier = Qt.KeyboardModifier
PLACE_OF = {letter: code for code, letter in PLACES.items()}
SIGNS = {"I": "шιןщ", "Q": "й;/,", "W": "цς'у", "D": "вδגа", "S": "ыσדя", "X": "чχסй", "B": "иβנп", "F": "аφכо"}


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged(qtbot) as made:
        yield made


def pressed(sign: str, code: int = 0, modifiers: Modifier = Modifier.NoModifier) -> QKeyEvent:
    """As X11 and Wayland send it: the key is the upper-case letter, the scan code the place."""
    return QKeyEvent(QEvent.Type.KeyPress, ord(sign.upper()), modifiers, code, ord(sign), 0, sign)


@pytest.mark.parametrize("letter", SIGNS)
def test_the_place_of_a_key_says_what_it_does(letter: str) -> None:
    for sign in SIGNS[letter]:
        assert latin_key(pressed(sign, PLACE_OF[letter])) == letter


@pytest.mark.parametrize(("sign", "code"), [("'", 24), (",", 25), (".", 26), (";", 52), ("a", 24), ("/", 61)])
def test_where_a_latin_layout_has_the_letter_elsewhere_a_sign_is_no_letter(sign: str, code: int) -> None:
    """Those of Dvorak, AZERTY and QWERTY."""
    assert latin_key(pressed(sign, code)) == ""


def test_a_digit_is_a_digit_in_every_script() -> None:
    assert [latin_key(pressed(sign, 11)) for sign in "۲२٢2"] == ["2", "2", "2", ""]


def test_without_a_place_the_letter_says_it() -> None:
    for signs, latin in LAYOUTS:
        for sign, letter in zip(signs, latin, strict=True):
            assert latin_key(pressed(sign)) == letter


@pytest.mark.parametrize("sign", ["i", "I", "7", "?", " ", "é"])
def test_keys_of_their_own_are_left_alone(sign: str) -> None:
    assert latin_key(pressed(sign, PLACE_OF["Q"])) in ("", "Q" if sign == "é" else "")


def test_actions_keep_their_modifiers_and_may_be_disabled(qtbot: QtBot) -> None:
    plain, shifted = QAction("plain"), QAction("shifted")
    plain.setShortcut(QKeySequence("F"))
    shifted.setShortcut(QKeySequence("Shift+F"))
    both = [plain, shifted]
    assert action_of(pressed("а", PLACE_OF["F"]), both) is plain
    assert action_of(pressed("А", PLACE_OF["F"], Modifier.ShiftModifier), both) is shifted
    plain.setEnabled(False)
    assert action_of(pressed("а", PLACE_OF["F"]), both) is None


@pytest.mark.parametrize("sign", ["ш", "ι", "ן", "щ"])
def test_the_window_switches_the_ioeventfd_by_the_key_at_its_place(stage: Stage, sign: str, qtbot: QtBot) -> None:
    stage.run(1)
    QApplication.sendEvent(stage.window, pressed(sign, PLACE_OF["I"]))
    assert stage.source.commands[-1] == "ioeventfd off"


@pytest.mark.parametrize(
    ("sign", "code", "letter"),
    [("ั", 43, "H"), ("ี", 30, "U"), ("ि", 41, "F"), ("ِ", 38, "A"), ("ъ", 10, "1"), ("é", 11, ""), (";", 35, "]")],
)
def test_a_vowel_that_is_written_around_another_letter_is_a_key_as_well(sign: str, code: int, letter: str) -> None:
    """Thai, Devanagari, Arabic with Shift; a letter of Kazakh where digits are; AZERTY; Bulgarian."""
    assert latin_key(pressed(sign, code)) == letter


def test_ctrl_and_a_sign_at_a_letters_place_is_ctrl_and_the_letter() -> None:
    """The text is none then: Hebrew has a slash on Q."""
    control = Modifier.ControlModifier
    assert latin_key(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Slash, control, 24, 0x2F, 0, "\x1f")) == "Q"


def test_a_letter_that_comes_with_shift_does_what_shift_and_the_letter_do(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qt finds the action of the letter alone: the layout has used up the Shift."""
    top, done = QWidget(), list[str]()
    qtbot.addWidget(top)
    filtered = CapitalKeys(top)

    def taken(keys: str, held: Modifier = Modifier.ShiftModifier) -> bool:
        """Whether it is not done as it was found."""
        monkeypatch.setattr(QGuiApplication, "keyboardModifiers", lambda: held)
        return filtered.eventFilter(top.actions()[0], QShortcutEvent(QKeySequence(keys)))

    for name in ("A", "Shift+A", "I"):
        action = QAction(name, top, shortcut=QKeySequence(name))
        action.triggered.connect(lambda _=False, name=name: done.append(name))
        top.addAction(action)
    assert [taken(keys) for keys in ("A", "I", "Shift+A", "Space", "1")] == [True, True, False, False, False]
    assert done == ["Shift+A"]
    assert not taken("A", Modifier.NoModifier)
    top.actions()[1].setEnabled(False)
    assert taken("A")
    assert done == ["Shift+A"]


def test_each_action_of_the_window_asks_whether_shift_is_held(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QGuiApplication, "keyboardModifiers", lambda: Modifier.ShiftModifier)
    stage.run(1)
    found = next(action for action in stage.window.actions() if QKeySequence("I") in action.shortcuts())
    marker = next(action for action in stage.window.actions() if QKeySequence("Shift+A") in action.shortcuts())
    done = list[str]()
    marker.triggered.disconnect()
    marker.triggered.connect(lambda: done.append("marker"))
    for keys in ("I", "A"):
        QApplication.sendEvent(found, QShortcutEvent(QKeySequence(keys)))
    assert done == ["marker"]
    assert stage.source.commands == []
