"""A process that makes pictures of a list for another one: it takes some at a time, and answers with each one's files.

It writes no file. It ends when whoever started it does, or ends it, at any moment.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.errors import EngineError
from bellwire.viz.text.faults import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bellwire.viz.pictures.lists.listed import ListedPicture
    from bellwire.viz.pictures.lists.series import MadeFiles, PictureSeries

Answer = "MadeFiles | str"  # a text: why there are none


def new_series(folder: Path, look: Callable[[], None] = lambda: None) -> PictureSeries:
    """In this process, whose Qt it begins."""
    from bellwire.viz.cli.pictures.plain import plain_application

    plain_application()
    from bellwire.viz.pictures.lists.series import PictureSeries
    from bellwire.viz.window.picturing.drawn_window import drawn_window
    from bellwire.viz.window.picturing.filmed_window import show_window_frame

    return PictureSeries(folder, drawn_window, show_window_frame, look)


def answer_to(series: PictureSeries, one: ListedPicture) -> MadeFiles | str:
    """The files of a picture; or, in a sentence, why there are none: the next one can be made all the same."""
    try:
        return series.make(one)
    except EngineError as error:
        return str(error)
    except Exception as error:
        return fault_of(error).sentence


def work(connection: Connection, folder: Path) -> None:
    """Until nobody is there any more."""
    series = new_series(folder)
    try:
        while True:
            for one in connection.recv():
                connection.send(answer_to(series, one))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    finally:
        series.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process hears it, and ends this one
    work(Connection(int(sys.argv[1])), Path(sys.argv[2]))
