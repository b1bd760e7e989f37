"""What `bellwire` does, until an event has been painted; then prints the clock and ends: see viz/bench/program.py."""

from __future__ import annotations

import time

from bellwire.viz.window import importing


def paint_first_event() -> None:
    """In a process of its own, from nothing."""
    with importing():
        from PySide6.QtCore import QCoreApplication

        from bellwire.engine.live.session import Session
        from bellwire.engine.scenarios.scenario import load_scenario
        from bellwire.viz.window.window import make_window

    window = make_window(Session(load_scenario("roundtrip")))
    window.resize(1920, 1080)
    window.show()
    window.frame.start()
    while not (window.model.present.tally.recorded and window.frame.work):
        QCoreApplication.processEvents()
    print(time.monotonic(), flush=True)
    window.close()


if __name__ == "__main__":
    paint_first_event()
