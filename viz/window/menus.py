"""Menus, keys and the palette's lines, made from the table of actions and the list of scenarios."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from bellwire.engine.counted import number_of
from bellwire.engine.events import Setting, Switch
from bellwire.engine.language import Spoken, tr, tr_later
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.style.latin_keys import CapitalKeys
from bellwire.viz.style.plain import plain_tip, plain_words
from bellwire.viz.style.theme import THEMES
from bellwire.viz.text.figures import UNIT_NAMES
from bellwire.viz.window.actions import ACTIONS, MENUS, tooltip
from bellwire.viz.window.actions.action import Action, written_key
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.files import Files
from bellwire.viz.window.palette import Entries, Sections
from bellwire.viz.window.scenario_list import keyed, scenario_groups
from bellwire.viz.window.settings import Look

# Keys that no action has: a control's own, and the scenarios'.
MORE_KEYS = (
    ("1 … 9", tr_later("Scenarios, by group")),
    ("Tab", tr_later("To the next control")),
    (tr_later("Space Enter"), tr_later("Works the control")),
    (tr_later("Alt+arrows"), tr_later("Moves the chosen note")),
)
POINTER = (
    (tr_later("Wheel"), tr_later("Zoom at the pointer")),
    (tr_later("Ctrl+wheel"), tr_later("The same")),
    (tr_later("Shift+wheel"), tr_later("Scroll it sideways")),
    (tr_later("Drag"), tr_later("Scroll the timeline")),
    (tr_later("Drag above"), tr_later("Playhead and markers")),
)


# What goes on while its key is held down. Of all else once is meant, and a theme or a size of text that was asked for
# thirty times a second would keep the window for half a minute after that.
HELD_DOWN = {
    *("step", "step_back", "step_event", "step_event_back", "slower", "faster", "ring", "interrupt", "undo_mark"),
    *("zoom_in", "zoom_out", "earlier", "later", "note_next", "note_before"),
}
AUDIENCE_KEYS = {key for action in ACTIONS if action.presenting for key in action.keys}


def sections() -> Sections:
    """The key help's columns."""
    by_menu = {menu: [(keys_of(a), a.text) for a in ACTIONS if a.menu == menu and a.keys] for menu in MENUS}
    run = by_menu["Run"]
    half = next(n for n, (keys, _) in enumerate(run) if keys == "I")
    view = [*by_menu["View"], *by_menu["Help"]]
    more, pointer = ([(tr(keys), tr(words)) for keys, words in some] for some in (MORE_KEYS, POINTER))
    return [
        (tr("Time"), run[:half] + run[-1:]),
        (tr("Timeline"), [*by_menu["Analyze"], *pointer]),
        (tr("Machine"), [*run[half:-1], *more]),
        (tr("Window"), [*view, *by_menu["File"]]),
    ]


def in_short(reason: str) -> str:
    """The first clause of a reason; tooltip and notice have all of it, which may be wider than a screen."""
    return reason.partition(":")[0].partition(". ")[0].rstrip(".")


def keys_of(action: Action) -> str:
    """All keys of an action, as they are written on a keyboard."""
    return "  ".join(map(written_key, action.keys))


def keys_now(action: Action, presenting: bool) -> list[QKeySequence]:
    """The keys that an action has while there is an audience, or while there is none."""
    shares = action.presenting == presenting  # a key that two actions have
    return [QKeySequence(key) for key in action.keys if shares or key not in AUDIENCE_KEYS]


