"""`bellwire clip`: a view of a recording as it moves, as a film or a GIF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bellwire.engine.counted import number_of
from bellwire.engine.language import tr
from bellwire.viz.cli.lessons.handout_command import ended_in_order
from bellwire.viz.cli.lessons.lab_recordings import Replayed
from bellwire.viz.cli.options import Force, InLanguage, Settings, Signals, ThemeName, a_number, app
from bellwire.viz.cli.pictures.shot_command import (
    At,
    Colors,
    Hide,
    Part,
    Size,
    TextSize,
    View,
    pictured_recording,
    usage_of_picture,
)
from bellwire.viz.cli.terminal import complain_of_all, out, share_bar

if TYPE_CHECKING:
    from bellwire.viz.pictures.clips.clip_asked import ClipAsked
    from bellwire.viz.pictures.clips.making_clips import MadeClip

ClipName = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The file: .webm, .mp4, .gif or .apng.")]
PaceName = Annotated[
    str,
    typer.Option(
        "--pace",
        metavar="PACE",
        help="story: a journey stage by stage (story:1.5: so many seconds each); 10000: slow motion; live: real time.",
    ),
]
Length = Annotated[
    float | None,
    typer.Option(
        "--seconds", callback=a_number, metavar="S", help="How long it lasts (default: the whole story, else 6 s)."
    ),
]
Rate = Annotated[
    int | None, typer.Option("--fps", metavar="N", help="Frames a second (default 30; of .gif and .apng 15).")
]
Captions = Annotated[bool, typer.Option("--captions/--no-captions", help="What is said, as a WebVTT file beside it.")]


@app.command()
def clip(
    what: Annotated[str, typer.Argument(metavar="RECORDING | SCENARIO")],
    target: ClipName,
    view: View = "diagram",
    at: At = "",
    pace: PaceName = "story",
    seconds: Length = None,
    fps: Rate = None,
    theme: Colors = ThemeName.LIGHT,
    size: Size = "",
    text: TextSize = "100%",
    part: Part = "",
    language: InLanguage = None,
    hide: Hide = "",
    captions: Captions = True,
    replay: Replayed = False,
    count: Signals = None,
    settings: Settings = None,
    force: Force = False,
) -> int:
    """Makes a film of a view: a journey told in story pace, slow motion or real time; the same frames each time."""
    from bellwire.engine.outputs import refuse_source
    from bellwire.viz.pictures.asked import picture_asked
    from bellwire.viz.pictures.clips.clip_asked import (
        ClipAsked,
        ClipPace,
        clip_format_of,
        read_clip_seconds,
        read_rate,
        refuse_clip,
    )
    from bellwire.viz.text.languages import CODE

    with usage_of_picture():
        picture = picture_asked(
            view, at, str(theme), size or None, text=text, part=part, hidden=hide, language=language or CODE
        )
        suffix = clip_format_of(target)
        asked = ClipAsked(picture, ClipPace.read(pace), read_rate(fps, suffix), read_clip_seconds(seconds))
        refuse_clip(asked, suffix)
    beside = target.with_suffix(".vtt") if captions else None
    for path in filter(None, (target, beside)):
        refuse_source(path, Path(what))
    with clip_outputs(target, beside, force) as (film, words), ended_in_order(target) as look:
        with pictured_recording(what, count, settings, replay) as (file, named, trouble):
            made = clip_of_file(file, asked, suffix, look, named)
        film.write(made.content)
        if words:
            words.write(made.sentences.encode())
    told = tr(
        "{path}: {view}, {width} × {height}, {seconds:.1f} s in {frames}, {size:.2f} MB.",
        path=target,
        view=asked.picture.view,
        width=asked.picture.pixels[0],
        height=asked.picture.pixels[1],
        seconds=made.frames / asked.rate,
        frames=number_of(made.frames, "frame"),
        size=len(made.content) / 1e6,
    )
    out(told)
    return complain_of_all(trouble)


def clip_of_file(file: Path, asked: ClipAsked, suffix: str, look: Callable[[], None], named: str) -> MadeClip:
    """The clip. named: the recording, in the command that makes it again. EngineError if it cannot be made."""
    from bellwire.viz.cli.pictures.plain import plain_application

    plain_application()
    from bellwire.viz.pictures.clips.making_clips import made_clip
    from bellwire.viz.window.picturing.drawn_window import drawn_window
    from bellwire.viz.window.picturing.filmed_window import show_window_frame

    with share_bar(named) as progress:
        return made_clip(file, asked, suffix, drawn_window, show_window_frame, named, look, progress)


@contextmanager
def clip_outputs(target: Path, beside: Path | None, force: bool) -> Iterator[tuple[IO[bytes], IO[bytes] | None]]:
    """The files of a clip and of what is said in it: both are kept or, after an error, neither.

    They are begun first: a clip that could not be written need not be made. RecordingError if one cannot be.
    """
    from bellwire.engine.outputs import whole_or_not

    with ExitStack() as files:
        words = files.enter_context(whole_or_not(beside, force)) if beside else None
        yield files.enter_context(whole_or_not(target, force)), words
