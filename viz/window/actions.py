"""The one table of what the user can do. Menus, keys, tooltips, the palette and the key help are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bellwire.engine.language import tr_later
from bellwire.engine.source import Order
from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.panel import Panel
from bellwire.viz.style.curves import CURVES, Curve
from bellwire.viz.style.theme import THEME_WORDS
from bellwire.viz.text.figures import FITTING, UNIT_NAMES
from bellwire.viz.text.languages import languages
from bellwire.viz.window.access.spoken import own_name
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.presenter.pointers import take_tool


@dataclass(frozen=True)
class Action:
    """Something to do: its words, its keys (the first one is shown), what does it, and what it needs."""

    name: str
    menu: str
    text: str
    keys: tuple[str, ...]
    run: Callable[[Commands], None]
    tip: str
    order: Order | None = None  # that it gives the source: while that cannot be, it is disabled and says why
    checkable: bool = False
    begins: bool = False  # a group in its menu
    under: str = ""  # the title of a menu in its menu
    presenting: bool = False  # its keys are its own while there is an audience, whatever they are else

    @property
    def key(self) -> str:
        """The key as it is written on a keyboard; empty if there is none."""
        return KEY_NAMES.get(self.keys[0], self.keys[0]) if self.keys else ""


KEY_NAMES = {
    "Right": "→",
    "Left": "←",
    "PgDown": "PgDn",
    "Esc": "Esc",
    "Shift+Right": "Shift+→",
    "Shift+Left": "Shift+←",
    "Ctrl+Right": "Ctrl+→",
    "Ctrl+Left": "Ctrl+←",
}
POINTING = "Point at the diagram"
LANGUAGE = tr_later("Language")
MENUS = ("File", "View", "Run", "Analyze", "Help")

C = Commands


def panel_action(panel: type[Panel], number: int) -> Action:
    """Ctrl and its number in PANELS brings a panel to the front."""
    key = (f"Ctrl+{number}",)
    return Action(
        panel.name, "View", panel.title, key, lambda c: c.show_panel(panel.name), panel.tip, begins=number == 1
    )


def slowest_action(curve: Curve) -> Action:
    """To the extreme of a latency."""
    text, tip = f"Slowest {curve.label}", f"To the journey with the longest {curve.label} that is held"
    return Action(f"slowest_{curve.name}", "Analyze", text, (), lambda c: c.to_slowest_of(curve.name), tip)


def theme_action(name: str, words: str, tip: str) -> Action:
    """Shows everything in this theme."""
    return Action(
        f"theme-{name}",
        "View",
        f"Theme: {words.lower()}",
        (),
        lambda c: c.set_theme(name),
        tip,
        checkable=True,
        under="Theme",
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


def unit_action(name: str, words: str) -> Action:
    """Says every duration in this unit."""
    tip = "Each duration in the unit that suits it" if name == FITTING.name else f"Every duration in {words}"
    text, begins = f"Durations in {words}", name == FITTING.name
    return Action(f"unit-{name}", "View", text, (), lambda c: c.set_unit(name), tip, checkable=True, begins=begins)


def tool_action(tool: Tool, key: str, text: str, tip: str) -> Action:
    """Takes a tool to point at the diagram, or lays it down."""
    return Action(tool, "View", text, (key,), lambda c: take_tool(c.shown, tool), tip, checkable=True, under=POINTING)


ACTIONS: tuple[Action, ...] = (
    Action("open", "File", "Open recording…", ("Ctrl+O",), C.open_recording, "Replays a recorded run"),
    Action(
        "record", "File", "Record", ("Ctrl+E",), C.record, "Writes what happens from now on to a file", checkable=True
    ),
    Action("save", "File", "Save recording…", ("Ctrl+S",), C.save_recording, "Saves all that is held to a file"),
    Action(
        "export", "File", "Export…", ("Ctrl+Shift+E",), C.export, "Parquet, CSV, Perfetto or HdrHistogram of all held"
    ),
    Action("picture", "File", "Save picture…", ("Ctrl+Shift+S",), C.save_picture, "Saves this window as a PNG file"),
    Action("save_sequence", "File", "Save sequence chart…", (), C.save_sequence, "One journey as an SVG or PNG file"),
    Action(
        "save_events", "File", "Save events as CSV…", (), C.save_events, "The rows that the event table's filter leaves"
    ),
    Action("quit", "File", "Quit", ("Ctrl+Q",), C.quit, "Ends the guest and the program", begins=True),
    *(theme_action(name, words, tip) for name, (words, tip) in THEME_WORDS.items()),
    Action("theme", "View", "Next theme", ("Ctrl+T",), C.next_theme, "Dark, light, projector, print", under="Theme"),
    *(language_action(name) for name in languages()),
    Action("larger", "View", "Larger text", ("Ctrl++", "Ctrl+="), C.larger, "Enlarges all text", begins=True),
    Action("smaller", "View", "Smaller text", ("Ctrl+-",), C.smaller, "Makes all text smaller"),
    Action("normal", "View", "Normal text", ("Ctrl+0",), C.normal_size, "As large as suits the window"),
    Action(
        "extended",
        "View",
        "Extended diagram",
        ("X",),
        C.toggle_extended,
        "With the parts of the kernel that a signal passes",
        checkable=True,
        begins=True,
    ),
    Action(
        "motion",
        "View",
        "Reduced motion",
        (),
        C.toggle_motion,
        "Steps in place of movement: tokens jump from part to part",
        checkable=True,
        begins=True,
    ),
    *(unit_action(name, words) for name, words in UNIT_NAMES.items()),
    Action(
        "unit",
        "View",
        "Next unit of time",
        ("U",),
        C.next_unit,
        "Durations in ns, in µs, in TSC cycles, in what suits each",
    ),
    Action("full", "View", "Full screen", ("F11",), C.full_screen, "Fills the screen", checkable=True),
    Action(
        "presenter",
        "View",
        "Presenter",
        ("P",),
        C.toggle_presenting,
        "Picture, sentence and question fill the audience's screen; once more, or Esc, ends that",
        checkable=True,
        begins=True,
    ),
    Action("present", "View", "Presenter: begin", ("F5", "Shift+F5"), C.begin_presenting, "As programs for slides do"),
    Action(
        "turn",
        "View",
        "Presenter: other screen",
        ("F6",),
        C.turn_screens,
        "The audience's window and this one change places; on one screen the other one comes in front",
        presenting=True,
    ),
    Action(
        "black",
        "View",
        "Presenter: black",
        ("B", "."),
        C.show_black,
        "Nothing to look at but whoever speaks; once more: as before",
        presenting=True,
    ),
    Action("white", "View", "Presenter: white", ("W",), C.show_white, "The same in white", presenting=True),
    tool_action(Tool.LASER, "L", "Laser pointer", "Follows the pointer; Up and Down go from part to part"),
    tool_action(Tool.PEN, "M", "Pen", "Draws marks that fade; Enter rings the part that is chosen"),
    tool_action(Tool.SPOTLIGHT, "O", "Spotlight", "A click at a part, or a rectangle drawn, dims the rest"),
    tool_action(Tool.ZOOM, "Z", "Zoom into a part", "By a click, a rectangle drawn, or the wheel; once more: all"),
    Action("undo_mark", "View", "Undo a mark", ("Ctrl+Z",), C.undo_mark, "Or a spotlight, or a zoom", under=POINTING),
    Action("clear_marks", "View", "Clear all marks", ("E",), C.clear_marks, "And spotlight and zoom", under=POINTING),
    *(panel_action(panel, number) for number, panel in enumerate(PANELS, 1)),
    Action("play", "Run", "Play or pause", ("Space", "."), C.play_or_pause, "Stops the view; the capture goes on"),
    Action("step", "Run", "Step", ("Right",), C.step, "To the next journey"),
    Action("step_back", "Run", "Step back", ("Left",), C.step_back, "To the journey before"),
    Action("page_on", "Run", "Lesson: next step", ("PgDown",), C.page_on, "Without a lesson: play or pause"),
    Action("page_back", "Run", "Lesson: step before", ("PgUp",), C.page_back, "Without a lesson: a journey back"),
    Action("end_lesson", "Run", "Lesson: end", (), C.end_lesson, "What runs, runs on"),
    Action("quiz", "Run", "Quiz", (), C.begin_quiz, "A guest in trouble: ask for evidence, name the cause"),
    Action("step_event", "Run", "Step one event", ("Shift+Right",), C.step_event, "To the next event"),
    Action("step_event_back", "Run", "Step one event back", ("Shift+Left",), C.step_event_back, "To the event before"),
    Action("home", "Run", "To the start", ("Home", "F3"), C.to_start, "To the oldest journey that is held"),
    Action("newest", "Run", "To the present", ("End",), C.to_newest, "Follows the newest, in real time"),
    Action(
        "from_here", "Run", "Replay from here", ("Ctrl+Home",), C.replay_from_here, "Makes the moment shown the present"
    ),
    Action("slower", "Run", "Slower", ("[",), C.slower, "More slow motion, up to 1 : 10 000 000"),
    Action("faster", "Run", "Faster", ("]",), C.faster, "Less slow motion, down to real time"),
    Action(
        "story",
        "Run",
        "Tell the story",
        ("T",),
        C.toggle_story,
        "The chosen journey, else the newest, stage by stage; once more: back to the present",
        checkable=True,
        begins=True,
    ),
    Action("story_newest", "Run", "Story of the newest", (), C.story_of_newest, "The newest journey, stage by stage"),
    Action("story_median", "Run", "Story of the median", (), C.story_of_median, "A usual journey, stage by stage"),
    Action("story_slowest", "Run", "Story of the slowest", (), C.story_of_slowest, "The slowest held, stage by stage"),
    Action("story_play", "Run", "Story: play or pause", (), C.play_story, "Space does the same while a story is told"),
    Action("stage", "Run", "Story: next stage", (), C.next_stage, "→ does the same while a story is told"),
    Action("stage_back", "Run", "Story: stage before", (), C.stage_before, "← does the same while a story is told"),
    Action("again", "Run", "Story: again", (), C.tell_again, "From its first stage; Home does the same"),
    Action("stages_slower", "Run", "Story: slower", (), C.stages_slower, "More time a stage; [ does the same"),
    Action("stages_faster", "Run", "Story: faster", (), C.stages_faster, "Less time a stage; ] does the same"),
    Action(
        "ioeventfd",
        "Run",
        "ioeventfd",
        ("I",),
        C.toggle_ioeventfd,
        "On: KVM signals the eventfd itself. Off: each doorbell is an exit to user space",
        Order.IOEVENTFD,
        True,
        True,
    ),
    Action(
        "irqfd",
        "Run",
        "irqfd",
        ("Q",),
        C.toggle_irqfd,
        "On: a write to an eventfd interrupts the guest. Off: it takes an ioctl",
        Order.IRQFD,
        True,
    ),
    Action("ring", "Run", "Ring one doorbell", ("D",), C.ring, "The guest rings once", Order.DOORBELL),
    Action("interrupt", "Run", "Send one interrupt", ("R",), C.interrupt, "The host interrupts once", Order.INTERRUPT),
    Action("route", "Run", "Change the route", (), C.change_route, "To the guest's other vector", Order.ROUTE),
    Action("hold", "Run", "Hold the guest", ("H",), C.hold, "Stops the pace, or lets it go on", Order.RUN, True),
    Action(
        "restart",
        "Run",
        "Start afresh",
        ("Ctrl+R",),
        C.restart,
        "The same scenario in a new machine, or the recording from its start",
        begins=True,
    ),
    Action("slowest", "Analyze", "Slowest journey", ("S",), C.to_slowest, "To the slowest journey that is held"),
    *(slowest_action(curve) for curve in CURVES),
    Action(
        "compare_with",
        "Analyze",
        "Compare with a recording…",
        (),
        C.compare_with,
        "This run and a recorded one over each other",
        begins=True,
    ),
    Action(
        "compare_at_switch",
        "Analyze",
        "Compare before and after the switch",
        (),
        C.compare_at_switch,
        "The time before the last live switch and the time since over each other",
    ),
    Action("marker_a", "Analyze", "Marker A", ("Shift+A",), C.marker_a, "At the pointer, or the playhead", begins=True),
    Action("marker_b", "Analyze", "Marker B", ("Shift+B",), C.marker_b, "At the pointer, or the playhead"),
    Action("clear_markers", "Analyze", "Clear the markers", ("Ctrl+D",), C.clear_markers, "No markers any more"),
    Action("zoom_in", "Analyze", "Zoom in", ("+", "="), C.zoom_in, "Less time across the timeline", begins=True),
    Action("zoom_out", "Analyze", "Zoom out", ("-",), C.zoom_out, "More time across the timeline"),
    Action(
        "fit", "Analyze", "Fit the choice", ("F",), C.fit, "The chosen journey, else the markers, fill the timeline"
    ),
    Action("fit_all", "Analyze", "All that is held", ("Shift+F",), C.fit_all, "The whole history fills the timeline"),
    Action("zoom_usual", "Analyze", "Usual zoom", ("0",), C.zoom_usual, "A few journeys across the timeline"),
    Action("earlier", "Analyze", "Scroll back", ("Ctrl+Left",), C.earlier, "The timeline shows what was before"),
    Action("later", "Analyze", "Scroll on", ("Ctrl+Right",), C.later, "The timeline shows what came after"),
    Action(
        "find", "Analyze", "Find events…", ("Ctrl+F",), C.find_events, "To the filter of the event table", begins=True
    ),
    Action(
        "break", "Analyze", "Break when…", ("B",), C.break_when, "The view freezes when it happens; the capture goes on"
    ),
    Action("tour", "Help", "Tour", (), C.take_tour, "Round the window in a minute; Esc ends it"),
    Action("keys", "Help", "Keys", ("?", "F1"), C.show_keys, "Shows every key"),
    Action("look_up", "Help", "Look a term up…", ("G",), C.look_up, "What the field's terms mean"),
    Action("palette", "Help", "Find an action…", ("Ctrl+Shift+P",), C.show_palette, "Every action by its name"),
    Action("about", "Help", "About…", (), C.show_about, "Versions and this machine"),
    Action("clear", "Run", "Clear the choice", ("Esc",), C.clear, "Nothing is chosen any more"),
)
BY_NAME = {action.name: action for action in ACTIONS}


def tooltip(name: str, reason: str = "") -> str:
    """What an action does and its key; `reason`: why it cannot be done now."""
    action = BY_NAME[name]
    key = f" ({action.key})" if action.key else ""
    return f"{action.tip}{key}" if not reason else f"{action.text}{key}: not now. {reason}"