class Menus:
    """A menu bar; its actions carry the keys of `top`, the window, whether the bar is shown or not."""

    def __init__(
        self, commands: Commands, look: Look, files: Files, run: Callable[[Action], None], top: QWidget
    ) -> None:
        """run: does an action, and shows at once what has changed."""
        self.commands, self.look, self.files, self.run, self.top = commands, look, files, run, top
        self.bar = QMenuBar()
        self._capitals = CapitalKeys(top)
        self.actions = {action.name: self._action(action) for action in ACTIONS}
        self._digits: dict[str, QAction] = {}  # the scenarios that have a key, by it
        look.presenting_changed.connect(self._share_keys)
        menus = {name: self._menu(name) for name in MENUS}
        inner: dict[str, QMenu] = {}
        for action in ACTIONS:
            if action.begins:
                menus[action.menu].addSeparator()
            if action.under and action.under not in inner:
                inner[action.under] = menus[action.menu].addMenu(tr(action.under))
                inner[action.under].setToolTipsVisible(True)
            (inner[action.under] if action.under else menus[action.menu]).addAction(self.actions[action.name])
        self.recent = QMenu(tr("Open recent"), self.bar)
        self.recent.aboutToShow.connect(self._fill_recent)
        menus["File"].insertMenu(self.actions["record"], self.recent)
        self.lessons = menus["Run"].addMenu(tr("Lesson"))
        self.lessons.setToolTipsVisible(True)
        self.lessons.aboutToShow.connect(self._fill_lessons)
        scenarios = menus["Run"].addMenu(tr("Scenario"))
        for group, some in scenario_groups():
            submenu = scenarios.addMenu(tr(group))
            submenu.setToolTipsVisible(True)
            for key, scenario in some:
                submenu.addAction(self._scenario(key, scenario))

    def _share_keys(self) -> None:
        """While there is an audience, some keys mean something else."""
        for action in ACTIONS:
            self.actions[action.name].setShortcuts(keys_now(action, self.look.presenting))

    def _menu(self, name: str) -> QMenu:
        menu = self.bar.addMenu(tr(name))
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.refresh)
        return menu

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self.files.recent:
            made = self.recent.addAction(plain_words(path.name), partial(self.files.replay, path))
            made.setToolTip(plain_tip(str(path)))
        if self.recent.isEmpty():
            self.recent.addAction(tr("None yet")).setEnabled(False)

    def _fill_lessons(self) -> None:
        """Those that are shipped; they are read when somebody looks for one."""
        from bellwire.viz.lessons.lesson_file import shipped_lessons

        self.lessons.clear()
        for lesson in shipped_lessons():
            made = self.lessons.addAction(plain_words(lesson.title), partial(self.commands.begin_lesson, lesson))
            knows = "; ".join(lesson.knows)
            tip = tr(
                "{minutes}. Afterwards you know {knows}.", minutes=number_of(lesson.minutes, "minute"), knows=knows
            )
            made.setToolTip(plain_tip(tip))

    def _action(self, action: Action) -> QAction:
        made = QAction(action.text, self.top)
        made.setShortcuts(keys_now(action, self.look.presenting))
        if action.name == "quit":  # the end of the program, also where a window beside this one has the keys
            made.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        made.installEventFilter(self._capitals)
        made.setAutoRepeat(action.name in HELD_DOWN)
        made.setCheckable(action.checkable)
        made.setToolTip(plain_tip(tooltip(action.name)))
        made.triggered.connect(lambda _=False: self.run(action))
        self.top.addAction(made)
        return made

    def _scenario(self, key: str, scenario: Scenario) -> QAction:
        title, lacks = tr(scenario.title), refusal(scenario)
        made = QAction(plain_words(tr("{title} (a recording)", title=title) if lacks else title), self.top)
        made.setToolTip(plain_tip(f"{tr(scenario.purpose)} {lacks}".rstrip()))
        made.triggered.connect(lambda _=False: self.commands.run_scenario(scenario))
        made.setAutoRepeat(False)
        if key:
            made.setShortcut(QKeySequence(key))
            self._digits[key] = made
        self.top.addAction(made)
        return made

    def lend_digits(self, lent: bool) -> None:
        """While a question is asked its choices have the keys of scenarios: who answers shall not lose the guest."""
        for key, made in self._digits.items():
            made.setShortcut(QKeySequence() if lent else QKeySequence(key))

    def refresh(self) -> None:
        """What can be done now, and what is on; called when a menu opens."""
        source, on = self.commands.source, self._switched_on()
        for action in ACTIONS:
            reason = source.can(action.order) if action.order else ""
            made = self.actions[action.name]
            made.setToolTip(plain_tip(tooltip(action.name, reason)))
            made.setText(plain_words(f"{action.text} ({in_short(reason)})" if reason else action.text))
            made.setChecked(on.get(action.name, False))

    def _switched_on(self) -> dict[str, bool]:
        """Which of the actions that switch something are on, by their names."""
        model, look = self.commands.model, self.look
        return {
            "ioeventfd": model.present.wired(Switch.IOEVENTFD),
            "irqfd": model.present.wired(Switch.IRQFD),
            "kernel": bool(model.present.tally.settings.get(Setting.KERNEL)),
            "hold": not self.commands.running,
            "story": self.commands.storyteller.on,
            "full": self.top.isFullScreen(),
            "presenter": look.presenting,
            **{tool.value: tool is self.commands.shown.pointing.tool for tool in Tool},
            "record": self.files.capture is not None,
            "motion": look.reduced_motion,
            "extended": look.extended,
            f"language-{Spoken.name}": True,
            **{f"theme-{name}": name == look.theme.name for name in THEMES},
            **{f"unit-{name}": name == look.unit for name in UNIT_NAMES},
        }

    def entries(self) -> Entries:
        """The palette's lines."""
        lines: Entries = [
            (f"{action.text}{f'   {action.key}' if action.key else ''}", partial(self.run, action))
            for action in ACTIONS
        ]
        return lines + [
            (tr("Scenario: {title}", title=tr(some.title)), partial(self.commands.run_scenario, some))
            for _, some in keyed()
        ]
