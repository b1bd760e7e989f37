"""`bellwire open PICTURE`: the window at what a picture shows, where its recording is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.errors import RecordingError
from bellwire.engine.language import tr
from bellwire.viz.cli.terminal import out

if TYPE_CHECKING:
    from bellwire.viz.pictures.provenance import Provenance
    from bellwire.viz.window.window import MainWindow

SHORT_HASH = 12  # digits of it that are told


def open_picture(path: Path, theme: str, language: str) -> int:
    """Opens it. Returns the exit code; PictureError if it is none of ours, RecordingError without its recording."""
    from bellwire.viz.pictures.provenance import read_provenance

    told = read_provenance(path)
    file = recording_at_hand(path, told)
    from bellwire.engine.recordings.recording import Recording
    from bellwire.viz.cli.opening import show
    from bellwire.viz.pictures.played import PlayedRecording, begin_before

    source = PlayedRecording(Recording(file))
    begin_before(source, told.asked.at)
    looks = theme or told.asked.theme, language or told.asked.language
    return show(source, source.warning, out, *looks, then=partial(restored, told))


def restored(told: Provenance, window: MainWindow) -> None:
    """What the picture shows, in this window."""
    from bellwire.viz.window.picturing.restored import restore_view

    restore_view(window, told.asked)


def recording_at_hand(picture: Path, told: Provenance) -> Path:
    """The very file that the picture is of; RecordingError, with where it was looked for, if it is not there."""
    from bellwire.viz.pictures.provenance import sha256_of

    tried = list[str]()
    for path in places_of_recording(picture, told):
        try:
            if path.is_file() and sha256_of(path) == told.sha256:
                return path
        except OSError:
            continue
        if path.is_file():
            tried.append(path.name)
    where = picture.absolute().parent
    others = tr(" Not of it: {names}.", names=", ".join(dict.fromkeys(tried))) if tried else ""
    raise RecordingError(
        tr(
            "{picture} is of the recording {name} (SHA-256 {hash}…), which is not in {folder}: put it there.{others}",
            picture=picture,
            name=told.recording,
            hash=told.sha256[:SHORT_HASH],
            folder=where,
            others=others,
        )
    )


def places_of_recording(picture: Path, told: Provenance) -> Iterator[Path]:
    """Where it may be: beside the picture, by its name or by any other, here, or among those that are shipped."""
    from bellwire.engine.recordings.shipped import path_of_shipped

    folder, name = picture.absolute().parent, Path(told.recording).name
    yield from (folder / name, Path(name), path_of_shipped(Path(name).stem))
    yield from sorted([*folder.glob("*.arrow"), *folder.glob("*.arrows")])
