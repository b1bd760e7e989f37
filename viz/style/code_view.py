"""A program to read, select and copy: the bundled monospaced font, restrained colours, the lines that matter marked."""

from __future__ import annotations

import re

from pygments.token import Comment, Keyword, String, Token
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from bellwire.engine.calls.program import Program
from bellwire.viz.style.theme import Theme

CODE_SIZE = 12
ABOVE = 2  # lines shown above the marked ones
KERNEL_NAME = re.compile(r"(KVM|IORING|EFD|VHOST_USER|MSG|SCM)_\w+$")

Piece = tuple[str, str]  # a colour's name, a text


def colored(text: str, language: str) -> list[Piece]:
    """The text in pieces, each with the name of its colour: comments, strings, keywords, names of the kernel's."""
    from pygments.lexers import get_lexer_by_name  # only where there is a program to show

    return [(syntax_color(kind, piece), piece) for kind, piece in get_lexer_by_name(language).get_tokens(text)]


def syntax_color(kind: object, piece: str) -> str:
    """What a token of Pygments is shown in. `in` asks whether one kind is a case of the other."""
    if kind in Comment.Preproc or kind in Comment.PreprocFile:
        return "kvm"
    if kind in Comment or kind in String.Doc:
        return "text_muted"
    if kind in String:
        return "guest"
    if kind in Keyword and kind not in Keyword.Constant:
        return "kvm"
    return "interrupt" if kind in Token and KERNEL_NAME.match(piece) else "text"


class CodeView(QPlainTextEdit):
    """Shows one program; wider lines scroll. Tab goes on to the next control."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.program: Program | None = None
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def show_program(self, program: Program) -> None:
        """Another program, scrolled to the lines of its call; the same one stays where it is."""
        if program == self.program:
            return
        self.program = program
        self._fill()
        self.horizontalScrollBar().setValue(0)
        self.verticalScrollBar().setValue(max(program.first - ABOVE, 0))

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        at = self.verticalScrollBar().value()
        self._fill()
        self.verticalScrollBar().setValue(at)

    def _fill(self) -> None:
        if self.program is None:
            return
        self.clear()
        cursor, font = QTextCursor(self.document()), self.theme.font(CODE_SIZE, mono=True)
        for color, piece in colored(self.program.text, self.program.language):
            look = QTextCharFormat()
            look.setFont(font)
            look.setForeground(self.theme.color(color))
            cursor.insertText(piece, look)
        self._mark(self.program)

    def _mark(self, program: Program) -> None:
        """A stripe behind the lines of the call itself."""
        marks = []
        for line in range(program.first, program.last + 1):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document().findBlockByNumber(line))
            mark.format.setBackground(self.theme.color("surface_raised"))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            marks.append(mark)
        self.setExtraSelections(marks)
