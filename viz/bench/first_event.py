"""What `bellwire` does, until an event has been painted; then prints the clock and ends: see viz/bench/program.py."""

from __future__ import annotations

import time

from bellwire.viz.window import importing, importing_qt


def paint_first_event() -> None:
    """In a process of its own, which has read the command; imports what that does, and in its order."""
    with importing():
        from bellwire.engine.live.session import Session
        from bellwire.engine.scenarios.scenario import load_scenario
    with importing_qt():
        from bellwire.viz.window.window import make_window
    from PySide6.QtCore import QCoreApplication

    window = make_window(Session(load_scenario("roundtrip")))
    window.resize(1920, 1080)
    window.show()
    window.frame.start()
    while not (window.model.present.tally.recorded and window.frame.work):
        QCoreApplication.processEvents()
    print(time.monotonic(), flush=True)
    window.close()
