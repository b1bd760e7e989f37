"""The menu View: how everything looks, the presenter, pointing, panels."""

from __future__ import annotations

from bellwire.engine.language import tr_later
from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.panel import Panel
from bellwire.viz.style.theme import THEME_WORDS
from bellwire.viz.text.languages import languages
from bellwire.viz.window.access.spoken import own_name
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.presenter.pointers import take_tool

THEME, LANGUAGE = tr_later("Theme"), tr_later("Language")  # menus in this one
TEXT_SIZE, DURATIONS = tr_later("Text size"), tr_later("Durations")
POINTING = tr_later("Point at the diagram")
DURATIONS_IN = {  # the names of UNIT_NAMES
    "fitting": (tr_later("Durations in s, ms, µs or ns"), tr_later("Each duration in the unit that suits it")),
    "ns": (tr_later("Durations in ns"), tr_later("Every duration in ns")),
    "us": (tr_later("Durations in µs"), tr_later("Every duration in µs")),
    "cycles": (tr_later("Durations in TSC cycles"), tr_later("Every duration in TSC cycles")),
}

C = Commands


def panel_action(panel: type[Panel], number: int) -> Action:
    """Ctrl and its number in PANELS brings a panel to the front."""
    key = (f"Ctrl+{number}",)
    return Action(
        panel.name, "View", panel.title, key, lambda c: c.show_panel(panel.name), panel.tip, begins=number == 1
    )


def theme_action(name: str, words: str, hint: str) -> Action:
    """Shows everything in this theme."""
    return Action(
        f"theme-{name}",
        "View",
        words,
        (),
        lambda c: c.set_theme(name),
        hint,
        checkable=True,
        under=THEME,
    )


def language_action(name: str) -> Action:
    """Says everything in this language, which calls itself so whatever is spoken now."""
    return Action(
        f"language-{name}",
        "View",
        own_name(name),
        (),
        lambda c: c.choose_language(name),
        tr_later("All texts in this language, in a new window over the same run"),
        checkable=True,
        under=LANGUAGE,
    )


def unit_action(name: str, words: str, hint: str) -> Action:
    """Says every duration in this unit."""
    return Action(f"unit-{name}", "View", words, (), lambda c: c.set_unit(name), hint, checkable=True, under=DURATIONS)


def tool_action(tool: Tool, key: str, words: str, hint: str) -> Action:
    """Takes a tool to point at the diagram, or lays it down."""
    return Action(tool, "View", words, (key,), lambda c: take_tool(c.shown, tool), hint, checkable=True, under=POINTING)


VIEW_MENU: tuple[Action, ...] = (
    *(theme_action(name, words, hint) for name, (words, hint) in THEME_WORDS.items()),
    Action(
        "theme",
        "View",
        tr_later("Next theme"),
        ("Ctrl+T",),
        C.next_theme,
        tr_later("Dark, light, projector, print"),
        under=THEME,
    ),
    *(language_action(name) for name in languages()),
    Action(
        "larger",
        "View",
        tr_later("Larger text"),
        ("Ctrl++", "Ctrl+="),
        C.larger,
        tr_later("Enlarges all text"),
        under=TEXT_SIZE,
    ),
    Action(
        "smaller",
        "View",
        tr_later("Smaller text"),
        ("Ctrl+-",),
        C.smaller,
        tr_later("Makes all text smaller"),
        under=TEXT_SIZE,
    ),
    Action(
        "normal",
        "View",
        tr_later("Normal text"),
        ("Ctrl+0",),
        C.normal_size,
        tr_later("As large as suits the window"),
        under=TEXT_SIZE,
    ),
    Action(
        "extended",
        "View",
        tr_later("Extended diagram"),
        ("X",),
        C.toggle_extended,
        tr_later("With the parts of the kernel that a signal passes"),
        checkable=True,
        begins=True,
    ),
    Action(
        "motion",
        "View",
        tr_later("Reduced motion"),
        (),
        C.toggle_motion,
        tr_later("Steps in place of movement: tokens jump from part to part"),
        checkable=True,
        begins=True,
    ),
    *(unit_action(name, words, hint) for name, (words, hint) in DURATIONS_IN.items()),
    Action(
        "unit",
        "View",
        tr_later("Next unit of time"),
        ("U",),
        C.next_unit,
        tr_later("Durations in ns, in µs, in TSC cycles, in what suits each"),
        under=DURATIONS,
    ),
    Action(
        "full", "View", tr_later("Full screen"), ("F11",), C.full_screen, tr_later("Fills the screen"), checkable=True
    ),
    Action(
        "presenter",
        "View",
        tr_later("Presenter"),
        ("P",),
        C.toggle_presenting,
        tr_later("Picture, sentence and question fill the audience's screen; once more, or Esc, ends that"),
        checkable=True,
        begins=True,
    ),
    Action(
        "present",
        "View",
        tr_later("Presenter: begin"),
        ("F5", "Shift+F5"),
        C.begin_presenting,
        tr_later("As programs for slides do"),
    ),
    Action(
        "turn",
        "View",
        tr_later("Presenter: other screen"),
        ("F6",),
        C.turn_screens,
        tr_later("The audience's window and this one change places; on one screen the other one comes in front"),
        presenting=True,
    ),
    Action(
        "black",
        "View",
        tr_later("Presenter: black"),
        ("B", "."),
        C.show_black,
        tr_later("Nothing to look at but whoever speaks; once more: as before"),
        presenting=True,
    ),
    Action(
        "white",
        "View",
        tr_later("Presenter: white"),
        ("W",),
        C.show_white,
        tr_later("The same in white"),
        presenting=True,
    ),
    tool_action(
        Tool.LASER, "L", tr_later("Laser pointer"), tr_later("Follows the pointer; Up and Down go from part to part")
    ),
    tool_action(Tool.PEN, "M", tr_later("Pen"), tr_later("Draws marks that fade; Enter rings the part that is chosen")),
    tool_action(
        Tool.SPOTLIGHT, "O", tr_later("Spotlight"), tr_later("A click at a part, or a rectangle drawn, dims the rest")
    ),
    tool_action(
        Tool.ZOOM,
        "Z",
        tr_later("Zoom into a part"),
        tr_later("By a click, a rectangle drawn, or the wheel; once more: all"),
    ),
    Action(
        "undo_mark",
        "View",
        tr_later("Undo a mark"),
        ("Ctrl+Z",),
        C.undo_mark,
        tr_later("Or a spotlight, or a zoom; without any the newest change of an annotation"),
        under=POINTING,
    ),
    Action(
        "clear_marks",
        "View",
        tr_later("Clear all marks"),
        ("E",),
        C.clear_marks,
        tr_later("And spotlight and zoom"),
        under=POINTING,
    ),
    *(panel_action(panel, number) for number, panel in enumerate(PANELS, 1)),
)
