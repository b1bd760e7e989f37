"""Makes the page of a recording."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.making import as_nobody_has_set_it
from bellwire.viz.pictures.played import source_played
from bellwire.viz.player.asked import PageAsked
from bellwire.viz.player.page import page_of
from bellwire.viz.player.part import model_of_part
from bellwire.viz.player.run_told import Look, RunTeller, about_run
from bellwire.viz.player.shapes import SharedShapes
from bellwire.viz.player.stills import stills_of


def run_page(path: Path, asked: PageAsked, look: Look) -> bytes:
    """The page's bytes. EngineError if it cannot be made."""
    usual = PictureAsked(language=asked.language, hidden=asked.hidden)
    with source_played(Recording(path)) as source, as_nobody_has_set_it(usual):
        model, part = model_of_part(source, asked)
        shared = SharedShapes()
        with stills_of(model, shared, asked.extended) as stills:
            teller = RunTeller(model, part, stills, look)
            run = teller.tell()
        carried = {"about": about_run(model, teller.part), "runs": [run], "shared": shared.as_table()}
        return page_of(carried, asked.theme).encode()
