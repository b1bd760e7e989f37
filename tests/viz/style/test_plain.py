"""Texts are drawn as they are: in labels, tips, buttons and menus; and no module of the window makes any other ones."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from bellwire.viz.style.plain import PlainLabel, plain_tip, plain_words
from bellwire.viz.style.theme import THEMES
from bellwire.viz.text.commands import commands_quoted
from bellwire.viz.window.notice import NoticeBar

VIZ = Path(__file__).resolve().parents[3] / "viz"
HOSTILE = "<h1>A & B</h1><img src='file:///etc/passwd'> \x1b[31m \u202e \ud800"
SEEN = "<h1>A & B</h1><img src='file:///etc/passwd'> ␛[31m \\u202e \\ud800"


def test_a_label_has_no_html(qtbot: QtBot) -> None:
    label = PlainLabel(HOSTILE)
    qtbot.addWidget(label)
    for text in (HOSTILE, f"two\nlines {HOSTILE}"):
        label.setText(text)
        assert label.textFormat() == Qt.TextFormat.PlainText
        assert label.text() == text.replace(HOSTILE, SEEN)


@pytest.mark.parametrize("text", [HOSTILE, "plain words", "a < b and b > c", "one\ntwo"])
def test_a_tip_is_read_as_it_is_written(text: str) -> None:
    tip, wanted = plain_tip(text), text.replace(HOSTILE, SEEN)
    document = QTextDocument()
    if tip.startswith("<p"):
        document.setHtml(tip)
        assert document.toPlainText() == wanted
    else:
        assert tip == wanted


def test_a_command_is_quoted_whatever_shows_it(qtbot: QtBot) -> None:
    text, wanted = "`bellwire doctor` says how to mend it.", "“bellwire doctor” says how to mend it."
    label, notice = PlainLabel(text), NoticeBar(THEMES["dark"])
    for widget in (label, notice):
        qtbot.addWidget(widget)
    assert label.text() == wanted
    label.setText(f"No KVM. {text}")
    notice.say(text)
    assert label.text() == f"No KVM. {wanted}"
    assert (notice.words.text(), notice.accessibleName()) == (wanted, wanted)
    assert plain_tip(text) == plain_words(text) == wanted
    notice.take_back(text)
    assert notice.isHidden()
    assert commands_quoted("it`s one, not two") == "it`s one, not two"


def test_a_button_underlines_nothing() -> None:
    assert plain_words("A & B\tCtrl+Q") == "A && B␉Ctrl+Q"


def calls(source: str, name: str) -> list[ast.Call]:
    """Every call of a function or method of this name."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [node for node in nodes if name in (getattr(node.func, "attr", ""), getattr(node.func, "id", ""))]


def is_plain(argument: ast.expr) -> bool:
    """Whether a tip is written in the source, as a message without places too, or has gone through plain_tip."""
    text = ast.unparse(argument)
    if text.startswith("tr(") and isinstance(argument, ast.Call):
        return not argument.keywords and isinstance(argument.args[0], ast.Constant)
    return isinstance(argument, ast.Constant) or text.startswith("plain_tip(") or "ToolTipRole" in text


def test_nobody_makes_a_label_or_a_tip_of_another_kind() -> None:
    found = []
    for path in sorted(VIZ.rglob("*.py")):
        source = path.read_text()
        found += [path.name for _ in calls(source, "QLabel")] + [path.name for _ in calls(source, "QMessageBox")]
        tips = [call.args[0] for call in calls(source, "setToolTip")]
        found += [f"{path.name}: {ast.unparse(tip)}" for tip in tips if not is_plain(tip)]
    # Two are HTML, and ours: the filter's language, and what a call says, whose words are escaped.
    assert found == ["panel.py", "filter_line.py: tr(EXPLAINED)"]


def test_the_rule_finds_a_tip_that_is_not_plain() -> None:
    for tip in ("f'{path}'", "tr(path)", "tr('of {path}', path=path)"):
        assert not is_plain(calls(f"a.setToolTip({tip})", "setToolTip")[0].args[0])
