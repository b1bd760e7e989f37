"""The call behind the chosen part: what the kernel gets, and the same in C, Python and Rust, to copy."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QResizeEvent, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QTabBar, QTextBrowser, QVBoxLayout, QWidget

from bellwire.engine.calls.call import Call
from bellwire.engine.calls.program import LANGUAGES, program_of
from bellwire.engine.counted import number_of
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.panels.calls.list import CallList, state_text
from bellwire.viz.panels.calls.state import Calls, call_at, call_behind, calls_in, calls_now, part_of, stage_and_call
from bellwire.viz.panels.calls.struct import struct_html, struct_text
from bellwire.viz.panels.panel import SIDE, Panel
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.card import PADDING, TITLE_SIZE
from bellwire.viz.style.code_view import CodeView
from bellwire.viz.style.controls import Button
from bellwire.viz.style.plain import PlainLabel
from bellwire.viz.style.theme import Theme

STRUCT = "struct"
FORMS = {STRUCT: tr_later("Struct"), "c": "C", "python": "Python", "rust": "Rust"}
COPY, COPIED, COPIED_MS = tr_later("Copy"), tr_later("Copied"), 1500
ZERO_X = "0\u200cx"  # Inter would make a multiplication sign of it
BACK, NARROW = tr_later("‹ All calls"), 330


class CallPanel(Panel):
    """A list of all calls; of the one that is chosen, here or in the diagram, everything."""

    title = tr_later("Calls")
    name = "calls"
    place = SIDE
    tip = tr_later("The call behind the chosen wire: its struct and bytes, and the same in C, Python and Rust")
    follows_stage = True

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.calls: Calls = calls_now(model)
        self.call: Call | None = None  # None: the list is shown
        self._part = ""  # of the diagram, as it was chosen last
        self.mark: StageMark | None = None  # the stage of the signal that is looked at
        self.stage_line = PlainLabel()  # says which call is behind it, or that none is
        self.list = CallList(theme)
        self.list.chosen.connect(self.choose)
        self.back, self.copy = Button(tr(BACK), self), Button(tr(COPY), self)
        self.back.clicked.connect(lambda: self.choose(""))
        self.copy.clicked.connect(self.copy_shown)
        self.says = QLabel()  # in it the state is coloured
        self.forms, self.struct, self.code = QTabBar(), QTextBrowser(), CodeView(theme)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy.setText(tr(COPY)))
        self._build()
        self.model.selection.changed.append(self._follow)
        self._follow()

    def _build(self) -> None:
        self.says.setTextFormat(Qt.TextFormat.RichText)
        for line in (self.says, self.stage_line):
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.stage_line.hide()
        for form, label in FORMS.items():
            self.forms.setTabData(self.forms.addTab(tr(label)), form)
        self.forms.setDrawBase(False)
        self.forms.setExpanding(False)
        self.forms.setAccessibleName(tr("What is shown of the call"))
        self.forms.currentChanged.connect(lambda _tab: self._show())
        self.struct.setAccessibleName(tr("Members and bytes"))
        self.struct.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)  # a long flag, too
        self.struct.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.code.setAccessibleName(tr("Program"))
        self.back.setToolTip(tr("All calls of this scenario (Esc)"))
        self.copy.setToolTip(tr("Copies what is shown, the whole program"))
        self.pages, self.forms_pages = QStackedWidget(), QStackedWidget()
        for page in (self.struct, self.code):
            self.forms_pages.addWidget(page)
        detail = QWidget()
        detail.setObjectName("plain")
        row = QHBoxLayout()
        row.addWidget(self.forms, 1)
        row.addWidget(self.back)
        box = QVBoxLayout(detail)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.says)
        box.addLayout(row)
        box.addWidget(self.forms_pages, 1)
        for stack in (self.pages, self.forms_pages):
            stack.setObjectName("plain")
        self.pages.addWidget(self.list)
        self.pages.addWidget(detail)
        self._around = QVBoxLayout(self)
        self._around.addWidget(self.stage_line)
        self._around.addWidget(self.pages, 1)

    # -- what is chosen

    def choose(self, name: str) -> None:
        """A call by its name, and the diagram's part that stands for it; "": the list."""
        self.call = self.calls.named(name)
        self._part = part_of(self.model, self.calls, self.call) if self.call else ""
        self.model.selection.choose(part=self._part)
        self._show()
        (self.forms if self.call else self.list).setFocus(Qt.FocusReason.OtherFocusReason)

    def _follow(self) -> None:
        """Shows the call of the part that was chosen elsewhere."""
        if self.model.selection.part != self._part:
            self._part = self.model.selection.part
            self.call = call_at(self.model, self.calls, self._part)
            if self.call:
                self.list.point_at(self.call.name)
        self._show()

    def redraw(self) -> None:
        """Only what a switch, or the stage, has changed."""
        now, before, self.mark = calls_now(self.model), self.mark, stage_mark(self.model)
        moved = self.mark is not None and (before is None or before.key != self.mark.key)
        if now is self.calls and not moved and (before is None) == (self.mark is None):
            return
        self.calls = now
        self.call = now.named(self.call.name) if self.call else None
        if moved and self.mark is not None:
            self._take(self.mark)
        self._show_stage()
        self._show()

    def _take(self, mark: StageMark) -> None:
        """The call behind the stage that has begun for certain; a stage without one keeps what was shown."""
        found = call_behind(self.model, self.calls, mark.point, mark.stops[0])
        if found is not None:
            self.call = found
            self.list.point_at(found.name)

    def _show_stage(self) -> None:
        """Which call is behind the stage, and which others are behind those that it may be as well."""
        self.stage_line.setVisible(self.mark is not None)
        if self.mark is not None:
            words = stage_and_call(self.model, self.calls, self.mark)
            self.stage_line.setText(f"◆ {words}".replace("0x", ZERO_X))

    # -- what is shown

    @property
    def form(self) -> str:
        """Which of FORMS is in front."""
        return str(self.forms.tabData(self.forms.currentIndex()))

    def _show(self) -> None:
        call = self.call
        self.list.show_calls(self.calls)
        self.pages.setCurrentIndex(1 if call else 0)
        self.back.setVisible(call is not None)
        self.copy.setVisible(call is not None)
        self._set_title()
        self.facts = "" if call else self._count()
        if call:
            self._show_call(call)
        self.update()

    def _set_title(self) -> None:
        """As much of the call's name as has room beside the button; in a narrow panel the way back is an arrow."""
        self.back.setAccessibleName(tr("All calls"))
        back = tr(BACK)
        self.back.setText(back if self.width() > self.theme.px(NARROW) else back[0])
        room = self.copy.x() - PADDING - 8
        metrics = QFontMetricsF(self.theme.font(TITLE_SIZE, 600))
        whole = tr(self.call.title) if self.call else tr(CallPanel.title)
        self.title = metrics.elidedText(whole, Qt.TextElideMode.ElideRight, room) if self.call else whole

    def _count(self) -> str:
        calls, changed = len(self.calls.calls), len(self.calls.changed)
        if changed:
            return tr("{calls}, {changed} changed", calls=number_of(calls, "call"), changed=changed)
        return number_of(calls, "call")

    def _show_call(self, call: Call) -> None:
        t, changed = self.theme, call.name in self.calls.changed
        color = t.selection if changed else t.live if call.made else t.text_muted
        words = tr("{state} now", state=state_text(call)) if changed else state_text(call)
        state = f"<span style='color:{color}'>{escape(words)}</span> · " if call.state else ""
        self.says.setText(f"{state}{escape(call.says).replace('0x', ZERO_X)}")
        self.setAccessibleDescription(f"{tr(call.title)}. {call.says}")
        if self.form in LANGUAGES:
            self.code.show_program(program_of(call, self.form))
        else:
            began = calls_in(self.model.scenario, None, None).named(call.name)
            html = struct_html(call, began, t)
            if html != self.struct.property("html"):
                self.struct.setProperty("html", html)
                self.struct.setHtml(html)
        self.forms_pages.setCurrentWidget(self.code if self.form in LANGUAGES else self.struct)

    @property
    def shown_text(self) -> str:
        """What the copy button copies."""
        if self.call is None:
            return ""
        return program_of(self.call, self.form).text if self.form in LANGUAGES else struct_text(self.call)

    def copy_shown(self) -> None:
        """To the clipboard; the button confirms for a moment."""
        QGuiApplication.clipboard().setText(self.shown_text)
        self.copy.setText(tr(COPIED))
        self._copied.start()

    # -- how it looks

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._around.setContentsMargins(PADDING - 4, self.header, PADDING - 4, 10)
        self._around.setSpacing(theme.px(6))
        self.list.set_theme(theme)
        self.code.set_theme(theme)
        self._show_stage()
        self._show()
        self._place_copy()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The copy button at the right of the header."""
        super().resizeEvent(event)
        self._place_copy()

    def _place_copy(self) -> None:
        size = self.copy.sizeHint().expandedTo(QSize(self.theme.px(78), 0))
        self.copy.setGeometry(self.header_rect(self.width() - PADDING - size.width() + 4, size))
        self._set_title()
        self.update()
