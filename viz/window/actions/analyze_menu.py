"""The menu Analyze: the slowest, comparisons, markers, the timeline."""

from __future__ import annotations

from bellwire.engine.language import tr_later
from bellwire.viz.style.curves import CURVES, Curve
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.actions.annotation_items import ANNOTATION_ITEMS
from bellwire.viz.window.commands import Commands

SLOWEST = {  # the curve, and what is said of the journey in which it is longest
    "doorbell": (tr_later("Slowest doorbell"), tr_later("To the journey with the longest doorbell that is held")),
    "injection": (tr_later("Slowest injection"), tr_later("To the journey with the longest injection that is held")),
    "round_trip": (tr_later("Slowest round trip"), tr_later("To the journey with the longest round trip that is held")),
    "store_cost": (tr_later("Slowest store cost"), tr_later("To the journey with the longest store cost that is held")),
}

C = Commands


def slowest_action(curve: Curve) -> Action:
    """To the extreme of a latency."""
    words, hint = SLOWEST[curve.name]
    return Action(f"slowest_{curve.name}", "Analyze", words, (), lambda c: c.to_slowest_of(curve.name), hint)


ANALYZE_MENU: tuple[Action, ...] = (
    Action(
        "slowest",
        "Analyze",
        tr_later("Slowest journey"),
        ("S",),
        C.to_slowest,
        tr_later("To the slowest journey that is held"),
    ),
    *(slowest_action(curve) for curve in CURVES),
    Action(
        "compare_with",
        "Analyze",
        tr_later("Compare with a recording…"),
        (),
        C.compare_with,
        tr_later("This run and a recorded one over each other"),
        begins=True,
    ),
    Action(
        "compare_at_switch",
        "Analyze",
        tr_later("Compare before and after the switch"),
        (),
        C.compare_at_switch,
        tr_later("The time before the last live switch and the time since over each other"),
    ),
    Action(
        "marker_a",
        "Analyze",
        tr_later("Marker A"),
        ("Shift+A",),
        C.marker_a,
        tr_later("At the pointer, or the playhead"),
        begins=True,
    ),
    Action(
        "marker_b",
        "Analyze",
        tr_later("Marker B"),
        ("Shift+B",),
        C.marker_b,
        tr_later("At the pointer, or the playhead"),
    ),
    Action(
        "clear_markers",
        "Analyze",
        tr_later("Clear the markers"),
        ("Ctrl+D",),
        C.clear_markers,
        tr_later("No markers any more"),
    ),
    Action(
        "zoom_in",
        "Analyze",
        tr_later("Zoom in"),
        ("+", "="),
        C.zoom_in,
        tr_later("Less time across the timeline"),
        begins=True,
    ),
    Action("zoom_out", "Analyze", tr_later("Zoom out"), ("-",), C.zoom_out, tr_later("More time across the timeline")),
    Action(
        "fit",
        "Analyze",
        tr_later("Fit the choice"),
        ("F",),
        C.fit,
        tr_later("The chosen journey, else the markers, fill the timeline"),
    ),
    Action(
        "fit_all",
        "Analyze",
        tr_later("All that is held"),
        ("Shift+F",),
        C.fit_all,
        tr_later("The whole history fills the timeline"),
    ),
    Action(
        "zoom_usual",
        "Analyze",
        tr_later("Usual zoom"),
        ("0",),
        C.zoom_usual,
        tr_later("A few journeys across the timeline"),
    ),
    Action(
        "earlier",
        "Analyze",
        tr_later("Scroll back"),
        ("Ctrl+Left",),
        C.earlier,
        tr_later("The timeline shows what was before"),
    ),
    Action(
        "later",
        "Analyze",
        tr_later("Scroll on"),
        ("Ctrl+Right",),
        C.later,
        tr_later("The timeline shows what came after"),
    ),
    *ANNOTATION_ITEMS,
    Action(
        "find",
        "Analyze",
        tr_later("Find events…"),
        ("Ctrl+F",),
        C.find_events,
        tr_later("To the filter of the event table"),
        begins=True,
    ),
    Action(
        "break",
        "Analyze",
        tr_later("Break when…"),
        ("B",),
        C.break_when,
        tr_later("The view freezes when it happens; the capture goes on"),
    ),
)
