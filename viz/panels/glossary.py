"""The field's terms: searched by their names, spellings and meanings, and linked with each other."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QTextBrowser, QVBoxLayout, QWidget

from bellwire.engine.language import tr, tr_later, tr_n
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import SIDE, Panel
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.theme import Theme
from bellwire.viz.terms.glossary import Term, load_glossary
from bellwire.viz.terms.linked import as_html, linked_html

SCHEME = "term:"
GAP = 6  # between the line and what is below


class TermLine(QLineEdit):
    """What is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(tr("Find a term"))
        self.setAccessibleName(tr("find a term"))
        self.setClearButtonEnabled(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc empties the line, then gives the keys back to the window."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.text():
            self.clear()
        else:
            self.clearFocus()


class GlossaryPanel(Panel):
    """All terms, or those that are looked for; one that was gone to is marked."""

    title = tr_later("Glossary")
    name = "glossary"
    place = SIDE
    tip = tr_later("What the field's terms mean, to be searched; each leads to the others")

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.line, self.text = TermLine(), QTextBrowser()
        self.line.textChanged.connect(self._look_for)
        self.text.setOpenLinks(False)
        self.text.setAccessibleName(tr("terms and their meanings"))
        self.text.anchorClicked.connect(self._go_by)
        self._around = QVBoxLayout(self)
        self._around.setSpacing(GAP)
        self._around.addWidget(self.line)
        self._around.addWidget(self.text)
        self._marked = ""  # the term that was gone to
        self._html = ""
        self.setFocusProxy(self.line)

    def found(self) -> list[Term]:
        """The terms that are looked for: first those whose name or spelling has it, then those whose meaning has."""
        wanted, terms = self.line.text().strip().lower(), list(load_glossary().terms.values())
        named = [term for term in terms if any(wanted in word.lower() for word in term.spellings)]
        return named + [term for term in terms if term not in named and wanted in term.meaning.lower()]

    def show_term(self, name: str) -> None:
        """Goes to a term, whatever was looked for; what is none changes nothing."""
        if name in load_glossary().terms:
            self.line.clear()
            self._marked = name
            self.redraw()
            self.text.scrollToAnchor(name)

    def _go_by(self, link: QUrl) -> None:
        self.show_term(link.path(QUrl.ComponentFormattingOption.FullyDecoded))

    def _look_for(self) -> None:
        self._marked = ""
        self.redraw()
        self.text.verticalScrollBar().setValue(0)

    def redraw(self) -> None:
        """Writes what is looked for, if it or the theme has changed."""
        found = self.found()
        html = "".join(map(self._entry, found)) or self._none()
        self.facts = tr_n("{n} term", "{n} terms", len(found))
        if html != self._html:
            self._html = html
            self.text.setHtml(html)

    def _entry(self, term: Term) -> str:
        """A term, its other spellings and its meaning, in which other terms are links."""
        size, text, muted = self.theme.type_px(13), self.theme.text, self.theme.text_muted
        also = f" <span style='color:{muted}'>{as_html(', '.join(term.also))}</span>" if term.also else ""
        ground = f" bgcolor='{self.theme.surface_raised}'" if term.name == self._marked else ""
        mark = "▸ " if term.name == self._marked else ""
        meaning = linked_html(term.meaning, self._link, {term.name})
        return (
            f"<table width='100%' cellspacing='0' cellpadding='4' style='font-size:{size}px;color:{text}'>"
            f"<tr><td{ground}><a name='{as_html(term.name)}'></a><b>{mark}{as_html(term.name)}</b>{also}"
            f"<br>{meaning}</td></tr></table>"
        )

    def _link(self, term: Term, words: str) -> str:
        return f"<a href='{SCHEME}{as_html(term.name)}' style='color:{self.theme.interrupt}'>{words}</a>"

    def _none(self) -> str:
        said = tr("No term has “{wanted}”.", wanted=as_html(self.line.text().strip()))
        return f"<p style='font-size:{self.theme.type_px(13)}px;color:{self.theme.text_muted}'>{said}</p>"

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._around.setContentsMargins(PADDING - 4, self.header, PADDING - 4, 10)
        self.line.setFont(theme.font(13))
        self._html = ""
        if self.isVisible():
            self.redraw()
