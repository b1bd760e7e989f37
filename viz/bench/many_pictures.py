"""Makes a hundred pictures of one recording, each of another moment; prints in how many seconds: see pictures.py."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from bellwire.viz.pictures.plain_qt import make_qt_plain
from bellwire.viz.window import importing_qt

PICTURES = 100
APART_SECONDS = 0.12  # from one moment to the next


def make_pictures() -> float:
    """Seconds of a core, once the process is warm."""
    make_qt_plain()
    with importing_qt():
        from bellwire.engine.recordings.shipped import path_of_shipped
        from bellwire.viz.pictures.asked import PictureAsked
        from bellwire.viz.pictures.lists.listed import ListedPicture
        from bellwire.viz.pictures.lists.series import PictureSeries
        from bellwire.viz.pictures.moment import Moment
        from bellwire.viz.window.application import application, keep_large_blocks
        from bellwire.viz.window.picturing.drawn_window import drawn_window
        from bellwire.viz.window.picturing.filmed_window import show_window_frame

    application()
    keep_large_blocks()
    series, recording = PictureSeries(Path(), drawn_window, show_window_frame), path_of_shipped("roundtrip")
    one = ListedPicture("diagram", "", Path("diagram.png"), PictureAsked(), recording)
    series.make(one)  # what is made once for all is there
    began = time.process_time()
    for number in range(1, PICTURES + 1):
        series.make(replace(one, asked=PictureAsked(at=Moment(seconds=number * APART_SECONDS))))
    return time.process_time() - began


if __name__ == "__main__":
    print(make_pictures(), flush=True)
