"""The menu File: recordings, and what else is saved."""

from __future__ import annotations

from bellwire.engine.language import tr_later
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.actions.annotation_items import SAVE_ANNOTATIONS
from bellwire.viz.window.commands import Commands

C = Commands

FILE_MENU: tuple[Action, ...] = (
    Action(
        "open", "File", tr_later("Open recording…"), ("Ctrl+O",), C.open_recording, tr_later("Replays a recorded run")
    ),
    Action(
        "attach",
        "File",
        tr_later("Attach…"),
        (),
        C.attach,
        tr_later("Shows what a running VMM of whatever program has registered, without stopping it"),
    ),
    Action(
        "record",
        "File",
        tr_later("Record"),
        ("Ctrl+E",),
        C.record,
        tr_later("Writes what happens from now on to a file"),
        checkable=True,
    ),
    Action(
        "save",
        "File",
        tr_later("Save recording…"),
        ("Ctrl+S",),
        C.save_recording,
        tr_later("Saves all that is held to a file"),
    ),
    Action(
        "export",
        "File",
        tr_later("Export…"),
        ("Ctrl+Shift+E",),
        C.export,
        tr_later("Parquet, CSV, Perfetto or HdrHistogram of all held"),
    ),
    SAVE_ANNOTATIONS,
    Action(
        "handout",
        "File",
        tr_later("Save handout of this lecture…"),
        (),
        C.save_handout,
        tr_later("The lesson to read afterwards: this run's pictures, figures, hands and recordings"),
    ),
    Action(
        "picture",
        "File",
        tr_later("Picture…"),
        ("Ctrl+Shift+S",),
        C.save_picture,
        tr_later("Saves this window as PNG, SVG or PDF, and shows the command that makes it again"),
    ),
    Action(
        "page",
        "File",
        tr_later("Page for a browser…"),
        (),
        C.save_page,
        tr_later("This run as one HTML file that any browser plays, and the command that makes it again"),
    ),
    Action(
        "save_sequence",
        "File",
        tr_later("Save sequence chart…"),
        (),
        C.save_sequence,
        tr_later("One journey as an SVG or PNG file"),
    ),
    Action(
        "save_events",
        "File",
        tr_later("Save events as CSV…"),
        (),
        C.save_events,
        tr_later("The rows that the event table's filter leaves"),
    ),
    Action(
        "quit", "File", tr_later("Quit"), ("Ctrl+Q",), C.quit, tr_later("Ends the guest and the program"), begins=True
    ),
)
