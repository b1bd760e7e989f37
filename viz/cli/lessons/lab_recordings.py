"""Whether guests run or recordings are shown, and a recording of a lab in either case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.errors import NoKvmError
from bellwire.engine.language import tr, tr_later
from bellwire.viz.cli.terminal import say

if TYPE_CHECKING:
    from bellwire.viz.lessons.labs.lab_texts import Riddle

ASKED_FOR = tr_later("Recordings were asked for, by --replay.")
Replayed = Annotated[bool, typer.Option("--replay", help="Over the recordings that are shipped, though there is KVM.")]


def why_replayed(asked: bool) -> str:
    """Why recordings are shown and no guests; "" if there are guests. It is told, unless it was asked for."""
    from bellwire.engine.host.host import usable_kvm

    if asked:
        return tr(ASKED_FOR)
    try:
        usable_kvm()
    except NoKvmError as error:
        say(f"{str(error).removesuffix('.')}. Recordings are shown in place of guests.")
        return str(error)
    return ""


@contextmanager
def lab_recording(lab: Riddle, why: str, called: str) -> Iterator[Path]:
    """A recording of the lab: of a guest that runs now or, if there is a reason why none can, the shipped one."""
    from bellwire.engine.recordings.shipped import path_of_shipped
    from bellwire.viz.cli.runs import recorded_run

    if why:
        yield path_of_shipped(lab.name)
        return
    with recorded_run(lab.scenario, lab.seconds, called=called) as (path, _):
        yield path
