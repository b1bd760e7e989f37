"""Makes a clip: paints its frames, hands them to the file of the format that was asked for, and writes what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bellwire.engine.host.no_memory import needs_memory
from bellwire.engine.language import tr
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.pictures.clips.clip_asked import ClipAsked
from bellwire.viz.pictures.clips.encoding import TOLD_IN, ClipFile, VideoFile, encoder_refusals_told
from bellwire.viz.pictures.clips.filming import ShowFrame, filmed
from bellwire.viz.pictures.clips.gif import GifFile
from bellwire.viz.pictures.clips.subtitles import CUE_SECONDS, Cues
from bellwire.viz.pictures.making import DrawView
from bellwire.viz.pictures.provenance import Provenance, provenance_of
from bellwire.viz.pictures.words import picture_caption
from bellwire.viz.text.figures import duration

LEAST_MEMORY = 800 * 10**6  # bytes of addresses, with which no clip came to its end
PAINTED = 0.9  # of the work; the rest is putting the file together


@dataclass(frozen=True)
class MadeClip:
    """content: the file; sentences: a WebVTT file; frames: how many there are."""

    content: bytes
    sentences: str
    frames: int


@encoder_refusals_told()
def made_clip(
    path: Path,
    asked: ClipAsked,
    suffix: str,
    draw_window: DrawView,
    show_window: ShowFrame,
    named: str = "",
    look: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda share: None,
) -> MadeClip:
    """A clip of a recording. EngineError if it cannot be made.

    suffix: one of CLIP_FORMATS; draw_window, show_window: as filmed() takes them. named: what the recording is
    called in the command that makes it again, by default by its file's name. look: called once a frame, ends it by
    raising; progress: is told the share that is done.
    """
    picture = asked.picture
    file, cues = clip_file(suffix, asked), Cues(asked.rate, min(asked.pace.stage_seconds or CUE_SECONDS, CUE_SECONDS))
    frames = 0
    with filmed(path, asked, draw_window, show_window) as film:
        source, begins = film.course.source.recording, ""
        title = f"{film.course.model.scenario.name}: {picture.view}"
        for frame in film:
            look()
            begins = begins or picture_caption(film.drawing, film.course.model)
            file.add(frame.pixels)
            cues.add(frame.said, frame.idle)
            frames += 1
            progress(PAINTED * frames / film.frames)
        said = caption_and_text(begins, frames / asked.rate, cues)
        told = provenance_of_clip(source, asked, named or path.name, suffix, said)
    about = {"title": title, "comment": told.command, TOLD_IN: told.as_json()}
    content = file.finish(cues.all, about)
    progress(1.0)
    return MadeClip(content, cues.webvtt(picture.language), frames)


def caption_and_text(begins: str, seconds: float, cues: Cues) -> tuple[str, str]:
    """The caption: what is shown, how long, and from when on. The text in its place: that, and what is said."""
    caption = tr("A clip of {time}, from here on: {picture}", time=duration(seconds * 1e9), picture=begins)
    return caption, " ".join((caption, *(cue.text for cue in cues.all)))


def provenance_of_clip(
    recording: Recording, asked: ClipAsked, source: str, suffix: str, said: tuple[str, str]
) -> Provenance:
    """Of a clip: of the picture that it begins with, what is told of all of it, and the command that makes it."""
    told = provenance_of(recording, asked.begins, source, suffix, said)
    return replace(told, command=asked.command(source, f"{asked.picture.view}{suffix}"))


def clip_file(suffix: str, asked: ClipAsked) -> ClipFile:
    """An empty one of that format; EngineError if there is too little memory for it."""
    size, rate = asked.picture.pixels, asked.rate
    needs_memory(LEAST_MEMORY, tr("A clip"))
    return GifFile(size, rate) if suffix == ".gif" else VideoFile(suffix, size, rate)
