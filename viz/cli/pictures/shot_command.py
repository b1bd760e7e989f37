"""`bellwire shot`: a view of a recording as a file, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.errors import RecordingError
from bellwire.engine.language import tr
from bellwire.viz.cli.lessons.lab_recordings import Replayed
from bellwire.viz.cli.options import Force, InLanguage, Settings, Signals, ThemeName, a_number, app
from bellwire.viz.cli.terminal import complain_of_all, out
from bellwire.viz.window import importing

if TYPE_CHECKING:
    from bellwire.viz.pictures.asked import PictureAsked
    from bellwire.viz.pictures.making import MadePicture

PictureName = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The file: .png, .svg or .pdf.")]
View = Annotated[
    str,
    typer.Option(
        metavar="VIEW",
        help="window, diagram, extended, timeline, latency, distribution, exits, suppression, numbers, sequence, "
        "stages, anatomy, call, compare, evidence or events.",
    ),
]
At = Annotated[
    str,
    typer.Option(
        metavar="MOMENT",
        help="A time (2.5s), a journey (#17, #median, #slowest), its stage (#17/runnable), or an event (exit, "
        "irqfd:3); default: the end.",
    ),
]
Colors = Annotated[ThemeName, typer.Option("--theme", help="Its colours.")]
Size = Annotated[str, typer.Option(metavar="WxH", help="In pixels; each view has its own.")]
Scale = Annotated[
    float, typer.Option(callback=a_number, metavar="N", help="So many pixels of the file for one of the size.")
]
TextSize = Annotated[str, typer.Option(metavar="PERCENT", help="The size of all text, as 120%.")]
Transparent = Annotated[bool, typer.Option("--transparent", help="Without a background.")]
Hide = Annotated[str, typer.Option(metavar="pid,host,cpu,annotations", help="What of machine and run is not shown.")]
Part = Annotated[str, typer.Option(metavar="NAME", help="The part of the diagram that is chosen, as by a click.")]
Front = Annotated[
    str, typer.Option("--front", metavar="NAMES", help="In the window: panels that are in front, and extended.")
]
Off = Annotated[
    str,
    typer.Option("--off", metavar="PLOT:CURVE", help="Curves that are switched off, as latency:doorbell."),
]
Sidecar = Annotated[bool, typer.Option("--sidecar", help="Caption, alt text and provenance beside it, as JSON.")]
Kept = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Of a scenario: keep the recording of its run."),
]
Other = Annotated[
    str,
    typer.Option("--with", metavar="RECORDING", help="A file, or what is shipped: what --view compare compares."),
]


@app.command()
def shot(
    what: Annotated[str, typer.Argument(metavar="RECORDING | SCENARIO")],
    target: PictureName,
    view: View = "diagram",
    at: At = "",
    theme: Colors = ThemeName.LIGHT,
    size: Size = "",
    scale: Scale = 1.0,
    text: TextSize = "100%",
    part: Part = "",
    other: Other = "",
    language: InLanguage = None,
    transparent: Transparent = False,
    hide: Hide = "",
    front: Front = "",
    off: Off = "",
    sidecar: Sidecar = False,
    replay: Replayed = False,
    record: Kept = None,
    count: Signals = None,
    settings: Settings = None,
    force: Force = False,
) -> int:
    """Makes a picture of a view, at a moment: the same bytes each time, on each machine."""
    with importing():
        from bellwire.engine.outputs import refuse_source, tried_target, write_whole
        from bellwire.viz.cli.lessons.handout_command import ended_in_order
        from bellwire.viz.pictures.asked import format_of, picture_asked
        from bellwire.viz.text.languages import CODE

    with usage_of_picture():
        asked = picture_asked(
            view,
            at,
            str(theme),
            size or None,
            scale,
            text,
            part,
            other,
            transparent,
            hide,
            language or CODE,
            front,
            off,
        )
        suffix = format_of(target)
    beside = [target.with_suffix(".json")] if sidecar else []
    for path in (target, *beside, *([record] if record else [])):
        tried_target(path, force)
        refuse_source(path, Path(what))
    with pictured_recording(what, count, settings, replay, record) as (file, named, trouble):
        if record:
            write_whole(record, file.read_bytes(), force)
        with ended_in_order():
            made = picture_of_file(file, asked, suffix, named)
    write_whole(target, made.content, force)
    for path in beside:
        write_whole(path, made.told.sidecar().encode(), force)
    out(tr("{path}: {caption}", path=target, caption=made.told.caption))
    return complain_of_all(trouble)


@contextmanager
def usage_of_picture() -> Iterator[None]:
    """What is wrong with the options is a wrong call."""
    from bellwire.viz.pictures.asked import PictureError
    from bellwire.viz.pictures.moment import MomentError

    try:
        yield
    except (PictureError, MomentError) as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def pictured_recording(
    what: str, count: int | None, settings: list[str] | None, replay: bool, record: Path | None = None
) -> Iterator[tuple[Path, str, list[str]]]:
    """A recording as it is, or that of a scenario: of a run that is made for it, or the one that is shipped.

    With it how a command names it, and what was amiss in the run.
    """
    from bellwire.engine.recordings.shipped import path_of_shipped
    from bellwire.viz.cli.recordings import recording_of
    from bellwire.viz.cli.runs import names_file, scenario_named

    if replay and not names_file(what):
        path = path_of_shipped(scenario_named(what, settings).name)
        if not path.exists():
            raise RecordingError(tr("For the scenario {name} no recording is shipped.", name=path.stem))
        yield path, path.name, []
        return
    with recording_of(what, count, settings) as (file, trouble):
        yield file, (record or file).name, trouble


def picture_of_file(file: Path, asked: PictureAsked, suffix: str, named: str) -> MadePicture:
    """The picture. named: the recording, in the command that makes it again. EngineError if it cannot be made."""
    from bellwire.viz.cli.pictures.plain import plain_application

    with importing():
        plain_application()
        from bellwire.viz.pictures.making import made_picture
        from bellwire.viz.window.picturing.drawn_window import drawn_window

    return made_picture(file, asked, suffix, drawn_window, named)
